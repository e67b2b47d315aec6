"""A program in Python that makes the same calls again, from a list of them."""

from collections.abc import Iterator, Sequence
from typing import Final

from tracefs.pathtext import printable, to_bytes
from tracefs.report.export_program import Program
from tracefs.report.replay_plan import Do, Step

_TAIL: Final = """]

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} DIRECTORY")
    try:
        os.chdir(sys.argv[1])
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error.strerror}")
    for function, call, *arguments in STEPS:
        try:
            function(call, *arguments)
        except OSError as error:
            sys.exit(f"call {call}: {error.strerror}")
"""


_FIELDS: Final[dict[Do, str]] = {
    "open": "slot path flags",
    "pwrite64": "slot offset length",
    "pwritev": "slot offset length",
    "pwritev2": "slot offset length flags",
    "write": "slot length",
    "writev": "slot length",
    "fsync": "slot",
    "fdatasync": "slot",
    "syncfs": "slot",
    "sync": "",
    "fsyncdir": "path",
    "lseek": "slot offset",
    "close": "slot",
    "ftruncate": "slot length",
    "truncate": "path length",
    "fallocate": "slot offset length flags",
    "rename": "path target flags",
    "link": "path target",
    "linkfd": "slot path",
    "unlink": "path",
    "symlink": "path target",
    "mkdir": "path",
    "rmdir": "path",
}
"""Fields of a step that the function of this name in the program is given, besides the index."""


class Python(Program):
    """One source file."""

    head = "replay_head.py.txt"

    def row(self, step: Step) -> str:
        """See `Program`."""
        name = "open_" if step.do == "open" else step.do
        words = ", ".join([name, str(step.index), *map(repr, _arguments(step))])
        return f"    ({words}),\n"

    def foot(self, slots: int, otherwise: Sequence[str]) -> str:
        """See `Program`."""
        del slots
        notes = "".join(f"# {printable(line)}\n" for line in otherwise)
        return _TAIL + (f"\n# Not done as in the recording:\n{notes}" if notes else "")


def _arguments(step: Step) -> Iterator[object]:
    for name in _FIELDS[step.do].split():
        value = getattr(step, name)
        yield to_bytes(value) if name in {"path", "target"} else value
