"""page-write over streams that nobody thought of."""

from typing import Any

import pytest
from call_streams import items
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from page_write_calls import PAGE, Script, advice, errors, header, judge

from tracefs.contracts.base import Settings
from tracefs.contracts.page_write.judge import PageWriteJudge
from tracefs.findings import Verdict
from tracefs.trace.call import Call, TraceItem


@given(st.lists(items, max_size=40), st.booleans(), st.sampled_from(["proc", "none", "seccomp"]))
def test_no_stream_makes_it_fail(stream: list[TraceItem], complete: bool, witness: str) -> None:
    result = judge(stream, complete=complete, witness=witness, by_file=False)
    worst = {verdict for _, verdict in errors(result)}
    assert result.verdict == ("broken" if "broken" in worst else "unknown" if worst else "kept")


@st.composite
def programs(draw: st.DrawFn) -> Script:
    """A correct program: several opens, pages in any order, retries, duplicates, other calls."""
    script = Script()
    opened = [
        script.open(path, created=draw(st.booleans()), flags=flags)
        for path, flags in [("a.db", ("O_RDWR",)), ("a.db", ("O_RDWR",)), ("b.db", ("O_WRONLY",))]
    ]
    for _ in range(draw(st.integers(min_value=1, max_value=12))):
        each = draw(st.sampled_from(opened))
        page = draw(st.integers(min_value=0, max_value=6))
        step = draw(st.sampled_from(["page", "page", "short", "eintr", "dup", "truncate", "dir"]))
        if step == "page":
            script.write(each, page)
        elif step == "short":
            done = draw(st.integers(min_value=0, max_value=PAGE - 1))
            script.write(each, page, result=done)
            script.write(each, offset=page * PAGE + done, length=PAGE - done)
        elif step == "eintr":
            script.write(each, page, errno=4)
            script.write(each, page)
        elif step == "dup":
            script.write(each, page)
            script.close(each)
        elif step == "truncate":
            script.call("ftruncate", "truncate", ino=each.ino, length=page * PAGE)
            continue
        else:
            script.syncdir()
            continue
        syncer = draw(st.sampled_from([each, each, *(o for o in opened if o.ino == each.ino)]))
        script.sync(syncer, draw(st.sampled_from(["fdatasync", "fdatasync", "fsync"])))
    last = opened[0]
    script.page(last)
    for each in opened:
        script.close(each)
    for each in draw(st.permutations(opened)):
        script.release(each)
    return script


@given(programs())
def test_a_correct_program_is_kept(script: Script) -> None:
    result = judge(script.items)
    assert errors(result) == []
    assert result.verdict is Verdict.KEPT


@settings(deadline=None)
@given(programs())
def test_an_incomplete_trace_of_a_correct_program_breaks_nothing(script: Script) -> None:
    for end in range(len(script.items)):
        broken = [
            rule
            for rule, verdict in errors(judge(script.items[:end], complete=False))
            if verdict == "broken"
        ]
        assert broken == []


def plain_program(pages: int) -> Script:
    script = Script()
    opened = script.open(created=True)
    for page in range(pages):
        script.page(opened, page)
    script.end(opened)
    script.syncdir()
    return script


MUTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "another call": ("positional-write", {"call": "pwritev"}),
    "half a page": ("full-page", {"length": PAGE // 2, "result": PAGE // 2}),
    "inside a page": ("aligned", {"offset": 100}),
    "short": ("complete", {"result": 100}),
    "position": ("no-seek", {"position": 99 * PAGE}),
}


@pytest.mark.parametrize(("rule", "fields"), MUTATIONS.values(), ids=MUTATIONS)
@given(pages=st.integers(min_value=1, max_value=6), data=st.data())
def test_one_change_names_exactly_one_rule(
    rule: str, fields: dict[str, Any], pages: int, data: st.DataObject
) -> None:
    script = plain_program(pages)
    page = data.draw(st.integers(min_value=0, max_value=pages - 1))
    at = 1 + 2 * page
    call = script.items[at]
    assert isinstance(call, Call)
    script.items[at] = replace(call, **fields)
    if rule == "no-seek":  # the position stays where the seek went
        later = [each for each in script.items[at:] if isinstance(each, Call)]
        script.items[at:] = [replace(each, position=99 * PAGE) for each in later]
    assert {name for name, _ in errors(judge(script.items))} == {rule}
    assert judge(script.items).findings[0].call == call.index


@given(pages=st.integers(min_value=1, max_value=6), data=st.data())
def test_one_sync_less_names_synced(pages: int, data: st.DataObject) -> None:
    script = plain_program(pages)
    page = data.draw(st.integers(min_value=0, max_value=pages - 1))
    del script.items[2 + 2 * page]
    result = judge(script.items)
    assert errors(result) == [("synced", "broken")]
    assert result.findings[0].page == page


@given(pages=st.integers(min_value=1, max_value=6), data=st.data())
def test_one_name_less_is_unknown(pages: int, data: st.DataObject) -> None:
    script = plain_program(pages)
    at = 1 + 2 * data.draw(st.integers(min_value=0, max_value=pages - 1))
    call = script.items[at]
    assert isinstance(call, Call)
    script.items[at] = replace(call, call="unknown", known_by=None)
    assert errors(judge(script.items)) == [("positional-write", "unknown")]


@given(programs())
def test_the_short_way_and_the_long_way_agree(script: Script) -> None:
    """A note that means nothing keeps a write off the short way; every sync goes the long way."""

    def detour(item: TraceItem) -> TraceItem:
        if isinstance(item, Call) and item.family == "write":
            return replace(item, note="means nothing")
        if isinstance(item, Call) and item.call == "fdatasync":
            return replace(item, call="msync")
        return item

    short, long = judge(script.items), judge(map(detour, script.items))
    assert (short.verdict, advice(short)) == (long.verdict, advice(long))
    assert [finding.call for finding in short.findings] == [
        finding.call for finding in long.findings
    ]


@given(programs())
def test_what_is_remembered_ends_with_the_opens(script: Script) -> None:
    memory = PageWriteJudge(header(), Settings())
    for item in script.items:
        memory.feed(item)
    assert memory._opens == {}
    assert memory._files == {}
