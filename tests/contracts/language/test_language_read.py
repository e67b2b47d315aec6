"""What a contract file says, once it is read."""

import pytest
from condition_support import HEAD, snippet

from tracefs.contracts.language.model import (
    AnyOf,
    AtMost,
    Before,
    CallPattern,
    InTurn,
    Must,
    Never,
    Next,
    Node,
    Opens,
    PathPattern,
    Per,
    Repeated,
    Rule,
    Sequence,
    Step,
)
from tracefs.contracts.language.patterns import read_pattern
from tracefs.contracts.language.printing import printed
from tracefs.contracts.language.reading import read_contracts
from tracefs.contracts.language.sequences import read_sequence
from tracefs.findings import Severity
from tracefs.placed.place import Place


def call(text: str) -> CallPattern:
    [found] = read_pattern(snippet(text)).calls
    return found


def rules(lines: str) -> tuple[Rule, ...]:
    [spec] = read_contracts(HEAD + lines, "c.toml")
    return spec.rules


def test_all_keys_of_a_contract() -> None:
    [spec] = read_contracts(
        HEAD
        + 'title = "T"\nhelp = """a\nb"""\npoints = 3\nper = "open"\nopens = "writable"\n'
        + 'files = "*.db"\nsome = "pwrite"\nnever = ["lseek", "write"]',
        "c.toml",
    )
    assert (spec.id, spec.title, spec.help, spec.points) == ("c", "T", "a\nb", 3.0)
    assert (spec.per, spec.opens, spec.files) == (Per.OPEN, Opens.WRITABLE, ("*.db",))
    assert (spec.origin, spec.place) == ("c.toml", Place(2, 1))
    assert spec.some is not None
    assert spec.some.text == "pwrite"
    [rule] = spec.rules
    assert isinstance(rule.clause, Never)
    assert [pattern.text for pattern in rule.clause.patterns] == ["lseek", "write"]


def test_clauses_of_a_contract_are_rules_by_their_names() -> None:
    found = rules(
        'every = "pwrite"\nmust = "length  ==\t4096"\nnext = "fsync"\nat_most = 3\n'
        'never = "lseek"\nbefore = "close"\nneed = "fsync"\nwhen = "unlink"\n'
        'sequence = "close unlink"'
    )
    assert [rule.id for rule in found] == [
        "must", "next", "at-most", "never", "before", "sequence",
    ]  # fmt: skip
    kinds = [type(rule.clause) for rule in found]
    assert kinds == [Must, Next, AtMost, Never, Before, Sequence]
    assert {rule.severity for rule in found} == {Severity.ERROR}
    assert isinstance(found[0].clause, Must)
    assert found[0].clause.text == "length == 4096"


def test_rules_in_tables_share_ids_and_points() -> None:
    [spec] = read_contracts(
        HEAD
        + '[[contract.rule]]\nid = "r"\nseverity = "advice"\nper = "file"\nexpected = "E"\n'
        + 'repair = "R"\nevery = "pwrite"\nmust = "short"\nat_most = 1\npoints = 1.5\n'
        + '[[contract.rule]]\nid = "r"\nnever = "lseek"',
        "c.toml",
    )
    assert [(rule.id, rule.severity, rule.per) for rule in spec.rules] == [
        ("r", Severity.ADVICE, Per.FILE),
        ("r", Severity.ADVICE, Per.FILE),
        ("r", Severity.ERROR, None),
    ]
    assert (spec.rules[0].expected, spec.rules[0].repair) == ("E", "R")
    assert spec.rule_points == {"r": 1.5}


def test_until_is_every_and_the_end() -> None:
    [rule] = rules('every = "pwrite(*.db)"\nnext = "fsync($path)"')
    assert isinstance(rule.clause, Next)
    assert rule.clause.until.calls == rule.clause.every.calls
    assert rule.clause.until.end


def test_until_may_be_several() -> None:
    [rule] = rules('every = "pwrite"\nnext = "fsync"\nuntil = ["end|close", "lseek"]')
    assert isinstance(rule.clause, Next)
    assert [each.text for each in rule.clause.until.calls] == ["close", "lseek"]
    assert rule.clause.until.end


def test_path_is_that_of_the_first_call() -> None:
    [rule] = rules('every = "pwrite(*.db)|write"\nnext = "fsync($path)"')
    assert isinstance(rule.clause, Next)
    first, second = (each.path for each in rule.clause.every.calls)
    assert first == PathPattern(text="*.db", glob="*.db", variable="path")
    assert second == PathPattern(text="$path", variable="path")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pwrite", {"pwrite64"}),
        ("open", {"open", "openat", "openat2", "creat"}),
        ("openat", {"openat"}),
        ("rename", {"rename", "renameat", "renameat2"}),
        ("truncate", {"truncate"}),
        ("ftruncate", {"ftruncate"}),
        ("mmap", {"mmap"}),
        ("unknown", {"unknown"}),
        ("exit", {"exit"}),
    ],
)
def test_names(text: str, expected: set[str]) -> None:
    assert call(text).names == expected
    assert call(text).families == set()


def test_families() -> None:
    assert call("@write").families == {"write"}
    assert call("fsyncdir").families == {"syncdir"}
    assert call("@write").names == set()


def test_unlinkat_is_two_calls() -> None:
    where = call("unlink[fd == 3]").where
    assert call("unlink").names == {"unlink", "unlinkat"}
    assert where is not None
    assert printed(where) == "family == 'unlink' and fd == 3"
    where = call("rmdir").where
    assert where is not None
    assert printed(where) == "family == 'rmdir'"
    assert call("unlinkat").where is None


def test_a_bare_name_takes_what_the_next_one_has() -> None:
    pattern = read_pattern(snippet("write|fsync(a)|close|lseek(b)[fd == 3]|mmap"))
    assert [None if each.path is None else each.path.text for each in pattern.calls] == [
        "a", "a", "b", "b", None,
    ]  # fmt: skip
    assert [each.where is not None for each in pattern.calls] == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*.db", PathPattern(text="*.db", glob="*.db")),
        ("a b.db", PathPattern(text="a b.db", glob="a b.db")),
        ('"a, (b).db"', PathPattern(text='"a, (b).db"', glob="a, (b).db")),
        ('"$a"', PathPattern(text='"$a"', glob="$a")),
        ("[$]a", None),
        ("$db", PathPattern(text="$db", variable="db")),
        ("$db-wal", PathPattern(text="$db-wal", variable="db", after="-wal")),
        ("${db}_wal", PathPattern(text="${db}_wal", variable="db", after="_wal")),
        ("sub/$db.x", PathPattern(text="sub/$db.x", variable="db", before="sub/", after=".x")),
        ("$db=*.db", PathPattern(text="$db=*.db", variable="db", glob="*.db")),
        ("dir( $db )", PathPattern(text="dir( $db )", variable="db", parent=True)),
        ("\\xe9\\\\.db", PathPattern(text="\\xe9\\\\.db", glob="\\xe9\\\\.db")),
    ],
)
def test_paths(text: str, expected: PathPattern | None) -> None:
    if expected is None:
        with pytest.raises(Exception, match=r"expected the name of a variable"):
            call(f"pwrite({text})")
    else:
        assert call(f"pwrite( {text} )").path == expected


def test_two_paths() -> None:
    found = call("rename($tmp, config.json)")
    assert found.path == PathPattern(text="$tmp", variable="tmp")
    assert found.target == PathPattern(text="config.json", glob="config.json")


def outline(node: Node) -> str:
    match node:
        case Step(pattern):
            return pattern.text
        case InTurn(nodes):
            return f"[{' '.join(map(outline, nodes))}]"
        case AnyOf(nodes):
            return f"<{' '.join(map(outline, nodes))}>"
        case Repeated(inner, least, most):
            return f"{outline(inner)}{{{least},{most}}}"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["pwrite"], "pwrite"),
        (["pwrite fsync"], "[pwrite fsync]"),
        (["pwrite", "fsync"], "[pwrite fsync]"),
        (["pwrite($a) fsync|fdatasync($a)+"], "[pwrite($a) fsync|fdatasync($a){1,None}]"),
        (["(pwrite fsync)+ close"], "[[pwrite fsync]{1,None} close]"),
        (["(pwrite fsync)|close|lseek{2}"], "<[pwrite fsync] close|lseek>{2,2}"),
        (["close|(pwrite fsync)?", "unlink"], "[<close [pwrite fsync]>{0,1} unlink]"),
        (["pwrite*close?fsync{1,3}"], "[pwrite{0,None} close{0,1} fsync{1,3}]"),
        (["pwrite*unlink{2,}"], "[pwrite{0,None} unlink{2,None}]"),
        (["close (fsync lseek)+"], "[close [fsync lseek]{1,None}]"),
        (["close(fsync) lseek"], "[close(fsync) lseek]"),
        (["((pwrite))"], "pwrite"),
        (["pwrite[length == 3]\n fsync\n"], "[pwrite[length == 3] fsync]"),
    ],
)  # fmt: skip
def test_sequences(texts: list[str], expected: str) -> None:
    assert outline(read_sequence(tuple(map(snippet, texts)))) == expected


def test_texts_are_one_line() -> None:
    pattern = read_pattern(snippet("pwrite(a)[\n  short\n  and   fd == 3\n]\n| fsync"))
    assert pattern.text == "pwrite(a)[short and fd == 3] | fsync"
    assert pattern.calls[0].text == "pwrite(a)[short and fd == 3]"


def test_places_of_calls() -> None:
    [rule] = rules('never = [\n  "lseek",\n  "write | close(a)",\n]')
    assert isinstance(rule.clause, Never)
    places = [each.place for pattern in rule.clause.patterns for each in pattern.calls]
    assert places == [Place(5, 4), Place(6, 4), Place(6, 12)]
