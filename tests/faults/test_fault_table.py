"""Rules from TOML files."""

from pathlib import Path

import pytest
from hypothesis import given
from rule_strategies import rules

from tracefs.errors import TextFileError, UsageError
from tracefs.faults.model import Rule, Shape
from tracefs.faults.spelling import parse, spell
from tracefs.faults.table import load, read


def wrong(text: str) -> str:
    with pytest.raises(TextFileError) as caught:
        read(text, "f.toml")
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith("f.toml:")
    return said.removeprefix("f.toml:")


ALL_KEYS = """\
version = 1

[[fault]]
calls = ["write", "pwrite"]
path = "a).db"
error = "EIO"
stuck = true
delay_enter = 5
delay_exit = "uniform(1,2.5)"
delay_per_mib = 0.25
when = "3..8+2"
per = "file"
after_bytes = "64K"
probability = 0.5
seed = 7

[[fault]]
calls = "fsync"
error = 28
when = 3
stuck = false
"""


def test_all_keys() -> None:
    assert [rule.text for rule in read(ALL_KEYS, "f.toml")] == [
        (
            "pwrite64,write(a[)].db):error=EIO:stuck:delay_enter=5:delay_exit=uniform(1,2.5):"
            "delay_per_mib=0.25:when=3..7+2:per=file:after_bytes=64K:probability=0.5:seed=7"
        ),
        "fsync:error=ENOSPC:when=3",
    ]


def _toml(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@given(rules())
def test_a_rule_says_the_same_in_both(rule: Rule) -> None:
    head, *options = (
        spell(rule)
        .removeprefix(",".join(rule.calls) + ("" if rule.glob is None else f"({rule.glob})"))
        .split(":")
    )
    assert not head
    lines = [f"calls = [{', '.join(map(_toml, rule.calls))}]"]
    if rule.glob is not None:
        lines.append(f"path = {_toml(rule.glob)}")
    for option in options:
        key, _, value = option.partition("=")
        lines.append(f"{key} = {_toml(value) if value else 'true'}")
    if rule.glob is None or rule.glob.strip():
        assert read("[[fault]]\n" + "\n".join(lines), "f.toml") == (rule,)


def test_numbers_need_no_quotes() -> None:
    text = "[[fault]]\ncalls = 'write'\n{}"
    assert read(text.format("short = 1024"), "f")[0] == parse("write:short=1K")
    assert read(text.format("retval = 10"), "f")[0] == parse("write:retval=10")
    [slow] = read(text.format("delay_enter = 0.00002\ndelay_exit = 1e3"), "f")
    assert slow.delay_enter is not None
    assert (slow.delay_enter.shape, slow.delay_enter.first) == (Shape.FIXED, 0.00002)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: expected at least one [[fault]]"),
        ("fault = []", "1:9: expected at least one [[fault]]"),
        ("[fault]", "1:2: expected [[fault]], saw a table"),
        ("[[faults]]", "1:3: expected a key of a file of rules, saw 'faults'; did you mean fault?"),
        ("version = 2\n[[fault]]", "1:11: expected version = 1, saw 2: another tracefs reads it"),
        ("[[fault]]", "1:1: expected calls in [[fault]]"),
        ("[[fault]]\ncall = 1", ("2:1: expected a key of [[fault]], saw 'call'; did you mean "
         "calls?")),
        ("[[fault]]\ncalls = []", "2:9: expected at least one string, saw an empty array"),
        ("[[fault]]\ncalls = 3", "2:9: expected a string or an array of strings, saw an integer"),
        (
            "[[fault]]\ncalls = ['write', 'fsynk']",
            "2:20: expected a call or a family of calls, saw 'fsynk'; did you mean fsync?",
        ),
        (
            "[[fault]]\ncalls = 'fsync'\nerror = 'EOI'",
            "3:9: error: expected an error name, as in EIO, saw 'EOI'; did you mean EIO?",
        ),
        (
            "[[fault]]\ncalls = 'fsync'\nerror = 'EIO'\nwhen = -1",
            "4:8: when: expected the first call's number, from 1 on, saw '-1'",
        ),
        (
            "[[fault]]\ncalls = 'fsync'\nerror = 'EIO'\nprobability = inf",
            "4:15: probability: expected a number from 0 to 1, saw 'inf'",
        ),
        ("[[fault]]\ncalls = 'fsync'\nstuck = 1", "3:9: expected true or false for stuck"),
        ("[[fault]]\ncalls = 'fsync'\nerror = true", ("3:9: expected a string or a number for "
         "error")),
        ("[[fault]]\ncalls = 'fsync'\nerror = ['EIO']", ("3:9: expected a string or a number for "
         "error")),
        (
            "[[fault]]\ncalls = 'fsync'\nmode = 'xfs'",
            "3:1: expected error= beside mode=xfs: a mode is how a sync fails",
        ),
        (
            "[[fault]]\ncalls = 'fsync'\nerror = 5\nretval = 0",
            "4:1: expected one of error and retval: a call ends once",
        ),
        (
            "[[fault]]\ncalls = 'fsync'\nstuck = false",
            "1:1: expected what is to happen, as in error=EIO, short=1 or delay_enter=5",
        ),
        (
            "[[fault]]\ncalls = 'fsync'\nerror = 5\n[[fault]]\ncalls = 'fsync'\nerror = 'EIO'",
            "4:1: expected another rule: fsync:error=EIO is that of one before",
        ),
        ("[[fault]]\ncalls = 'fsync'\npath = ''", "3:8: expected a text, saw an empty string"),
        ("[[fault]]\ncalls = 'a", "2:11: this is no TOML: "),
        (
            "[[fault]]\ncalls = 'write'\nerror = 5\npath = '" + "a" * 5000 + "'",
            "1:1: expected a rule of at most 4096 characters",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(text: str, said: str) -> None:
    assert wrong(text).startswith(said)


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(ALL_KEYS)
    assert len(load(file)) == 2
    file.write_bytes(b"# \xe9\n")
    with pytest.raises(TextFileError, match=r"faults\.toml:1:3: expected UTF-8"):
        load(file)
    file.unlink()
    with pytest.raises(UsageError, match=r"The file of rules .* can't be read: No such file"):
        load(file)
