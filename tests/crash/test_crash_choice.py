"""Which checker is meant, and what it is asked about."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tracefs.crash import checkers
from tracefs.crash.asking import PASSED, Command, Ready
from tracefs.crash.choice import Choice, choose, require
from tracefs.crash.recovery import both
from tracefs.errors import SetupError, UsageError

LIMIT_S = 12.5


def command(choice: Choice) -> Command:
    assert isinstance(choice.checker, Command)
    return choice.checker


def function(choice: Choice) -> Callable[..., object]:
    """Return the function of a ready checker, as the process that asks gets it."""
    assert isinstance(choice.checker, Ready)
    passed = pickle.loads(pickle.dumps(choice.checker))  # its own
    assert isinstance(passed, Ready)
    return passed.function


def test_what_has_a_place_for_the_directory_is_a_command() -> None:
    choice = choose("check {dir} --all", LIMIT_S)
    assert (command(choice).shell, command(choice).limit_s) == ("check {dir} --all", LIMIT_S)
    assert (choice.name, choice.transient) == ("check {dir} --all", ())


@pytest.mark.parametrize("name", ["check {dir}", "json"])
def test_a_checker_gets_little_of_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "1")
    monkeypatch.setenv("TZ", "UTC")
    environment = dict(choose(name, LIMIT_S).checker.environment)
    assert environment["TZ"] == "UTC"
    assert set(environment) <= set(PASSED)


def test_a_command_finds_the_files_beside_whom_it_was_given_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "check.py").touch()
    monkeypatch.chdir(tmp_path)
    assert command(choose("python3 check.py {dir}", LIMIT_S)).links == (
        ("check.py", str(tmp_path / "check.py")),
    )


def test_a_command_is_asked_about_the_directory_below_wherever_it_names_it() -> None:
    checker = command(choose("cmp {dir}/a {dir}/b", LIMIT_S, "test-1"))
    assert checker.shell == "cmp {dir}/test-1/a {dir}/test-1/b"


def test_a_command_is_asked_after_the_recovery() -> None:
    choice = choose("check {dir}", LIMIT_S, recovery="repair {dir}")
    assert command(choice).shell == both("repair {dir}", "check {dir}")
    assert choice.name == "check {dir}"
    below = command(choose("check {dir}", LIMIT_S, "d", "repair {dir}"))
    assert below.shell == both("repair {dir}/d", "check {dir}/d")


@pytest.mark.parametrize("name", checkers.names())
def test_a_ready_checker_is_meant_by_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = checkers.find(name)
    assert ready is not None
    monkeypatch.setattr(checkers, "find", {name: replace(ready, lacks=lambda: None)}.get)
    choice = choose(name, LIMIT_S)
    assert isinstance(choice.checker, Ready)
    assert (choice.checker.function, choice.checker.limit_s) == (ready.ask, LIMIT_S)
    assert choice.name == name
    assert [(one.glob, one.why) for one in choice.transient] == list(ready.transient)


def test_one_that_lacks_something_says_what(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = checkers.find("lmdb")
    assert ready is not None
    lacking = replace(ready, lacks=lambda: "the module lmdb is not there")
    monkeypatch.setattr(checkers, "find", {"lmdb": lacking}.get)
    with pytest.raises(SetupError, match="lmdb can't be used: the module lmdb is not there"):
        choose("lmdb", LIMIT_S)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a state with a JSON file that is good, and another below that is not."""
    (tmp_path / "below").mkdir()
    (tmp_path / "good.json").write_text("{}", encoding="utf-8")
    (tmp_path / "below" / "bad.json").write_text("{", encoding="utf-8")
    return tmp_path


def test_a_ready_checker_is_asked_about_the_directory_below_alone(state: Path) -> None:
    (state / "bad.json").write_text("{", encoding="utf-8")
    assert str(function(choose("json", LIMIT_S))(state, ())).startswith("bad.json: ")
    (state / "below" / "bad.json").write_text("{}", encoding="utf-8")
    assert function(choose("json", LIMIT_S, "below"))(state, ()) is None
    lost = function(choose("json", LIMIT_S, "below"))(state, ("good.json",))
    assert lost == "good.json: absent; it was acknowledged"


@pytest.mark.parametrize(("below", "place"), [("", "{dir}/below"), ("below", "{dir}")])
def test_a_ready_checker_is_asked_after_the_recovery(state: Path, below: str, place: str) -> None:
    assert function(choose("json", LIMIT_S, below))(state, ()) is not None
    recovered = choose("json", LIMIT_S, below, f"rm {place}/bad.json")
    assert recovered.name == "json"
    assert function(recovered)(state, ()) is None
    assert not (state / "below" / "bad.json").exists()


def test_what_is_neither_is_refused_with_a_repair() -> None:
    with pytest.raises(UsageError, match=r"'jsn' has no \{dir\}, and is none of .*json") as raised:
        choose("jsn", LIMIT_S)
    assert raised.value.repair == "--check 'jsn {dir}'"
    with pytest.raises(UsageError, match="has no"):
        require("python3 check.py")


@pytest.mark.parametrize("check", [*checkers.names(), "check {dir}", "{dir}/check"])
def test_checkers_and_commands_are_not_refused(check: str) -> None:
    require(check)
