"""Who is in a mount namespace: not whoever has one of its number, which the kernel gives again."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tracefs.capture.coverage import is_inhabited

UNSHARE = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-r", "-m"]
"""As root without a user namespace, which containers may refuse."""


@contextmanager
def running(*words: str) -> Iterator[tuple[int, int]]:
    """Run a command that says its process id and waits; give that, and its mount namespace."""
    script = "echo $$; exec cat"
    process = subprocess.Popen(
        [*words, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    try:
        yield pid, os.stat(f"/proc/{pid}/ns/mnt").st_ino
    finally:
        process.communicate(timeout=20)


def test_a_descendant_counts_however_far_below() -> None:
    with running("sh", "-c", '"$@"; true', "sh", *UNSHARE) as (pid, namespace):
        assert is_inhabited(namespace, os.getpid())
        assert is_inhabited(namespace, pid)
        assert is_inhabited(namespace, None)


def test_another_runs_process_in_a_namespace_of_the_same_number_does_not() -> None:
    with running() as (other, _), running(*UNSHARE) as (_, namespace):
        assert not is_inhabited(namespace, other)


def test_a_namespace_that_is_gone_is_not_inhabited() -> None:
    with running(*UNSHARE) as (_, namespace):
        pass
    assert not is_inhabited(namespace, os.getpid())
