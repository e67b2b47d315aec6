"""What `page-write` says of a recording in a dataset is what it says of the whole trace."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from call_streams import items
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from page_write_calls import PAGE, Opened, Script, header

from tracefs.check import check
from tracefs.events import Header, Injected
from tracefs.findings import ContractResult, TraceSummary
from tracefs.index import partition, tables
from tracefs.index.checking import Asked, check_partition
from tracefs.index.dataset import add
from tracefs.index.ordinary import FLAGS, ordinary
from tracefs.index.tables import Lines
from tracefs.trace.call import Call, TraceItem


class Given:
    """A trace of items that are there already."""

    def __init__(self, head: Header, stream: Sequence[TraceItem], *, complete: bool = True) -> None:
        self.header = head
        self._stream = stream
        self._complete = complete

    def items(self) -> Iterator[TraceItem]:
        yield from self._stream

    def summary(self) -> TraceSummary:
        calls = sum(isinstance(item, Call) for item in self._stream)
        return TraceSummary(complete=self._complete, calls=calls, unknown_calls=0)


def numbered(stream: Sequence[TraceItem]) -> list[TraceItem]:
    """Return the items with the indices that a trace gives its calls."""
    found: list[TraceItem] = []
    calls = 0
    for item in stream:
        if isinstance(item, Call):
            found.append(replace(item, index=calls))
            calls += 1
        else:
            found.append(item)
    return found


def both(trace: Given, **more: object) -> tuple[ContractResult, ContractResult]:
    """Return what is said of *trace* as it is, and as a partition."""
    [whole] = check(trace, ["page-write"], **more).contracts  # type: ignore[arg-type]
    asked = Asked(contracts=("page-write",), **more)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as name:
        add(Path(name), "one", trace, None)
        [folder] = partition.folders(Path(name))
        [found] = check_partition(folder, asked).result.contracts
    return whole, found


def left_out(trace: Given, *, hears_seeks: bool = False) -> list[Lines]:
    """Return what a judge is not shown of *trace*."""
    with tempfile.TemporaryDirectory() as name:
        add(Path(name), "one", trace, None)
        [folder] = partition.folders(Path(name))
        with partition.opened(folder) as trace_, trace_.tables() as found:
            return [
                lines
                for portion in found.portions()
                for lines in ordinary(found, portion, PAGE, hears_seeks=hears_seeks)
            ]


def one_open(script: Script, pages: Sequence[int], *, path: str = "a.db", size: int = 8) -> Opened:
    opened = script.open(path, size=size * PAGE)
    for page in pages:
        script.write(opened, page)
        script.sync(opened)
    script.close(opened)
    return opened


def by_opens(count: int) -> list[TraceItem]:
    script = Script()
    for number in range(count):
        script.release(one_open(script, [number % 8]))
    return script.items


def by_pairs(pages: Sequence[int]) -> list[TraceItem]:
    script = Script()
    script.release(one_open(script, pages))
    return script.items


def test_opens_between_the_first_and_the_last_are_left_out() -> None:
    assert left_out(Given(header(), by_opens(10))) == [(4, 35)]


@pytest.mark.parametrize("flags", FLAGS)
def test_no_finding_is_about_ordinary_flags(flags: tuple[str, ...]) -> None:
    script = Script()
    for _ in range(5):
        opened = script.open(flags=flags)
        script.write(opened)
        script.sync(opened)
        script.close(opened)
        script.release(opened)
    trace = Given(header(), script.items)
    assert left_out(trace) == [(4, 15)]
    whole, found = both(trace)
    assert found == whole
    assert found.findings == ()


def test_pairs_are_left_out_but_the_one_that_reaches_furthest() -> None:
    assert left_out(Given(header(), by_pairs([0, 1, 2, 9, 3, 4, 5]))) == [(3, 6), (9, 12)]
    assert left_out(Given(header(), by_pairs(range(10)))) == [(3, 18)]


@pytest.mark.parametrize("seam", [3, 8, 9, 12])
def test_portions_are_judged_as_one(monkeypatch: pytest.MonkeyPatch, seam: int) -> None:
    monkeypatch.setattr(tables, "PORTION", seam)
    for stream in (by_opens(12), by_pairs(range(12)), [*by_opens(3), *by_pairs([1, 2])]):
        trace = Given(header(), numbered(stream))
        whole, found = both(trace)
        assert found == whole


_PAGE = st.integers(0, 12)
_POSITION = st.sampled_from([0, 0, 5, None])


class Program:
    """Runs of what is ordinary, with anything else between and within."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.script = Script()
        self._draw = draw
        self._size = 8
        """Pages of each file."""
        self._held = [self.script.open() for _ in range(draw(st.integers(0, 2)))]

    def opens(self) -> None:
        path = self._draw(st.sampled_from(["a.db", "a.db", "b.db"]))
        for _ in range(self._draw(st.integers(1, 5))):
            pages = self._draw(st.lists(_PAGE, min_size=1, max_size=2))
            self.script.release(one_open(self.script, pages, path=path, size=self._size))
            self._size = max(self._size, *(page + 1 for page in pages))

    def pairs(self) -> None:
        if not self._held:
            self._held.append(self.script.open(size=self._size * PAGE))
        opened = self._draw(st.sampled_from(self._held))
        for page in self._draw(st.lists(_PAGE, min_size=1, max_size=9)):
            self.script.write(opened, page)
            self.script.sync(opened)

    def late(self) -> None:
        """Released when others are open already."""
        for opened in [one_open(self.script, [1], size=self._size) for _ in range(3)]:
            self.script.release(opened)

    def noise(self) -> None:
        self.script.items += self._draw(st.lists(items, min_size=1, max_size=3))

    def odd(self) -> None:
        """One more call of an open that is there."""
        if not self._held:
            return
        opened = self._draw(st.sampled_from(self._held))
        of_file = {"handle": opened.handle, "ino": opened.ino, "path": opened.path}
        match self._draw(st.sampled_from(["write", "sync", "seek", "close", "fsync", "attr"])):
            case "write":
                self.script.write(opened, self._draw(_PAGE), position=self._draw(_POSITION))
            case "sync":
                self.script.sync(opened, position=self._draw(_POSITION))
            case "fsync":
                self.script.sync(opened, "fsync")
            case "attr":
                self.script.call("fchmod", "attr", **of_file)
            case "seek":
                to = {"offset": 5, "result": 5, "position": 0, "flags": ("SEEK_SET",)}
                self.script.call("lseek", "seek", **of_file, **to)
            case _:
                self.script.close(opened)
                self._held.remove(opened)
                self.script.release(opened)

    def cut(self) -> None:
        if self._held:
            self._size = self._draw(st.integers(0, 8))
            length = self._size * PAGE
            self.script.call("ftruncate", "truncate", ino=self._held[0].ino, length=length)


@st.composite
def programs(draw: st.DrawFn) -> list[TraceItem]:
    """A program, some of whose calls are twisted, and some releases late."""
    program = Program(draw)
    steps = [
        program.opens, program.opens, program.pairs, program.late, program.noise, program.odd,
        program.cut,
    ]  # fmt: skip
    for _ in range(draw(st.integers(1, 10))):
        draw(st.sampled_from(steps))()
    stream = program.script.items
    for at in draw(st.sets(st.integers(0, len(stream) - 1), max_size=3)) if stream else ():
        item = stream[at]
        if isinstance(item, Call):
            stream[at] = draw(twisted(item))
        elif draw(st.booleans()):
            stream[at : at + 2] = reversed(stream[at : at + 2])
    return numbered(stream)


def twisted(call: Call) -> st.SearchStrategy[Call]:
    """Return calls that differ from *call* in one thing."""
    fields = {
        "start_ns": call.start_ns - 20, "end_ns": call.end_ns + 20, "synced_by": "O_DSYNC",
        "note": "glibc's posix_fallocate", "errno": 5, "call": "fsync", "length": 2 * PAGE,
        "result": 7, "offset": 7, "flags": ("O_RDWR", "O_TRUNC"), "created": True, "position": 5,
        "ino": 101, "path": "c.db", "handle": 1, "size": None, "datasync": False,
        "injected": (Injected(rule="r", kind="retval"),), "family": "attr",
    }  # fmt: skip
    return st.sampled_from([replace(call, **{name: value}) for name, value in fields.items()])


# Tables are made for each example: a tenth of a second or, beside other tests, a whole one.
@pytest.mark.timeout(240)
@settings(max_examples=15)
@example(stream=by_opens(5), witness="proc", complete=True)
@given(programs(), st.sampled_from(["proc", "seccomp"]), st.booleans())
def test_the_verdict_and_all_findings_are_those_of_the_whole_trace(
    stream: list[TraceItem], witness: str, complete: bool
) -> None:
    whole, found = both(Given(header(witness=witness), stream, complete=complete))
    assert found == whole


@pytest.mark.timeout(240)
@settings(max_examples=4)
@given(programs(), st.sampled_from([("a.db",), ("b*",)]), st.sampled_from([(), ("no-seek",)]))
def test_so_it_is_where_files_and_rules_are_chosen(
    stream: list[TraceItem], paths: tuple[str, ...], without: tuple[str, ...]
) -> None:
    whole, found = both(Given(header(), stream), paths=paths, without=without)
    assert found == whole
