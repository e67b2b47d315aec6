"""What is wrong with a contract file, and at which line and column that stands."""

import pytest

from tracefs.contracts.language.reading import read_contracts
from tracefs.errors import TextFileError

HEAD = 'version = 1\n[[contract]]\nid = "c"\n'
"""Three lines, so that what a case adds begins at line 4."""


def wrong(text: str) -> str:
    with pytest.raises(TextFileError) as caught:
        read_contracts(text, "c.toml")
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith("c.toml:")
    return str(caught.value).removeprefix("c.toml:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: expected version = 1, saw no version"),
        ("version = 2", "1:11: expected version = 1, saw 2: another tracefs reads it"),
        ("version = true", "1:11: expected an integer, saw true or false"),
        ("version = 1", "1:1: expected at least one [[contract]]"),
        ("version = 1\ncontract = []", "2:12: expected at least one [[contract]]"),
        ("version = 1\ncontract = 3", "2:1: expected [[contract]], saw an integer"),
        ("version = 1\n[contract]\n", "2:2: expected [[contract]], saw a table"),
        (
            "version = 1\n[[contracts]]\n",
            "2:3: expected a key of a contract file, saw 'contracts'; did you mean contract?",
        ),
        ("version = 1\n[[contract]]\n", "2:1: expected the key id in [[contract]]"),
        ("version = \n", "1:11: this is no TOML: invalid value"),
        ("version = 1\n[[contract]]\nid = 'c", "3:8: this is no TOML: "),
        ("a = " + "[" * 50, "1:21: expected no more than 16 values nested"),
        (".".join("a" * 50) + " = 1", "1:33: expected a key of at most 16 parts"),
    ],
)
def test_the_file(text: str, said: str) -> None:
    assert wrong(text).startswith(said)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "",
            "2:1: expected at least one clause (every, never, before or when) or [[contract.rule]]",
        ),
        (
            'evry = "pwrite"',
            "4:1: expected a key of [[contract]], saw 'evry'; did you mean every?",
        ),
        ('every = "pwrite"', "4:1: expected must, next or at_most beside every"),
        ('must = "short"', "4:1: expected every beside must"),
        ('next = "fsync"', "4:1: expected every beside next"),
        ('until = "end"', "4:1: expected next beside until"),
        ('every = "pwrite"\nmust="short"\nprovided = "a"', "6:1: expected next beside provided"),
        ('need = "fsync"', "4:1: expected before beside need"),
        ('before = "pwrite"', "4:1: expected need beside before"),
        ('when = "pwrite"', "4:1: expected sequence beside when"),
        ('sequence = ["pwrite"]', "4:1: expected when beside sequence"),
        ("never = 3", "4:9: expected a string or an array of strings, saw an integer"),
        ("never = []", "4:9: expected at least one string, saw an empty array"),
        ('never = ["lseek", 1979-05-27]', "4:19: expected a string, saw a date or time"),
        ('never = ["lseek", ""]', "4:19: expected a text, saw an empty string"),
        (
            'per = "opn"',
            '4:7: expected "open" or "file" or "process" or "thread" or "trace", saw \'opn\'',
        ),
        ('opens = "all"', '4:1: expected per = "open" beside opens'),
        ('id = "C"', "4:9: this is no TOML: cannot overwrite a value"),
        ('title = "a\\nb"', "4:11: expected one line of plain text, saw '\\x0a'"),
        ('files = ["*.db", "\\\\q"]', "4:19: expected \\\\ for a backslash"),
        ("points = -1", "4:10: expected a number of points from 0"),
        ("points = nan", "4:10: expected a number of points from 0"),
        ("points = true", "4:10: expected a number, saw true or false"),
        (
            'every = "pwrite"\nat_most = -1',
            "5:11: expected an integer from 0 to 2 to the power of 63",
        ),
        ('[[contract.rule]]\nid = "a"', "4:1: expected a clause: every, never, before or when"),
        ('[[contract.rule]]\nnever = "lseek"', "4:1: expected the key id in [[contract.rule]]"),
        (
            '[[contract.rule]]\nid = "checker"\nnever = "lseek"',
            "5:6: expected another id: 'checker' is a rule of every check",
        ),
        (
            '[[contract.rule]]\nid = "a"\nnever = "lseek"\nseverity = "warning"',
            '7:12: expected "error" or "advice", saw \'warning\'',
        ),
        (
            'points = 1\n[[contract.rule]]\nid = "a"\nnever = "lseek"\npoints = 1',
            "8:1: expected points of the contract or of its rules, saw both",
        ),
        (
            (
                '[[contract.rule]]\nid = "a"\nnever = "lseek"\npoints = 1\n'
                '[[contract.rule]]\nid = "a"\nnever = "write"\npoints = 2'
            ),
            "11:10: expected 1 points, as a has before: it counts once",
        ),
        (
            'never = "lseek"\n[[contract]]\nid = "c"\nnever = "lseek"',
            "6:6: expected another id: c is that of one before",
        ),
    ],
)
def test_the_keys(lines: str, said: str) -> None:
    assert wrong(HEAD + lines).startswith(said)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("pwrit(a)", "1: expected the name of a call, saw 'pwrit'; did you mean pwrite?"),
        ("fsync|pwrit(a)", "7: expected the name of a call, saw 'pwrit'; did you mean pwrite?"),
        ("@wrlte", "1: expected a family of calls, saw '@wrlte'; did you mean @write?"),
        ("fwrite(a)", "1: expected the name of a call, saw 'fwrite'; did you mean write?"),
        ("read(a)", "1: expected the name of a call, saw 'read': no recording has reads"),
        ("end", "1: expected a call, saw end, which only until may have"),
        ("pwrite (a)", "8: expected ( right behind a name, without a space"),
        ("pwrite(a)+", "10: expected a pattern, saw +: only a sequence has repetitions"),
        ("pwrite fsync", "8: expected | or the end of the pattern, saw 'fsync'"),
        ("pwrite|", "8: expected the name of a call, as in pwrite, or of a family"),
        ("pwrite(a", "7: expected a closing ) for these paths"),
        ("pwrite()", "8: expected a path, as in *.db or $db"),
        ("pwrite(a,b,c)", "11: expected at most a path and a target"),
        ("pwrite(a(b))", "9: expected , or ) behind a path, saw '('"),
        ("pwrite($)", "8: expected the name of a variable behind $, as in $db"),
        ("rename($a$b)", "10: expected one variable in a path, saw a second"),
        ("rename($a*, $a)", "10: expected plain text around a variable, saw *"),
        ("rename($a=, $a)", "11: expected a glob behind =, as in $db=*.db"),
        ("fsyncdir(dir(a))", "14: expected a variable, as in dir($path)"),
        ("fsyncdir(dir($a))", "1: expected $a to be bound by the same call"),
        ("pwrite($a)", "1: expected a glob, saw $a, which never alone has"),
        ("pwrite[length == 5", "7: expected a closing ] for this condition"),
        ("pwrite[lenqth == 5]", "8: expected a field, saw 'lenqth'; did you mean length?"),
        ("fsync|pwrite(a)[path == 5]", "25: expected a text to compare with, saw a number"),
    ],
)
def test_patterns(key: str, said: str) -> None:
    column, _, what = said.partition(":")
    assert wrong(f"{HEAD}never = '{key}'").startswith(f"4:{9 + int(column)}:{what}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(", "2: expected a call or a group, as in (pwrite fsync)+, saw the end"),
        ("(pwrite fsync", "1: expected a closing ) for this group"),
        ("pwrite)", "7: expected a call, a group or the end of the sequence, saw ')'"),
        ("pwrite++", "8: expected one repetition, saw a second; put brackets around both"),
        ("fsync pwrite+|write", "14: expected brackets: | binds closer than a repetition"),
        ("pwrite{1001}", "7: expected at most 1000 repetitions, saw {1001}"),
        ("pwrite{0}", "7: expected a repetition of at least once, saw {0}"),
        (
            "pwrite{3,2}",
            "7: expected a repetition of at least 3 times, as its first number says, saw {3,2}",
        ),
        ("pwrite{x}", "7: expected a repetition, as in {3}, {1,3} or {2,}"),
        ("((pwrite{1000}){1000})", "2: expected a sequence of at most 2000 calls"),
        ("pwrite* fsync?", "1: expected a sequence of at least one call: this one may be none"),
        ("(" * 30, "21: expected at most 20 groups in each other"),
        ("pwrite($x)", "1: expected $x to be bound by all that when names"),
    ],
)
def test_sequences(text: str, said: str) -> None:
    column, _, what = said.partition(":")
    lines = f"when = 'close($file)'\nsequence = ['{text}']"
    assert wrong(HEAD + lines).startswith(f"5:{13 + int(column)}:{what}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" ", "expected a text, saw an empty string"),
        ("length", "1: expected a condition, saw a number; compare it with something"),
        ("length = 4096", "8: expected ==, saw ="),
        ("length == 4096 && short", "16: expected and, saw &&"),
        ("1 < length < 4", "12: expected and: comparisons can't be chained"),
        ("O_APEND in flags", "1: expected a flag, saw 'O_APEND'; did you mean O_APPEND?"),
        ("O_APPEND", "9: expected in or not in behind the flag"),
        ("O_APPEND in length", "13: expected flags, saw a number"),
        ("length in flags", "1: expected the name of a flag before in"),
        ("flags <= {O_RDWR, O_CRATE}", "19: expected a flag, saw 'O_CRATE'"),
        ("flags <= {O_RDWR", "17: expected , or }, saw the end"),
        ("short == O_APPEND", "10: expected a field, saw the flag 'O_APPEND'"),
        ('errno == "EI0"', "10: expected an error name, saw 'EI0'; did you mean EIO?"),
        ("errno == 5", '10: expected an error by its name, as in "EIO", saw 5'),
        ('call == "pwrite"', "9: expected a system call, saw 'pwrite'; did you mean pwrite64?"),
        ('call == "unknown"', "9: expected a system call: a call without a name equals none"),
        ('"writes" == family', "1: expected a family of calls, saw 'writes'; did you mean write?"),
        ('path < "a"', "6: expected == or != between two of a text, saw <"),
        ("length == path", "11: expected a number to compare with, saw a text"),
        ("length + path == 1", "10: expected a number beside +, saw a text"),
        ("not length", "5: expected a condition beside not, saw a number"),
        ("short and length", "11: expected a condition beside and, saw a number"),
        ("true", "1: expected a field, saw 'true'; write created, or not created"),
        ("length == 5 5", "13: expected and, or, a comparison or the end, saw '5'"),
        ("length / 2 == 1", "8: expected //, saw /"),
        ("length == 0x", "11: expected a number, as in 4096, 0x1000 or 4_096, saw '0x'"),
        ("length == 18446744073709551616", "11: expected a number below 2 to the power of 64"),
        ("length == " + "9" * 4000, "11: expected a number below 2 to the power of 64"),
        ('path == "abc', '9: expected a closing " for this text'),
        ("(length == 1", "13: expected ), saw the end"),
        ("length @ 3", "8: expected a condition, saw '@'"),
        ("(" * 100, "51: expected at most 50 operations in each other"),
        ("length == 1" + " + 1" * 60, "11: expected at most 50 operations in each other"),
        ("short" + " " * 5000, "1: expected a condition of at most 4096 characters, saw 5005"),
    ],
)
def test_conditions(text: str, said: str) -> None:
    column, colon, what = said.partition(":")
    place = f"5:{8 + int(column)}:{what}" if colon else f"5:8: {said}"
    assert wrong(f"{HEAD}every = 'pwrite'\nmust = '{text}'").startswith(place)


@pytest.mark.parametrize(
    ("must", "line", "column"),
    [
        ('"length == lenqth"', 5, 19),
        ('"\\u006cength == lenqth"', 5, 24),
        ('"""length ==\n  lenqth"""', 6, 3),
        ('"""\nlength ==\n  lenqth"""', 7, 3),
        ('"""length == \\\n\n   lenqth"""', 7, 4),
        ("'''length ==\n\tlenqth'''", 6, 2),
        ('"""path == \\"a\\" and lenqth == 1"""', 5, 29),
    ],
)
def test_places_in_strings_of_every_kind(must: str, line: int, column: int) -> None:
    assert wrong(f"{HEAD}every = 'pwrite'\nmust = {must}").startswith(f"{line}:{column}: ")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_places_with_either_newline(newline: str) -> None:
    text = f"{HEAD}never = [\n  'lseek',  # no\n  'wrlte',\n]".replace("\n", newline)
    assert wrong(text) == "6:4: expected the name of a call, saw 'wrlte'; did you mean write?"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('every = "pwrite($a)"\nnext = "fsync($b)"', "5:9: expected $b to be bound by all that"),
        (
            'every = "pwrite($db)"\nnext = "fsync($dbx)"',
            "5:9: expected $dbx to be bound by all that every names; did you mean $db?",
        ),
        ('every = "write|pwrite($a)"\nnext = "fsync($a)"', None),
        ('every = "write|rename(x, $a)"\nnext = "fsync($a)"', None),
        (
            'every = "write(b)|rename(x, $a)"\nnext = "fsync($a)"',
            "5:9: expected $a to be bound by all that every names",
        ),
        (
            'every = "rename($a, b)"\nnext = "fsync($path)"',
            "4:10: expected $a alone: this clause has $path for the same file, too",
        ),
        ('before = "pwrite($a)"\nneed = "fsync($b)"', "5:9: expected $b to be bound by all that"),
        ('before = "pwrite($a)"\nneed = "fsync($b)"\nsince = "pwrite($b)"', None),
        (
            'before = "pwrite($a)"\nneed = "fsync($a)"\nsince = "pwrite(log)"',
            "5:9: expected $a to be bound by all that since names",
        ),
        ('every = "pwrite($a)"\nnext = "fsync($a)"\nuntil = ["pwrite($b)"]', "6:11: expected $b"),
    ],
)
def test_bindings(lines: str, said: str | None) -> None:
    if said is None:
        read_contracts(HEAD + lines, "c.toml")
    else:
        assert wrong(HEAD + lines).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{HEAD}when = 'fsync'\nsequence = ['pwrite{{1000}}', 'close{{1000}}', 'fsync']",
            "5:45: expected a sequence of at most 2000 calls",
        ),
        (
            HEAD
            + "".join(
                f"[[contract.rule]]\nid = 'r'\nwhen = 'fsync'\nsequence = '(fsync){{{n}}}fsync*'\n"
                for n in [900] * 12
            ),
            "2:1: expected sequences of at most 10000 calls in a file",
        ),
        (
            HEAD + "[[contract.rule]]\nid = 'r'\nnever = 'lseek'\n" * 201,
            "604:1: expected at most 200 rules in a contract",
        ),
        (
            "version = 1\n"
            + "".join(f"[[contract]]\nid = 'c{n}'\nnever = 'lseek'\n" for n in range(101)),
            "302:1: expected at most 100 contracts in a file",
        ),
        ("#" * 262_145, "1:262145: expected at most 262144 characters, saw 262145"),
        (
            f"{HEAD}never = 'close({'a' * 4097})'",
            "4:16: expected a path of at most 4096 characters",
        ),
        (f"{HEAD}files = '{'a' * 4097}'", "4:10: expected a glob of at most 4096 characters"),
        (f"{HEAD}never = '{'close|' * 3000}close'", "4:10: expected at most 16384 characters"),
    ],
)
def test_limits(text: str, said: str) -> None:
    assert wrong(text).startswith(said)
