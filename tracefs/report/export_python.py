"""A program in Python that makes the same calls again, from a list of them."""

from collections.abc import Sequence
from typing import Final

from tracefs.pathtext import printable, to_bytes
from tracefs.report.export_program import Program
from tracefs.report.replay_plan import Step

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


def _arguments(step: Step) -> tuple[object, ...]:
    """Return what the function of this name in the program is given besides the call's index."""
    path, target = to_bytes(step.path), to_bytes(step.target)
    words: dict[str, tuple[object, ...]] = {
        "open": (step.slot, path, step.flags),
        "pwrite64": (step.slot, step.offset, step.length),
        "pwritev": (step.slot, step.offset, step.length),
        "pwritev2": (step.slot, step.offset, step.length, step.flags),
        "write": (step.slot, step.length),
        "writev": (step.slot, step.length),
        "sync": (),
        "fsyncdir": (path,),
        "lseek": (step.slot, step.offset),
        "ftruncate": (step.slot, step.length),
        "truncate": (path, step.length),
        "fallocate": (step.slot, step.offset, step.length, step.flags),
        "rename": (path, target, step.flags),
        "link": (path, target),
        "linkfd": (step.slot, path),
        "symlink": (path, target),
        "unlink": (path,),
        "mkdir": (path,),
        "rmdir": (path,),
    }
    return words.get(step.do, (step.slot,))
