"""Which calls a seccomp witness is notified of, by level.

What FUSE never hears of has to be notified: `lseek`, `sync`, `sync_file_range`, a `fallocate` that
the kernel refuses by itself, shared mappings, copies of descriptors, and what but a close closes
one. A write or a sync is held by its own request, where a look into /proc names it at no extra
stop, and a close makes a request as well; ``full`` has those notified all the same, for their
stacks, their descriptors and exact names.
"""

from collections.abc import Mapping
from typing import Final

from tracefs.syscalls import i386_names, numbers
from tracefs.witness.bpf import Rule, Test, assemble
from tracefs.witness.level_names import FULL, SECCOMP

_SEEK_CUR: Final = 1
_MAP_SHARED: Final = 0x1
_MAP_ANONYMOUS: Final = 0x20
_PROT_WRITE: Final = 0x2
_F_DUPFD: Final = 0
_F_SETFL: Final = 4
_F_DUPFD_CLOEXEC: Final = 1030

_ALWAYS: Final = Rule()
_SELDOM: Final[Mapping[str, Rule]] = {
    # lseek(fd, 0, SEEK_CUR) asks and moves nothing.
    "lseek": Rule(
        (
            Test(word=4, values=frozenset({_SEEK_CUR})),
            Test(word=2, values=frozenset({0})),
            Test(word=3, values=frozenset({0})),
        ),
        notify=False,
    ),
    "mmap": Rule(
        (
            # MAP_SHARED is a bit of MAP_SHARED_VALIDATE, and none of MAP_PRIVATE (mmap(2)).
            Test(word=6, any_of=_MAP_SHARED, none_of=_MAP_ANONYMOUS),
            Test(word=4, any_of=_PROT_WRITE),
        )
    ),
    "fcntl": Rule((Test(word=2, values=frozenset({_F_DUPFD, _F_DUPFD_CLOEXEC, _F_SETFL})),)),
} | dict.fromkeys(
    (
        "fallocate", "sync", "syncfs", "sync_file_range", "msync", "dup", "dup2", "dup3",
        "close_range", "execve", "execveat", "exit", "exit_group", "io_uring_setup", "io_submit",
    ),
    _ALWAYS,
)  # fmt: skip
WRITES: Final = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "splice", "copy_file_range",
)  # fmt: skip
_OTHERS: Final = ("fsync", "fdatasync", "ftruncate", "close")

_I386_ALIASES: Final = {
    "_llseek": "lseek", "mmap2": "mmap", "old_mmap": "mmap", "fcntl64": "fcntl",
    "ftruncate64": "ftruncate", "sendfile64": "sendfile",
}  # fmt: skip


def notified(level: str, also: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of the calls that *level* notifies, and those of *also* that it can."""
    if level not in (SECCOMP, FULL):
        return ()
    more = (*WRITES, *_OTHERS)
    chosen = more if level == FULL else tuple(name for name in more if name in also)
    return (*_SELDOM, *chosen)


def filter_code(machine: str, names: tuple[str, ...]) -> bytes:
    """Return the filter that notifies the calls *names*."""
    known = numbers(machine)
    rules = {known[name]: _SELDOM.get(name, _ALWAYS) for name in names if name in known}
    other = None
    if machine == "x86_64":
        wanted = frozenset(names)
        other = [
            number
            for number, name in i386_names().items()
            if _I386_ALIASES.get(name, name) in wanted
        ]
    return assemble(machine, rules, other)


def notifies(name: str, args: tuple[int, ...]) -> bool:
    """Return whether the filter notifies this call of the machine's own, if it does any *name*.

    It lets each call of another ABI stop: their arguments are not where those of its own are.
    """
    return _SELDOM.get(name, _ALWAYS).holds(args)


def native_name(name: str) -> str:
    """Return what an i386 call is called on x86_64."""
    return _I386_ALIASES.get(name, name)
