"""What is recorded: one structure for each kind of journal line.

An *event* is one FUSE request with its reply, raw and uninterpreted (`linux/fuse.h`). A
*sighting* is what a witness saw of the thread that the request held. Nothing here says what a
program *called*: that is an opinion, formed later by `tracefs.trace` from the same lines.

Common to all events:

``start_ns``, ``end_ns``
    CLOCK_MONOTONIC nanoseconds: request received, reply about to be given. ``end_ns >= start_ns``.
``tid``
    Thread id in the request's header, in the server's pid namespace; 0: the kernel itself, or a
    thread that this namespace cannot see.
``errno``
    Error number in the reply, positive; 0: success.
``path``
    Path text (`tracefs.pathtext`) relative to the traced directory, ``.`` for itself, as it was
    when the request arrived.
``ino``
    The filesystem's inode number as ``st_ino`` shows it; names one file as long as it lives.
``fh``
    Number of the open that the request came through; never used twice in one recording.
"""

from errno import EEXIST
from typing import Final, TypeAlias

from msgspec import Struct

FORMAT: Final = "tracefs-journal"
VERSION: Final = 5
"""2 added the seccomp witness: its lines, and what the header says of it; 3 the lines ``copy``,
``fallocate`` and ``ioctl``; 4 the line ``mark``; 5 ``injected``, and the lines ``faults`` and
``fallen``."""
READABLE: Final = (1, 2, 3, 4, VERSION)
"""Versions that can be read; what a later one added has defaults."""


class Header(Struct, frozen=True, kw_only=True, tag="header", tag_field="type"):
    """First line: what was traced, how, and on which machine."""

    format: str
    version: int
    tool: str
    """Name and version of what wrote the journal."""
    source: str
    """The traced directory, path text as the user gave it."""
    started: str
    """Wall clock at the start, RFC 3339 with offset."""
    start_ns: int
    clock: str
    """Clock of every ``_ns`` field."""
    kernel: str
    machine: str
    """``uname -m``: which system call table the numbers in sightings belong to."""
    mode: str
    """``cached`` (write-through) or ``direct_io``."""
    page_size: int
    """Page size in bytes that reports count in."""
    block_size: int
    """``f_bsize`` of the source; the step of glibc's posix_fallocate emulation is at most this."""
    witness: str
    """Who looked for the caller: ``none``; ``proc``; ``seccomp`` or ``full``, which are notified of
    calls and look into /proc too."""
    notified: tuple[str, ...] = ()
    """Names of the calls that a seccomp witness sees all of, whatever they reach."""
    degraded: tuple[str, ...] = ()
    """What this kernel kept the seccomp witness from, a sentence each."""
    visible: bool = False
    """Processes that the command did not start could reach the mount; nobody was notified of what
    they called."""
    bypassed_by: tuple[str, ...] = ()
    """Descriptors that the command was given, and through which it could change the directory past
    the mount: ``standard output``, ``descriptor 5``."""
    command: tuple[str, ...] | None
    """The traced command, path text; None for a plain mount."""
    faults: tuple[str, ...] = ()
    """Rules of faults that hold from the start, as `tracefs.faults.model.Rule` spells them."""
    operations: tuple[str, ...]
    """Types of the event lines that were asked for; others are absent, not unseen."""


class Footer(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="footer", tag_field="type"):
    """Last line; a journal without it is incomplete."""

    events: int
    """Number of lines between header and footer."""
    sha256: str
    """Of all bytes before this line, header included."""
    end_ns: int
    """When the mount ended; what came later is not covered."""
    reason: str
    """``unmounted``, ``terminated``, ``never mounted``, or ``rotated``: the mount went on, into
    another recording."""
    payload_size: int | None = None
    """Bytes in ``payload.bin``; None: there is none, or not recorded."""
    payload_sha256: str | None = None
    """Of these bytes."""
    status: int | None = None
    """Exit status of the command, 128 + N where signal N ended it; of its own process alone, not
    of those that it started. None: there was no command, or nobody heard."""
    pid: int | None = None
    """Process id of the command, as ``pid`` in sightings; None with *status*."""


class Sighting(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a look at the held thread showed; a field is None or -1 where it is not known."""

    nr: int = -1
    """System call number; -1: not known."""
    args: tuple[int, ...] = ()
    """Six unsigned 64-bit arguments; empty: not known."""
    pid: int | None = None
    """Thread group id of the caller."""
    comm: str | None = None
    """Command name of the thread, at most 15 bytes, path text."""
    fd: int | None = None
    """Descriptor that the call names, from its arguments."""
    position: int | None = None
    """File position of *fd* (``pos`` in fdinfo) while the request was held, in bytes."""
    fd_flags: int | None = None
    """Open flags of *fd* as the kernel holds them (``flags`` in fdinfo)."""
    fd_ino: int | None = None
    """Inode number of *fd*; equals the event's file when the look was at the right descriptor."""
    vector_bytes: int | None = None
    """Sum of the lengths in the iovec, for calls that take one; in notices alone."""
    missing: str | None = None
    """Why something above is not known."""


class Frame(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One level of a caller's stack: where a call returns to; its line is found out later."""

    module: str | None = None
    """The mapped file, path text as the kernel names it; None: not of a file."""
    address: int = 0
    """Return address, as the module's ELF headers count; without a module, as the process does."""
    build: str | None = None
    """GNU build id of the module, hexadecimal; None: it has none."""
    file: str | None = None
    """Source file of an interpreted function, or by a Go program's own table; path text."""
    line: int | None = None
    function: str | None = None


class Injected(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a rule made of a request, on purpose."""

    rule: str
    """As `tracefs.faults.model.Rule` spells it."""
    kind: str
    """``error``, ``retval`` (said to be done, nothing done), ``short``, ``full``, ``delay``,
    ``stuck`` (held until released), ``rot`` (bits read wrong), ``lost`` (reported by a sync that
    comes later, as a filesystem that lost the data earlier would)."""
    delay_ns: int = 0
    """How long the request was held, in nanoseconds."""


HELD: Final = frozenset({"delay", "stuck"})
"""Kinds of `Injected` that leave the outcome as it is, and only make it late."""
LOSES: Final = "lost"
"""Kind of `Injected` with which a sync claims success though its data is lost."""
PRETENDED: Final = "retval"
"""Kind of `Injected` with which a call is said to be done, and nothing is done."""


def is_pretended(injected: tuple[Injected, ...]) -> bool:
    """Tell whether what is said to be done was not done at all.

    >>> is_pretended((Injected(rule="fsync:retval=0", kind="retval"),)), is_pretended(())
    (True, False)
    """
    return any(one.kind in {PRETENDED, LOSES} for one in injected)


_ACK: Final = ".ack:"


def is_ack(name: bytes) -> bool:
    """Tell whether a directory of this name is never made, since asking for it says something.

    >>> is_ack(b".ack:42"), is_ack(b"ack:42")
    (True, False)
    """
    return name.startswith(_ACK.encode())


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", gc=False):
    """Base of all events."""

    start_ns: int
    end_ns: int
    tid: int
    errno: int = 0
    injected: tuple[Injected, ...] = ()
    """Faults made on purpose; *errno* and *result* are then not those of the source."""


class Open(Event, frozen=True, kw_only=True, tag="open"):
    """OPEN of an existing file."""

    path: str
    ino: int
    fh: int
    """0 when the open failed."""
    flags: int
    """open(2) flags; the kernel has removed O_CREAT, O_EXCL and O_NOCTTY."""
    uncached: bool = False
    """Reads and writes go past the kernel's cache (FOPEN_DIRECT_IO) for the sake of a rule."""
    size: int = 0
    """File size in bytes after the open (after O_TRUNC took effect)."""
    left_mode: int | None = None
    """Permission bits that tracefs left when set-id bits had to go; None: none had."""
    seen: Sighting | None = None


class Create(Event, frozen=True, kw_only=True, tag="create"):
    """CREATE: a name is made and opened in one step."""

    path: str
    ino: int
    fh: int
    flags: int
    mode: int
    """Permission bits after the umask."""
    uncached: bool = False
    """Reads and writes go past the kernel's cache (FOPEN_DIRECT_IO) for the sake of a rule."""
    existed: bool = False
    """The name was there already; in journals of earlier versions of tracefs alone."""
    size: int = 0
    uid: int | None = None
    """Owner of what was made, and its group; None: nothing was made, or not recorded."""
    gid: int | None = None
    seen: Sighting | None = None


class Read(Event, frozen=True, kw_only=True, tag="read"):
    """READ: pages that the kernel fetched; in cached mode not what a program asked for."""

    ino: int
    fh: int
    offset: int
    size: int
    """Bytes asked for."""
    result: int
    """Bytes returned."""


class Write(Event, frozen=True, kw_only=True, tag="write"):
    """WRITE: a whole write call, or a fragment of one."""

    ino: int
    fh: int
    """With *cached* the kernel guessed it: any open of the file."""
    offset: int
    size: int
    """Bytes in the request."""
    result: int
    """Bytes accepted; 0 when *errno* is set."""
    cached: bool = False
    """FUSE_WRITE_CACHE: a dirty page of a shared mapping, not a write call."""
    payload: int | None = None
    """Offset in ``payload.bin`` of the bytes accepted; None: not kept. Where the recording was
    killed, they may not be there."""
    digest: str | None = None
    """BLAKE2b-128 of the bytes accepted, hexadecimal; None: not asked for."""
    zero: bool = False
    """A single byte of value 0 was written."""
    left_mode: int | None = None
    """Permission bits that tracefs left when set-id bits had to go; None: none had."""
    seen: Sighting | None = None


class Copy(Event, frozen=True, kw_only=True, tag="copy"):
    """COPY_FILE_RANGE, done within the traced directory; what it copied is not kept.

    Where the kernel is left to copy by READ and WRITE there is no such line.
    """

    ino: int
    """The file written to, as *fh* and *offset* are."""
    fh: int
    offset: int
    size: int
    """Bytes in the request; the kernel ends it where the other file does."""
    result: int
    """Bytes copied; 0 when *errno* is set."""
    from_ino: int
    from_fh: int
    from_offset: int
    seen: Sighting | None = None


class Fallocate(Event, frozen=True, kw_only=True, tag="fallocate"):
    """FALLOCATE of *size* bytes from *offset* on."""

    ino: int
    fh: int
    mode: int
    """FALLOC_FL_* bits (fallocate(2))."""
    offset: int
    size: int
    synced: bool = False
    """The file was synced, because the open is O_SYNC or O_DSYNC."""
    seen: Sighting | None = None


class Fsync(Event, frozen=True, kw_only=True, tag="fsync"):
    """FSYNC of a file."""

    ino: int
    fh: int
    datasync: bool
    """FUSE_FSYNC_FDATASYNC: data and size, not times."""
    seen: Sighting | None = None


class Fsyncdir(Event, frozen=True, kw_only=True, tag="fsyncdir"):
    """FSYNCDIR of a directory."""

    path: str
    ino: int
    datasync: bool
    seen: Sighting | None = None


class Flush(Event, frozen=True, kw_only=True, tag="flush"):
    """FLUSH: one descriptor of the open was closed, by close(2), dup2(2), exec or exit."""

    ino: int
    fh: int


class Release(Event, frozen=True, kw_only=True, tag="release"):
    """RELEASE: the last descriptor and mapping of the open are gone; later than the close."""

    ino: int
    fh: int


class Setattr(Event, frozen=True, kw_only=True, tag="setattr"):
    """SETATTR; each field is None where it was not to change."""

    path: str
    ino: int
    fh: int | None = None
    """The open it came through; None: by name."""
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    atime_ns: int | None = None
    mtime_ns: int | None = None
    left_mode: int | None = None
    """Permission bits that tracefs left when set-id bits had to go; None: none had."""
    seen: Sighting | None = None


class Mknod(Event, frozen=True, kw_only=True, tag="mknod"):
    """MKNOD: a file, FIFO, socket or device; *ino* is 0 on failure."""

    path: str
    ino: int
    mode: int
    rdev: int = 0
    uid: int | None = None
    """Owner of what was made, and its group; None: nothing was made, or not recorded."""
    gid: int | None = None
    seen: Sighting | None = None


class Mkdir(Event, frozen=True, kw_only=True, tag="mkdir"):
    """MKDIR."""

    path: str
    ino: int
    mode: int
    uid: int | None = None
    """Owner of what was made, and its group; None: nothing was made, or not recorded."""
    gid: int | None = None
    seen: Sighting | None = None


class Symlink(Event, frozen=True, kw_only=True, tag="symlink"):
    """SYMLINK at *path*; *target* is path text, uninterpreted."""

    path: str
    ino: int
    target: str
    uid: int | None = None
    """Owner of what was made, and its group; None: nothing was made, or not recorded."""
    gid: int | None = None
    seen: Sighting | None = None


class Link(Event, frozen=True, kw_only=True, tag="link"):
    """LINK: *path* becomes one more name of the file that is known as *old*."""

    path: str
    ino: int
    old: str
    seen: Sighting | None = None


class Unlink(Event, frozen=True, kw_only=True, tag="unlink"):
    """UNLINK; *ino* is 0 when the file was not known."""

    path: str
    ino: int
    seen: Sighting | None = None


class Rmdir(Event, frozen=True, kw_only=True, tag="rmdir"):
    """RMDIR."""

    path: str
    ino: int
    seen: Sighting | None = None


class Rename(Event, frozen=True, kw_only=True, tag="rename"):
    """RENAME of *old* to *path*."""

    path: str
    old: str
    ino: int
    """What moved."""
    replaced: int = 0
    """What *path* named before; 0: nothing, or not known."""
    flags: int = 0
    """RENAME_NOREPLACE (1), RENAME_EXCHANGE (2)."""
    seen: Sighting | None = None


class Setxattr(Event, frozen=True, kw_only=True, tag="setxattr"):
    """SETXATTR."""

    path: str
    ino: int
    name: str
    size: int
    """Bytes in the value."""
    payload: int | None = None
    """Offset of the value in ``payload.bin``; None: not kept."""
    left_mode: int | None = None
    """Permission bits that tracefs left when set-id bits had to go; None: none had."""
    seen: Sighting | None = None


class Removexattr(Event, frozen=True, kw_only=True, tag="removexattr"):
    """REMOVEXATTR."""

    path: str
    ino: int
    name: str
    seen: Sighting | None = None


class Ioctl(Event, frozen=True, kw_only=True, tag="ioctl"):
    """IOCTL that set inode flags (FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR)."""

    path: str
    ino: int
    command: int
    """Number of the command; the value is not kept."""
    seen: Sighting | None = None


class Statfs(Event, frozen=True, kw_only=True, tag="statfs"):
    """STATFS; glibc's posix_fallocate emulation starts with one."""


class Query(Event, frozen=True, kw_only=True, tag="query"):
    """A request that only asks; recorded when all operations are wanted."""

    operation: str
    """Name of the pyfuse3 handler."""
    ino: int
    path: str | None = None


class Notice(Event, frozen=True, kw_only=True, tag="notice"):
    """A system call at its very beginning, when the seccomp witness was notified of it.

    ``start_ns`` is when that was heard, ``end_ns`` when the call was let go on; what it did came
    later, and before the thread's next line. ``errno`` says nothing here.
    """

    seen: Sighting
    """With the descriptor as it was before the call."""
    path: str | None = None
    """Path text of the descriptor's file, relative to the traced directory; None: it has none, or
    is not known."""
    stack: tuple[Frame, ...] = ()
    """Innermost first; empty: nobody asked, or see *unstacked*."""
    unstacked: str | None = None
    """Why the stack is missing or cut short."""
    closes: tuple[int, ...] | None = None
    """Inode numbers of the traced descriptors that the call is to close, one for each: of an exec
    those with O_CLOEXEC; None: not known, or no call that closes."""


class Lost(Event, frozen=True, kw_only=True, tag="lost"):
    """The seccomp witness ended at ``start_ns``; from then on calls went on unseen."""

    reason: str


class Withdrawn(Event, frozen=True, kw_only=True, tag="withdrawn"):
    """The call of the thread's last notice was never made: something killed the thread first."""


class Mark(Event, frozen=True, kw_only=True, tag="mark"):
    """Somebody has marked this place, for those who read; no request, and no call.

    What *tid* was told before it asked is above it, what it called afterwards below.
    """

    text: str
    ack: bool = False
    """It is a line that the command has printed, path text without its newline: an
    acknowledgement, if the command meant it as such. What the command was told before it printed
    the line is above."""


class Faults(Event, frozen=True, kw_only=True, tag="faults"):
    """From here on these rules hold, and no others; no request, and no call."""

    rules: tuple[str, ...]
    """As `tracefs.faults.model.Rule` spells them."""
    below: tuple[str, ...] = ()
    """For each rule the directory that it is for, relative to the traced one, as its glob is to
    it; empty: that is the traced one for all."""


class Fallen(Event, frozen=True, kw_only=True, tag="fallen"):
    """Bytes of a file went back to what a failed sync had left on the disk; no request, no call.

    So it is where a rule plays a filesystem whose cache and disk differ (``mode``), once the cache
    is gone: at the end of the mount, or at once.
    """

    path: str
    ino: int
    offset: int
    size: int
    """Bytes that went back."""
    file_size: int | None = None
    """Size of the file from now on, where these bytes are gone; None: they are still there."""
    payload: int | None = None
    """Offset in ``payload.bin`` of what they are now; None: not kept."""
    rule: str


AnyEvent: TypeAlias = (
    Open
    | Create
    | Read
    | Write
    | Copy
    | Fallocate
    | Fsync
    | Fsyncdir
    | Flush
    | Release
    | Setattr
    | Mknod
    | Mkdir
    | Symlink
    | Link
    | Unlink
    | Rmdir
    | Rename
    | Setxattr
    | Removexattr
    | Ioctl
    | Statfs
    | Query
    | Notice
    | Lost
    | Withdrawn
    | Mark
    | Faults
    | Fallen
)
"""Any line between header and footer."""

Line: TypeAlias = Header | AnyEvent | Footer
"""Any line of a journal."""


def acknowledged(event: AnyEvent) -> str | None:
    """Return what the program says with *event*, path text; None: nothing.

    >>> acknowledged(Mark(start_ns=1, end_ns=1, tid=0, text="commit 7", ack=True))
    'commit 7'
    """
    if isinstance(event, Mark):
        return event.text if event.ack else None
    if isinstance(event, Mkdir) and event.errno == EEXIST:
        name = event.path.rpartition("/")[2]
        return name.removeprefix(_ACK) if name.startswith(_ACK) else None
    return None
