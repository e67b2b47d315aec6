"""A batch asked about on a machine that the recording is not on, under somebody else's worker.

The worker has threads, and children of its own, so that it can't ask: for each batch it starts a
program, ``python -m tracefs.crash.elsewhere KIT PARENT``, which reads the batch from its standard
input and writes the answers to its standard output. KIT is a file with the checker and the bytes.
"""

import hashlib
import os
import pickle
import subprocess
import sys
import tempfile
from concurrent.futures import BrokenExecutor

from msgspec import Struct

from tracefs import __version__
from tracefs.crash import batch, jobs
from tracefs.crash.asking import Checker
from tracefs.crash.batch import ENDED
from tracefs.crash.store import Embedded
from tracefs.crash.workplace import workplace
from tracefs.errors import SetupError


class DiedError(BrokenExecutor):
    """The program that asked has died."""


class Kit(Struct, frozen=True, kw_only=True):
    """What all batches need."""

    checker: Checker
    bytes: Embedded
    work: str | None
    """Directory to make states in; None: the machine's own choice."""
    version: str = __version__


def perform(data: bytes, kit: bytes, folder: str | None = None) -> bytes:
    """Ask about a `Batch`; return its `Answers`. Done by a worker.

    Args:
        data: the batch.
        kit: a `Kit`, pickled.
        folder: gets a file with it; None: the directory of the Dask worker that does this.

    Raises:
        DiedError: who asked was killed.
        SetupError: nobody could be started to ask.
    """
    name = _kept(kit, _own_folder() if folder is None else folder)
    done = subprocess.run(
        [sys.executable, "-m", "tracefs.crash.elsewhere", name, str(os.getpid())],
        input=data, capture_output=True, check=False,
        # What this process can import, that one can.
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    if done.returncode < 0 or done.returncode == ENDED:
        raise DiedError("it was killed")
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"]
        raise SetupError(f"no states can be asked about on a worker: {lines[-1]}")
    return done.stdout


def main(kit_name: str, parent: str) -> None:
    """Do what the module says."""
    with open(kit_name, "rb") as file:
        kit: Kit = pickle.load(file)  # noqa: S301  # whoever sends it has the worker run anything
    if kit.version != __version__:
        raise SetupError(f"tracefs is {__version__} there, and {kit.version} here")
    data = sys.stdin.buffer.read()
    source = kit.bytes
    source.pages.update(jobs.decode_batch(data).pages)
    with workplace(kit.work) as work:
        batch.become(kit.checker, source, work, int(parent), alone=True)
        answers = batch.perform(data)
        batch.end()
    sys.stdout.buffer.write(answers)


def _own_folder() -> str:
    from distributed import get_worker  # noqa: PLC0415  # an extra; a worker has it

    folder: str = get_worker().local_directory
    return folder


def _kept(kit: bytes, folder: str) -> str:
    """Return the name of a file with *kit* in *folder*, which goes with the worker."""
    name = os.path.join(folder, f"tracefs-{hashlib.blake2b(kit, digest_size=16).hexdigest()}.kit")
    if not os.path.exists(name):
        # Other threads do the same: whoever is last puts the same file there.
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(kit)
        os.rename(file.name, name)
    return name


if __name__ == "__main__":
    main(*sys.argv[1:])
