"""How many crash states a second are made and asked about, against the checker alone.

    .venv/bin/python tools/crash_speed.py [-n STATES] [-j N] [--rounds N] [--files N] [--pages N]

Alone: the same command by the same sh, on one directory that is there, again and again; the same
function, called again and again; N of them at once. Over: how much longer a state takes than that.
"""

import argparse
import os
import stat
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tracefs.crash.asking import Checker, command, ready
from tracefs.crash.jobs import Job
from tracefs.crash.materialise import make
from tracefs.crash.pool import Local, answers, local
from tracefs.crash.removal import remove
from tracefs.crash.store import Pages, Store
from tracefs.crash.workplace import workplace
from tracefs.persistence.image import Content, Image, Node

CHECKERS = ("true", "sha256sum {dir}/*", "git --version", "/usr/bin/python3 -I -S -c ''")


def sizes(state: Path, _: Sequence[str]) -> str | None:
    """Read all files, as a small ready checker does."""
    return None if all(each.read_bytes() for each in state.iterdir()) else "empty"


def image(files: int, pages: Sequence[int]) -> Image:
    kept = Content(4096 * len(pages), pages=tuple(enumerate(pages)))
    owner = os.geteuid(), os.getegid()
    nodes = [(".", Node(1, stat.S_IFDIR | 0o755, *owner))]
    nodes += [(f"f{at}", Node(2 + at, stat.S_IFREG | 0o644, *owner, kept)) for at in range(files)]
    return Image(tuple(nodes))


def rate(what: Callable[[int], None], count: int, width: int) -> float:
    """Return how often a second *width* processes together do *what*."""
    begin = time.perf_counter()
    children = []
    for _ in range(width):
        pid = os.fork()
        if pid == 0:
            what(count // width)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    return count / (time.perf_counter() - begin)


def again(shell: str) -> Callable[[int], None]:
    def what(count: int) -> None:
        for _ in range(count):
            words = ("/bin/sh", "-c", shell)
            nothing = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
            os.waitpid(os.posix_spawn(words[0], words, os.environ, file_actions=nothing), 0)

    return what


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("-j", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--pages", type=int, default=4)
    asked = parser.parse_args()
    with workplace(None) as work, Pages(f"{work}/pages") as pages:
        store = Store(pages.name)
        kept = [pages.add(bytes([number]) * 4096) for number in range(1, asked.pages + 1)]
        tree = image(asked.files, kept)
        print(f"{asked.files} files of {asked.pages} pages, {asked.j} at once, in {work}")
        there = f"{work}/there"
        make(tree, store, there)

        def made(count: int) -> None:
            for _ in range(count):
                make(tree, store, f"{work}/{os.getpid()}")
                remove(f"{work}/{os.getpid()}")

        def called(count: int) -> None:
            for _ in range(count):
                sizes(Path(there), ())

        print(f"{'made and removed':24}{rate(made, asked.n, asked.j):8.0f} a second")
        everything: list[tuple[str, Checker, Callable[[int], None]]] = [
            (text, command(text, 60, os.environ, "/"), again(text.replace("{dir}", there)))
            for text in CHECKERS
        ]
        everything.append(("a function", ready(sizes, 60, os.environ), called))
        for name, checker, alone in everything:
            with local(checker, store, asked.j, work) as askers:
                # In turn, the best of each: other programs run, too.
                found, most = zip(
                    *(
                        (asking(askers, tree, asked.n), rate(alone, asked.n, asked.j))
                        for _ in range(asked.rounds)
                    ),
                    strict=True,
                )
            over = max(most) / max(found) - 1
            print(f"{name:24}{max(found):8.0f} a second, alone {max(most):8.0f}, {over:+.0%}")


def asking(askers: Local, tree: Image, count: int) -> float:
    """Return how many states a second are made and asked about."""
    begin = time.perf_counter()
    states = (Job(str(number), tree) for number in range(count))
    bad = sum(answer.checked != "good" for _, answer in answers(states, askers))
    if bad:
        sys.exit(f"{bad} states are not good")
    return count / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
