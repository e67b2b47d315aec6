"""Messages between the server and who started it, on real sockets."""

import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.capture.messages import (
    Config,
    Detach,
    Device,
    Done,
    Failed,
    Gone,
    Holding,
    Inject,
    Let,
    Message,
    MountAt,
    Ready,
    Rules,
    Stop,
    Warned,
    receive,
    send,
)
from tracefs.faults.model import Rule

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


text = st.text(st.characters(codec="utf-8"))
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Config, source=text, recording=text, command=st.none() | st.tuples(text, text)),
    st.builds(Device),
    st.builds(MountAt, mountpoint=text, allow_other=st.booleans()),
    st.builds(Detach),
    st.builds(Inject, rules=st.tuples(st.builds(Rule, text=text, seed=st.integers(0, 1 << 62)))),
    st.builds(Rules),
    st.builds(Let),
    st.builds(Holding),
    st.builds(Gone),
    st.builds(Stop),
    st.builds(Ready, pid=st.integers(1, 1 << 22)),
    st.builds(Failed, message=text, repair=st.none() | text),
    st.builds(Warned, message=text),
    st.builds(Done, events=st.integers(0, 1 << 62), failed=st.none() | text),
)


@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_every_message_arrives_as_it_was_sent_and_in_order(sent: list[Message]) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        for message in sent:
            send(ours, message)
        assert [receive(theirs) for _ in sent] == [(message, []) for message in sent]


@pytest.mark.parametrize("length", [60_000, 65_536, 250_000, 3_000_000])
def test_a_message_may_be_as_long_as_a_command_line(pair: Pair, length: int) -> None:
    ours, theirs = pair
    message = Warned(message="x" * length)
    send(ours, message)
    assert receive(theirs) == (message, [])


@pytest.mark.parametrize("length", [1, 250_000])
def test_descriptors_travel_beside_a_message(pair: Pair, length: int) -> None:
    ours, theirs = pair
    read_end, write_end = os.pipe()
    send(ours, Warned(message="x" * length), (read_end,))
    os.close(read_end)
    message, fds = receive(theirs)
    assert isinstance(message, Warned)
    (received,) = fds
    os.write(write_end, b"through")
    assert os.read(received, 9) == b"through"
    assert not os.get_inheritable(received)
    os.close(received)
    os.close(write_end)


def test_a_long_message_leaves_no_descriptor_behind(pair: Pair) -> None:
    ours, theirs = pair
    before = os.listdir("/proc/self/fd")
    send(ours, Warned(message="x" * 250_000))
    receive(theirs)
    assert os.listdir("/proc/self/fd") == before


def test_the_end_of_the_other_side_is_none(pair: Pair) -> None:
    ours, theirs = pair
    ours.close()
    assert receive(theirs) == (None, [])


def test_what_was_said_before_an_end_with_unread_messages_is_heard(pair: Pair) -> None:
    ours, theirs = pair
    send(theirs, Stop())
    send(ours, Done(events=1, failed=None))
    ours.close()  # without reading Stop: theirs is told ECONNRESET first
    assert receive(theirs) == (Done(events=1, failed=None), [])
    assert receive(theirs) == (None, [])


def test_sending_to_nobody_is_an_oserror_and_no_signal(pair: Pair) -> None:
    ours, theirs = pair
    theirs.close()
    with pytest.raises(BrokenPipeError):
        send(ours, Stop())
