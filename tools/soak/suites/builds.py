"""Builds: Cargo, Go and pip, with sources and results on the mount.

The page writers are what is built. A second build must find nothing to do: modification times are
as they were made.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

from soak.arena import Arena
from soak.both import run_on_both
from soak.programs import CARGO, GO
from soak.suite import Scale, Suite, Tally

_WRITERS: Final = Path(__file__).resolve().parents[2] / "pagealloc"
_CARGO: Final = """
cp -R "$1" sources
cd sources
export CARGO_TARGET_DIR="$PWD/target"
cargo build --quiet --locked --offline
if [ "$2" = long ]; then
    cargo test --quiet --locked --offline 2>&1 | grep "test result" | sed "s/finished.*//"
    cargo build --quiet --locked --offline --release
fi
echo a second time:
cargo build --verbose --locked --offline 2>&1 | grep -c Fresh
"""
_GO: Final = """
cp -R "$1" sources
cd sources
export GOTMPDIR="$PWD/tmp" GOFLAGS=-buildvcs=false
mkdir tmp
# An empty cache means the standard library anew.
[ "$2" = short ] || export GOCACHE="$PWD/cache"
go build -o built ./cmd/pagealloc
if [ "$2" = long ]; then
    go vet ./...
    go test ./... | sed "s/[0-9.]*s$//"
fi
echo a second time:
go build -v -o built ./cmd/pagealloc 2>&1
ls tmp
"""
# ensurepip has pip install itself, and perhaps more, from wheels that Python brings.
_PIP: Final = """
"$1" -m venv environment
environment/bin/python -m pip --isolated check
environment/bin/python - <<'END'
import base64, hashlib, importlib.metadata
for distribution in importlib.metadata.distributions():
    good = 0
    for file in distribution.files:
        if file.hash:
            digest = hashlib.new(file.hash.mode, file.read_binary()).digest()
            assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == file.hash.value, file
            good += 1
    print(distribution.metadata["name"], distribution.version, good, "files as recorded")
END
environment/bin/python -m pip --isolated uninstall --quiet --yes pip
find environment -name "pip*"
"""


def _run(arena: Arena, scale: Scale) -> Tally:
    failures: tuple[str, ...] = ()
    sources = arena.bare("s")
    for language in ("rust", "go"):
        built = shutil.ignore_patterns("target")
        shutil.copytree(_WRITERS / language, sources / language, ignore=built)
    tries = (
        ("Cargo", _CARGO, (str(sources / "rust"), scale.value)),
        ("Go", _GO, (str(sources / "go"), scale.value)),
        ("pip", _PIP, (sys.executable,)),
    )
    for name, script, arguments in tries:
        both = run_on_both(arena, script, *arguments)
        failures += tuple(f"{name}: {failure}" for failure in both.failures)
    return Tally(operations=len(tries), failures=failures)


SUITE: Final = Suite(name="builds", about="Cargo, Go, pip", needs=(CARGO, GO), run=_run)
