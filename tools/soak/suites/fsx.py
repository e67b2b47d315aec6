"""fsx: random operations on one file, whose every read must give what was written before.

The same seed gives the same operations, so in the end the file must be the bare one's equal, too.
"""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Final

from soak.arena import Arena
from soak.compare import compare
from soak.differences import FSX as EXPECTED
from soak.programs import FSX
from soak.suite import Scale, Suite, Tally


@dataclass(frozen=True)
class _Profile:
    """Which operations, by how often they come, and options of ``tracefs run``."""

    name: str
    weights: str
    options: tuple[str, ...] = ()


_CALLS: Final = (
    "read=10 write=10 truncate=3 close_open=1 fsync=0.2 fdatasync=0.2 sendfile=3 posix_fadvise=1"
)
_BLOCKS: Final = "posix_fallocate=3 punch_hole=3 copy_file_range=3"
_PROFILES: Final = (
    _Profile("calls", f"{_CALLS} mapread=0 mapwrite=0"),
    _Profile("calls and blocks", f"{_CALLS} {_BLOCKS} mapread=0 mapwrite=0"),
    _Profile("mappings", f"{_CALLS} mapread=10 mapwrite=10 invalidate=1"),
    _Profile("mappings and blocks", f"{_CALLS} {_BLOCKS} mapread=10 mapwrite=10 invalidate=1"),
    _Profile("direct_io", f"{_CALLS} {_BLOCKS} mapread=0 mapwrite=0", ("--direct-io",)),
)
_AT_ONCE: Final = 2
_LIMIT_S: Final = 3600
_DONE: Final = "All operations completed A-OK!"
_ERROR: Final = re.compile(r"`Err` value: (\w+)")


def _run(arena: Arena, scale: Scale) -> Tally:
    steps = scale.pick(1_000, 100_000)
    # Other ones each time, in the long form.
    first = scale.pick(1, random.randrange(1 << 32))  # noqa: S311
    seeds = range(first, first + scale.pick(1, 4))
    note = f"{steps:,} steps each, seeds {seeds[0]} to {seeds[-1]}"
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        runs = [
            pool.submit(_one, arena, profile, seed, steps)
            for profile, seed in product(_PROFILES, seeds)
        ]
        return sum((run.result() for run in runs), Tally(notes=(note,)))


def _one(arena: Arena, profile: _Profile, seed: int, steps: int) -> Tally:
    bare, traced = arena.bare(), arena.bare()
    config = arena.bare("c") / "fsx.toml"
    lines = profile.weights.split()
    config.write_text("\n".join(["[weights]", *lines, ""]), encoding="utf-8")
    command = [str(FSX), "-f", str(config), "-N", str(steps), "-S", str(seed), "file"]
    below = arena.run(command, bare, limit_s=_LIMIT_S)
    above = arena.run_traced(command, traced, *profile.options, limit_s=_LIMIT_S)
    found = {profile.name: _result(above.stdout, above.stderr)}
    failures = compare(
        {profile.name: _result(below.stdout, below.stderr)},
        found,
        EXPECTED,
    )
    done = found[profile.name] == "ok"
    if done and (bare / "file").read_bytes() != (traced / "file").read_bytes():
        failures += (f"{profile.name}: the file in the source is not the bare one's equal",)
    return Tally(
        operations=steps if done else 0,
        failures=tuple(f"seed {seed}: {failure}" for failure in failures),
    )


def _result(said: str, complained: str) -> str:
    """Return ``ok``, the error that a call failed with, or what is wrong with the contents."""
    if _DONE in said:
        return "ok"
    error = _ERROR.search(complained)
    return error[1] if error else complained.strip()[:400] or "nothing said"


SUITE: Final = Suite(name="fsx", about="random operations on a file", needs=(FSX,), run=_run)
