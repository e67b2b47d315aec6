"""One place in a program, as far as it is known."""

from typing import Final

from msgspec import Struct

NO_DEBUG: Final = "compile with -g (Go, Python need nothing)"
LINKED: Final = "-flto hides it from addr2line; compile without"
NO_TOOL: Final = "addr2line is missing; install binutils"


class Location(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """None stands for what isn't known; paths are path text."""

    function: str | None = None
    file: str | None = None
    line: int | None = None
    module: str | None = None
    address: int | None = None
    """In the module, of the instruction that called; bytes, as its own ELF headers count."""
    unlined: str | None = None
    """Why a place in a module has no line, or what helps, as far as that is known."""

    def __str__(self) -> str:
        """Return ``writer.c:12 in main``, or ``libfoo.so+0x1234``."""
        if self.file is None or self.line is None:
            place = "?" if self.module is None else self.module.rpartition("/")[2]
            place += "" if self.address is None else f"+{self.address:#x}"
        else:
            place = f"{self.file.rpartition('/')[2]}:{self.line}"
        return place if self.function is None else f"{place} in {self.function}"

    def with_folders(self) -> str:
        """Return ``/home/ann/src/writer.c:12 in main``; as `__str__` where there is no file."""
        whole = str(self)
        if self.file is None or self.line is None:
            return whole
        return self.file.rpartition("/")[0] + "/" * ("/" in self.file) + whole
