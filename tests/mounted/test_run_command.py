"""What ``tracefs run`` passes on of a command, and what it says when it can't."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import PATIENCE_S, TRACEFS, Guard, Run, journal

from tracefs.events import Create, Write
from tracefs.journal.reader import JournalReader
from tracefs.trace import Trace

Traced = Callable[..., Run]


@pytest.mark.parametrize("mode", [(), ("--visible",)])
@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_exit_status_is_passed_through(
    traced_run: Traced, status: int, mode: tuple[str, ...]
) -> None:
    run = traced_run(["sh", "-c", f"echo $$; exit {status}"], *mode)
    assert run.returncode == status
    assert ended(run) == (status, int(run.stdout))


def test_death_by_signal_is_128_and_its_number(traced_run: Traced) -> None:
    run = traced_run(["sh", "-c", "echo $$; kill -9 $$"])
    assert run.returncode == 128 + signal.SIGKILL
    assert ended(run) == (run.returncode, int(run.stdout))


def test_the_exit_status_is_that_of_the_command_whatever_it_left_running(
    traced_run: Traced,
) -> None:
    run = traced_run(["sh", "-c", "echo $$; (exec >&- 2>&-; sleep 0.2; exit 3) & exit 5"])
    assert ended(run) == (5, int(run.stdout))


def ended(run: Run) -> tuple[int | None, int | None]:
    """Return what the recording says of the command: its exit status and process id."""
    trace = Trace(JournalReader(run.recording))
    for _ in trace.items():
        pass
    summary = trace.summary()
    assert summary.complete
    return summary.status, summary.pid


def test_command_that_is_not_found(traced_run: Traced) -> None:
    run = traced_run(["no-such-command"])

    assert (run.returncode, run.stderr) == (127, "tracefs: cannot run no-such-command: not found\n")


def test_command_that_may_not_be_run(traced_run: Traced, tmp_path: Path) -> None:
    (tmp_path / "src" / "data").write_text("no program")

    run = traced_run(["./data"])

    assert (run.returncode, run.stderr) == (126, "tracefs: cannot run ./data: Permission denied\n")


def test_script_without_interpreter_line_is_run_by_the_shell(
    traced_run: Traced, tmp_path: Path
) -> None:
    script = tmp_path / "src" / "script"
    script.write_text("echo from the script\n")
    script.chmod(0o755)

    assert traced_run(["./script"]).stdout == "from the script\n"


def test_command_without_words_is_a_usage_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [*TRACEFS, "run", "--dir", tmp_path], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "no command to run" in done.stderr


def test_program_finds_signals_descriptors_and_directory_as_without(
    traced_run: Traced, tmp_path: Path
) -> None:
    probe = tmp_path / "src" / "probe.sh"
    probe.write_text(
        "pwd; ls /proc/self/fd | wc -l; umask; ulimit -n\n"
        "grep -E 'Sig(Ign|Blk)' /proc/self/status\n"
    )
    bare = subprocess.run(
        ["sh", "probe.sh"], cwd=probe.parent, capture_output=True, text=True, check=True
    )

    assert traced_run(["sh", "probe.sh"]).stdout == bare.stdout


def test_relative_program_is_run_through_the_mount(traced_run: Traced, tmp_path: Path) -> None:
    program = tmp_path / "src" / "true"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)

    run = traced_run(["./true"])

    assert run.returncode == 0
    with JournalReader(run.recording) as reader:
        assert any(getattr(event, "path", None) == "true" for event in reader.events())


def test_non_utf8_names_survive(traced_run: Traced, tmp_path: Path) -> None:
    run = traced_run(["touch", os.fsdecode(b"n\xe4me\\")])

    assert os.listdir(os.fsencode(tmp_path / "src")) == [b"n\xe4me\\"]
    assert [event.path for event in journal(run.recording, Create)] == ["n\\xe4me\\\\"]
    with JournalReader(run.recording) as reader:
        assert reader.header.command == ("touch", "n\\xe4me\\\\")


def test_only_the_command_sees_the_mount(traced_run: Traced, tmp_path: Path) -> None:
    run = traced_run(["grep", "-c", f" {tmp_path}/src .* fuse.tracefs ", "/proc/self/mountinfo"])

    assert run.stdout == "1\n"
    assert str(tmp_path / "src") not in Path("/proc/self/mountinfo").read_text()


def test_background_processes_are_waited_for(traced_run: Traced, tmp_path: Path) -> None:
    release = tmp_path / "release"
    os.mkfifo(release)
    # The process in the background can go on only once the command itself has ended.
    script = (
        f"(read line < {release}; echo late > late) & "
        f"(while kill -0 $$; do :; done; echo go > {release}) 2> /dev/null & exit 4"
    )

    run = traced_run(["sh", "-c", script])

    assert run.returncode == 4
    assert [event.path for event in journal(run.recording, Create)] == ["late"]
    assert _is_complete(run.recording)


def test_visible_mount_is_seen_by_all_and_gone_at_the_end(
    traced_run: Traced, tmp_path: Path
) -> None:
    source = tmp_path / "src"
    namespaces = "readlink /proc/self/ns/mnt"

    run = traced_run(["sh", "-c", f"{namespaces}; echo x > file"], "--visible")

    assert run.stdout.strip() == os.readlink("/proc/self/ns/mnt")
    assert [event.path for event in journal(run.recording, Create)] == ["file"]
    assert _is_complete(run.recording)
    assert str(source) not in Path("/proc/self/mountinfo").read_text()


@pytest.mark.parametrize("output", ["../rec", "link/rec"])
def test_a_recording_whose_path_leads_through_the_traced_directory(
    tmp_path: Path, guard: Guard, output: str
) -> None:
    """A server that walked it would wait for itself."""
    source = tmp_path / "src"
    source.mkdir()
    (source / "link").symlink_to(tmp_path)
    guard.watch(source)
    done = subprocess.run(
        [*TRACEFS, "run", "--visible", "-q", "-o", output, "--", "sh", "-c", "echo x > file"],
        cwd=source, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert [event.path for event in journal(tmp_path / "rec", Create)] == ["file"]
    assert _is_complete(tmp_path / "rec")


def test_interpreter_inside_the_traced_directory(traced_run: Traced, tmp_path: Path) -> None:
    """A server that met its own mount would wait for itself."""
    copied = tmp_path / "src" / "lib"
    subprocess.run(["cp", "-r", Path(__file__).parents[2] / "tracefs", copied], check=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src" / "lib")}
    (tmp_path / "src" / "lib" / "tracefs").mkdir()
    for name in os.listdir(copied):
        if name != "tracefs":
            (copied / name).rename(copied / "tracefs" / name)
    recording = tmp_path / "inside"

    done = subprocess.run(
        [*TRACEFS, "run", "--visible", "-q", "-o", recording, "--", "sh", "-c", "echo x > file"],
        cwd=tmp_path / "src",
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert [event.size for event in journal(recording, Write)] == [2]
    assert _is_complete(recording)


def test_standard_output_into_the_directory_is_pointed_out(
    traced_run: Traced, tmp_path: Path
) -> None:
    source = tmp_path / "src"
    with open(source / "out", "w") as out:
        done = subprocess.run(
            [*TRACEFS, "run", "-q", "-o", tmp_path / "rec", "--", "echo", "x"],
            cwd=source,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    assert done.returncode == 0
    assert "standard output leads into" in done.stderr


def test_default_place_is_the_state_directory(traced_run: Traced, tmp_path: Path) -> None:
    source = tmp_path / "src"
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}

    done = subprocess.run(
        [*TRACEFS, "run", "--", "true"],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    (recording,) = (tmp_path / "state" / "tracefs").iterdir()
    assert recording.name.startswith("true-")
    assert done.stderr == f"tracefs: recorded 0 events in {recording}\n"
    assert os.listdir(source) == []


def test_kept_contract_leaves_the_commands_status(traced_run: Traced) -> None:
    run = traced_run([sys.executable, "-c", _writer("os.fdatasync(fd)")], "--contract=page-write")

    assert run.returncode == 0
    assert "page-write: kept" in run.stderr


def test_broken_contract_is_1(traced_run: Traced) -> None:
    run = traced_run([sys.executable, "-c", _writer("pass")], "--contract=page-write")

    assert run.returncode == 1
    assert "synced" in run.stderr


def test_failing_command_hides_a_broken_contract(traced_run: Traced) -> None:
    run = traced_run([sys.executable, "-c", _writer("exit(9)")], "--contract=page-write")

    assert run.returncode == 9


def test_nothing_written_is_unknown(traced_run: Traced) -> None:
    assert traced_run(["true"], "--contract=page-write").returncode == 4


def test_unknown_contract_stops_before_the_command(traced_run: Traced, tmp_path: Path) -> None:
    run = traced_run(["touch", "file"], "--contract=nonsense")

    assert run.returncode == 2
    assert "nonsense" in run.stderr
    assert os.listdir(tmp_path / "src") == []


def _writer(then: str) -> str:
    return (
        "import os\n"
        "fd = os.open('pages.db', os.O_RDWR | os.O_CREAT)\n"
        "os.pwrite(fd, bytes(4096), 8192)\n"
        f"{then}\n"
        "os.close(fd)\n"
    )


def _is_complete(recording: Path) -> bool:
    with JournalReader(recording) as reader:
        for _ in reader.events():
            pass
        return reader.ending.complete


def test_script_on_the_path_without_interpreter_line(
    traced_run: Traced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "bin" / "plain"
    script.parent.mkdir()
    script.write_text("echo $0\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}:{script}")

    assert traced_run(["plain"]).stdout == f"{script}\n"
    assert traced_run(["no-such-command"], "-o", str(tmp_path / "r2")).returncode == 127


def test_command_line_as_long_as_the_kernel_takes(traced_run: Traced) -> None:
    words = ["x" * 1000] * 1500

    assert traced_run(["sh", "-c", "echo $#", "sh", *words]).stdout == "1500\n"


@pytest.mark.parametrize(
    ("redirection", "name"),
    [
        ("5<>given", "descriptor 5"),
        (">given", "standard output"),
        ("7<.", "descriptor 7"),
        ("5<given", None),
    ],
)
def test_what_leads_past_the_mount_keeps_a_recording_from_being_complete(
    tmp_path: Path, redirection: str, name: str | None
) -> None:
    directory, folder = tmp_path / "src", tmp_path / "rec"
    directory.mkdir()
    (directory / "given").write_bytes(b"x")
    command = f"exec {redirection}; exec {shlex.join(TRACEFS)} run -o {folder} -- true"
    done = subprocess.run(
        ["sh", "-c", command], cwd=directory, capture_output=True, text=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
    with JournalReader(folder) as reader:
        trace = Trace(reader)
        assert list(trace.items()) is not None
        because = trace.summary().incomplete_because
    if name is None:
        assert because is None
    else:
        assert because == f"opened before the run, and so not recorded: {name}"
        assert f"{name} leads into ., opened before" in done.stderr
