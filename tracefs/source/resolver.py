"""Addresses into functions and lines, by binutils' addr2line, which reads DWARF of every version.

It comes with every C compiler, expands inlined functions and knows C++ and Rust names. Where it is
missing, or a module may have changed since, a place is module and address, and nothing is guessed.
"""

import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tracefs.events import Frame
from tracefs.pathtext import to_bytes, to_text
from tracefs.source.elf import build_id
from tracefs.source.location import LINKED, NO_DEBUG, NO_TOOL, Location
from tracefs.source.symbols import Symbols

_PATIENCE_S: Final = 30
_MAX_WAITS: Final = 3
"""Modules that may use all of the patience; a recording can name any number of them."""
_MAX_KNOWN: Final = 4096
_LINE: Final = re.compile(r"(.*):(\d+)(?: \(discriminator \d+\))?")

_MADE_UP: Final = "<artificial>"
"""What GCC calls the source of a unit made by -flto. It is file 0 of the unit's table, which 2.40's
addr2line takes where the table says nothing, in place of file 1 (DWARF 5, 6.2.2).
"""


class Resolver:
    """Remembers what it found; one process of addr2line for each new stack and module.

    Args:
        started: when the recording began, as its header says; None: not known.
    """

    def __init__(self, started: str | None) -> None:
        self._tool = shutil.which("addr2line")
        self._started_ns = _nanoseconds(started)
        self._doubts: dict[tuple[str, str | None], str | None] = {}
        self._symbols: dict[str, Symbols] = {}
        self._known: dict[tuple[str, int], tuple[Location, ...]] = {}
        self._waits = _MAX_WAITS

    def resolve(self, stack: tuple[Frame, ...]) -> tuple[Location, ...]:
        """Return the places of *stack*, innermost first; an inlined function has its own."""
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()
        wanted: dict[str, list[int]] = {}
        for frame in stack:
            if frame.module is not None and (frame.module, frame.address - 1) not in self._known:
                wanted.setdefault(frame.module, []).append(frame.address - 1)
        builds = {frame.module: frame.build for frame in stack if frame.module is not None}
        for module, addresses in wanted.items():
            self._look_up(module, builds[module], list(dict.fromkeys(addresses)))
        found: list[Location] = []
        for frame in stack:
            if frame.module is None:
                found.append(Location(function=frame.function, file=frame.file, line=frame.line))
            else:
                places = self._known[frame.module, frame.address - 1]
                if frame.line is not None and places[0].line is None:
                    told = {"function": frame.function, "file": frame.file, "line": frame.line}
                    places = (replace(places[0], **told, unlined=None),)
                found += places
        return tuple(found)

    def _look_up(self, module: str, build: str | None, addresses: list[int]) -> None:
        why = NO_TOOL if self._tool is None else self._doubt(module, build)
        for address in addresses:
            bare = Location(module=module, address=address, unlined=why)
            self._known[module, address] = (bare,)
        if why is not None:
            return
        for address, places in self._ask(module, addresses):
            if places:
                self._known[module, address] = places

    def _ask(self, module: str, addresses: list[int]) -> list[tuple[int, tuple[Location, ...]]]:
        """Return what addr2line says: for each address lines of function and place, inner first."""
        assert self._tool is not None
        if not self._waits:
            return []
        command = [self._tool, "-a", "-f", "-C", "-i", "-e", os.fsdecode(to_bytes(module))]
        try:
            done = subprocess.run(
                [*command, *map(hex, addresses)],
                capture_output=True,
                check=False,
                timeout=_PATIENCE_S,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            self._waits -= 1
            return []
        except OSError:
            return []
        parts = re.split(r"^0x[0-9a-f]+\n", to_text_lines(done.stdout), flags=re.MULTILINE)[1:]
        return [
            (address, self._checked(_places(module, address, part.splitlines())))
            for address, part in zip(addresses, parts, strict=False)
        ]

    def _checked(self, places: tuple[Location, ...]) -> tuple[Location, ...]:
        """Return *places* without a name that the nearest symbol lent; those with lines have none.

        Only an address that addr2line knows nothing else of is one place without a line.
        """
        if len(places) != 1 or places[0].line is not None or places[0].function is None:
            return places
        place = places[0]
        assert place.module is not None
        assert place.address is not None
        if self._symbols_of(place.module).cover(place.address):
            return places
        return (replace(place, function=None),)

    def _symbols_of(self, module: str) -> Symbols:
        if module not in self._symbols:
            self._symbols[module] = Symbols(Path(os.fsdecode(to_bytes(module))))
        return self._symbols[module]

    def _doubt(self, module: str, build: str | None) -> str | None:
        """Return why the file can't tell lines of the module that ran; None: it can."""
        key = (module, build)
        if key not in self._doubts:
            path = Path(os.fsdecode(to_bytes(module)))
            try:
                doubt = self._changed(path, build)
            except OSError as error:
                doubt = f"can't be read: {error.strerror}"
            name = module.rpartition("/")[2]
            self._doubts[key] = None if doubt is None else f"{name} {doubt}"
        return self._doubts[key]

    def _changed(self, path: Path, build: str | None) -> str | None:
        """Return why the file may not be the module that ran.

        A build id tells. Without one, any change of a file moves its ctime (inode(7)), which no
        program can set back.
        """
        if build_id(path) != build:
            return "was built anew since it ran; record again"
        if build is not None:
            return None
        if self._started_ns is None:
            return "has no build id, and when the recording began is not known"
        status = path.stat()
        if max(status.st_ctime_ns, status.st_mtime_ns) >= self._started_ns:
            return "has no build id, and was changed after the recording began; record again"
        return None


def _nanoseconds(time: str | None) -> int | None:
    """Return an RFC 3339 time with its offset as nanoseconds of the wall clock."""
    try:
        moment = datetime.fromisoformat(time or "")
    except ValueError:
        return None
    return None if moment.tzinfo is None else int(moment.timestamp() * 1_000_000) * 1000


def to_text_lines(output: bytes) -> str:
    """Return what a tool printed, each line as path text."""
    return "".join(f"{to_text(line)}\n" for line in output.splitlines())


def _places(module: str, address: int, lines: list[str]) -> tuple[Location, ...]:
    found = []
    for function, place in zip(lines[::2], lines[1::2], strict=False):
        match = _LINE.fullmatch(place)
        line = int(match[2]) if match else 0
        name = None if function == "??" else function
        linked = match is not None and match[1].endswith(_MADE_UP)
        if match is None or not line or match[1] == "??" or linked:
            why = LINKED if linked else NO_DEBUG
            found.append(Location(function=name, module=module, address=address, unlined=why))
        else:
            found.append(
                Location(function=name, file=match[1], line=line, module=module, address=address)
            )
    return tuple(found)
