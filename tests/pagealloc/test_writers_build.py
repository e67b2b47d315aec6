"""The manifest, and the scripts that build and check what it lists."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pagewriters import ROOT, Writer, listed
from writers_support import command, each_writer

BUILD = ROOT / "tools" / "pagealloc" / "build"
CHECK = ROOT / "tools" / "pagealloc" / "check"


def write_manifest(path: Path, *writers: dict[str, object]) -> Path:
    """Write a manifest; JSON's strings and lists are TOML's as well."""
    rows = (
        "\n".join(["[[writer]]", *(f"{key} = {json.dumps(value)}" for key, value in row.items())])
        for row in writers
    )
    path.write_text("\n\n".join(rows))
    return path


def row(folder: Path, name: str, build: str, needs: str = "sh") -> dict[str, object]:
    return {
        "name": name,
        "language": name.title(),
        "folder": str(folder),
        "binary": str(folder / name),
        "needs": [needs],
        "install": f"get {needs}",
        "build": build,
        "loop": str(folder / f"{name}-loop"),
        "loop_build": "true",
    }


def build(
    *words: str | Path, tool: Path = BUILD, **environment: str
) -> subprocess.CompletedProcess[str]:
    outside = {key: value for key, value in os.environ.items() if key != "CI"}
    return subprocess.run(
        [sys.executable, tool, *words],
        env={**outside, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def check(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return build(*words, tool=CHECK)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """One that lacks its compiler, one that doesn't compile, one without a fault."""
    return write_manifest(
        tmp_path / "writers.toml",
        row(tmp_path, "alpha", "touch alpha", needs="no-such-compiler"),
        row(tmp_path, "beta", "echo line 1: wrong; exit 1"),
        row(tmp_path, "gamma", "touch gamma; echo chatter"),
    )


def test_all_are_tried_and_what_is_wrong_is_said_last(manifest: Path, tmp_path: Path) -> None:
    done = build("--manifest", manifest)
    assert (done.returncode, done.stdout) == (1, f"Gamma: {tmp_path}/gamma\n")
    assert done.stderr == (
        f"$ cd {tmp_path} && echo line 1: wrong; exit 1\n"
        "line 1: wrong\n\n"
        "pagealloc: Alpha is not built: no no-such-compiler; install: get no-such-compiler\n"
        "pagealloc: Beta is not built: see above\n"
    )
    assert (tmp_path / "gamma").exists()


def test_a_missing_compiler_may_be_allowed_but_not_in_ci(manifest: Path) -> None:
    words = ("--manifest", manifest, "--allow-missing", "alpha", "gamma")
    assert build(*words).returncode == 0
    assert "Alpha is not built: no no-such-compiler" in build(*words).stderr
    assert build(*words, CI="true").returncode == 1


def test_a_build_that_fails_is_never_allowed(manifest: Path) -> None:
    assert build("--manifest", manifest, "--allow-missing", "beta").returncode == 1


def test_a_build_that_leaves_no_command_has_failed(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "writers.toml", row(tmp_path, "delta", "true"))
    done = build("--manifest", manifest)
    assert done.returncode == 1
    assert f"pagealloc: the build left no {tmp_path}/delta\n" in done.stderr


def test_a_folder_that_is_not_there_has_failed(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "writers.toml", row(tmp_path / "none", "epsilon", "true"))
    done = build("--manifest", manifest)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"pagealloc: {tmp_path}/none is not there\n" in done.stderr


@pytest.mark.parametrize("tool", [BUILD, CHECK], ids=lambda tool: tool.name)
def test_a_name_that_is_not_listed_is_a_wrong_argument(manifest: Path, tool: Path) -> None:
    done = build("--manifest", manifest, "omega", tool=tool)
    assert done.returncode == 2
    assert "no writer is called omega" in done.stderr


def test_a_check_is_the_folders_own_program(tmp_path: Path) -> None:
    """All are tried, and what is wrong is said last."""
    rows = []
    for name, script in (("eta", "echo line 1: wrong >&2; exit 3"), ("theta", "echo fine")):
        (tmp_path / name).mkdir()
        program = tmp_path / name / "check"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        rows.append(row(tmp_path / name, name, "true"))
    rows.append(row(tmp_path, "iota", "true", needs="no-such-compiler"))
    rows.append(row(tmp_path, "kappa", "true"))
    manifest = write_manifest(tmp_path / "writers.toml", *rows)

    done = check("--manifest", manifest)

    assert done.returncode == 1
    assert f"Theta: {tmp_path}/theta/check\nfine\n" in done.stdout
    assert done.stderr == (
        "line 1: wrong\n"
        f"pagealloc: {tmp_path}/check is not there\n"
        "pagealloc: Iota is not checked: no no-such-compiler; install: get no-such-compiler\n"
        "pagealloc: Eta did not pass: see above\n"
        "pagealloc: Kappa did not pass: see above\n"
    )
    assert check("--manifest", manifest, "theta").returncode == 0
    assert check("--manifest", manifest, "iota").returncode == 1


@each_writer
def test_a_row_says_what_is_there(writer: Writer) -> None:
    assert os.access(ROOT / writer.folder / "check", os.X_OK)
    assert writer.needs
    assert writer.install
    ignored = subprocess.run(
        ["git", "check-ignore", "--quiet", writer.binary], cwd=ROOT, check=False
    )
    assert ignored.returncode != 1, f"{writer.binary} would be committed"


def test_the_commands_are_where_the_documents_say() -> None:
    assert {writer.name: writer.binary for writer in listed()}.items() >= {
        "python": ".venv/bin/pagealloc",
        "rust": "tools/pagealloc/rust/target/release/pagealloc",
        "go": "tools/pagealloc/go/pagealloc",
        "cpp": "tools/pagealloc/cpp/build/pagealloc",
    }.items()


@pytest.mark.parametrize(
    ("needs", "ci", "ending", "said"),
    [
        ("no-such-compiler", "", pytest.skip.Exception, "Zeta: no no-such-compiler; install: get"),
        ("no-such-compiler", "true", pytest.fail.Exception, "zeta is not built: make pagealloc"),
        ("sh", "", pytest.fail.Exception, "zeta is not built: make pagealloc"),
    ],
)
def test_a_writer_that_is_not_built_is_skipped_only_without_its_compiler(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    needs: str,
    ci: str,
    ending: type[BaseException],
    said: str,
) -> None:
    monkeypatch.setenv("CI", ci)
    manifest = write_manifest(tmp_path / "writers.toml", row(tmp_path, "zeta", "true", needs))
    (writer,) = listed(manifest)
    with pytest.raises(ending, match=said):
        command(writer)
