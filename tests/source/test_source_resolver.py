"""Lines of a module, when they are surely those of the module that ran."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tracefs.events import Frame
from tracefs.pathtext import to_text
from tracefs.source import Location, Resolver
from tracefs.source.elf import build_id
from tracefs.source.location import NO_TOOL

SOURCE = "int put(int value)\n{\n    return value + 1;\n}\nint main(void) { return put(1); }\n"


def build(folder: Path, *options: str, lines_before: int = 0) -> tuple[Path, int]:
    """Return a program and the address behind the first instruction of its function put."""
    (folder / "writer.c").write_text("\n" * lines_before + SOURCE)
    program = folder / "writer"
    words = ["gcc", "-g", "-O0", *options, "-o", str(program), str(folder / "writer.c")]
    subprocess.run(words, check=True)
    symbols = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in symbols.splitlines() if line.endswith(" T put")]
    return program, int(line.split()[0], 16) + 1


def later_than(file: Path, seconds: int) -> str:
    """Return a time so much later than *file* was made, to the second, in another zone's words."""
    changed = max(os.stat(file).st_ctime, os.stat(file).st_mtime)
    return datetime.fromtimestamp(int(changed) + seconds, UTC).isoformat()


def place(program: Path, address: int, started: str | None) -> Location:
    frame = Frame(module=to_text(bytes(program)), address=address, build=build_id(program))
    (found,) = Resolver(started).resolve((frame,))
    return found


@pytest.mark.parametrize("started", [None, "nonsense", "2001-01-01T00:00:00+00:00"])
def test_a_build_id_tells_enough(started: str | None, tmp_path: Path) -> None:
    program, address = build(tmp_path, "-Wl,--build-id")
    assert str(place(program, address, started)) == "writer.c:2 in put"
    frame = Frame(module=to_text(bytes(program)), address=address, build=build_id(program))
    build(tmp_path, "-Wl,--build-id", lines_before=5)
    (found,) = Resolver(None).resolve((frame,))
    assert (found.line, found.unlined) == (None, "writer was built anew since it ran; record again")


def test_without_a_build_id_a_file_that_is_older_is_the_one_that_ran(tmp_path: Path) -> None:
    program, address = build(tmp_path, "-Wl,--build-id=none")
    found = place(program, address, later_than(program, 2))
    assert (str(found), found.unlined) == ("writer.c:2 in put", None)


def test_without_a_build_id_a_file_that_is_newer_tells_nothing(tmp_path: Path) -> None:
    program, address = build(tmp_path, "-Wl,--build-id=none")
    started = later_than(program, -1)
    os.utime(program, (0, 0))  # only its ctime says so by now
    found = place(program, address, started)
    assert str(found) == f"writer+{address - 1:#x}"
    assert (
        found.unlined
        == "writer has no build id, and was changed after the recording began; record again"
    )


@pytest.mark.parametrize("started", [None, "nonsense", "2126-01-01T00:00:00"])
def test_without_a_time_either_nothing_is_told(started: str | None, tmp_path: Path) -> None:
    program, address = build(tmp_path, "-Wl,--build-id=none")
    found = place(program, address, started)
    assert (found.line, found.unlined) == (
        None,
        "writer has no build id, and when the recording began is not known",
    )


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    program, address = build(tmp_path)
    frame = Frame(module=to_text(bytes(program)), address=address, build="00")
    program.unlink()
    (found,) = Resolver(None).resolve((frame,))
    assert found.unlined == "writer can't be read: No such file or directory"


def test_without_addr2line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, address = build(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert place(program, address, None).unlined == NO_TOOL
