"""Tasks in processes of their own: each is answered, however it ends, and leaves nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, signal, sys
from pathlib import Path
from tracefs.trials.jobs import Failed, in_parallel

def perform(task):
    if task == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "fails":
        raise ValueError("no way")
    if task == "hangs":
        signal.pause()
    if task == "large":
        return b"x" * 300_000
    if task == "leaves":
        if os.fork() == 0:
            os.setsid()
            os.execvp("sleep", ["sleep", sys.argv[2]])
    return task.encode()

folder = Path(sys.argv[1])
tasks = ["right", "dies", "fails", "hangs", "large", "leaves", "right"]
log = lambda task: folder / task
for place, answer in in_parallel(tasks, perform, jobs=3, patience_s=2, log=log):
    said = answer.reason if isinstance(answer, Failed) else len(answer)
    print(place, tasks[place], said)
"""


def test_each_task_is_answered(tmp_path: Path) -> None:
    seconds = f"6{os.getpid()}"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), seconds],
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [
        "0 right 5",
        f"1 dies its process ended with signal {signal.SIGKILL.value}",
        "2 fails its process ended with exit status 1",
        f"3 hangs its process ended with signal {signal.SIGKILL.value}",
        "4 large 300000",
        "5 leaves 6",
        "6 right 5",
    ]
    assert "ValueError: no way" in (tmp_path / "fails").read_text()
    left = subprocess.run(["pgrep", "-f", f"sleep {seconds}"], check=False, capture_output=True)
    assert left.returncode == 1, left.stdout
