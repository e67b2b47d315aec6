"""Who is let in at a server's door, and what comes through: real sockets, no mount."""

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from mounted_support import NOBODY, PATIENCE_S, act

from tracefs.capture.door import Door, Visitor, addresses, of_directory, of_mount, other_side
from tracefs.capture.messages import (
    LONGEST_QUESTION,
    Holding,
    Inject,
    Let,
    Message,
    Refused,
    Rules,
    Stop,
    receive,
    send,
)
from tracefs.faults.model import Rule

_names = count()


@pytest.fixture
def name() -> str:
    """What no other test and no mount is named after."""
    return f"test/{os.getpid()}/{next(_names)}"


@pytest.fixture
def door(name: str) -> Iterator[Door]:
    with Door([name]) as made:
        yield made


@pytest.fixture
def visit(name: str) -> Iterator[Callable[..., socket.socket]]:
    """Connect to the door, or to another socket of its name."""
    with ExitStack() as stack:

        def connect(number: int = 0) -> socket.socket:
            sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            sock.connect(addresses(name)[number])
            return sock

        yield connect


def is_knocked_at(door: Door) -> bool:
    return bool(select.select([door], [], [], 0)[0])


def asked(door: Door) -> list[tuple[socket.socket, Message]]:
    """Return what was asked until nobody is left at the door."""
    found: list[tuple[socket.socket, Message]] = []
    while is_knocked_at(door):
        found += door.asked()
    return found


def test_a_question_is_heard_and_answered(door: Door, visit: Callable[..., socket.socket]) -> None:
    assert not is_knocked_at(door)
    visitor = visit()
    rule = Rule(text="fsync:error=EIO", calls=("fsync",), error=5)
    question = Inject(number=3, rules=(rule,))
    send(visitor, question)
    ((who, heard),) = asked(door)
    assert heard == question
    answer = Holding(number=3, rules=())
    door.tell(who, answer)
    assert receive(visitor) == (answer, [])
    assert not is_knocked_at(door)


def test_each_visitor_gets_its_own_answer(door: Door, visit: Callable[..., socket.socket]) -> None:
    visitors = [visit() for _ in range(20)]
    for number, visitor in enumerate(visitors):
        send(visitor, Rules(number=number))
    for who, question in asked(door):
        assert isinstance(question, Rules)
        door.tell(who, Holding(number=question.number, rules=()))
    answers = [receive(visitor)[0] for visitor in visitors]
    assert answers == [Holding(number=number, rules=()) for number in range(20)]


@pytest.mark.parametrize(
    "said",
    [b"", b"\xff", b"{}", b'{"type":"Stop"}', b'{"type":"Rules"}', b"[" * 60_000, b"x" * 70_000],
    ids=["nothing", "no text", "no question", "what others may say", "half", "deep", "long"],
)
def test_who_talks_nonsense_is_shown_out_and_others_stay(
    door: Door, visit: Callable[..., socket.socket], said: bytes
) -> None:
    polite, rude = visit(), visit()
    asked(door)
    rude.send(said)
    send(polite, Let(number=1))
    ((who, heard),) = asked(door)
    assert heard == Let(number=1)
    assert receive(rude) == (None, [])
    door.tell(who, Stop())
    assert receive(polite) == (Stop(), [])


def test_descriptors_that_come_along_are_never_ours(
    door: Door, visit: Callable[..., socket.socket]
) -> None:
    visitor = visit()
    asked(door)
    before = os.listdir("/proc/self/fd")
    reader, writer = os.pipe()
    send(visitor, Rules(number=1), (writer,))
    os.close(writer)
    assert [question for _, question in asked(door)] == [Rules(number=1)]
    assert os.read(reader, 1) == b"", "somebody has the other end still"
    os.close(reader)
    assert os.listdir("/proc/self/fd") == before


def test_a_long_message_in_a_descriptor_is_no_question(
    door: Door, visit: Callable[..., socket.socket]
) -> None:
    visitor = visit()
    rule = Rule(text="x" * LONGEST_QUESTION, calls=("fsync",))
    send(visitor, Inject(number=1, rules=(rule,)))
    assert asked(door) == []
    assert receive(visitor) == (None, [])


def test_who_leaves_is_forgotten(door: Door, visit: Callable[..., socket.socket]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        visitor = visit()
        send(visitor, Rules(number=1))
        visitor.close()
        ((who, question),) = asked(door)
        door.tell(who, question)
        assert asked(door) == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_who_takes_no_answer_holds_nobody_up(
    door: Door, visit: Callable[..., socket.socket]
) -> None:
    visitor = visit()
    send(visitor, Rules(number=1))
    ((who, _),) = asked(door)
    while who.fileno() >= 0:  # until it was shown out, since its buffer is full
        door.tell(who, Refused(number=1, message="x" * 10_000))
    assert not is_knocked_at(door)


def test_more_than_enough_visitors_are_shown_out(
    door: Door, visit: Callable[..., socket.socket]
) -> None:
    visitors = [visit() for _ in range(70)]
    assert asked(door) == []
    visitors[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        visitors[0].recv(1)
    assert receive(visitors[-1]) == (None, [])


def test_a_name_that_is_taken_is_shared(
    name: str, door: Door, visit: Callable[..., socket.socket]
) -> None:
    with Door([name]) as second:
        send(visit(1), Rules(number=2))
        assert asked(door) == []
        assert [question for _, question in asked(second)] == [Rules(number=2)]
        with Door([name]), Door([name]), Door([name]) as last:
            assert not last._listening, "there is no more room"


def test_with_the_door_all_its_sockets_go(name: str, visit: Callable[..., socket.socket]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with Door([name, f"{name}/other"]) as made:
        visitor = visit()
        asked(made)
    assert receive(visitor) == (None, [])
    visitor.close()
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ConnectionRefusedError):
        visit()


def ask_there(name: str) -> tuple[Message | None, Message | None]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(addresses(name)[0])
        return receive(sock)[0], receive(sock)[0]


@pytest.mark.usefixtures("as_root")
def test_strangers_are_told_why_they_are_not_let_in(name: str, door: Door) -> None:
    def open_once() -> None:
        assert select.select([door], [], [], PATIENCE_S)[0]
        assert door.asked() == []

    porter = threading.Thread(target=open_once)
    porter.start()
    answer, end = act(Path("/"), ask_there, name, user=NOBODY)
    porter.join()
    assert answer == Refused(
        number=0, message="it is user 0's mount, and only they and root may change its faults"
    )
    assert end is None


def test_the_other_side_is_who_listens_or_connects(
    door: Door, visit: Callable[..., socket.socket]
) -> None:
    del door
    assert other_side(visit()) == Visitor(os.getpid(), os.geteuid())


def test_names() -> None:
    assert of_mount((0, 47)) == "mount/0:47"
    info = os.stat("/")
    device = f"{os.major(info.st_dev)}:{os.minor(info.st_dev)}"
    assert of_directory(info) == f"directory/{device}/{info.st_ino}"
    assert addresses("mount/0:47")[0] == b"\0tracefs/mount/0:47/0"
