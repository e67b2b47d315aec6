"""Programs that were never run, judged by a built-in contract."""

from errno import EEXIST
from typing import Any, NamedTuple

from msgspec.structs import replace
from page_write_calls import Opened, Script, header

from tracefs.contracts import find
from tracefs.contracts.base import OfCommand, Settings
from tracefs.findings import ContractResult
from tracefs.trace.call import Call
from tracefs.witness.levels import notified

PAGE = 4096


class Program(Script):
    """Calls beside those of a page writer."""

    def rename(self, old: str, new: str, **fields: Any) -> Call:
        """Give a file another name."""
        return self.call("rename", "rename", path=old, target=new, **fields)

    def unlink(self, path: str) -> Call:
        """Take a name away."""
        return self.call("unlink", "unlink", path=path)

    def truncate(self, opened: Opened, length: int, **fields: Any) -> Call:
        """Set a file's size."""
        return self._on(opened, "ftruncate", "truncate", length=length, **fields)

    def map(self, opened: Opened) -> Call:
        """Map a page, shared and writable."""
        return self._on(opened, "mmap", "map", offset=0, length=PAGE, flags=("MAP_SHARED",))

    def store(self, opened: Opened, page: int = 0) -> Call:
        """What the kernel writes of stores into a mapping."""
        return self._on(
            opened, "mmap", "write", tid=None, offset=page * PAGE, length=PAGE, result=PAGE
        )

    def acknowledge(self, what: str = "saved") -> Call:
        """Say that something is saved, as a program does that tracefs is to hear."""
        return self.call("mkdir", "mkdir", path=f".ack:{what}", errno=EEXIST)

    def append(self, opened: Opened, at: int, length: int = 10, **fields: Any) -> Call:
        """Write a record where the file's end is, or is taken to be."""
        return self.write(opened, name="write", **({"offset": at, "length": length} | fields))


class Found(NamedTuple):
    """What tells one finding from another."""

    rule: str
    kind: str
    """``broken``, ``unknown`` or ``advice``."""
    call: int | None
    path: str | None
    page: int | None = None


def judged(
    contract: str,
    script: Script,
    *,
    complete: bool = True,
    witness: str = "seccomp",
    paths: tuple[str, ...] = (),
    status: int | None = None,
    pid: int = 7,
) -> ContractResult:
    """Return what *contract* says of *script*, recorded by *witness*.

    *status* is the exit status of the command, which is process *pid*.
    """
    first = replace(header(witness=witness), notified=notified(witness))
    judge = find(contract).start(first, Settings(page_size=PAGE, paths=paths))
    for item in script.items:
        judge.feed(item)
    assert isinstance(judge, OfCommand)
    judge.exited(status, None if status is None else pid)
    return judge.finish(complete=complete, why=None if complete else "killed")


def found(result: ContractResult) -> list[Found]:
    """Return the findings, in their order."""
    return [
        Found(
            each.rule,
            "advice" if each.severity == "advice" else str(each.verdict),
            each.call,
            each.path,
            each.page,
        )
        for each in result.findings
    ]
