"""Where a stopped call was made from: the caller's stack, without stopping it any further.

Only stack and instruction pointer of a thread in a system call can be read (proc_pid_syscall(5)),
not its other registers. Frames told by rsp are unwound exactly. One told by rbp, as compilers
without optimization make them, needs rbp, which nothing stores before the first such frame: there
it follows from the function's own first instructions, and is believed only if what it leads to is a
return address behind a call instruction. Where that fails the stack is cut short, never guessed.
"""

import os
import re
from typing import Final

from msgspec.structs import replace

from tracefs.events import Frame
from tracefs.witness.cfi import RBP, RSP, Row, UnwindError, row_at
from tracefs.witness.go_frames import GoKnown, GoTable
from tracefs.witness.memory import Mapping, Memory
from tracefs.witness.modules import Module
from tracefs.witness.procfs import syscall_line
from tracefs.witness.python_frames import PythonFrames
from tracefs.witness.python_interpreter import Interpreter, interpreter_of, is_interpreter
from tracefs.witness.threads import why

_MAX_FRAMES: Final = 32
_MAX_ROWS: Final = 4096
_MAX_PROGRAMS: Final = 64
# endbr64; push rbp; mov rbp, rsp; push of other registers; sub rsp, N.
_BY_RBP: Final = re.compile(
    rb"(?:\xf3\x0f\x1e\xfa)?\x55\x48\x89\xe5((?:\x41?[\x50-\x57])*)"
    rb"(?:\x48\x83\xec(.)|\x48\x81\xec(....))?",
    re.DOTALL,
)
_MOVES: Final = re.compile(
    rb"[\x48\x4c][\x01\x29\x31\x89][\xc4\xcc\xd4\xdc\xe4\xec\xf4\xfc]"  # add, sub, xor, mov
    rb"|[\x48\x49][\x03\x2b\x8b][\xe0-\xe7]"  # the same, encoded the other way about
    rb"|[\x48-\x4f]\x8d[\x20-\x27\x60-\x67\xa0-\xa7]"  # lea ..., rsp
    rb"|\x48[\x81\x83]\xe4"  # and imm, rsp
)
"""What moves rsp by other than a constant: an array of variable length, alloca, an alignment."""
_POPS: Final = re.compile(rb"\x48\x83\xc4(.)|\x48\x81\xc4(....)", re.DOTALL)
"""add imm, rsp behind a call: what was pushed for it."""
_BY_NAME: Final = re.compile(rb"..\xe8(....)", re.DOTALL)
_BY_SLOT: Final = re.compile(rb".\xff\x15(....)", re.DOTALL)
_BY_REGISTER: Final = re.compile(
    rb".*\xff(?:[\x10-\x13\x16\x17\xd0-\xd7]|[\x50-\x53\x55-\x57].|\x54..|\x14.|[\x90-\x93\x95-\x97]....|\x94.....)",
    re.DOTALL,
)
"""call through a register, or through memory that a register tells: of whom, nothing says."""
_STUB: Final = re.compile(rb"(?:\xf3\x0f\x1e\xfa)?\xf2?\xff\x25(....)", re.DOTALL)
"""An entry of the procedure linkage table: jmp through a slot."""
_LONGEST_CALL: Final = 7
_STUB_BYTES: Final = 11
_MAX_CODE: Final = 1 << 16
_MAX_REASON: Final = 200


class _Known:
    """What unwinding found out about modules, by path and build id."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int], Row] = {}
        self.go: dict[tuple[str, str | None, int], GoKnown] = {}
        self.interpreters: dict[tuple[str, str], Interpreter] = {}


class StackReader:
    """Reads stacks of stopped threads; remembers what unwinding found out about functions."""

    def __init__(self, machine: str) -> None:
        """Read stacks of programs of ``uname -m`` *machine*."""
        self._machine = machine
        self._known = _Known()

    def capture(self, tid: int) -> tuple[tuple[Frame, ...], str | None]:
        """Return the frames, innermost first, and why they are missing or cut short; never raises.

        The thread must have stopped at the entry of a system call, seen by a supervisor.
        """
        if self._machine != "x86_64":
            return (), f"stacks of {self._machine} programs are not read"
        try:
            pc, sp = _registers(tid)
            memory = Memory(tid)
        except (OSError, ValueError) as error:
            return (), why(error) if isinstance(error, OSError) else "its registers are not visible"
        try:
            return _Walk(memory, self._known).frames(pc, sp, tid)
        finally:
            memory.close()


class _Walk:
    """One stack."""

    def __init__(self, memory: Memory, known: _Known) -> None:
        self._memory = memory
        self._known = known
        self._modules: dict[Mapping, Module] = {}
        self._go_tables: dict[str, GoTable] = {}

    def frames(self, pc: int, sp: int, tid: int) -> tuple[tuple[Frame, ...], str | None]:
        found: list[Frame] = []
        rbp: int | None = None
        try:
            while len(found) < _MAX_FRAMES:
                module = self._module(pc - 1)
                go = self._go_table(module)
                if go is not None:
                    frames, stored = go.frames(pc, sp, innermost=not found)
                    # With the address too: DWARF knows more of the outermost of them.
                    where = {"module": module.path, "address": pc - module.bias}
                    found += frames[:-1]
                    found.append(replace(frames[-1], **where, build=module.build))
                    if stored is None:
                        return tuple(found), None
                    pc, sp = self._memory.u64(stored), stored + 8
                    continue
                found.append(
                    Frame(module=module.path, address=pc - module.bias, build=module.build)
                )
                if is_interpreter(module.path):
                    interpreter = self._interpreter(module)
                    found += PythonFrames(self._memory, interpreter, module.bias).of_thread(tid)
                    return tuple(found), None
                row = self._row(module, pc if len(found) == 1 else pc - 1)
                cfa, rbp = self._step(row, sp, rbp, pc)
                if row.ra is None:
                    return tuple(found), None  # the outermost function
                pc, sp = self._memory.u64(cfa + row.ra), cfa
                if pc == 0:
                    return tuple(found), None
        except Exception as failure:  # noqa: BLE001  # a program's memory may hold anything
            return tuple(found), f"not further: {_clause(failure)}"
        return tuple(found), "there are more"

    def _module(self, pc: int) -> Module:
        mapping = self._memory.find(pc)
        if mapping is None or not mapping.executable or not mapping.path:
            raise UnwindError("code that is of no file")
        module = self._modules.get(mapping)
        if module is None:
            module = self._modules[mapping] = Module(self._memory, mapping)
        return module

    def _go_table(self, module: Module) -> GoTable | None:
        """Return the table of a Go program without C; None: the module has C's tables."""
        if module.frame_table is not None:
            return None
        table = self._go_tables.get(module.path)
        if table is None:
            build = module.build or module.go_build
            if len(self._known.go) >= _MAX_PROGRAMS:
                self._known.go.clear()
            known = self._known.go.setdefault(
                (module.path, build, module.bias), GoKnown(whole=build is not None)
            )
            table = self._go_tables[module.path] = GoTable(self._memory, module.path, known)
        return table

    def _interpreter(self, module: Module) -> Interpreter:
        key = None if module.build is None else (module.path, module.build)
        known = None if key is None else self._known.interpreters.get(key)
        if known is not None:
            return known
        found = interpreter_of(self._memory, module)
        if key is not None:
            self._known.interpreters[key] = found
        return found

    def _row(self, module: Module, pc: int) -> Row:
        table = module.frame_table
        if table is None:
            raise UnwindError("the module has no .eh_frame_hdr")
        # Without a build id another file may come to have the name.
        key = None if module.build is None else (module.path, module.build, pc - module.bias)
        known = None if key is None else self._known.rows.get(key)
        if known is not None:
            return replace(known, start=known.start + module.bias)
        row = row_at(self._memory, table, pc)
        if key is not None:
            if len(self._known.rows) >= _MAX_ROWS:
                self._known.rows.clear()
            self._known.rows[key] = replace(row, start=row.start - module.bias)
        return row

    def _step(self, row: Row, sp: int, rbp: int | None, pc: int) -> tuple[int, int | None]:
        """Return the frame's CFA, and the caller's rbp where it is known."""
        if row.register == RSP:
            cfa = sp + row.offset
        else:
            assert row.register == RBP
            cfa = (self._guess_rbp(row, sp, pc) if rbp is None else rbp) + row.offset
        if row.rbp is not None:
            rbp = self._memory.u64(cfa + row.rbp)
        return cfa, rbp

    def _guess_rbp(self, row: Row, sp: int, pc: int) -> int:
        """Return rbp by what the function did first, if that leads to who called it."""
        memory = self._memory
        code = memory.read(row.start, row.size) if row.size <= _MAX_CODE else b""
        match = _BY_RBP.match(code)
        if match is None or _MOVES.search(code, match.end()) is not None:
            raise UnwindError("the frame is told by rbp, which is not visible")
        pushes, small, large = match.groups()
        pushed = len(pushes.replace(b"\x41", b""))
        room = int.from_bytes(small or large or b"", "little", signed=True)
        popped = _POPS.match(memory.read(pc, 7))
        given = b"" if popped is None else popped[1] or popped[2]
        rbp = sp + room + 8 * pushed + int.from_bytes(given, "little", signed=True)
        if not self._calls(memory.u64(rbp + 8), row.start):
            raise UnwindError("the frame is told by rbp, which is not visible")
        return rbp

    def _calls(self, address: int, function: int) -> bool:
        """Return whether what ends at *address* calls *function*, or whom isn't said."""
        memory = self._memory
        mapping = memory.find(address - 1)
        if mapping is None or not mapping.executable:
            return False
        before = memory.read(address - _LONGEST_CALL, _LONGEST_CALL)
        match = _BY_NAME.fullmatch(before)
        if match is not None:
            target = address + int.from_bytes(match[1], "little", signed=True)
            if target == function or self._stub_of(target) == function:
                return True
        match = _BY_SLOT.fullmatch(before)
        if match is not None:
            slot = address + int.from_bytes(match[1], "little", signed=True)
            return memory.u64(slot) == function
        return _BY_REGISTER.fullmatch(before) is not None

    def _stub_of(self, target: int) -> int | None:
        """Return where the linkage table's entry at *target* leads; None: it is none."""
        mapping = self._memory.find(target)
        if mapping is None or not mapping.executable or mapping.end - target < _STUB_BYTES:
            return None
        match = _STUB.match(self._memory.read(target, _STUB_BYTES))
        if match is None:
            return None
        offset = int.from_bytes(match[1], "little", signed=True)
        return self._memory.u64(target + match.end() + offset)


def _clause(failure: Exception) -> str:
    """Return why a stack ends early."""
    if isinstance(failure, (UnwindError, OSError)):
        return str(failure)
    said = f"the tables make no sense: {type(failure).__name__}: {failure}"
    return said[:_MAX_REASON]


def _registers(tid: int) -> tuple[int, int]:
    """Return program counter and stack pointer of a thread in a system call."""
    fd = os.open(f"/proc/{tid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
    try:
        sp, pc = syscall_line(fd).split()[-2:]
    finally:
        os.close(fd)
    return int(pc, 16), int(sp, 16)
