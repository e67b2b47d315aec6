"""The engine over streams that nobody thought of, and over evidence that fades."""

import pytest
from call_streams import items
from hypothesis import given
from hypothesis import strategies as st
from language_support import contract, judged
from msgspec.structs import replace
from page_write_calls import PAGE, Script

from tracefs.contracts.language.engine import LanguageContract
from tracefs.findings import Severity, Verdict, worst
from tracefs.trace.call import Call, TraceItem

_SEQUENCE = """
when = "rename($tmp, $new)"
sequence = ["(pwrite($tmp)+ fsync|fdatasync($tmp))+", "rename($tmp, $new)", "fsyncdir(dir($new))"]
"""

TRIED = {
    "must": contract('every = "@write"\nmust = "length == 4096 and offset % 4096 == 0"'),
    "positional": contract('every = "@write"\nmust = "call == \'pwrite64\'"'),
    "never": contract('never = ["write", "ftruncate"]'),
    "at-most": contract('every = "pwrite"\nat_most = 2', per="open"),
    "next": contract('every = "@write"\nnext = "fdatasync|fsync($path)"', per="open"),
    "next-of-trace": contract('every = "pwrite($path)"\nnext = "fsync($path)"'),
    "provided": contract(
        'every = "open($p)[created]"\nprovided = "@write($p)"\nnext = "fsyncdir(dir($p))"'
        '\nuntil = "end"'
    ),
    "before": contract('before = "rename($a, *)"\nneed = "fsync($a)"\nsince = "pwrite($a)"'),
    "before-at-all": contract('before = "rename($a, *)"\nneed = "fsync($a)"'),
    "sequence": contract(_SEQUENCE),
    "sequence-of-file": contract(
        'when = "close"\nsequence = ["pwrite+", "fsync|fdatasync", "close"]', per="file"
    ),
}
each_contract = pytest.mark.parametrize("tried", TRIED.values(), ids=TRIED.keys())


@each_contract
@given(st.lists(items, max_size=40), st.booleans(), st.sampled_from(["proc", "none", "seccomp"]))
def test_no_stream_makes_it_fail(
    tried: LanguageContract, stream: list[TraceItem], complete: bool, witness: str
) -> None:
    result = judged(tried, stream, complete=complete, witness=witness)
    listed = [each.verdict for each in result.findings if each.severity is Severity.ERROR]
    assert result.verdict is worst(*listed)


@st.composite
def programs(draw: st.DrawFn) -> Script:
    """Writes, syncs and renames of two files, right and wrong ones."""
    script = Script()
    opened = [script.open(path, created=draw(st.booleans())) for path in ("a", "b")]
    for _ in range(draw(st.integers(1, 8))):
        file = draw(st.sampled_from(opened))
        match draw(st.sampled_from("wwwsspqrdt")):
            case "w":
                script.write(file, draw(st.integers(0, 3)))
            case "p":
                script.write(file, length=draw(st.sampled_from([100, PAGE])), offset=100)
            case "q":
                script.write(file, name="write")
            case "s":
                script.sync(file, draw(st.sampled_from(["fsync", "fdatasync"])))
            case "r":
                script.call("rename", "rename", path=file.path, target=f"{file.path}2")
            case "d":
                script.syncdir()
            case "t":
                script.call("ftruncate", "truncate", path=file.path, ino=file.ino, length=0)
    for file in opened:
        script.close(file)
        script.release(file)
    return script


def faded(item: TraceItem, what: str) -> TraceItem:
    """Return *item* with less known of it."""
    if not isinstance(item, Call):
        return item
    if what == "call":
        return replace(item, call="unknown", known_by=None, reason="EACCES")
    # Their requests name the path.
    if item.family in {"open", "rename"} and what == "path":
        return item
    fields = {"path": None} if what == "path" else {what: None}
    return replace(item, **fields)


@each_contract
@given(programs(), st.sampled_from(["call", "path", "length", "offset", "result"]), st.data())
def test_less_evidence_keeps_nothing_that_was_broken(
    tried: LanguageContract, script: Script, what: str, data: st.DataObject
) -> None:
    if judged(tried, script.items).verdict is not Verdict.BROKEN:
        return
    chosen = data.draw(st.sets(st.integers(0, len(script.items) - 1), min_size=1))
    less = [faded(item, what) if n in chosen else item for n, item in enumerate(script.items)]
    assert judged(tried, less).verdict is not Verdict.KEPT


@each_contract
@given(programs(), st.sampled_from(["call", "path", "length", "offset", "result"]), st.data())
def test_less_evidence_breaks_nothing_that_was_kept(
    tried: LanguageContract, script: Script, what: str, data: st.DataObject
) -> None:
    if judged(tried, script.items).verdict is not Verdict.KEPT:
        return
    chosen = data.draw(st.sets(st.integers(0, len(script.items) - 1), min_size=1))
    less = [faded(item, what) if n in chosen else item for n, item in enumerate(script.items)]
    assert judged(tried, less).verdict is not Verdict.BROKEN
