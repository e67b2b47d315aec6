"""Contracts by the name of a built-in one, and by that of a file."""

import os
from pathlib import Path

import pytest
from page_write_calls import header

from tracefs.contracts import BUILT_IN, file_of, find, find_all, names, specs
from tracefs.contracts.base import Settings
from tracefs.errors import TextFileError, UsageError

TWO = """\
version = 1
[[contract]]
id = "a"
never = "lseek"
[[contract]]
id = "b"
never = "write"
"""


@pytest.fixture
def two(tmp_path: Path) -> str:
    file = tmp_path / "two.toml"
    file.write_text(TWO)
    return str(file)


def test_a_built_in_one() -> None:
    assert find_all("page-write") == (BUILT_IN["page-write"],)
    assert find("page-write") is BUILT_IN["page-write"]


def test_all_names_lead_to_a_contract_of_that_name() -> None:
    assert "page-write" in names()
    for name in names():
        assert [contract.id for contract in find_all(name)] == [name]


def test_all_built_in_files_are_named_in_messages_without_their_folder() -> None:
    for name in names():
        if file_of(name) is not None:
            assert [(spec.id, spec.origin) for spec in specs(name)] == [(name, f"{name}.toml")]


def test_a_file_with_several(two: str) -> None:
    contracts = find_all(two)
    assert [contract.id for contract in contracts] == ["a", "b"]
    for contract in contracts:
        contract.start(header(), Settings())


def test_one_of_a_file_with_several(two: str) -> None:
    with pytest.raises(UsageError, match=r"two\.toml has several contracts, .*: a, b\."):
        find(two)


def test_a_word_with_a_slash_or_toml_is_a_file(tmp_path: Path) -> None:
    plain = tmp_path / "rules"
    plain.write_text(TWO)
    assert len(find_all(str(plain))) == 2
    with pytest.raises(UsageError, match=r"The contract file x\.toml can't be read: No such file"):
        find_all("x.toml")
    with pytest.raises(UsageError, match=r"The contract file ./page-write can't be read"):
        find_all("./page-write")


@pytest.mark.parametrize("name", ["/", "/\0.toml", "/dev/null/x"])
def test_a_path_that_cannot_be_read(name: str) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        find_all(name)


def test_an_empty_file_and_one_without_end() -> None:
    with pytest.raises(TextFileError, match="saw no version"):
        find_all("/dev/null")
    with pytest.raises(TextFileError, match="expected at most 262144 characters"):
        find_all("/dev/zero")


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsdecode(bytes(tmp_path) + b"/\xe9.toml")
    Path(path).write_text("version = 2")
    with pytest.raises(TextFileError, match=r"/\\xe9\.toml:1:11: expected version"):
        find_all(path)


def test_names_that_do_not_exist() -> None:
    with pytest.raises(UsageError, match=r"There is no contract 'page-writ'; did you mean page-wr"):
        find_all("page-writ")
    with pytest.raises(UsageError, match=r"There is no contract 'x{40}…'; known: .*page-write"):
        find_all("x" * 100_000)
