"""Programs as the calls they make: a small language for the tests of ``page-write``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tracefs.contracts import specs
from tracefs.contracts.base import Settings
from tracefs.contracts.language.engine import LanguageContract
from tracefs.contracts.language.reports import SOME
from tracefs.contracts.page_write import PageWrite
from tracefs.contracts.page_write.report import WRITTEN
from tracefs.events import FORMAT, VERSION, Header
from tracefs.findings import ContractResult, Finding, Severity, Verdict
from tracefs.trace.call import Call, Released, TraceItem

PAGE = 4096
READ_WRITE = ("O_RDWR", "O_CREAT")
BY_FILE = LanguageContract(*specs("page-write"))


def header(*, witness: str = "proc", page_size: int = PAGE, visible: bool = False) -> Header:
    """Return the first line of a journal."""
    return Header(
        format=FORMAT,
        version=VERSION,
        tool="tests",
        source="data",
        started="2024-01-01T00:00:00+00:00",
        start_ns=0,
        clock="monotonic",
        kernel="6.1",
        machine="x86_64",
        mode="cached",
        page_size=page_size,
        block_size=4096,
        witness=witness,
        notified=("lseek",) if witness == "seccomp" else (),
        visible=visible,
        command=None,
        operations=(),
    )


class Opened:
    """One open of a script's program."""

    def __init__(self, handle: int, ino: int, path: str) -> None:
        self.handle = handle
        self.ino = ino
        self.path = path


class Script:
    """Writes down calls in order; each takes 5 ns and begins 5 ns after the last ended."""

    def __init__(self) -> None:
        self.items: list[TraceItem] = []
        self._calls = 0
        self._handles = 0
        self._inos: dict[str, int] = {}

    def __repr__(self) -> str:
        """Return the items, a line each, as hypothesis shows a program that it found."""
        return "\n".join(["Script:", *map(repr, self.items)])

    def call(self, name: str, family: str, **fields: Any) -> Call:
        """Add any call."""
        start = 10 * (self._calls + 1)
        given: dict[str, Any] = {
            "known_by": "proc",
            "path": None,
            "start_ns": start,
            "end_ns": start + 5,
            "tid": 7,
            "pid": 7,
        }
        call = Call(index=self._calls, call=name, family=family, **(given | fields))
        self._calls += 1
        self.items.append(call)
        return call

    def open(
        self,
        path: str = "a.db",
        *,
        flags: Sequence[str] = READ_WRITE,
        size: int | None = 8 * PAGE,
        created: bool = False,
        **fields: Any,
    ) -> Opened:
        """Open a file; by default one of eight pages that was there before."""
        self._handles += 1
        opened = Opened(self._handles, self._inos.setdefault(path, len(self._inos) + 100), path)
        more = {"size": 0 if created else size, "created": created, "flags": tuple(flags)}
        self._on(opened, "openat", "open", **(more | fields))
        return opened

    def write(
        self, opened: Opened, page: int = 0, *, name: str = "pwrite64", **fields: Any
    ) -> Call:
        """Write a page, whole and at its place unless *fields* say otherwise."""
        given: dict[str, Any] = {"offset": page * PAGE, "length": PAGE, "position": 0} | fields
        given.setdefault("result", None if given.get("errno") else given["length"])
        return self._on(opened, name, "write", **given)

    def sync(self, opened: Opened, name: str = "fdatasync", **fields: Any) -> Call:
        """Sync a file."""
        given = {"result": 0, "position": 0, "datasync": name == "fdatasync"} | fields
        return self._on(opened, name, "sync", **given)

    def close(self, opened: Opened) -> Call:
        """Close one descriptor of an open."""
        return self._on(opened, "close", "close")

    def release(self, opened: Opened) -> None:
        """The kernel gives the open up."""
        self.items.append(
            Released(handle=opened.handle, ino=opened.ino, end_ns=10 * (self._calls + 1))
        )

    def end(self, opened: Opened) -> None:
        """Close the last descriptor."""
        self.close(opened)
        self.release(opened)

    def page(self, opened: Opened, page: int = 0) -> None:
        """Write and sync a page as the contract wants it."""
        self.write(opened, page)
        self.sync(opened)

    def syncdir(self, path: str = ".", **fields: Any) -> Call:
        """Sync a directory."""
        return self.call("fsync", "syncdir", path=path, ino=1, **fields)

    def _on(self, opened: Opened, name: str, family: str, **fields: Any) -> Call:
        file = {"path": opened.path, "ino": opened.ino, "handle": opened.handle}
        return self.call(name, family, **(file | fields))


def judge(
    items: Iterable[TraceItem],
    *,
    complete: bool = True,
    why: str | None = None,
    witness: str = "proc",
    page_size: int = PAGE,
    without: tuple[str, ...] = (),
    paths: tuple[str, ...] = (),
    visible: bool = False,
    by_file: bool = True,
) -> ContractResult:
    """Return what page-write says of *items*, and hold that its file says the same."""
    settings = Settings(page_size=page_size, without=without, paths=paths)
    first, stream = header(witness=witness, visible=visible), tuple(items)
    results = []
    for contract in (PageWrite(), BY_FILE) if by_file else (PageWrite(),):
        judge = contract.start(first, settings)
        for item in stream:
            judge.feed(item)
        results.append(judge.finish(complete=complete, why=why))
    assert_alike(results[-1], results[0])
    return results[0]


def assert_alike(in_toml: ContractResult, in_python: ContractResult) -> None:
    """Hold that page-write's file and its Python find the same, in whatever words."""
    toml, python = essence(in_toml), essence(in_python)
    only = f"only TOML: {[*(toml - python)]}; only Python: {[*(python - toml)]}"
    assert toml == python, only
    assert in_toml.verdict == in_python.verdict


def essence(result: ContractResult) -> Counter[tuple[object, ...]]:
    """Return the findings without their words."""
    return Counter(
        (
            each.rule.replace(SOME, WRITTEN),
            each.severity,
            each.verdict,
            each.call,
            each.path,
            each.page,
        )
        for each in result.findings
    )


def errors(result: ContractResult) -> list[tuple[str, str]]:
    """Return rule and verdict of each error."""
    return [
        (finding.rule, str(finding.verdict))
        for finding in result.findings
        if finding.severity is Severity.ERROR
    ]


def advice(result: ContractResult) -> list[str]:
    """Return the rules of all advice."""
    return [each.rule for each in result.findings if each.severity is Severity.ADVICE]


def only(result: ContractResult) -> Finding:
    """Return the one error that there is."""
    (finding,) = (each for each in result.findings if each.severity is Severity.ERROR)
    return finding


def assert_kept(result: ContractResult) -> None:
    """Hold that nothing is wrong or uncertain."""
    assert errors(result) == []
    assert result.verdict is Verdict.KEPT


def assert_broken(result: ContractResult, rule: str) -> Finding:
    """Hold that *rule* and no other is broken, once; return the finding."""
    assert errors(result) == [(rule, "broken")]
    assert result.verdict is Verdict.BROKEN
    return only(result)


def assert_unknown(result: ContractResult, rule: str) -> Finding:
    """Hold that *rule* and no other can't be told, once; return the finding."""
    assert errors(result) == [(rule, "unknown")]
    assert result.verdict is Verdict.UNKNOWN
    return only(result)
