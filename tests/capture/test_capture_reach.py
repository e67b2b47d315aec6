"""Finding the server of a mount, and not believing anybody else; no mount is touched."""

import os
import signal
import socket
import struct
import threading
from pathlib import Path

import pytest
from mounted_support import NOBODY, PATIENCE_S, act

from tracefs.capture import mounts, reach
from tracefs.capture.door import Door, addresses, of_directory, of_mount
from tracefs.capture.messages import Gone, Holding, Inject, Let, Refused, Rules
from tracefs.capture.mounts import FILESYSTEM, Mount
from tracefs.capture.reach import Reached
from tracefs.errors import MountError, UsageError
from tracefs.faults.model import Rule


class Porter:
    """A server with nothing behind it, that answers so many questions."""

    def __init__(self, name: str, *answers: Holding | Gone | Refused | None) -> None:
        self.door = Door([name])
        self.asked: list[Inject | Rules | Let] = []
        self._answers = list(answers)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self.door:
            while self._answers:
                self.door._epoll.poll(PATIENCE_S)
                for visitor, question in self.door.asked():
                    self.asked.append(question)
                    answer = self._answers.pop(0)
                    if answer is None:
                        self.door.dismiss(visitor)
                    else:
                        self.door.tell(visitor, answer)

    def join(self) -> None:
        self._thread.join()


def there(monkeypatch: pytest.MonkeyPatch, owner: int | None, path: Path) -> Mount:
    """Have a mount be listed, of a number that no device has."""
    mount = Mount(os.fsencode(path), FILESYSTEM, 1, (0, (1 << 20) - 1), owner)
    monkeypatch.setattr(mounts, "mounts", lambda: [mount])
    return mount


def complaint(path: Path) -> str:
    with pytest.raises(MountError) as caught:
        Reached(str(path))
    return str(caught.value)


def test_a_directory_that_a_run_traces_is_found_by_itself(tmp_path: Path) -> None:
    porter = Porter(
        of_directory(os.stat(tmp_path)), Holding(number=1, rules=()), Gone(number=2, calls=3)
    )
    with Reached(str(tmp_path)) as reached:
        assert reached.rules() == Holding(number=1, rules=())
        assert reached.release() == 3
    porter.join()
    assert porter.asked == [Rules(number=1), Let(number=2)]


def test_a_mount_is_found_by_its_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mount = there(monkeypatch, os.geteuid(), tmp_path / "absent")
    porter = Porter(of_mount(mount.device), Holding(number=1, rules=()))
    (tmp_path / "link").symlink_to(tmp_path)
    with Reached(str(tmp_path / "link" / "absent")) as reached:
        reached.inject(())
    porter.join()
    assert porter.asked == [Inject(number=1, rules=())]


def test_what_a_server_refuses_is_said_with_the_place(tmp_path: Path) -> None:
    porter = Porter(
        of_directory(os.stat(tmp_path)), Refused(number=1, message="no", repair="yes"), None
    )
    with Reached(str(tmp_path)) as reached, pytest.raises(MountError) as caught:
        reached.rules()
    assert (str(caught.value), caught.value.repair) == (f"{tmp_path}: no", "yes")
    with Reached(str(tmp_path)) as reached, pytest.raises(MountError, match="has just ended"):
        reached.rules()
    porter.join()


def test_nothing_is_traced_there(tmp_path: Path) -> None:
    assert complaint(tmp_path) == f"{tmp_path}: no tracefs is mounted there, and no run traces it"
    assert complaint(tmp_path / "x") == f"{tmp_path / 'x'}: No such file or directory"


def test_nobody_serves_it_any_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there(monkeypatch, os.geteuid(), tmp_path)
    said = complaint(tmp_path)
    assert said.startswith(f"{tmp_path}: its server has ended, is of an earlier version, or")


def test_what_is_inside_a_mount_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there(monkeypatch, os.geteuid(), tmp_path)
    said = complaint(tmp_path / "a" / "b")
    assert said == (
        f"{tmp_path / 'a' / 'b'}: lies inside the mount {tmp_path}, and rules are the whole mount's"
    )


@pytest.mark.parametrize(
    ("owner", "whose"), [(12345, "user 12345's"), (None, "another user's")], ids=["known", "not"]
)
def test_another_user_s_mount_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, owner: int | None, whose: str
) -> None:
    there(monkeypatch, owner, tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert complaint(tmp_path) == (
        f"{tmp_path}: it is {whose} mount, and only they and root may change its faults"
    )


def test_too_many_rules_are_not_sent(tmp_path: Path) -> None:
    porter = Porter(of_directory(os.stat(tmp_path)), Holding(number=2, rules=()))
    rule = Rule(text="x" * 30_000, calls=("fsync",))
    with Reached(str(tmp_path)) as reached:
        with pytest.raises(UsageError, match="too many for one change"):
            reached.inject((rule, rule, rule))
        reached.rules()
    porter.join()


def test_a_server_that_is_stuck_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reach, "_PATIENCE", struct.pack("@ll", 0, 1000))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.bind(addresses(of_directory(os.stat(tmp_path)))[0])
        sock.listen(1)
        with Reached(str(tmp_path)) as first, pytest.raises(MountError, match="not answer"):
            first.rules()
        with Reached(str(tmp_path)), pytest.raises(MountError, match="does not answer"):
            Reached(str(tmp_path))  # not even a place to wait in


@pytest.mark.usefixtures("as_root")
def test_a_name_that_a_stranger_took_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mount = there(monkeypatch, 0, tmp_path)
    name = of_mount(mount.device)
    before = act(tmp_path, _beside_a_stranger, name, str(tmp_path))
    assert before == [f"{tmp_path}: {complaint(tmp_path).partition(': ')[2]}", 1]


def _beside_a_stranger(name: str, directory: str) -> list[object]:
    """Return what is said while a stranger alone has the names, and then beside the server."""
    ready, is_ready = os.pipe()
    stranger = os.fork()
    if stranger == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        kept = []
        for address in addresses(name)[:3]:
            kept.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            kept[-1].bind(address)
            kept[-1].listen(5)
        os.write(is_ready, b"r")
        signal.pause()
    os.read(ready, 1)
    mount = Mount(os.fsencode(directory), FILESYSTEM, 1, (0, (1 << 20) - 1), 0)
    mounts.mounts = lambda: [mount]
    found: list[object] = []
    try:
        try:
            Reached(directory)
        except MountError as error:
            found.append(str(error))
        porter = Porter(name, Holding(number=1, rules=()))
        with Reached(directory) as reached:
            found.append(reached.rules().number)
        porter.join()
    finally:
        os.kill(stranger, signal.SIGKILL)
        os.waitpid(stranger, 0)
    return found
