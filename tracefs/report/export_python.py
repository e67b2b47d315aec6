"""A program in Python that makes the same calls again, from a list of them.

Bytes are a pattern: a recording need not have kept them. It is given the directory to work in.
"""

from typing import Final

from tracefs.findings import TraceSummary
from tracefs.pathtext import printable, to_bytes
from tracefs.report.documents import asset
from tracefs.report.replay_plan import Plan, Step, told
from tracefs.trace.call import Call

_TAIL: Final = """]

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} DIRECTORY")
    os.chdir(sys.argv[1])
    for function, call, *arguments in STEPS:
        try:
            function(call, *arguments)
        except OSError as error:
            sys.exit(f"call {call}: {error.strerror}")
"""


class Python:
    """One source file."""

    def __init__(self) -> None:
        self._plan = Plan()

    @property
    def left_out(self) -> int:
        """See `tracefs.report.export.Export`."""
        return self._plan.left_out.total()

    def begin(self) -> bytes:
        """See `tracefs.report.export.Export`."""
        return asset("replay_head.py.txt").encode()

    def call(self, call: Call) -> bytes:
        """See `tracefs.report.export.Export`."""
        step = self._plan.step(call)
        return b"" if step is None else _row(step).encode()

    def end(self, summary: TraceSummary) -> bytes:
        """See `tracefs.report.export.Export`."""
        del summary
        notes = "".join(f"# {printable(line)}\n" for line in told(self._plan))
        head = f"\n# Not done as in the recording:\n{notes}" if notes else ""
        return (_TAIL + head).encode()


def _row(step: Step) -> str:
    name = "open_" if step.do == "open" else step.do
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
        "symlink": (path, target),
        "unlink": (path,),
        "mkdir": (path,),
        "rmdir": (path,),
    }
    arguments = words.get(step.do, (step.slot,))
    return f"    ({', '.join([name, str(step.index), *map(repr, arguments)])}),\n"
