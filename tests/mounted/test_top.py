"""``tracefs top`` beside a program that goes on."""

import select
import subprocess
from pathlib import Path

from fault_support import TracedPuppet
from mounted_support import PATIENCE_S, TRACEFS, Guard


def until(process: "subprocess.Popen[str]", wanted: str) -> None:
    """Read what is printed up to a line that is *wanted*."""
    assert process.stdout is not None
    seen: list[str] = []
    while True:
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        assert ready, f"{wanted!r} was never printed"
        line = process.stdout.readline()
        assert line, f"it ended before {wanted!r}: {seen}"
        seen.append(line)
        if line.rstrip("\n") == wanted:
            return


def test_what_waits_for_a_sync_is_told_while_it_waits(tmp_path: Path, guard: Guard) -> None:
    source = tmp_path / "src"
    run = TracedPuppet(source, tmp_path / "rec", guard)
    with subprocess.Popen(
        [*TRACEFS, "top", "--plain", "--every", "0.05", tmp_path / "rec"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as top:  # fmt: skip
        try:
            opened = "fd = os.open('pages.db', os.O_RDWR | os.O_CREAT)"
            assert run.do(opened, "os.pwrite(fd, bytes(4096), 0)") == "ok"
            until(top, "not synced: 4096 bytes")
            assert run.do("os.fdatasync(fd)") == "ok"
            until(top, "not synced: 0 bytes")
            assert run.end()[0] == 0
            assert top.wait(PATIENCE_S) == 0
        finally:
            top.kill()
