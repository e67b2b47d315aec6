"""The examples in the API's docstrings do what they say."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import tracefs.api

MODULES = [f"tracefs.api.{module.name}" for module in pkgutil.iter_modules(tracefs.api.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_some() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [
        example
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        for example in test.examples
    ]
    assert len(found) >= 6
