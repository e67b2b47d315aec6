"""The wall clock is set back while a recording is made: its times are those of another clock."""

import subprocess
import sys
from pathlib import Path

from mounted_support import Guard, run_traced

from tracefs.events import Notice
from tracefs.journal.reader import JournalReader

WRITER = """
import os, time
began = time.time()
fd = os.open("pages.db", os.O_RDWR | os.O_CREAT, 0o644)
for page in range(20):
    os.pwrite(fd, bytes(4096), page * 4096)
    os.fdatasync(fd)
os.close(fd)
print(time.time() < began)
"""


def test_a_clock_that_is_set_back_disturbs_no_time(tmp_path: Path, guard: Guard) -> None:
    library = tmp_path / "stepping_clock.so"
    source = Path(__file__).with_name("stepping_clock.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    (tmp_path / "src").mkdir()

    run = run_traced(
        tmp_path / "src", tmp_path / "rec", guard, [sys.executable, "-S", "-c", WRITER],
        "--contract", "page-write", env={"LD_PRELOAD": str(library)},
    )  # fmt: skip

    assert (run.returncode, run.stdout) == (0, "True\n"), run.stderr
    assert "page-write: kept" in run.stderr
    with JournalReader(run.recording) as reader:
        ends = [event.end_ns for event in reader.events() if not isinstance(event, Notice)]
        assert all(event >= reader.header.start_ns for event in ends)
        assert ends == sorted(ends)
        assert reader.ending.footer is not None
        assert reader.ending.footer.end_ns >= ends[-1]
