"""What can go wrong around a run: one clear line, an exit code, and nothing lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import PATIENCE_S, TRACEFS, Guard, Mount, Run, journal

from tracefs.events import Lost, Write
from tracefs.journal.reader import JournalReader

Traced = Callable[..., Run]

TOOL_FAILED = 125


def _tracefs(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRACEFS, *words], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def test_directory_that_does_not_exist(tmp_path: Path) -> None:
    done = _tracefs("run", "--dir", tmp_path / "none", "-o", tmp_path / "rec", "--", "true")

    assert done.returncode == TOOL_FAILED
    assert done.stderr == f"tracefs: {tmp_path}/none: no such directory\n"
    assert not (tmp_path / "rec").exists()


def test_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = _tracefs("run", "--dir", tmp_path / "file", "-o", tmp_path / "rec", "--", "true")

    assert (done.returncode, done.stderr) == (
        TOOL_FAILED,
        f"tracefs: {tmp_path}/file: not a directory\n",
    )


def test_working_directory_that_is_gone(tmp_path: Path, guard: Guard) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "gone").mkdir()
    guard.watch(tmp_path / "src")
    script = 'cd gone && rmdir ../gone && exec "$@"'
    words = ["run", "-q", "--dir", str(tmp_path / "src"), "-o", str(tmp_path / "rec"), "true"]
    done = subprocess.run(
        ["sh", "-c", script, "sh", *TRACEFS, *words],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (
        126,
        "tracefs: cannot enter the working directory: No such file or directory\n",
    )
    assert journal(tmp_path / "rec", Lost) == [], "no call was made, so none was lost"


@pytest.mark.parametrize("place", ["rec", "a/b/rec", "../src/rec", "link/rec"])
def test_recording_inside_the_traced_directory(tmp_path: Path, place: str) -> None:
    source = tmp_path / "src"
    (source / "a" / "b").mkdir(parents=True)
    (source / "link").symlink_to(source / "a")

    done = _tracefs("run", "-o", place, "--", "touch", "file", cwd=source)

    assert done.returncode == TOOL_FAILED
    assert "would lie inside the traced directory" in done.stderr
    assert sorted(os.listdir(source)) == ["a", "link"]


def test_two_runs_on_one_directory(mounted: Mount, tmp_path: Path) -> None:
    done = _tracefs("run", "--dir", mounted.source, "-o", tmp_path / "r2", "--", "touch", "file")

    assert done.returncode == TOOL_FAILED
    assert "is being traced already" in done.stderr
    assert os.listdir(mounted.source) == []
    assert not (tmp_path / "r2").exists()


def test_recording_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    recording = tmp_path / "rec"
    recording.mkdir()
    (recording / "mine").write_text("precious")

    done = _tracefs("run", "--dir", tmp_path / "src", "-o", recording, "--", "true")

    assert done.returncode == TOOL_FAILED
    assert (recording / "mine").read_text() == "precious"


def test_killed_server_is_a_tool_failure_and_the_recording_stays(traced_run: Traced) -> None:
    """The command kills the server that serves it; what was recorded until then is kept."""
    script = (
        "import os, pathlib\n"
        "pathlib.Path('file').write_text('one')\n"
        "children = pathlib.Path(f'/proc/{os.getppid()}/task/{os.getppid()}/children')\n"
        "for pid in map(int, children.read_text().split()):\n"
        "    if pid != os.getpid():\n"
        "        os.kill(pid, 9)\n"
        "pathlib.Path('file').write_text('two')\n"
    )

    run = traced_run([sys.executable, "-c", script])

    assert run.returncode == TOOL_FAILED
    assert "the server ended unexpectedly (signal 9)" in run.stderr
    assert [event.size for event in journal(run.recording, Write)] == [3]
    with JournalReader(run.recording) as reader:
        for _ in reader.events():
            pass
        assert not reader.ending.complete


def test_killed_front_end_leaves_command_and_recording_whole(tmp_path: Path, guard: Guard) -> None:
    source = tmp_path / "src"
    source.mkdir()
    guard.watch(source)
    go, done = tmp_path / "go", tmp_path / "done"
    os.mkfifo(go)
    os.mkfifo(done)
    front = subprocess.Popen(
        [*TRACEFS, "run", "-q", "-o", tmp_path / "rec", "--", "sh", "-c",
         f"read line < {go}; echo late > file; echo > {done}"],
        cwd=source,
    )  # fmt: skip
    with open(go, "w") as started:
        front.send_signal(signal.SIGKILL)
        front.wait()
        started.write("go\n")
    done.read_text()

    with JournalReader(tmp_path / "rec", follow=True) as reader:
        writes = [event.size for event in reader.events() if isinstance(event, Write)]
        assert writes == [5]
        assert reader.ending.complete
    assert (source / "file").read_text() == "late\n"


@pytest.mark.usefixtures("as_root")
def test_full_disk_under_the_journal_lets_the_program_go_on(tmp_path: Path) -> None:
    source, full = tmp_path / "src", tmp_path / "full"
    source.mkdir()
    full.mkdir()
    inside = (
        f"mount -t tmpfs -o size=16k tmpfs {full} && "
        f"{' '.join(TRACEFS)} run -q --dir {source} -o {full}/rec -- "
        f"sh -c 'i=0; while [ $i -lt 200 ]; do echo $i >> {source}/out; i=$((i+1)); done'; "
        f"echo $?; cat {full}/rec/journal.jsonl > {tmp_path}/journal.jsonl"
    )

    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip

    assert done.stdout == f"{TOOL_FAILED}\n"
    assert "recording stopped: journal.jsonl: " in done.stderr
    assert "the recording is incomplete: " in done.stderr
    assert (source / "out").read_text() == "".join(f"{n}\n" for n in range(200))
    with JournalReader(tmp_path / "journal.jsonl") as reader:
        assert list(reader.events())
        assert not reader.ending.complete


@pytest.mark.usefixtures("as_root")
def test_full_disk_under_the_source_reaches_the_program(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    inside = (
        f"mount -t tmpfs -o size=64k tmpfs {source} && "
        f"{' '.join(TRACEFS)} run -q --dir {source} -o {tmp_path}/rec -- "
        f"dd if=/dev/zero of={source}/out bs=4096 count=64"
    )

    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert journal(tmp_path / "rec", Write)[-1].errno == 28


def test_payload_is_what_was_written(traced_run: Traced) -> None:
    run = traced_run(["sh", "-c", "printf abc > a; printf defg > b"], "--payload")

    payload = (run.recording / "payload.bin").read_bytes()
    kept = {
        payload[event.payload : event.payload + event.result]
        for event in journal(run.recording, Write)
        if event.payload is not None
    }
    assert kept == {b"abc", b"defg"}


def test_caller_whose_memory_is_locked_is_not_waited_for(
    traced_run: Traced, tmp_path: Path
) -> None:
    """Its memory can't be read while one of its threads waits for us with the mmap_lock held."""
    program = tmp_path / "vectors"
    source = Path(__file__).with_name("vectors_beside_mappings.c")
    subprocess.run(["cc", "-O1", "-pthread", "-o", program, source], check=True)

    run = traced_run([str(program)])

    assert (run.returncode, run.stdout) == (0, "done\n")


def test_deeper_tree_than_descriptors(traced_run: Traced) -> None:
    script = (
        "import os\n"
        "for _ in range(1200): os.mkdir('d'); os.chdir('d')\n"
        "for n in range(80): open(f'f{n}', 'w').close()\n"
        "print(len(os.listdir('.')))\n"
        "for n in range(80): os.unlink(f'f{n}')\n"
        "for _ in range(1200): os.chdir('..'); os.rmdir('d')\n"
    )

    run = traced_run([sys.executable, "-c", script], most_files=128)

    assert (run.returncode, run.stdout, run.stderr) == (0, "80\n", "")
