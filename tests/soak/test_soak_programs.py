"""Where programs are found, and what is said to be missing."""

import os
from pathlib import Path

import pytest
from soak import programs
from soak.programs import Program


def _executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def test_a_crate_is_not_taken_from_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "BUILT", tmp_path / "built")
    monkeypatch.setenv("PATH", os.fspath(_executable(tmp_path / "path" / "fsx").parent))
    fsx = Program("fsx", crate="fsx@0.3.2")
    assert (fsx.path, fsx.source) == (None, "crate:fsx@0.3.2")
    built = _executable(tmp_path / "built" / "bin" / "fsx")
    assert fsx.path == os.fspath(built)


def test_of_folders_off_path_the_newest_version_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    folders = os.fspath((tmp_path / "*" / "bin").relative_to("/"))
    initdb = Program("initdb", debian="postgresql", folders=folders)
    assert (initdb.path, initdb.source) == (None, "debian:postgresql")
    on_path = _executable(tmp_path / "initdb")
    assert initdb.path == os.fspath(on_path)
    newest = _executable(tmp_path / "15" / "bin" / "initdb")
    _executable(tmp_path / "9" / "bin" / "initdb")
    assert initdb.path == os.fspath(newest)


def test_a_module_is_found_where_python_finds_it() -> None:
    there, absent = Program("json", module="json"), Program("nothing", module="no_such_module")
    assert (there.path is None, absent.path) == (False, None)
    assert absent.source == "extra:soak"
