"""What an index gives is, byte for byte, what the journal gives."""

import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from index_support import index, show, show_without
from journal_samples import CARRIED, EVENTS, HEADER, NAMES, NOTICED, PAGE_WRITE, record
from mounted_support import Run
from msgspec.structs import replace

from tracefs.events import AnyEvent, Header, Mkdir
from tracefs.journal.reader import JournalReader
from tracefs.trace import Call, Trace

GOLDEN = Path(__file__).parents[1] / "data"
HEADERS = st.builds(
    replace,
    st.just(HEADER),
    witness=st.sampled_from(["none", "proc", "seccomp", "full"]),
    machine=st.sampled_from(["x86_64", "aarch64"]),
    mode=st.sampled_from(["cached", "direct_io"]),
    start_ns=st.integers(-(2**63), 2**63),
)
EVERYTHING = (*PAGE_WRITE, *NAMES, *CARRIED, *NOTICED)


def _calls(folder: Path) -> list[Call]:
    with JournalReader(folder) as reader:
        return [item for item in Trace(reader, reads=True).items() if isinstance(item, Call)]


@st.composite
def filters(draw: st.DrawFn, calls: list[Call]) -> list[str]:
    """Conditions that some of *calls* fulfil, and others don't."""
    some = st.sampled_from(calls)
    words = []
    if draw(st.booleans()):
        one = draw(some)
        name = draw(st.sampled_from([one.path or "", one.target or ""]))
        cut = draw(st.integers(0, len(name)))
        glob = draw(
            st.sampled_from([name, f"{name[:cut]}*", f"*{name[cut:]}", f"*{name[cut:]}*", "[!a]*"])
            | st.text("*?[]!a/\\", max_size=6)
        )
        words.append(f"--path={glob}")
    if draw(st.booleans()):
        words.append(f"--call={','.join(draw(st.sets(some.map(lambda call: call.call))))}")
    words += [
        f"--{option}={getattr(draw(some), option)}"
        for option in ("tid", "pid")
        if draw(st.integers(0, 3)) == 0
    ]
    words += [
        f"--{option}={draw(st.integers(-(10**6), 10**6))}e-3"
        for option in ("since", "until")
        if draw(st.integers(0, 3)) == 0
    ]
    words += [option for option in ("--reads", "--json") if draw(st.booleans())]
    return [word for word in words if not word.endswith("=None")]


def hold_the_same(folder: Path, words: list[str]) -> None:
    given_by_index = show(folder, words)
    assert given_by_index.err == "", words
    assert given_by_index == show_without(folder, words), words


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=15)
@given(HEADERS, st.lists(EVENTS, min_size=1, max_size=30), st.data())
def test_any_filter_on_any_recording(
    head: Header, events: list[AnyEvent], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "r")
        record(folder, events, header=head)
        index(folder)
        calls = _calls(folder)
        for _ in range(6 if calls else 0):
            hold_the_same(folder, data.draw(filters(calls)))


@settings(deadline=None, max_examples=12)
@given(st.data())
def test_any_filter_on_a_whole_program(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "r")
        record(folder, EVERYTHING * 3, header=replace(HEADER, witness="seccomp"))
        index(folder)
        calls = _calls(folder)
        for _ in range(6):
            hold_the_same(folder, data.draw(filters(calls)))


def test_numbers_that_have_no_room_in_a_column(tmp_path: Path) -> None:
    """Only a forged journal has these; a filter finds them all the same."""
    late, big = 2**63 + 10, 2**64 - 1
    events = [
        Mkdir(start_ns=late, end_ns=late, tid=7, path="late", ino=1, mode=0),
        Mkdir(start_ns=1, end_ns=2, tid=big, path="big", ino=big, mode=0),
        Mkdir(start_ns=-late, end_ns=2, tid=7, path="early", ino=1, mode=0),
    ]
    record(tmp_path / "r", events, header=HEADER)
    index(tmp_path / "r")
    for words in ("--since 0", "--until 0", f"--tid {big}", "--tid 7", f"--pid {big} --path b*"):
        hold_the_same(tmp_path / "r", words.split())


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.jsonl")), ids=lambda path: path.stem)
def test_recordings_of_earlier_versions(golden: Path, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(golden.read_bytes())
    index(folder)
    for words in ("--call pwrite64", "--path *.db --json", "--reads --since 0"):
        hold_the_same(folder, words.split())


PROGRAM = """
import os, sqlite3, threading
def work(number):
    base = sqlite3.connect(f"{number}.db")
    base.execute("create table t(a)")
    for each in range(5):
        with base:
            base.execute("insert into t values (?)", [bytes(5000)])
    base.close()
    fd = os.open(f"raw-{number}", os.O_RDWR | os.O_CREAT)
    os.lseek(fd, 100, os.SEEK_SET)
    os.write(fd, bytes(10000))
    os.writev(fd, [b"a", b"b"])
    os.rename(f"raw-{number}", f"cooked-{number}")
    os.close(fd)
threads = [threading.Thread(target=work, args=(each,)) for each in range(3)]
for each in threads:
    each.start()
for each in threads:
    each.join()
"""


@pytest.mark.parametrize("witness", ["proc", "seccomp", "full"])
def test_a_real_program(traced_run: Callable[..., Run], witness: str) -> None:
    run = traced_run([sys.executable, "-c", PROGRAM], "--witness", witness)
    index(run.recording)
    # Not every caller can be looked at in time: None is no process to filter by.
    calls = [call for call in _calls(run.recording) if call.index >= 0 and call.pid is not None]
    middle = calls[len(calls) // 2]
    for words in (
        "--path 1.db", "--path *-journal", "--path cooked-2", "--path raw-*", "--call lseek,writev",
        f"--tid {middle.tid}", f"--pid {middle.pid} --call fdatasync", "--call unknown",
        "--since 0.1 --until 0.3 --json", "--reads --path ?.db",
        "--call rename --path cooked-1",
    ):  # fmt: skip
        hold_the_same(run.recording, shlex.split(words))
