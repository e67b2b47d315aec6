"""No memory is left for the server (RLIMIT_AS of setrlimit(2)): an error, never a hang or a lie."""

import os
import resource
from pathlib import Path

from fault_support import TracedPuppet, ending, is_mounted, require_incomplete
from mounted_support import Guard, calls

MIB = 1 << 20
# O_DIRECT: whole requests, not cut at pages, and no read-ahead.
OPEN = (
    "fd = os.open('f', os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o644)",
    f"import mmap; memory = mmap.mmap(-1, {MIB})",
)


def starve(pid: int, left: int) -> None:
    """Let a process have *left* bytes of address space more."""
    status = Path(f"/proc/{pid}/status").read_text()
    (size,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSize:")]
    resource.prlimit(pid, resource.RLIMIT_AS, ((size << 10) + left,) * 2)


def test_a_read_for_which_there_is_no_memory(tmp_path: Path, guard: Guard) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "f").write_bytes(bytes(8 * MIB))
    run = TracedPuppet(tmp_path / "src", tmp_path / "rec", guard)
    assert run.do(*OPEN) == "ok"
    starve(run.server, 64 << 10)

    failed = [run.do(f"os.preadv(fd, [memory], {n * MIB})") for n in range(8)]
    code, said = run.end()

    assert any(isinstance(each, int) for each in failed), "there was memory left"
    assert code == 125
    assert any("MemoryError" in line and "Traceback" not in line for line in said)
    assert not any(line.startswith((" ", "Traceback")) for line in said)
    require_incomplete(run.recording)


def test_a_write_for_which_there_is_no_memory(tmp_path: Path, guard: Guard) -> None:
    """The request's data is lost before its handler is called, so the mount must end."""
    run = TracedPuppet(tmp_path / "src", tmp_path / "rec", guard)
    assert run.do(*OPEN) == "ok"
    starve(run.server, 64 << 10)

    failed = [run.do(f"os.pwritev(fd, [memory], {n * MIB})") for n in range(8)]
    code, said = run.end()

    assert any(isinstance(each, int) for each in failed), "there was memory left"
    assert code == 125
    assert not any(line.startswith((" ", "Traceback")) for line in said)
    require_incomplete(run.recording)
    written = [call.length for call in calls(run.recording, "write") if call.errno == 0]
    told = MIB * failed.count("ok")
    assert os.stat(tmp_path / "src" / "f").st_size >= told
    assert sum(length or 0 for length in written) >= told
    assert not is_mounted(run.directory)


def test_the_recording_is_whole_as_long_as_there_is_memory(tmp_path: Path, guard: Guard) -> None:
    run = TracedPuppet(tmp_path / "src", tmp_path / "rec", guard)
    starve(run.server, 64 * MIB)
    assert run.do(*OPEN, "os.pwritev(fd, [memory], 0)", "os.close(fd)") == "ok"
    assert run.end()[0] == 0
    assert ending(run.recording).complete
