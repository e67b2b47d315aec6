"""pjdfstest: what POSIX says of each file system call's results, errors, modes and times."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from soak.arena import Arena
from soak.compare import compare
from soak.differences import PJDFSTEST as EXPECTED
from soak.programs import PJDFSTEST
from soak.suite import Scale, Suite, Tally

_CONFIG: Final = """\
[features]
posix_fallocate = {}
rename_ctime = {}
stat_st_birthtime = {}
utime_now = {}
utimensat = {}
[settings]
naptime = 0.01
"""
_USERS: Final = """\
[dummy_auth]
entries = [["nobody", "nogroup"], ["daemon", "daemon"]]
"""
_REMOUNTS: Final = "allow_remount = true\n"
# mount(8) would have a helper, mount.fuse, remount what is of type fuse; it can only mount anew.
_MOUNT: Final = '#!/bin/sh\nexec "$(PATH=${PATH#*:} command -v mount)" --internal-only "$@"\n'
# What is remounted must be nobody else's: on the bare side a filesystem of the test's own.
_ALONE: Final = (
    *("unshare", "--mount", "sh", "-euc", 'mount -t tmpfs none "$1"; shift; exec "$@"'),
    "sh",
)
_RESULT: Final = re.compile(r"^(\S+) +(ok|skipped|FAILED)$", re.MULTILINE)
_OPTIONS: Final = ((), ("--witness", "full"), ("--witness", "proc"), ("--direct-io",))


def _run(arena: Arena, scale: Scale) -> Tally:
    tally = _read_only(arena)
    for options in scale.pick(_OPTIONS[:1], _OPTIONS * 3):
        tally += _all(arena, options)
    return tally


def _all(arena: Arena, options: tuple[str, ...]) -> Tally:
    """Run all tests but those that remount."""
    bare, traced = arena.bare(), arena.bare()
    config = _write(arena.bare("c") / "pjdfstest.toml", _CONFIG + _USERS)
    with _elsewhere(bare) as other:
        command = [str(PJDFSTEST), "-c", str(config)]
        command += ["-s", str(other)] if other else []
        below = _results(arena.run([*command, "-p", str(bare)], bare).stdout)
        above = _results(arena.run_traced([*command, "-p", str(traced)], traced, *options).stdout)
    passed = sum(result == "ok" for result in below.values())
    how = " ".join(options) or "no options"
    return Tally(
        operations=len(above),
        failures=compare(below, above, EXPECTED)
        or (() if passed else ("nothing passes on the bare directory",)),
        notes=(f"{passed} tests of {len(below)} pass on the bare directory; {how}",),
    )


def _read_only(arena: Arena) -> Tally:
    """Run the tests that remount the filesystem read-only, which only root may."""
    if os.geteuid() != 0:
        return Tally()
    bare, traced, aside = arena.bare(), arena.bare(), arena.bare("c")
    config = _write(aside / "pjdfstest.toml", _CONFIG + _REMOUNTS + _USERS)
    _write(aside / "mount", _MOUNT).chmod(0o755)
    command = [str(PJDFSTEST), "-c", str(config), "-p"]
    below = _results(arena.run([*_ALONE, str(bare), *command, str(bare), "erofs"], bare).stdout)
    path = f"{aside}:{os.environ['PATH']}"
    above = arena.run_traced([*command, str(traced), "erofs"], traced, env={"PATH": path}).stdout
    passed = sum(result == "ok" for result in below.values())
    return Tally(
        operations=len(below),
        failures=compare(below, _results(above)),
        notes=(f"{passed} tests of {len(below)} pass on a bare filesystem made read-only",),
    )


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _results(said: str) -> dict[str, str]:
    return dict(_RESULT.findall(said))


@contextmanager
def _elsewhere(directory: Path) -> Iterator[Path | None]:
    """Make a directory on another filesystem than *directory*; None: no other was found."""
    here = directory.stat().st_dev
    for parent in map(Path, ("/dev/shm", "/tmp", "/var/tmp")):  # noqa: S108
        if parent.is_dir() and parent.stat().st_dev != here and os.access(parent, os.W_OK):
            with tempfile.TemporaryDirectory(dir=parent) as made:
                yield Path(made)
                return
    yield None


SUITE: Final = Suite(
    name="pjdfstest", about="results and errors of each call", needs=(PJDFSTEST,), run=_run
)
