"""Calls that a rule delays: they take at least so long, and the journal says how long."""

import os
from typing import Any

from injecting import Injected
from mounted_support import act, calls, journal

from tracefs import events

MS = 1_000_000


def some_writes() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    done = [os.pwrite(fd, b"x" * size, 0) for size in (1, 1 << 16, 1 << 18)]
    os.fsync(fd)
    return done


def delays(event: events.Event) -> list[int]:
    return [one.delay_ns for one in event.injected if one.kind == "delay"]


def test_a_slow_disk_takes_the_time_that_it_is_told_to(injected: Injected) -> None:
    mount = injected("write:delay_enter=5:delay_exit=2", "sync:delay_exit=30")
    act(mount.mountpoint, some_writes)
    mount.end()
    slow = [*journal(mount.recording, events.Write), *journal(mount.recording, events.Fsync)]
    assert [delays(event) for event in slow] == [[7 * MS]] * 3 + [[30 * MS]]
    assert all(event.end_ns - event.start_ns >= sum(delays(event)) for event in slow)
    assert {call.errno for call in calls(mount.recording)} == {0}


def test_size_takes_time(injected: Injected) -> None:
    mount = injected("write:delay_per_mib=64")
    act(mount.mountpoint, some_writes)
    mount.end()
    writes = journal(mount.recording, events.Write)
    assert [sum(delays(event)) for event in writes] == [64 * MS >> 20, 4 * MS, 16 * MS]
    assert all(event.end_ns - event.start_ns >= sum(delays(event)) for event in writes)


def test_one_seed_gives_one_series_of_delays(injected: Injected) -> None:
    told = []
    for number, seed in enumerate((1, 1, 2)):
        mount = injected(f"write:delay_enter=uniform(1,20):seed={seed}", below=f"m{number}")
        act(mount.mountpoint, some_writes)
        mount.end()
        told.append([sum(delays(event)) for event in journal(mount.recording, events.Write)])
    assert told[0] == told[1] != told[2]
    assert all(1 * MS <= one <= 20 * MS for one in told[0])
