"""The page writers of the manifest, built and ready to be tried all alike."""

import os
import subprocess
from pathlib import Path

import pytest
from pagealloc.page import build_page
from pagewriters import Writer, listed

each_writer = pytest.mark.parametrize("writer", listed(), ids=lambda writer: writer.name)


def command(writer: Writer, *arguments: str) -> list[str]:
    """Return *arguments* with the command of *writer* before them.

    One whose compiler isn't here is skipped by name; in CI it fails, as one does anywhere that
    could have been built.
    """
    if not Path(writer.command).is_file():
        lacking = " and no ".join(writer.lacking())
        if lacking and not os.environ.get("CI"):
            pytest.skip(f"{writer.language}: no {lacking}; install: {writer.install}")
        pytest.fail(f"{writer.binary} is not built: make pagealloc", pytrace=False)
    return [writer.command, *arguments]


def run(
    writer: Writer, *arguments: str | bytes, stdin: bytes = b"", before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    """Run the command of *writer*, by way of the words *before* it."""
    return subprocess.run(
        [*before, *command(writer), *arguments], input=stdin, capture_output=True, check=False
    )


def outcome(writer: Writer, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Return exit code, standard output and standard error."""
    done = run(writer, *arguments, stdin=stdin)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def make_samples() -> None:
    """Make files in the working directory: good ones, and one of each kind that goes wrong."""
    good = build_page(b"one")
    Path("good").write_bytes(good * 2)
    Path("hole").write_bytes(bytes(4096) + good)
    Path("torn").write_bytes(good + good[:100])
    Path("foreign").write_bytes(b"x" * 4096)
    Path("padding").write_bytes(good[:8] + b"x" + good[9:])
    Path("empty").touch()
    Path("closed").touch(mode=0)
    Path("folder").mkdir()
    os.mkfifo("fifo")
