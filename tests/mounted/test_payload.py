"""``--payload``: every byte that a complete recording names is there, and no other is made up."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_support import Puppet, require_incomplete
from mounted_support import PATIENCE_S, TRACEFS, Guard, Mount, Run, act, journal
from soak.twins.replayed import compare, replay

from tracefs import events
from tracefs.errors import RecordingError
from tracefs.journal.reader import JournalReader
from tracefs.replay import Replay

MIB = 1 << 20
THREADS = 8
EACH = 6
Traced = Callable[..., Run]


def block(thread: int, number: int) -> bytes:
    """Return a MiB that no other call writes, and that no two halves of are alike."""
    return b"".join(b"%04d%04d%08d" % (thread, number, place) for place in range(MIB // 16))


def write_in_threads() -> Any:
    def write(thread: int) -> None:
        fd = os.open(f"f{thread}", os.O_RDWR | os.O_CREAT, 0o644)
        for number in range(EACH):
            # Small ones in between, which are kept another way while nothing waits.
            os.pwrite(fd, b"%06d" % number, MIB * EACH + 6 * number)
            assert os.pwrite(fd, block(thread, number), MIB * number) == MIB
            os.setxattr(f"f{thread}", "user.number", b"%d" % number * 100)
        os.close(fd)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("options", [[], ["--hash"]])
def test_what_threads_write_at_once_is_built_again(
    tmp_path: Path, guard: Guard, options: list[str]
) -> None:
    for name in ("src", "mnt", "again"):
        (tmp_path / name).mkdir()
    recording = tmp_path / "rec"
    mount = Mount(tmp_path / "src", tmp_path / "mnt", recording, guard, "--payload", *options)
    act(mount.mountpoint, write_in_threads)
    mount.end()

    replay(recording, tmp_path / "again")
    assert compare(tmp_path / "src", tmp_path / "again") == []
    written = journal(recording, events.Write)
    assert {event.digest is not None for event in written} == {bool(options)}
    values = journal(recording, events.Setxattr)
    assert len(values) == THREADS * EACH
    # Each byte is named once, and none is left over.
    pieces = [(each.payload, each.result) for each in written]
    pieces += [(each.payload, each.size) for each in values]
    place = 0
    for offset, size in sorted((offset or 0, size) for offset, size in pieces):
        assert offset == place
        place += size
    assert (recording / "payload.bin").stat().st_size == place


BLOCK = (
    "os.pwrite(fd, b''.join(b'%%04d%%04d%%08d' %% (1, %d, n) for n in range(1 << 16)), %d << 20)"
)


def test_a_killed_server_leaves_no_byte_that_was_not_written(tmp_path: Path, guard: Guard) -> None:
    for name in ("src", "mnt", "again"):
        (tmp_path / name).mkdir()
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard, "--payload")
    puppet = Puppet(mount.mountpoint, guard)
    blocks = 12
    assert puppet.do("fd = os.open('f', os.O_RDWR | os.O_CREAT, 0o644)") == "ok"
    assert puppet.do(*(BLOCK % (number, number) for number in range(blocks))) == "ok"
    os.kill(mount.server, signal.SIGKILL)
    mount.process.communicate(timeout=PATIENCE_S)
    puppet.end()

    require_incomplete(tmp_path / "rec")
    # Whatever the program was told of has its line, though its bytes may be missing.
    written = journal(tmp_path / "rec", events.Write)
    assert sum(event.result for event in written) >= blocks * MIB
    with (
        JournalReader(tmp_path / "rec") as reader,
        Replay(tmp_path / "again", tmp_path / "rec") as again,
    ):
        try:
            again.run(reader.events())
            said = again.doubt(reader.ending)
        except RecordingError as error:
            said = str(error)
    assert said is not None
    assert "payload.bin ends before the bytes" in said or "no footer" in said
    wanted = b"".join(block(1, number) for number in range(blocks))
    found = (tmp_path / "again" / "f").read_bytes()
    assert found == wanted[: len(found)]


@pytest.mark.usefixtures("as_root")
def test_a_full_disk_under_the_bytes_lets_the_program_go_on(tmp_path: Path) -> None:
    source, full = tmp_path / "src", tmp_path / "full"
    source.mkdir()
    full.mkdir()
    program = (
        "import os\n"
        "fd = os.open('f', os.O_RDWR | os.O_CREAT, 0o644)\n"
        "for number in range(24):\n"
        "    assert os.pwrite(fd, bytes([number]) * (1 << 20), number << 20) == 1 << 20\n"
        "os.fsync(fd)\n"
    )
    inside = (
        f"mount -t tmpfs -o size=5m tmpfs {full} && cd {source} && "
        f"{' '.join(TRACEFS)} run -q --payload -o {full}/rec -- "
        f'{sys.executable} -S -c "$1"; echo $?; cp -r {full}/rec {tmp_path}/rec'
    )

    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside, "sh", program],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip

    assert done.stdout == "125\n"
    # The same disk holds the journal; either may be the first to hear of it.
    (stopped,) = [line for line in done.stderr.splitlines() if "recording stopped: " in line]
    assert "No space left on device" in stopped or "is the disk full?" in stopped
    require_incomplete(tmp_path / "rec")
    wanted = b"".join(bytes([number]) * MIB for number in range(24))
    assert (source / "f").read_bytes() == wanted
    kept = (tmp_path / "rec" / "payload.bin").read_bytes()
    assert kept == wanted[: len(kept)]
    assert len(kept) > 2 * MIB
