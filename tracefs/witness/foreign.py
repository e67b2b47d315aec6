"""Calls of programs of another kind on the same machine, as the machine's own call says them.

An i386 program's numbers, and the halves of its 64-bit arguments, are not those of x86_64.
"""

from typing import Final

from tracefs.syscalls import i386_names, numbers
from tracefs.witness.bpf import ARCHITECTURES, I386, X32_BIT
from tracefs.witness.levels import native_name

_I386_PAGE: Final = 4096
_UINT: Final = 1 << 32
_IN_MEMORY: Final = frozenset({"old_mmap"})
"""Calls whose one argument points to what are arguments elsewhere."""


class Translator:
    """Knows one machine; `translate` is called for each stopped call.

    Args:
        machine: ``uname -m``.
        x32: the kernel runs x32 programs (CONFIG_X86_X32_ABI); else it has none of their calls.
    """

    def __init__(self, machine: str, *, x32: bool = False) -> None:
        self._own = ARCHITECTURES[machine]
        self._x32 = x32
        self._numbers = numbers(machine)

    def is_own(self, architecture: int) -> bool:
        """Return whether pointers and structures are those of the machine's own ABI."""
        return architecture == self._own

    def is_none(self, architecture: int, nr: int) -> bool:
        """Return whether no call has the number, so that it fails with ENOSYS and does nothing."""
        return architecture == self._own and (nr < 0 or (nr >= X32_BIT and not self._x32))

    def translate(
        self, architecture: int, nr: int, args: tuple[int, ...]
    ) -> tuple[int, tuple[int, ...]]:
        """Return number and arguments on the machine; -1 and the arguments: it has no such call."""
        if architecture == self._own:
            return (nr, args) if nr < X32_BIT else (nr - X32_BIT, args)
        name = i386_names().get(nr) if architecture == I386 else None
        number = (
            None if name is None or name in _IN_MEMORY else self._numbers.get(native_name(name))
        )
        if name is None or number is None:
            return -1, args
        return number, _arguments(name, args)


def untold(architecture: int, nr: int) -> str:
    """Return why a call that `Translator.translate` has no number for is not told."""
    name = i386_names().get(nr) if architecture == I386 else None
    if name in _IN_MEMORY:
        return f"{name} of a 32-bit program: its arguments are in memory"
    return f"call {nr} of another ABI (AUDIT_ARCH {architecture:#x})"


def _arguments(name: str, args: tuple[int, ...]) -> tuple[int, ...]:
    # The registers as they are: their upper halves are not looked at by the call.
    first, second, third, fourth, fifth, sixth = (arg & _UINT - 1 for arg in args)
    return {
        "lseek": (first, _signed(second), third, 0, 0, 0),
        "_llseek": (first, _joined(third, second), fifth, 0, 0, 0),
        "mmap2": (first, second, third, fourth, fifth, sixth * _I386_PAGE),
        "pwrite64": (first, second, third, _joined(fourth, fifth), 0, 0),
        "ftruncate": (first, _signed(second), 0, 0, 0, 0),
        "ftruncate64": (first, _joined(second, third), 0, 0, 0, 0),
        "fallocate": (first, second, _joined(third, fourth), _joined(fifth, sixth), 0, 0),
        "sync_file_range": (first, _joined(second, third), _joined(fourth, fifth), sixth, 0, 0),
        "pwritev": (first, second, third, _joined(fourth, fifth), 0, 0),
        "pwritev2": (first, second, third, _joined(fourth, fifth), 0, sixth),
    }.get(name, (first, second, third, fourth, fifth, sixth))


def _joined(low: int, high: int) -> int:
    return low | high << 32


def _signed(value: int) -> int:
    """Widen a 32-bit long to 64 bits, as unsigned numbers."""
    return value if value < _UINT // 2 else value + 2**64 - _UINT
