"""Call frame information: where a function's caller is, at any of its instructions.

``.eh_frame_hdr`` and ``.eh_frame`` (LSB Core, "Exception Frames"; DWARF 5, section 6.4), read from
memory: one binary search and one small program for each function, remembered.
"""

import struct
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tracefs.witness.memory import Memory
from tracefs.witness.varint import LEB128, unsigned

RBP: Final = 6
RSP: Final = 7
_RA: Final = 16

_PCREL_SDATA4: Final = 0x1B
_UDATA4: Final = 0x03
_DATAREL_SDATA4: Final = 0x3B
_EXTENDED: Final = 0xFFFFFFFF
_MAX_ENTRY: Final = 1 << 16


class Row(Struct, frozen=True):
    """What holds at one instruction."""

    start: int
    """Address of the function's first instruction."""
    register: int
    """DWARF number of the register that the frame's address (CFA) is told by."""
    offset: int
    """CFA minus that register."""
    rbp: int | None
    """Where the caller's rbp is stored, relative to the CFA; None: it is still in the register."""
    ra: int | None
    """The same of the return address; None: there is no caller."""
    size: int = 0
    """Bytes of the function's code."""


class UnwindError(Exception):
    """The tables don't tell the caller: one clause."""


def row_at(memory: Memory, table: int, pc: int) -> Row:
    """Return what holds at *pc*, by the ``.eh_frame_hdr`` at address *table*.

    Raises:
        UnwindError: nothing is said of *pc*, or in a way that isn't understood.
        OSError: the tables can't be read.
    """
    version, pointer, counting, sorting = memory.read(table, 4)
    if (version, pointer, counting, sorting) != (1, _PCREL_SDATA4, _UDATA4, _DATAREL_SDATA4):
        raise UnwindError("its .eh_frame_hdr has another encoding")
    count = memory.u32(table + 8)
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if table + _signed32(memory.u32(table + 12 + 8 * middle)) <= pc:
            low = middle + 1
        else:
            high = middle
    if low == 0:
        raise UnwindError("no function of its .eh_frame has this address")
    entry = table + _signed32(memory.u32(table + 12 + 8 * (low - 1) + 4))
    return _row(memory, entry, pc)


def _row(memory: Memory, entry: int, pc: int) -> Row:
    description, after = _entry(memory, entry)
    common_at = after - description.read_u32()
    common, _ = _entry(memory, common_at)
    shape = _common(common)
    if shape.encoding != _PCREL_SDATA4:
        raise UnwindError("its .eh_frame has another encoding")
    start = after + 4 + _signed32(description.read_u32())
    size = description.read_u32()
    if not start <= pc < start + size:
        raise UnwindError("no function of its .eh_frame has this address")
    if shape.augmented:
        description.skip(description.uleb())
    machine = _Machine(shape, start, pc)
    machine.run(common)
    machine.initial = dict(machine.rules)
    machine.run(description)
    return replace(machine.row(), size=size)


def _entry(memory: Memory, address: int) -> "tuple[_Bytes, int]":
    """Return the bytes of a CIE or FDE behind its length, and their address."""
    length = memory.u32(address)
    if length in (0, _EXTENDED) or length > _MAX_ENTRY:
        raise UnwindError("an entry of its .eh_frame has an odd length")
    return _Bytes(memory.read(address + 4, length)), address + 4


class _Shape(Struct, frozen=True):
    """What a CIE says of its FDEs."""

    code: int
    """Factor of advances."""
    data: int
    """Factor of offsets."""
    encoding: int
    augmented: bool


def _common(common: "_Bytes") -> _Shape:
    common.skip(4)
    version = common.byte()
    augmentation = common.string()
    if version not in (1, 3) or augmentation[:1] not in (b"z", b""):
        raise UnwindError("its .eh_frame has another version")
    code, data = common.uleb(), common.sleb()
    common.uleb()
    encoding = 0
    if augmentation:
        end = common.uleb() + common.at
        for letter in augmentation[1:]:
            if letter == ord("R"):
                encoding = common.byte()
            elif letter == ord("P"):
                common.skip(8 if common.byte() & 0x0F in (0, 4, 12) else 4)
            elif letter == ord("L"):
                common.byte()
        common.at = end
    return _Shape(code, data, encoding, augmentation != b"")


class _Bytes:
    """A reader of the encodings of DWARF."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    @property
    def left(self) -> bool:
        return self.at < len(self._data)

    def byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def skip(self, count: int) -> None:
        self.at += count

    def number(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self._data[self.at - size : self.at], "little")

    def read_u32(self) -> int:
        (value,) = struct.unpack_from("<I", self._data, self.at)
        self.at += 4
        return int(value)

    def string(self) -> bytes:
        end = self._data.index(b"\0", self.at)
        text, self.at = self._data[self.at : end], end + 1
        return text

    def uleb(self) -> int:
        value, self.at = unsigned(self._data, self.at, LEB128)
        return value

    def sleb(self) -> int:
        begin = self.at
        value = self.uleb()
        bits = 7 * (self.at - begin)
        return value - (1 << bits) if value >> (bits - 1) else value


class _Machine:
    """Runs the instructions of a CIE, then those of an FDE up to *pc*."""

    def __init__(self, shape: _Shape, start: int, pc: int) -> None:
        self._shape = shape
        self._start = self._here = start
        self._pc = pc
        self._cfa = (RSP, 8)
        self._saved: list[tuple[tuple[int, int], dict[int, int | None]]] = []
        self.rules: dict[int, int | None] = {}
        """By register: where it is stored, relative to the CFA; None: it is not known."""
        self.initial: dict[int, int | None] = {}

    def row(self) -> Row:
        register, offset = self._cfa
        if register not in (RBP, RSP):
            raise UnwindError("the frame is told by another register")
        return Row(self._start, register, offset, self.rules.get(RBP), self.rules.get(_RA))

    def run(self, code: _Bytes) -> None:
        while code.left:
            operation = code.byte()
            kind, low = operation & 0xC0, operation & 0x3F
            if kind == 0x40:
                self._here += low * self._shape.code
            elif kind == 0x80:
                self.rules[low] = code.uleb() * self._shape.data
            elif kind == 0xC0:
                self._restore(low)
            else:
                self._extended(low, code)
            if self._here > self._pc:
                return

    def _extended(self, operation: int, code: _Bytes) -> None:
        if operation in (0x02, 0x03, 0x04):  # advance_loc1, 2, 4
            self._here += code.number(1 << operation - 2) * self._shape.code
        elif operation == 0x0A:  # remember_state
            self._saved.append((self._cfa, dict(self.rules)))
        elif operation == 0x0B:  # restore_state
            self._cfa, self.rules = self._saved.pop()
        elif operation == 0x0C:  # def_cfa
            self._cfa = (code.uleb(), code.uleb())
        elif operation == 0x0D:  # def_cfa_register
            self._cfa = (code.uleb(), self._cfa[1])
        elif operation == 0x0E:  # def_cfa_offset
            self._cfa = (self._cfa[0], code.uleb())
        elif operation == 0x2E:  # GNU_args_size
            code.uleb()
        elif operation != 0x00:
            self._of_register(operation, code)

    def _of_register(self, operation: int, code: _Bytes) -> None:
        """Run an operation that is about one register, which it names first."""
        if operation not in (0x05, 0x06, 0x07, 0x08, 0x10, 0x11, 0x16):
            raise UnwindError("the frame is told by an expression")
        register = code.uleb()
        if operation == 0x05:  # offset_extended
            self.rules[register] = code.uleb() * self._shape.data
        elif operation == 0x11:  # offset_extended_sf
            self.rules[register] = code.sleb() * self._shape.data
        elif operation == 0x06:  # restore_extended
            self._restore(register)
        else:  # undefined, same_value, expression, val_expression
            self.rules[register] = None
            if operation in (0x10, 0x16):
                code.skip(code.uleb())

    def _restore(self, register: int) -> None:
        if register in self.initial:
            self.rules[register] = self.initial[register]
        else:
            self.rules.pop(register, None)


def _signed32(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
