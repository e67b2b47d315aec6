"""Reads damaged journals with every command that reads, in a process that has little memory.

``python -m soak.hostile_reading FIRST COUNT FOLDER SEED...`` prints a line for each command that a
journal made fail in any other way than with a message and an exit code. Journal FIRST is made from
the files SEED as `soak.hostile.mutated` makes it with that seed, and read in FOLDER.
"""

import contextlib
import io
import random
import resource
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

from soak.hostile import mutated
from tracefs.cli.main import main as tracefs

_RIGHT: Final = str(Path(__file__).parents[2] / "tests" / "data" / "page-write-v3.jsonl")
_NOWHERE: Final = "/dev/null/golden"
"""Where no file can be written: all but that is done."""
COMMANDS: Final = (
    ("show",), ("show", "--json"), ("show", "--reads"), ("show", "--stray"),
    ("show", "--stray", "--json"), ("check",), ("check", "--json"), ("stats",), ("stats", "--json"),
    ("diff", _RIGHT), ("diff", "--json", "--order", "none", _RIGHT),
    ("record-golden", "-o", _NOWHERE, "--from"),
    ("report", "-o", "/dev/null"), ("report", "--contract", "page-write", "-o", "/dev/null"),
    *(("export", "--to", form, "-o", "/dev/null")
      for form in ("csv", "jsonl", "perfetto", "c", "python", "strace", "fio")),
)  # fmt: skip
CODES: Final = frozenset({0, 1, 3, 4})
"""Told, broken, not readable, unknown."""
MEMORY: Final = 512 << 20
_PATIENCE_S: Final = 30
_EACH: Final = 3
"""Commands that read one journal."""


class _TooLongError(Exception):
    """A command has not ended."""


def main() -> int:
    """Read as the command line says; return 0."""
    first, count, folder, *seeds = sys.argv[1:]
    contents = [Path(seed).read_bytes() for seed in seeds]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _give_up)
    journal = Path(folder, "journal.jsonl")
    for number in range(int(first), int(first) + int(count)):
        chance = random.Random(number)  # noqa: S311  # reproducible, not secret
        journal.write_bytes(mutated(chance, contents))
        for words in chance.sample(COMMANDS, _EACH):
            problem = read(words, journal)
            if problem is not None:
                print(f"{' '.join(words)} of journal {number}: {problem}", flush=True)
    return 0


def read(words: tuple[str, ...], journal: Path) -> str | None:
    """Return what is wrong with how a command reads *journal*; None: nothing."""
    said = io.StringIO()
    signal.alarm(_PATIENCE_S)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = tracefs([*words, str(journal)])
    except Exception as error:  # noqa: BLE001  # any is what is looked for
        return f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.alarm(0)
    if code not in CODES:
        return f"exit code {code}"
    if "has no answer" in said.getvalue():
        return "the checker failed"
    steering = {c for c in said.getvalue() if not c.isprintable() and c != "\n"}
    return f"printed {steering!r}" if steering else None


def _give_up(_: int, __: FrameType | None) -> None:
    raise _TooLongError(f"not ended within {_PATIENCE_S} s")


if __name__ == "__main__":
    sys.exit(main())
