"""A recording may name any file as a module, and the file may be built to harm its reader."""

import os
import random
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracefs.events import Frame
from tracefs.pathtext import to_text
from tracefs.source import Resolver
from tracefs.source.elf import build_id
from tracefs.source.symbols import Symbols


def resolved(*modules: str) -> list[str]:
    frames = tuple(Frame(module=module, address=0x1000 + at) for at, module in enumerate(modules))
    return [place.unlined or "" for place in Resolver("2001-01-01T00:00:00+00:00").resolve(frames)]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link_to_fifo(path: Path) -> None:
    os.mkfifo(path.with_suffix(".fifo"))
    path.symlink_to(path.with_suffix(".fifo"))


def link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [fifo, link_to_fifo, link_to_zeros])
def test_what_is_no_regular_file_is_not_opened(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "module")
    name = to_text(bytes(tmp_path / "module"))
    assert resolved(name) == ["module can't be read: no regular file"]
    assert not Symbols(tmp_path / "module").cover(0)


@pytest.mark.parametrize("name", ["lib.so", "", "-e", "/lib\0.so"])
def test_a_name_that_no_module_has(name: str) -> None:
    (said,) = resolved(name)
    assert "can't be read: no path of a module" in said


def test_more_places_than_are_remembered() -> None:
    names = [f"/nowhere/{number}" for number in range(6000)]
    assert len(resolved(*names, *names)) == 12_000


HEAD = struct.Struct("<4sBBBB8xHHIQQQIHHHHHH")
PROGRAM = struct.Struct("<IIQQQQQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")


def elf(programs: list[bytes], sections: list[bytes], body: bytes = b"") -> bytes:
    at = HEAD.size
    head = HEAD.pack(
        b"\x7fELF", 2, 1, 1, 0, 3, 62, 1, 0, at, at + PROGRAM.size * len(programs), 0, 64,
        PROGRAM.size, len(programs), SECTION.size, len(sections), 0,
    )  # fmt: skip
    return head + b"".join(programs) + b"".join(sections) + body


@pytest.mark.timeout(30)
@pytest.mark.parametrize("offset", [2**63 - 1, 2**63, 2**64 - 1])
def test_offsets_that_no_file_has(offset: int, tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    library.write_bytes(
        elf(
            [PROGRAM.pack(4, 4, offset, 0, 0, 64, 64, 8)],
            [SECTION.pack(0, 2, 0, 0, offset, 2400, 0, 0, 8, 24)],
        )
    )
    assert build_id(library) is None
    assert not Symbols(library).cover(0)
    raw = bytearray(library.read_bytes())
    struct.pack_into("<Q", raw, 32, offset)
    struct.pack_into("<Q", raw, 40, offset)
    library.write_bytes(raw)
    assert build_id(library) is None
    assert not Symbols(library).cover(0)


@pytest.mark.timeout(60)
def test_tables_that_lie_on_each_other_are_read_once(tmp_path: Path) -> None:
    """65,000 headers for the same bytes would make gigabytes of a small file."""
    library = tmp_path / "lib.so"
    size = 60_000
    programs = [PROGRAM.pack(4, 4, 0, 0, 0, size, size, 8)] * 60_000
    sections = [SECTION.pack(0, 2, 0, 0, 0, size, 0, 0, 8, 24)] * 60_000
    library.write_bytes(elf(programs, sections))
    before = time.process_time()
    assert build_id(library) is None
    Symbols(library)
    # Of the test's own processor time: 1.5 seconds as it is, a quarter of an hour without.
    assert time.process_time() - before < 30


@pytest.fixture(scope="module")
def real_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("real") / "lib.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-Wl,--build-id", "-xc", "-", "-o", library],
        input=b"int known(int x) { return x * 3; }",
        check=True,
    )
    return library


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_damaged_files_are_read_to_no_harm(real_library: Path, tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    raw = bytearray(real_library.read_bytes())
    for _ in range(random_.randrange(1, 9)):
        # Nearly all that is looked at stands in the headers.
        at = random_.randrange(random_.choice((64, 1024, len(raw))))
        width = random_.choice((1, 2, 4, 8))
        value = random_.choice((0, 1, 2**31, 2**63, 2**64 - 1, random_.getrandbits(64)))
        raw[at : at + width] = (value % 2 ** (8 * width)).to_bytes(width, "little")
    library = tmp_path / "lib.so"
    library.write_bytes(raw[: random_.choice((len(raw), random_.randrange(len(raw))))])
    build_id(library)
    Symbols(library).cover(random_.getrandbits(64))
