"""A script on a bare and on a traced directory, which must say the same in both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

from soak.arena import Arena

_SHOWN: Final = 1000
_LIMIT_S: Final = 3600


@dataclass(frozen=True)
class Both:
    """What came of it."""

    bare: Path
    traced: Path
    said: str
    """What the script printed in the bare directory."""
    failures: tuple[str, ...]


def run_on_both(
    arena: Arena, script: str, *arguments: str, env: Mapping[str, str] | None = None
) -> Both:
    """Run a shell script in two new directories; it must end well, and print the same.

    The first command that fails ends it. What differs by nature, such as times, it must not print.
    """
    bare, traced = arena.bare(), arena.bare()
    command = ["sh", "-euc", script, "sh", *arguments]
    below = arena.run(command, bare, env=env, limit_s=_LIMIT_S)
    if below.returncode != 0:
        why = f"on the bare directory: {_end(below.stdout, below.stderr)}"
        return Both(bare, traced, below.stdout, (why,))
    above = arena.run_traced(command, traced, env=env, limit_s=_LIMIT_S)
    failures: tuple[str, ...] = ()
    if above.returncode != 0:
        failures = (f"exit status {above.returncode}: {_end(above.stdout, above.stderr)}",)
    elif above.stdout != below.stdout:
        failures = _first(below.stdout.splitlines(), above.stdout.splitlines())
    return Both(bare, traced, below.stdout, failures)


def _end(said: str, complained: str) -> str:
    return f"{said}{complained}"[-_SHOWN:]


def _first(below: Sequence[str], above: Sequence[str]) -> tuple[str, ...]:
    for ours, theirs in zip_longest(above, below, fillvalue="nothing more"):
        if ours != theirs:
            return (f"{ours!r} on the mount, {theirs!r} on the bare directory",)
    return ("it ends its lines otherwise on the mount",)
