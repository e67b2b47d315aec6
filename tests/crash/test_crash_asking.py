"""What a checker says is told from what goes wrong with it, and nothing of it is left."""

import os
import sys
from pathlib import Path

import crash_samples
import pytest
from crash_asking import ask, ask_about, function, shell
from crash_samples import directory, numbered, regular, tree

from tracefs.crashes import Answer, Checked
from tracefs.errors import UsageError
from tracefs.persistence.image import Content


def without_time(answer: Answer) -> tuple[Checked, str | None]:
    return answer.checked, answer.said


@pytest.mark.parametrize(
    ("text", "checked", "said"),
    [
        ("true", Checked.GOOD, None),
        ("echo all is well", Checked.GOOD, None),
        ("false", Checked.BAD, None),
        ("echo first; echo second >&2; exit 3", Checked.BAD, "second"),
        ("exit 255", Checked.BAD, None),
        ("echo {dir}/n is bad; exit 1", Checked.BAD, "{dir}/n is bad"),
        ("kill -SEGV $$", Checked.CRASHED, "signal 11"),
        ("exec 2>&-; sh -c 'kill -KILL $$'; exit $?", Checked.CRASHED, "signal 9"),
        ("/no/such/checker {dir}", Checked.NOT_STARTED, "sh: 1: /no/such/checker: not found"),
        ("/etc/passwd", Checked.NOT_STARTED, "sh: 1: /etc/passwd: Permission denied"),
    ],
)
def test_how_a_command_ends_is_what_is_said(text: str, checked: Checked, said: str | None) -> None:
    answer = ask(shell(text))
    assert answer.checked == checked
    if checked is Checked.NOT_STARTED:  # each sh words it in its own way
        assert said is not None
        assert answer.said is not None
        assert answer.said.split(": ")[-1].lower() == said.split(": ")[-1].lower()
    else:
        assert answer.said == said


@pytest.mark.parametrize(
    ("told", "checked", "said"),
    [
        ("nothing", Checked.GOOD, None),
        ("print", Checked.GOOD, None),
        ("raise", Checked.CRASHED, "ValueError: {dir} is strange"),
        ("exit", Checked.CRASHED, "it ended with status 3, without an answer"),
        ("die", Checked.CRASHED, "it ended with signal 9, without an answer"),
    ],
)
def test_what_becomes_of_a_function_is_what_is_said(
    told: str, checked: Checked, said: str | None
) -> None:
    assert without_time(ask(function(crash_samples.do_as_told), told)) == (checked, said)


def test_a_function_says_what_is_wrong() -> None:
    (good, bad) = ask_about(
        function(crash_samples.size_is_even), (numbered(2), ()), (numbered(3), ())
    )
    assert without_time(good) == (Checked.GOOD, None)
    assert without_time(bad) == (Checked.BAD, "{dir}/n has 3 bytes")


def test_one_that_hangs_is_killed_and_the_next_one_asked() -> None:
    hung, good = ask_about(
        shell("[ $(stat -c %s {dir}/n) != 1 ] || sleep 1000", 1),
        (numbered(1), ()),
        (numbered(2), ()),
    )
    assert without_time(hung) == (Checked.LATE, "it did not end within 1 s")
    assert good.checked == Checked.GOOD
    hung, good = ask_about(
        function(crash_samples.do_as_told, 1), (numbered(1), ["hang"]), (numbered(2), ["no"])
    )
    assert without_time(hung) == (Checked.LATE, "it did not end within 1 s")
    assert good.checked == Checked.GOOD


def test_what_a_command_leaves_running_ends_with_it(tmp_path: Path) -> None:
    """Whatever it leaves has a lock, which the second state can have only once all are gone."""
    lock = tmp_path / "lock"
    left = "sleep 1000 & setsid sleep 1000 & (setsid sleep 1000 &); true"
    first, second = ask_about(
        shell(f"exec 9>{lock}; if [ -s {{dir}}/n ]; then flock -n 9; else flock -s 9; {left}; fi"),
        (numbered(0), ()),
        (numbered(1), ()),
    )
    assert (first.checked, second.checked) == (Checked.GOOD, Checked.GOOD)


def test_a_child_is_asked_again_unless_something_is_left_of_what_it_did() -> None:
    told = ["pid", "pid", "leave", "pid", "pid", "raise", "pid"]
    checker = function(crash_samples.do_as_told)
    said = [a.said for a in ask_about(checker, *((numbered(0), [each]) for each in told))]
    assert said[0] == said[1] != said[3] == said[4] != said[6]


def test_the_environment_is_clean_and_the_directories_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET", "x")
    text = 'echo "$(pwd) $HOME $TMPDIR ${SECRET:--} $TRACEFS_ACKS"; ls -A; exit 1'
    first, second = ask_about(shell(text), (numbered(0), ()), (numbered(1), ()))
    assert first.said is not None
    where, home, temporary, secret, acks = first.said.split(" ")
    assert (home, temporary, secret) == (where, where, "-")
    assert second.said is not None
    assert where not in second.said
    asked = ask(function(crash_samples.do_as_told), "where").said
    assert asked is not None
    where, home, temporary, secret, acks = asked.split(" ")
    assert (home, temporary, secret) == (where, where, "-")
    assert os.path.dirname(acks) == os.path.dirname(where)


def test_only_what_is_passed_is_in_the_environment() -> None:
    said = ask(shell("env | sed 's/=.*//' | sort | tr '\\n' ' '; exit 1")).said
    assert said is not None
    assert set(said.split()) <= {
        "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME",
        "HOME", "TMPDIR", "PWD", "TRACEFS_ACKS", "OLDPWD", "SHLVL", "_",
    }  # fmt: skip


def test_acknowledgements_are_in_a_file_one_a_line() -> None:
    acks = ["key=1", "spaces are kept ", "é", "two\nlines"]
    said = ask(shell("od -An -c -v $TRACEFS_ACKS | tr -d ' \\n'; exit 1"), *acks).said
    assert said is not None
    assert said.replace("\\\\", "\\") == (r"key=1\nspacesarekept\n303251\ntwo\x0alines\n")
    assert ask(shell("[ ! -s $TRACEFS_ACKS ]")).checked == Checked.GOOD


def test_a_checker_may_change_the_state_and_take_away_its_own_permissions() -> None:
    image = tree(("d", directory(2)), ("d/f", regular(3)))
    text = "touch {dir}/d/new && rm {dir}/d/f && chmod 0 {dir}/d {dir} . && mkdir -p $HOME/x/y"
    answered = ask_about(shell(text), (image, ()), (image, ()))
    assert [answer.checked for answer in answered] == [Checked.GOOD, Checked.GOOD]


def test_files_that_a_command_names_are_where_it_looks_for_them(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "check.py").write_text("import sys, part\nsys.exit(part.ANSWER)\n")
    (tmp_path / "tools" / "part.py").write_text("ANSWER = 7 - 7\n")
    script = tmp_path / "check.sh"
    script.write_text('#!/bin/sh\n[ -d "$1" ]\n')
    script.chmod(0o755)
    (tmp_path / "unnamed").touch()
    python = sys.executable
    assert ask(shell(f"{python} tools/check.py {{dir}}", cwd=tmp_path)).checked == Checked.GOOD
    assert ask(shell("./check.sh {dir}", cwd=tmp_path)).checked == Checked.GOOD
    assert ask(shell("ls -A; exit 1", cwd=tmp_path)).said is None


def test_a_state_that_cannot_be_made_has_that_for_its_answer() -> None:
    missing, long, good = ask_about(
        shell("true"),
        (tree(("f", regular(2, Content(10, base=404, base_limit=5)))), ()),
        (tree(("n" * 300, regular(2))), ()),
        (numbered(0), ()),
    )
    assert without_time(missing) == (Checked.TOOL_FAILED, "it was changed")
    assert long.checked == Checked.TOOL_FAILED
    assert long.said is not None
    assert long.said.endswith(": File name too long")
    assert good.checked == Checked.GOOD


def test_a_function_that_nobody_can_import_is_refused() -> None:
    with pytest.raises(UsageError, match="can't be asked by another process"):
        ask(function(lambda *_: None))
