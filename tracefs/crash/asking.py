"""What a checker says of a directory.

A checker is a command for sh(1) or a function. Its working directory is a fresh one, which is also
its HOME and TMPDIR, so that checkers that run side by side don't meet; files of the front end's
working directory that the command names are there by links. The rest of its environment is clean:
`PASSED` alone comes through. What goes wrong with the checker is told from what it says: only
an exit status of its own says that a state is bad, and only what a function returns.
"""

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from tracefs.crash import watching
from tracefs.crash.watching import Watched
from tracefs.crashes import Answer, Checked
from tracefs.pathtext import to_text

PLACE: Final = "{dir}"
ACKS: Final = "TRACEFS_ACKS"
"""Variable that names the file with the acknowledgements, one a line."""
PASSED: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME")
"""Variables of the front end that a checker gets."""
_SHELL_CANNOT: Final = frozenset({126, 127})
"""What sh(1) ends with where a command can't be executed, or found."""
_LAST_SIGNAL: Final = 128 + 64
"""Exit status of sh(1) for the last signal (signal(7)); what is above is a program's own."""
_MOST_SAID: Final = 200
"""Bytes that are kept of a line."""

Function = Callable[[Path, Sequence[str]], str | None]
"""Gets a directory and the acknowledgements; returns what is wrong with it, or None."""


class Command(Struct, frozen=True, kw_only=True):
    """A command that is asked; see `command`."""

    shell: str
    """For sh, in which ``{dir}`` stands for the state's directory."""
    limit_s: float
    environment: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...] = ()
    """Names in its working directory, and what they lead to."""


class Ready(Struct, frozen=True, kw_only=True):
    """A function that is asked, in a process of its own; see `ready`."""

    function: Function
    limit_s: float
    environment: tuple[tuple[str, str], ...]


Checker = Command | Ready


class Rooms(Struct, frozen=True, kw_only=True):
    """The directories of one state, absolute."""

    state: str
    work: str
    """Fresh: the checker's working directory."""
    acks: str
    """File, made by `ask`."""


def command(shell: str, limit_s: float, environment: Mapping[str, str], cwd: str) -> Command:
    """Return the checker that *shell* is, asked from the directory *cwd*.

    Args:
        shell: command for sh, in which ``{dir}`` stands for the state's directory.
        limit_s: seconds that it gets for a state.
        environment: that of the front end.
        cwd: names in *shell* of what is there are names in the checker's working directory too.
    """
    return Command(
        shell=shell, limit_s=limit_s, environment=_clean(environment), links=_links(shell, cwd)
    )


def ready(function: Function, limit_s: float, environment: Mapping[str, str]) -> Ready:
    """Return the checker that *function* is: one that can be imported by its name."""
    return Ready(function=function, limit_s=limit_s, environment=_clean(environment))


def ask(checker: Checker, rooms: Rooms, acks: Sequence[str]) -> Answer:
    """Ask *checker* about a state; all children of this process end with it.

    Raises:
        OSError: it could not be asked.
    """
    with open(rooms.acks, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{ack}\n" for ack in acks)
    environment = dict(checker.environment)
    environment |= {"HOME": rooms.work, "TMPDIR": rooms.work, "PWD": rooms.work, ACKS: rooms.acks}
    os.chdir(rooms.work)
    try:
        if isinstance(checker, Ready):
            return _ask_function(checker, rooms, acks, environment)
        return _ask_command(checker, rooms, environment)
    finally:
        os.chdir("/")


def _ask_command(checker: Command, rooms: Rooms, environment: dict[str, str]) -> Answer:
    for name, target in checker.links:
        os.symlink(target, name)
    shell = checker.shell.replace(PLACE, shlex.quote(rooms.state))
    watched = watching.run_shell(shell, environment, checker.limit_s)
    if watched.status is None:
        return _late(watched, checker.limit_s)
    checked = _by_status(watched.status)
    said = None if checked is Checked.GOOD else _last_line(watched.output, rooms)
    if said is None and checked is Checked.CRASHED:
        said = f"signal {watched.status - 128}"
    return Answer(checked=checked, said=said, seconds=watched.seconds)


def _ask_function(
    checker: Ready, rooms: Rooms, acks: Sequence[str], environment: dict[str, str]
) -> Answer:
    ours, theirs = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def answer() -> None:
        wrong = checker.function(Path(rooms.state), acks)
        if wrong is not None:
            # Cut to what a pipe takes at once.
            os.write(theirs, b"no" + _shown(wrong.encode("utf-8", "surrogateescape"), rooms))
        else:
            os.write(theirs, b"ok")

    try:
        watched = watching.run_function(answer, environment, checker.limit_s)
        try:
            answered = os.read(ours, 4096)
        except BlockingIOError:
            answered = b""
    finally:
        os.close(ours)
        os.close(theirs)
    if watched.status is None:
        return _late(watched, checker.limit_s)
    if answered == b"ok":
        return Answer(checked=Checked.GOOD, seconds=watched.seconds)
    if answered:
        return Answer(checked=Checked.BAD, said=to_text(answered[2:]), seconds=watched.seconds)
    said = _last_line(watched.output, rooms) if watched.status == 1 else None
    said = said or f"it ended with status {watched.status}, without an answer"
    return Answer(checked=Checked.CRASHED, said=said, seconds=watched.seconds)


def _late(watched: Watched, limit_s: float) -> Answer:
    said = f"it did not end within {limit_s:g} s"
    return Answer(checked=Checked.LATE, said=said, seconds=watched.seconds)


def _by_status(status: int) -> Checked:
    if status == 0:
        return Checked.GOOD
    if status in _SHELL_CANNOT:
        return Checked.NOT_STARTED
    return Checked.CRASHED if 128 < status <= _LAST_SIGNAL else Checked.BAD


def _last_line(output: bytes, rooms: Rooms) -> str | None:
    lines = output.strip().splitlines()
    return to_text(_shown(lines[-1], rooms)) if lines else None


def _shown(line: bytes, rooms: Rooms) -> bytes:
    """Return *line* as it is for every state: with ``{dir}`` for the directory; not too long."""
    return line.replace(os.fsencode(rooms.state), PLACE.encode())[:_MOST_SAID]


def _clean(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, environment[name]) for name in PASSED if name in environment)


def _links(shell: str, cwd: str) -> tuple[tuple[str, str], ...]:
    """Return first components of relative paths in *shell* that *cwd* has."""
    try:
        words = shlex.split(shell)
    except ValueError:  # sh(1) may understand it all the same
        words = shell.split()
    paths = [word.split("/") for word in words if not word.startswith(("/", "-", "{"))]
    names = {next((part for part in path if part not in {"", "."}), "..") for path in paths}
    found = sorted(name for name in names - {".."} if os.path.lexists(os.path.join(cwd, name)))
    return tuple((name, os.path.join(cwd, name)) for name in found)
