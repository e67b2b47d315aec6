"""``record()`` in programs of all kinds; each runs in a process of its own, as a test would."""

import doctest
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_support import ending, is_mounted
from mounted_support import PATIENCE_S, Guard, act

import tracefs.api.record
import tracefs.api.run
from tracefs import record
from tracefs.api import IncompleteError, Trace
from tracefs.api.record import Recorded
from tracefs.errors import MountError, RecordingError, UsageError

PAGE = bytes(4096)
WELL = ['pwrite("a.db", 4096, at=0)', 'fdatasync("a.db")']


@pytest.fixture
def base(tmp_path: Path, guard: Guard) -> Path:
    """Two directories to be traced are in it."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        guard.watch(tmp_path / name)
    return tmp_path


def write_page(directory: str | Path, name: str = "a.db") -> None:
    fd = os.open(os.path.join(directory, name), os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, PAGE, 0)
    os.fdatasync(fd)
    os.close(fd)


def spelt(trace: Trace, **chosen: Any) -> list[str]:
    return [repr(call) for call in trace.calls(only=("write", "sync"), **chosen)]


@pytest.mark.parametrize("module", [tracefs.api.record, tracefs.api.run])
def test_the_examples_run(module: Any, base: Path) -> None:
    assert act(base, _try_examples, module.__name__) == (0, True)


def _try_examples(name: str) -> tuple[int, bool]:
    failed, tried = doctest.testmod(sys.modules[name])
    return failed, tried > 0


def _record(base: Path) -> tuple[list[str], list[str], bool, bool]:
    with record(base / "one") as rec:
        assert rec.directory == base / "one"
        write_page(rec.directory)
        within = rec.trace
        so_far = spelt(within)
        write_page(rec.directory, "b.db")
        folder = rec.recording
    later = spelt(rec.trace)
    assert spelt(within) == later
    kept = folder.exists()
    del rec, within
    return so_far, later, kept, folder.exists()


def test_the_trace_is_there_within_and_after(base: Path) -> None:
    so_far, later, kept, left = act(base, _record, base)
    assert so_far == WELL
    assert later == [*WELL, *(call.replace("a.db", "b.db") for call in WELL)]
    assert kept
    assert not left


def _keep(base: Path) -> None:
    with record("one", keep="kept", payload=True, page_size=8192) as rec:
        write_page("one")
        assert rec.trace.page_size == 8192
        assert rec.recording == base / "kept"


def test_a_recording_can_be_kept(base: Path) -> None:
    act(base, _keep, base)
    assert ending(base / "kept").complete
    assert (base / "kept" / "payload.bin").read_bytes() == PAGE
    assert spelt(Trace(base / "kept")) == WELL


def _sections(base: Path) -> list[list[str]]:
    with record("one") as rec:
        write_page("one", "a.db")
        rec.mark("load")
        with pytest.raises(UsageError, match="A mark is a text of characters"):
            rec.mark("\udce9")
        write_page("one", "b.db")
        rec.mark("check")
        write_page("one", "c.db")
        return [spelt(rec.trace.section(name)) for name in ("load", "check")]


def test_sections(base: Path) -> None:
    load, check = act(base, _sections, base)
    assert load == [call.replace("a.db", "b.db") for call in WELL]
    assert check == [call.replace("a.db", "c.db") for call in WELL]


def _both(base: Path) -> list[list[str]]:
    with record("one") as outer:
        write_page("one", "before.db")
        with record("two") as inner:
            write_page("one")
            write_page("two", "b.db")
        write_page("one", "after.db")
    return [sorted({str(call.path) for call in rec.trace.calls()}) for rec in (outer, inner)]


def test_two_directories_at_once(base: Path) -> None:
    outer, inner = act(base, _both, base)
    assert outer == ["a.db", "after.db", "before.db"]
    assert inner == ["b.db"]


def _in_threads(base: Path) -> list[list[str]]:
    found: dict[str, list[str]] = {}

    def work(name: str) -> None:
        with record(name) as rec:
            write_page(name, f"{name}.db")
            found[name] = spelt(rec.trace)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found["one"], found["two"]]


def test_in_threads(base: Path) -> None:
    assert act(base, _in_threads, base) == [
        [call.replace("a.db", f"{name}.db") for call in WELL] for name in ("one", "two")
    ]


TRIO = """
import sys, trio
from tracefs import record
from test_record import WELL, spelt, write_page
async def main():
    with record("one") as rec:
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(trio.to_thread.run_sync, write_page, "one", f"{number}.db")
        async with await trio.open_file("one/text", "w") as file:
            await file.write("hello")
        await trio.run_process(["sh", "-c", "echo hello > one/shell"])
        rec.mark("end")
        await trio.to_thread.run_sync(lambda: len(rec.trace.calls()))
    print(len(rec.trace.calls("?.db", only=("write", "sync"))), len(rec.trace.calls("text")) > 0,
          rec.trace.calls("shell", only="write"))
trio.run(main)
"""
ASYNCIO = """
import asyncio
from tracefs import record
from test_record import write_page
async def main():
    with record("one") as rec:
        await asyncio.gather(
            *(asyncio.to_thread(write_page, "one", f"{number}.db") for number in range(4))
        )
        await asyncio.to_thread(lambda: open("one/text", "w").close())
        process = await asyncio.create_subprocess_shell("echo hello > one/shell")
        await process.wait()
    print(len(rec.trace.calls("?.db", only=("write", "sync"))), len(rec.trace.calls("text")) > 0,
          rec.trace.calls("shell", only="write"))
asyncio.run(main())
"""
SUBPROCESSES = """
import multiprocessing, os, subprocess, sys
from tracefs import record
from test_record import write_page
if __name__ == "__main__":
    with record("one") as rec:
        for way in ("fork", "spawn", "forkserver"):
            make = multiprocessing.get_context(way).Process
            process = make(target=write_page, args=("one", f"{way[-1]}.db"))
            process.start()
            process.join()
        if not os.fork():
            write_page("one", "x.db")
            sys.exit()  # through the block's end
        os.wait()
        open("one/text", "w").close()
        subprocess.run(["sh", "-c", "echo hello > one/shell"])
    print(len(rec.trace.calls("?.db", only=("write", "sync"))), len(rec.trace.calls("text")) > 0,
          rec.trace.calls("shell", only="write"))
"""


@pytest.mark.parametrize(
    "program", [TRIO, ASYNCIO, SUBPROCESSES], ids=["trio", "asyncio", "processes"]
)
def test_in_a_program_that_has_its_own(program: str, base: Path) -> None:
    (base / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"],
        cwd=base,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    # Four pages, each with its sync.
    assert done.stdout == '8 True [write("shell", 6, at=0)]\n'
    assert not is_mounted(base / "one")


def _inside(base: Path) -> tuple[str, list[str], str]:
    (base / "one" / "sub").mkdir()
    os.chdir(base / "one" / "sub")
    with record(base / "one") as rec:
        write_page(".")
        inside = os.getcwd()
        with open("left", "w"):
            pass
    write_page(".", "past.db")
    assert os.getcwd() == inside
    os.rmdir("../other") if Path("../other").exists() else os.mkdir("../other")
    return inside, spelt(rec.trace), str(rec.trace.incomplete_because)


def test_a_working_directory_inside_goes_on_inside(base: Path) -> None:
    inside, recorded, why = act(base, _inside, base)
    assert inside == str(base / "one" / "sub")
    assert recorded == [call.replace("a.db", "sub/a.db") for call in WELL]
    assert why == "None"
    assert (base / "one" / "sub" / "past.db").exists()


def _opened_before(base: Path, how: Callable[[Path], object]) -> str:
    held = how(base / "one")
    with record("one") as rec:
        write_page("one")
        within = rec.trace.incomplete_because
    del held
    after = rec.trace.incomplete_because
    assert within == after
    try:
        rec.trace.calls()
    except IncompleteError:
        return str(after)
    return "complete"


def _write(directory: Path) -> object:
    return open(directory / "log", "w")  # to be held


def _read(directory: Path) -> object:
    (directory / "log").touch()
    return open(directory / "log")  # to be held


def _hold(directory: Path) -> object:
    return os.open(directory, os.O_RDONLY)


def _map(directory: Path) -> object:
    with open(directory / "my log", "w+") as file:
        file.truncate(4096)
        return mmap.mmap(file.fileno(), 4096)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (_write, "descriptor"),
        (_hold, "descriptor"),
        (_map, "mapping of my log"),
        (_read, "complete"),
    ],
)
def test_what_was_opened_before_is_said(
    how: Callable[[Path], object], why: str, base: Path
) -> None:
    said = act(base, _opened_before, base, how)
    assert why in said
    assert ("opened before the run, and so not recorded" in said) == (why != "complete")


def _refuse(base: Path) -> list[str]:
    said = []
    for asked, options in (
        ("one", {"witness": "seccomp"}),
        ("one", {"witness": "ptrace"}),
        ("nowhere", {}),
        ("one", {"keep": "one/inside"}),
        ("one", {"keep": "two"}),
    ):
        (base / "two" / "full").touch()
        try:
            with record(asked, **options):  # type: ignore[arg-type]
                said.append("done")
        except (ValueError, MountError, RecordingError) as error:
            said.append(str(error))
        assert not is_mounted(base / "one")
    rec = record("one")
    for ask in (lambda: rec.trace, lambda: rec.recording, lambda: rec.mark("x")):
        try:
            ask()
        except (ValueError, MountError) as error:
            said.append(str(error))
    return said


def test_what_cannot_be_done_is_said(base: Path) -> None:
    seccomp, ptrace, nowhere, inside, full, *early = act(base, _refuse, base)
    assert "use run()" in seccomp
    assert ptrace == "there is no witness 'ptrace': 'none', 'proc'"
    assert nowhere.endswith("no such directory")
    assert inside.endswith("would lie inside the traced directory")
    assert full.endswith("it exists and is not empty")
    assert len(early) == 3


def _fail_without_the_server(rec: Recorded) -> str:
    with rec:
        write_page("one")
        mount = rec._mounted.living()
        os.kill(mount.server, signal.SIGKILL)
        try:
            spelt(rec.trace)
        except MountError as error:
            raise KeyError(str(error)) from None
    return "nothing failed"


def _lose_the_server(base: Path) -> list[str]:
    rec = record("one", keep="kept")
    try:
        return [_fail_without_the_server(rec)]
    except KeyError as error:
        return [*error.args, *error.__notes__, str(rec.failed), str(rec.trace.complete)]


def test_a_lost_server_is_said(base: Path) -> None:
    within, note, failed, complete = act(base, _lose_the_server, base)
    assert within.endswith("the server ended unexpectedly (signal 9)")
    assert note == f"tracefs: {failed}"
    assert failed.endswith("the server ended unexpectedly (signal 9)")
    assert complete == "False"
    assert not is_mounted(base / "one")
    assert (base / "one" / "a.db").read_bytes() == PAGE


def _trace_all_temporary(base: Path) -> bool:
    os.environ["XDG_STATE_HOME"] = str(base / "state")
    tempfile.tempdir = str(base / "one")
    with record("one") as rec:
        write_page("one")
        return rec.recording.is_relative_to(base / "state") and bool(rec.trace.calls())


def test_the_directory_for_temporary_files_can_be_traced(base: Path) -> None:
    assert act(base, _trace_all_temporary, base)
    assert not list((base / "state" / "tracefs").iterdir())
