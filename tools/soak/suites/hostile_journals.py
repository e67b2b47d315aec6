"""Journals that no honest tracefs wrote, read by every command: none fails but with a message."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mounting import TRACEFS

from soak.arena import Arena
from soak.hostile import bombs
from soak.hostile_reading import CODES, COMMANDS
from soak.suite import Scale, Suite, Tally
from tracefs.journal.format import JOURNAL

_DATA: Final = Path(__file__).parents[3] / "tests" / "data"
_TOOLS: Final = Path(__file__).parents[2]
_LIMIT_S: Final = 3600
_BOMB_MEMORY: Final = 2 << 30
_BOMB_SECONDS: Final = 300
_PROGRAM: Final = """
import mmap, os, threading
fd = os.open("pages.db", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, b"a" * 4096, 0)
os.fdatasync(fd)
os.lseek(fd, 8192, os.SEEK_SET)
os.write(fd, b"b" * 4096)
os.pwritev(fd, [b"x" * 10, b"y" * 5000], 100)
with mmap.mmap(fd, 4096) as mapped:
    mapped[5] = 7
    mapped.flush()
os.close(os.dup(fd))
os.ftruncate(fd, 20000)
os.posix_fallocate(fd, 0, 40000)
os.setxattr("pages.db", "user.a", b"b")
os.mkdir("d")
os.symlink("x", "d/s")
os.link("pages.db", "d/l")
os.rename("d/l", "d/m")
os.unlink("d/m")
other = os.open("d/a", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DSYNC, 0o600)
os.write(other, b"hello" * 3000)
os.close(other)
def page(number):
    own = os.open("pages.db", os.O_RDWR)
    os.pwrite(own, b"t" * 4096, 4096 * number)
    os.fdatasync(own)
    os.close(own)
threads = [threading.Thread(target=page, args=(number,)) for number in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
if os.fork() == 0:
    os.write(fd, b"child")
    os._exit(0)
os.wait()
os.sync()
os.truncate("d/a", 5)
os.close(fd)
"""


def _run(arena: Arena, scale: Scale) -> Tally:
    seeds = [*sorted(_DATA.glob("*.jsonl")), *_recorded(arena)]
    count = scale.pick(80, 20_000)
    worker = [sys.executable, "-m", "soak.hostile_reading", "0", str(count), "."]
    done = arena.run(
        [*worker, *map(str, seeds)],
        arena.bare(),
        env={"PYTHONPATH": str(_TOOLS)},
        limit_s=_LIMIT_S,
    )
    failures = tuple(done.stdout.splitlines())
    if done.returncode != 0:
        failures = (*failures, f"the reader ended with {done.returncode}: {done.stderr[-300:]}")
    tally = Tally(bad_inputs=count, failures=failures)
    return tally + _read_bombs(arena, scale, seeds[-1])


def _recorded(arena: Arena) -> Iterator[Path]:
    """Yield the journal of a program that does a little of everything, at each level."""
    for level in ("proc", "full", "seccomp"):
        command = [sys.executable, "-c", _PROGRAM]
        run = arena.run_traced(command, arena.bare(), "--witness", level, "--all", "--hash")
        if run.returncode != 0:
            raise AssertionError(f"the program failed: {run.stderr}")
        yield run.recording / JOURNAL


def _read_bombs(arena: Arena, scale: Scale, seed: Path) -> Tally:
    """Read journals full of what has to be remembered, in a process of little memory and time."""
    with seed.open("rb") as file:
        header = file.readline().rstrip(b"\n")
    count = scale.pick(1_000, 200_000)
    folder = arena.bare()
    failures = []
    names = list(bombs(header, 2))
    for name in names:
        journal = folder / JOURNAL
        with journal.open("wb") as file:
            file.writelines(line + b"\n" for line in bombs(header, count)[name])
        for words in COMMANDS[:: scale.pick(5, 1)]:
            done = subprocess.run(
                [*TRACEFS, *words, str(journal)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                preexec_fn=_limit,
            )
            if done.returncode not in CODES - {3}:
                failures.append(f"{' '.join(words)} of {count} {name}: {done.stderr[-300:]}")
        journal.unlink()
    return Tally(bad_inputs=len(names), failures=tuple(failures))


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_BOMB_MEMORY, _BOMB_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_BOMB_SECONDS, _BOMB_SECONDS))


SUITE: Final = Suite(
    name="hostile-journals", about="recordings made to harm their reader", run=_run
)
