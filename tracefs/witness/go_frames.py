"""Functions of a Go program, by the table that its own runtime unwinds with.

``.gopclntab`` is in every Go program, stripped or not: for each function its name, and by
instruction the size of its frame, file and line (runtime/symtab.go and debug/gosym, Go 1.20 and
later). It is found in memory by its first bytes, and the program's text by the runtime's pointer to
the table.
"""

import struct
from typing import Final

from tracefs.events import Frame
from tracefs.pathtext import to_text
from tracefs.witness.cfi import UnwindError
from tracefs.witness.memory import Mapping, Memory
from tracefs.witness.varint import LEB128, unsigned

_MAGIC: Final = b"\xf1\xff\xff\xff\x00\x00\x01\x08"
"""Version 1.20, little-endian, instructions of one byte, pointers of eight."""
_HEADER: Final = struct.Struct("<8Q")
_FUNCTION: Final = struct.Struct("<IiIIIIIIIi")
_INLINED: Final = struct.Struct("<4xii4x")
"""runtime.inlinedCall: name, and where in the function the call was."""
_PCDATA_INLINED: Final = 2
_FUNCDATA_INLINED: Final = 3
"""Indexes of internal/abi/symtab.go."""
_NONE: Final = 0xFFFFFFFF
_MAX_INLINED: Final = 64
_BLOCK: Final = 1 << 20
_MAX_TEXT: Final = 4096
_MAX_STEPS: Final = 1 << 14
_MAX_KNOWN: Final = 4096
# runtime.moduledata: a pointer to the table, six slices, findfunctab; then these.
_MIN_PC: Final = 160
_GOFUNC: Final = 320
_OUTERMOST: Final = ("runtime.goexit", "runtime.mstart", "runtime.rt0_go", "runtime.main")


class GoKnown:
    """What was found out of one program at one place.

    Args:
        whole: no other program can come to be taken for it, so that functions are kept, too.
    """

    def __init__(self, *, whole: bool) -> None:
        self.places: tuple[int, int] | None = None
        """Where its table and moduledata are."""
        self.functions: dict[tuple[int, bool], tuple[list[Frame], int | None]] = {}
        self._whole = whole

    def keep(self, pc: int, told: tuple[list[Frame], int | None], *, innermost: bool) -> None:
        """Keep what there is at an address, if that may be."""
        if not self._whole:
            return
        if len(self.functions) >= _MAX_KNOWN:
            self.functions.clear()
        self.functions[pc, innermost] = told


class GoTable:
    """The table of one program.

    Args:
        memory: of a process that runs it.
        path: of the program.
        known: what was found out before, of this program or one of its name.

    Raises:
        UnwindError: there is none, or of another version.
        OSError: it can't be read.
    """

    def __init__(self, memory: Memory, path: str, known: GoKnown) -> None:
        self._memory = memory
        self._known = known
        if known.places is None or not self._are_there(path, *known.places):
            known.places = self._look(path)
        self._base, module = known.places
        head = _HEADER.unpack(memory.read(self._base + 8, _HEADER.size))
        self._count = head[0]
        self._names, self._units, self._files, self._values, self._functions = (
            self._base + offset for offset in head[3:8]
        )
        self._low, self._high, self._text = struct.unpack("<QQQ", memory.read(module + _MIN_PC, 24))
        self._data = memory.u64(module + _GOFUNC)

    def _are_there(self, path: str, base: int, module: int) -> bool:
        """Return whether a search would have found these places, too."""
        mappings = self._memory.find(base), self._memory.find(module)
        if any(one is None or one.path != path or one.executable for one in mappings):
            return False
        return self._memory.read(base, 8) == _MAGIC and self._memory.u64(module) == base

    def _look(self, path: str) -> tuple[int, int]:
        memory = self._memory
        mine = [one for one in memory.mappings if one.path == path and not one.executable]
        base = _find(memory, mine, _MAGIC)
        return base, _find(memory, mine, struct.pack("<Q", base))

    def frames(self, pc: int, sp: int, *, innermost: bool) -> tuple[list[Frame], int | None]:
        """Return the function at *pc*, and where its return address is stored; None: outermost.

        What was inlined there comes before it, the innermost first.

        *pc* is a return address, or of the innermost function the instruction behind its call.
        """
        told = self._known.functions.get((pc, innermost))
        if told is None:
            told = self._read(pc, innermost=innermost)
            self._known.keep(pc, told, innermost=innermost)
        frames, size = told
        return list(frames), None if size is None else sp + size

    def _read(self, pc: int, *, innermost: bool) -> tuple[list[Frame], int | None]:
        """Return the function at *pc*, and the size of its frame; None: outermost."""
        at = pc if innermost else pc - 1
        if not self._low <= at < self._high:
            raise UnwindError("no function of its .gopclntab has this address")
        address = self._functions + self._function(at - self._text)
        row = self._memory.read(address, _FUNCTION.size + 4)
        entry, name, _, _, frames, files, lines, tables, unit, _ = _FUNCTION.unpack(row[:-4])
        entry += self._text
        size = self._value(frames, entry, at)
        tree = self._inlined(address + len(row), tables, row[-1])
        found: list[Frame] = []
        here = pc - 1
        for _ in range(_MAX_INLINED):
            index = -1 if tree is None else self._value(tree[0], entry, here)
            called = name
            if tree is not None and index >= 0:
                raw = self._memory.read(tree[1] + _INLINED.size * index, _INLINED.size)
                called, parent = _INLINED.unpack(raw)
            number = self._value(files, entry, here)
            offset = self._memory.u32(self._units + 4 * (unit + number)) if number >= 0 else _NONE
            found.append(
                Frame(
                    file=None if offset == _NONE else self._string(self._files + offset),
                    line=self._value(lines, entry, here),
                    function=self._string(self._names + called),
                )
            )
            if index < 0:
                break
            here = entry + parent
        else:
            raise UnwindError("its .gopclntab inlines without end")
        outermost = (found[-1].function or "").startswith(_OUTERMOST)
        return found, None if outermost else size

    def _inlined(self, after: int, tables: int, data_entries: int) -> tuple[int, int] | None:
        """Return the run of indexes and the tree of inlined calls; None: nothing is inlined.

        *after* is where the function's two lists of tables begin, of so many entries.
        """
        if tables <= _PCDATA_INLINED or data_entries <= _FUNCDATA_INLINED:
            return None
        run = self._memory.u32(after + 4 * _PCDATA_INLINED)
        offset = self._memory.u32(after + 4 * (tables + _FUNCDATA_INLINED))
        return None if not run or offset == _NONE else (run, self._data + offset)

    def _function(self, offset: int) -> int:
        """Return where the function that has an offset in the text is described."""
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self._memory.u32(self._functions + 8 * middle) <= offset:
                low = middle + 1
            else:
                high = middle
        if low == 0:
            raise UnwindError("no function of its .gopclntab has this address")
        return self._memory.u32(self._functions + 8 * (low - 1) + 4)

    def _value(self, table: int, entry: int, pc: int) -> int:
        """Return what holds at *pc* by a table of (change of value, change of address)."""
        at = self._values + table
        value, here, buffer, used = -1, entry, b"", 0
        for step in range(_MAX_STEPS):
            if used + 20 > len(buffer):
                at, used = at + used, 0
                buffer = self._read_up_to(at, 512)
            change, used = unsigned(buffer, used, LEB128)
            if change == 0 and step:
                break
            value += -(change >> 1) - 1 if change & 1 else change >> 1
            length, used = unsigned(buffer, used, LEB128)
            here += length
            if pc < here:
                return value
        raise UnwindError("its .gopclntab says nothing of this address")

    def _read_up_to(self, address: int, size: int) -> bytes:
        mapping = self._memory.find(address)
        if mapping is None:
            raise UnwindError("its .gopclntab leads nowhere")
        return self._memory.read(address, min(size, mapping.end - address))

    def _string(self, address: int) -> str:
        data = self._read_up_to(address, _MAX_TEXT)
        return to_text(data.partition(b"\0")[0])


def _find(memory: Memory, mappings: list[Mapping], wanted: bytes) -> int:
    """Return the first aligned address at which *wanted*, of eight bytes, lies in *mappings*."""
    for mapping in mappings:
        for start in range(mapping.start, mapping.end, _BLOCK):
            try:
                block = memory.scan(start, min(_BLOCK, mapping.end - start))
            except OSError:
                break
            at = block.find(wanted)
            while at >= 0:
                if at % 8 == 0:
                    return start + at
                at = block.find(wanted, at + 1)
    raise UnwindError("the module has no .eh_frame_hdr, and is no Go program of 1.20 or later")
