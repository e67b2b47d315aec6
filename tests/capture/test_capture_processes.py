"""Becoming the command, passing signals and exit codes on, and finding the mount helper."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from tracefs.capture import fusermount, runner
from tracefs.capture.fusermount import helper_path
from tracefs.errors import MountError, SetupError

_BECOME = """
import os, sys
from tracefs.capture.namespace import become, return_to_cwd
become([os.fsencode(word) for word in sys.argv[1:]], enter=return_to_cwd, arm=lambda: None)
"""


def become(*argv: str | bytes, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-c", _BECOME, *argv], capture_output=True, check=False, **options
    )


def script(path: Path, text: str, mode: int = 0o755) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("status", [0, 1, 3, 125, 255])
def test_the_commands_own_status_is_the_status(status: int) -> None:
    done = become("sh", "-c", f"exit {status}")
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")


def test_arguments_are_passed_on_byte_for_byte() -> None:
    done = become("printf", "%s|", b"\xff\xfe", b"a\nb", b"")
    assert done.stdout == b"\xff\xfe|a\nb||"


def test_a_command_that_is_not_found_is_127(tmp_path: Path) -> None:
    done = become("no-such-command")
    assert done.returncode == 127
    assert done.stderr == b"tracefs: cannot run no-such-command: not found\n"
    assert become(str(tmp_path / "absent")).returncode == 127


def test_a_command_that_may_not_be_run_is_126(tmp_path: Path) -> None:
    plain = script(tmp_path / "plain", "true", mode=0o644)
    done = become(str(plain))
    assert done.returncode == 126
    assert done.stderr == f"tracefs: cannot run {plain}: Permission denied\n".encode()
    assert become(str(tmp_path)).returncode == 126


def test_a_missing_interpreter_is_not_found(tmp_path: Path) -> None:
    assert become(str(script(tmp_path / "run", "#!/absent\n"))).returncode == 127


def test_a_script_without_a_header_is_a_shell_script(tmp_path: Path) -> None:
    path = script(tmp_path / "run", 'echo "$0 $*"')
    assert become(str(path), "a", "b c").stdout == f"{path} a b c\n".encode()


def test_signals_that_python_ignores_have_their_defaults_again() -> None:
    done = become("grep", "^SigIgn:", "/proc/self/status")
    ignored = int(done.stdout.split()[1], 16)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        assert not ignored >> (number - 1) & 1


def test_the_helper_is_found_though_path_leaves_it_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert os.access(helper_path(), os.X_OK)
    own = script(tmp_path / "fusermount3", "")
    assert helper_path() == str(own)


def test_a_missing_helper_is_named_with_its_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracefs.capture.fusermount.shutil.which", lambda *_, **__: None)
    with pytest.raises(SetupError, match="fusermount3 is not installed") as caught:
        helper_path()
    assert caught.value.repair is not None
    assert "apt install fuse3" in caught.value.repair


def test_nothing_is_mounted_that_a_user_could_not_unmount(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fusermount, "_MTAB", str(tmp_path / "absent"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="missing or empty") as caught:
        fusermount.HelperMount(os.fsencode(tmp_path), [])
    assert "ln -sf /proc/self/mounts" in (caught.value.repair or "")


def test_a_mount_that_can_not_be_taken_away_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise MountError("cannot unmount /w: Operation not permitted")

    monkeypatch.setattr(fusermount, "unmount", refuse)
    said: list[str] = []
    family = Mock(spec_set=["session"])
    runner._unmount_lazily(family, b"/w", said.append)
    family.session.stop.assert_called_once_with()
    (line,) = said
    assert line.endswith("a dead mount is left there: as root, umount -l /w")


@pytest.mark.parametrize(
    ("command", "status"),
    [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
def test_the_status_of_a_command_is_a_shells(command: str, status: int) -> None:
    process = subprocess.Popen(["sh", "-c", command])
    assert runner._await(process.pid) == status
    process.returncode = status


@pytest.mark.parametrize("number", runner._FORWARDED)
def test_signals_meant_for_the_command_are_passed_on(number: signal.Signals) -> None:
    # It sends the signal to us, once told that we are ready, and waits to get it back.
    line = (
        f"trap 'exit 9' {number.name[3:]}; read ready; kill -{number.value} {os.getpid()};"
        " while :; do :; done"
    )
    # A shell can't trap what was ignored when it began, as SIGHUP is under nohup(1).
    original = signal.signal(number, signal.SIG_DFL)
    try:
        process = subprocess.Popen(["sh", "-c", line], stdin=subprocess.PIPE)
        with runner._handled(lambda sent, _: os.kill(process.pid, sent)):
            process.communicate(b"\n")
            assert process.returncode == 9
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, original)


def test_a_terminals_own_signals_are_left_to_the_command() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)]
    with runner._handled(lambda *_: None):
        os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)] == before


_STREAMS = """
import sys
from tracefs.capture.bypass import inherited
print(list(inherited(sys.argv[1].encode())), file=open(sys.argv[2], "w"))
"""


@pytest.mark.parametrize(
    ("out", "err", "named"),
    [
        ("in", "in", ["standard output", "standard error"]),
        ("in", "beside", ["standard output"]),
        ("beside", "in", ["standard error"]),
        ("beside", "beside", []),
    ],
)
def test_streams_that_lead_past_the_mount_are_named(
    tmp_path: Path, out: str, err: str, named: list[str]
) -> None:
    for folder in ("in", "beside", "inside"):
        (tmp_path / folder).mkdir()
    answer = tmp_path / "answer"
    with (tmp_path / out / "out").open("w") as stdout, (tmp_path / err / "err").open("w") as stderr:
        subprocess.run(
            [sys.executable, "-c", _STREAMS, str(tmp_path / "in"), str(answer)],
            stdout=stdout,
            stderr=stderr,
            check=True,
        )
    assert answer.read_text() == f"{named}\n"


def test_a_folder_whose_name_merely_begins_like_it_is_another(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    with (tmp_path / "inside" / "out").open("w") as stdout:
        subprocess.run(
            [sys.executable, "-c", _STREAMS, str(tmp_path / "in"), str(tmp_path / "answer")],
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    assert (tmp_path / "answer").read_text() == "[]\n"


def test_children_are_listed() -> None:
    with subprocess.Popen(["sleep", "1000"]) as process:
        assert process.pid in runner._children()
        process.kill()
