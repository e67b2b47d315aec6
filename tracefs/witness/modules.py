"""ELF modules as they lie in a process's memory (elf(5)): where they begin, and what they export.

Read from memory and not from the file: what runs is what is looked at, whatever became of the file.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final

from tracefs.elfnotes import GNU, GNU_BUILD_ID, notes
from tracefs.witness.memory import Mapping, Memory

_PT_LOAD: Final = 1
_PF_X: Final = 1
_PT_DYNAMIC: Final = 2
_PT_NOTE: Final = 4
_PT_GNU_EH_FRAME: Final = 0x6474E550
_NT_GO_BUILD_ID: Final = 4
"""ELF_NOTE_GOBUILDID_TAG (cmd/internal/buildid/note.go)."""
_GO_BUILD: Final = re.compile(rb"[\w-]{20}(?:/[\w-]{20}){3}")
"""Four hashes (cmd/go/internal/work/buildid.go); build systems put words in their place."""
_DT_STRTAB: Final = 5
_DT_SYMTAB: Final = 6
_DT_GNU_HASH: Final = 0x6FFFFEF5
_PHDR: Final = struct.Struct("<IIQQQQQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_MAX_HEADERS: Final = 64
_MAX_NOTES: Final = 1 << 12
_MAX_DYNAMIC: Final = 1 << 14
_MAX_CHAIN: Final = 1 << 16
"""Symbols of one hash; a chain without an end would keep the program waiting."""


class Module:
    """One mapped ELF file, found by its code.

    Raises:
        OSError: its headers can't be read, or *mapping* is not where they have code to be.
    """

    def __init__(self, memory: Memory, mapping: Mapping) -> None:
        # The program may have mapped the file once more, to read it.
        begins = [
            one
            for one in memory.mappings
            if one.path == mapping.path and not one.offset and one.start <= mapping.start
        ]
        first = max(begins, key=lambda one: one.start, default=mapping)
        head = memory.read(first.start, 64)
        if head[:5] != b"\x7fELF\x02":
            raise OSError("no 64-bit ELF file")
        self.path = mapping.path
        (table,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        if size != _PHDR.size or count > _MAX_HEADERS:
            raise OSError("its program headers are not as expected")
        raw = memory.read(first.start + table, size * count)
        headers = list(_PHDR.iter_unpack(raw))
        loads = [header for header in headers if header[0] == _PT_LOAD]
        if not loads:
            raise OSError("it has nothing to load")
        self.bias = first.start - min(header[3] - header[2] for header in loads)
        """What was added to the file's own addresses."""
        self._check_code(loads, mapping)
        self._found: dict[int, tuple[int, ...]] = {header[0]: header for header in headers}
        self.build: str | None = None
        """GNU build id, hexadecimal; None: it has none."""
        self.go_build: str | None = None
        """The Go linker's id of all that is in the program; None: it has none, or a given one."""
        for name, kind, content in self._notes(memory, [h for h in headers if h[0] == _PT_NOTE]):
            if name == GNU and kind == GNU_BUILD_ID and self.build is None:
                self.build = content.hex()
            elif name == b"Go\0\0" and kind == _NT_GO_BUILD_ID and _GO_BUILD.fullmatch(content):
                self.go_build = content.decode()

    def _check_code(self, loads: list[tuple[int, ...]], mapping: Mapping) -> None:
        at = mapping.start - self.bias
        end = mapping.end - self.bias
        for _, flags, offset, address, _, _, size, _ in loads:
            within = at < address + size and end > address
            if flags & _PF_X and within and at - address == mapping.offset - offset:
                return
        raise OSError("its code is not where its headers say")

    @property
    def frame_table(self) -> int | None:
        """Address of ``.eh_frame_hdr``; None: it has none."""
        header = self._found.get(_PT_GNU_EH_FRAME)
        return None if header is None else self.bias + header[3]

    def symbol(self, memory: Memory, name: bytes) -> int | None:
        """Return the address of an exported symbol, by the table that ld.so uses (DT_GNU_HASH).

        Raises:
            OSError: the tables can't be read.
        """
        header = self._found.get(_PT_DYNAMIC)
        if header is None:
            return None
        raw = memory.read(self.bias + header[3], min(header[6], _MAX_DYNAMIC) & ~15)
        dynamic = dict(struct.iter_unpack("<QQ", raw))
        # ld.so has added the bias to these already, except in the vdso.
        tables = [dynamic.get(tag, 0) for tag in (_DT_GNU_HASH, _DT_SYMTAB, _DT_STRTAB)]
        if not all(tables):
            return None
        buckets, symbols, strings = (at if at >= self.bias else at + self.bias for at in tables)
        return self._look_up(memory, name, buckets, symbols, strings)

    def _look_up(
        self, memory: Memory, name: bytes, table: int, symbols: int, strings: int
    ) -> int | None:
        count, offset, blooms, _ = struct.unpack("<IIII", memory.read(table, 16))
        wanted = 5381
        for byte in name:
            wanted = (wanted * 33 + byte) & 0xFFFFFFFF
        buckets = table + 16 + 8 * blooms
        first = memory.u32(buckets + 4 * (wanted % count))
        for index in range(first, first + _MAX_CHAIN if first >= offset else first):
            found = memory.u32(buckets + 4 * count + 4 * (index - offset))
            if found | 1 == wanted | 1:
                at, _, _, _, value, _ = _SYMBOL.unpack(memory.read(symbols + 24 * index, 24))
                if memory.read(strings + at, len(name) + 1) == name + b"\0":
                    return int(self.bias + value)
            if found & 1:
                break
        return None

    def _notes(
        self, memory: Memory, headers: list[tuple[int, ...]]
    ) -> Iterator[tuple[bytes, int, bytes]]:
        """Yield name, kind and content of each note."""
        for header in headers:
            raw = memory.read(self.bias + header[3], min(header[6], _MAX_NOTES))
            yield from notes(raw)
