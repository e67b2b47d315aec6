"""Where a stopped call was made from: the caller's stack, without stopping it any further.

Only stack and instruction pointer of a thread in a system call can be read (proc_pid_syscall(5)),
not its other registers. Frames told by rsp are unwound exactly. One told by rbp, as compilers
without optimization make them, needs rbp, which nothing stores before the first such frame: there
it follows from the function's own first instructions, and is believed only if what it leads to is a
return address behind a call instruction. Where that fails the stack is cut short, never guessed.
"""

import re
from typing import Final

from msgspec.structs import replace

from tracefs.events import Frame
from tracefs.witness.cfi import RBP, RSP, Row, UnwindError, row_at
from tracefs.witness.go_frames import GoTable
from tracefs.witness.memory import Memory
from tracefs.witness.modules import Module
from tracefs.witness.python_frames import PythonFrames, is_interpreter
from tracefs.witness.threads import why

_MAX_FRAMES: Final = 32
_MAX_ROWS: Final = 4096
_PROLOGUE: Final = 48
# endbr64; push rbp; mov rbp, rsp; push of other registers; sub rsp, N.
_BY_RBP: Final = re.compile(
    rb"(?:\xf3\x0f\x1e\xfa)?\x55\x48\x89\xe5((?:\x41?[\x50-\x57])*)"
    rb"(?:\x48\x83\xec(.)|\x48\x81\xec(....))?",
    re.DOTALL,
)
_CALLS: Final = (
    re.compile(rb".*\xe8....", re.DOTALL),
    re.compile(rb".*\xff[\x10-\x17\xd0-\xd7]", re.DOTALL),
    re.compile(rb".*\xff[\x50-\x57].", re.DOTALL),
    re.compile(rb".*\xff[\x15\x90-\x97]....", re.DOTALL),
)
"""What ends in front of a return address: call rel32, and call through register or memory."""
_LONGEST_CALL: Final = 7


class _Known:
    """What unwinding found out about modules, by path and build id."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int], Row] = {}
        self.go_places: dict[tuple[str, str | None, int], tuple[int, int]] = {}


class StackReader:
    """Reads stacks of stopped threads; remembers what unwinding found out about functions."""

    def __init__(self, machine: str) -> None:
        """Read stacks of programs of ``uname -m`` *machine*."""
        self._machine = machine
        self._known = _Known()

    def capture(self, tid: int, pid: int) -> tuple[tuple[Frame, ...], str | None]:
        """Return the frames, innermost first, and why they are missing or cut short; never raises.

        The thread must have stopped at the entry of a system call, seen by a supervisor.
        """
        if self._machine != "x86_64":
            return (), f"stacks of {self._machine} programs are not read"
        try:
            pc, sp = _registers(tid)
            memory = Memory(pid)
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
        self._modules: dict[str, Module] = {}
        self._go_tables: dict[str, GoTable] = {}

    def frames(self, pc: int, sp: int, tid: int) -> tuple[tuple[Frame, ...], str | None]:
        found: list[Frame] = []
        rbp: int | None = None
        try:
            while len(found) < _MAX_FRAMES:
                module = self._module(pc - 1)
                go = self._go_table(module)
                if go is not None:
                    frame, stored = go.frame(pc, sp, innermost=not found)
                    # With the address too: DWARF knows what was inlined, the table doesn't.
                    where = {"module": module.path, "address": pc - module.bias}
                    found.append(replace(frame, **where, build=module.build))
                    if stored is None:
                        return tuple(found), None
                    pc, sp = self._memory.u64(stored), stored + 8
                    continue
                found.append(
                    Frame(module=module.path, address=pc - module.bias, build=module.build)
                )
                if is_interpreter(module.path):
                    found += PythonFrames(self._memory, module).of_thread(tid)
                    return tuple(found), None
                row = self._row(module, pc if len(found) == 1 else pc - 1)
                cfa, rbp = self._step(row, sp, rbp)
                if row.ra is None:
                    return tuple(found), None  # the outermost function
                pc, sp = self._memory.u64(cfa + row.ra), cfa
                if pc == 0:
                    return tuple(found), None
        except (UnwindError, OSError) as failure:
            return tuple(found), f"not further: {failure}"
        return tuple(found), "there are more"

    def _module(self, pc: int) -> Module:
        mapping = self._memory.find(pc)
        if mapping is None or not mapping.executable or not mapping.path:
            raise UnwindError("code that is of no file")
        module = self._modules.get(mapping.path)
        if module is None:
            module = self._modules[mapping.path] = Module(self._memory, mapping)
        return module

    def _go_table(self, module: Module) -> GoTable | None:
        """Return the table of a Go program without C; None: the module has C's tables."""
        if module.frame_table is not None:
            return None
        table = self._go_tables.get(module.path)
        if table is None:
            places = self._known.go_places.get((module.path, module.build, module.bias))
            table = self._go_tables[module.path] = GoTable(self._memory, module.path, places)
            if module.build is not None:
                self._known.go_places[module.path, module.build, module.bias] = table.places
        return table

    def _row(self, module: Module, pc: int) -> Row:
        table = module.frame_table
        if table is None:
            raise UnwindError("the module has no .eh_frame_hdr")
        # Without a build id another file may come to have the name.
        key = None if module.build is None else (module.path, module.build, pc - module.bias)
        known = None if key is None else self._known.rows.get(key)
        if known is not None:
            return Row(known.start + module.bias, known.register, known.offset, known.rbp, known.ra)
        row = row_at(self._memory, table, pc)
        if key is not None:
            if len(self._known.rows) >= _MAX_ROWS:
                self._known.rows.clear()
            self._known.rows[key] = Row(
                row.start - module.bias, row.register, row.offset, row.rbp, row.ra
            )
        return row

    def _step(self, row: Row, sp: int, rbp: int | None) -> tuple[int, int | None]:
        """Return the frame's CFA, and the caller's rbp where it is known."""
        if row.register == RSP:
            cfa = sp + row.offset
        else:
            assert row.register == RBP
            cfa = (self._guess_rbp(row, sp) if rbp is None else rbp) + row.offset
        if row.rbp is not None:
            rbp = self._memory.u64(cfa + row.rbp)
        return cfa, rbp

    def _guess_rbp(self, row: Row, sp: int) -> int:
        """Return rbp by what the function did first, if that leads to a return address."""
        code = self._memory.read(row.start, _PROLOGUE)
        match = _BY_RBP.match(code)
        if match is None:
            raise UnwindError("the frame is told by rbp, which is not visible")
        pushes, small, large = match.groups()
        pushed = len(pushes.replace(b"\x41", b""))
        room = int.from_bytes(small or large or b"", "little", signed=True)
        rbp = sp + room + 8 * pushed
        self._require_call(self._memory.u64(rbp + 8))
        return rbp

    def _require_call(self, address: int) -> None:
        mapping = self._memory.find(address - 1)
        if mapping is not None and mapping.executable:
            before = self._memory.read(address - _LONGEST_CALL, _LONGEST_CALL)
            if any(call.fullmatch(before) for call in _CALLS):
                return
        raise UnwindError("the frame is told by rbp, which is not visible")


def _registers(tid: int) -> tuple[int, int]:
    """Return program counter and stack pointer of a thread in a system call."""
    with open(f"/proc/{tid}/syscall", "rb") as file:
        words = file.read().split()
    sp, pc = words[-2:]
    return int(pc, 16), int(sp, 16)
