"""What a checker says of a directory.

A checker is a command for sh(1) or a function. Its working directory is a fresh one, which is also
its HOME and TMPDIR, so that checkers that run side by side don't meet; files of the front end's
working directory that the command names are there by links. The rest of its environment is clean:
`PASSED` alone comes through. What goes wrong with the checker is told from what it says: only
an exit status of its own says that a state is bad, and only what a function returns.
"""

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from tracefs.crash import watching
from tracefs.crash.functions import Child, Ended, Function, Question
from tracefs.crashes import Answer, Checked
from tracefs.pathtext import to_text

PLACE: Final = "{dir}"
ACKS: Final = "TRACEFS_ACKS"
"""Variable that names the file with the acknowledgements, one a line."""
PASSED: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME")
"""Variables of the front end that a checker gets."""
SHELL_CANNOT: Final = frozenset({126, 127})
"""What sh(1) ends with where a command can't be executed, or found."""
_LAST_SIGNAL: Final = 128 + 64
"""Exit status of sh(1) for the last signal (signal(7)); what is above is a program's own."""
_MOST_SAID: Final = 200
"""Bytes that are kept of a line."""


class Command(Struct, frozen=True, kw_only=True):
    """A command that is asked; see `command`."""

    shell: str
    """For sh, in which ``{dir}`` stands for the state's directory."""
    limit_s: float
    environment: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...] = ()
    """Names in its working directory, and what they lead to."""


class Ready(Struct, frozen=True, kw_only=True):
    """A function that is asked, in a child; see `ready`."""

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
    """File, made by `Asker`."""


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


class Asker:
    """Asks one checker, state by state; all children of this process end with each answer."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._child = Child(checker.function) if isinstance(checker, Ready) else None

    def ask(self, rooms: Rooms, acks: Sequence[str]) -> Answer:
        """Ask about a state.

        Raises:
            OSError: it could not be asked.
        """
        _write(rooms.acks, "".join(ack.replace("\n", "\\x0a") + "\n" for ack in acks))
        environment = dict(self._checker.environment)
        environment |= {"HOME": rooms.work, "TMPDIR": rooms.work, "PWD": rooms.work}
        environment[ACKS] = rooms.acks
        if isinstance(self._checker, Command):
            return _ask_command(self._checker, rooms, environment)
        assert self._child is not None
        question = Question(
            state=rooms.state, work=rooms.work, environment=environment, acks=tuple(acks)
        )
        return _ask_child(self._child, question, self._checker.limit_s, rooms)


def _write(name: str, text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while data:
            data = data[os.write(file, data) :]
    finally:
        os.close(file)


def _ask_command(checker: Command, rooms: Rooms, environment: dict[str, str]) -> Answer:
    for name, target in checker.links:
        os.symlink(target, os.path.join(rooms.work, name))
    shell = checker.shell.replace(PLACE, shlex.quote(rooms.state))
    os.chdir(rooms.work)  # posix_spawn(3) can't
    try:
        watched = watching.run_shell(shell, environment, checker.limit_s)
    finally:
        os.chdir("/")
    if watched.status is None:
        return _late(checker.limit_s, watched.seconds)
    checked = _by_status(watched.status)
    said = None if checked is Checked.GOOD else _last_line(watched.output, rooms)
    if said is None and checked is Checked.CRASHED:
        said = f"signal {watched.status - 128}"
    return Answer(checked=checked, said=said, seconds=watched.seconds)


def _ask_child(child: Child, question: Question, limit_s: float, rooms: Rooms) -> Answer:
    begin = time.perf_counter()
    reply = child.ask(question, limit_s)
    seconds = time.perf_counter() - begin
    if reply is None:
        return _late(limit_s, seconds)
    if isinstance(reply, Ended):
        how = f"signal {reply.status - 128}" if reply.status > 128 else f"status {reply.status}"
        said = f"it ended with {how}, without an answer"
        return Answer(checked=Checked.CRASHED, said=said, seconds=seconds)
    if reply.raised is not None:
        said = _shown(reply.raised.encode(), rooms)
        return Answer(checked=Checked.CRASHED, said=said, seconds=seconds)
    if reply.wrong is None:
        return Answer(checked=Checked.GOOD, seconds=seconds)
    said = _shown(reply.wrong.encode(), rooms)
    return Answer(checked=Checked.BAD, said=said, seconds=seconds)


def _late(limit_s: float, seconds: float) -> Answer:
    said = f"it did not end within {limit_s:g} s"
    return Answer(checked=Checked.LATE, said=said, seconds=seconds)


def _by_status(status: int) -> Checked:
    if status == 0:
        return Checked.GOOD
    if status in SHELL_CANNOT:
        return Checked.NOT_STARTED
    return Checked.CRASHED if 128 < status <= _LAST_SIGNAL else Checked.BAD


def _last_line(output: bytes, rooms: Rooms) -> str | None:
    lines = output.strip().splitlines()
    return _shown(lines[-1], rooms) if lines else None


def _shown(line: bytes, rooms: Rooms) -> str:
    """Return *line* as it is for every state: with ``{dir}`` for the directory; not too long."""
    return to_text(line.replace(os.fsencode(rooms.state), PLACE.encode())[:_MOST_SAID])


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
