"""Fixtures of all tests. What mounts fails on a machine without FUSE, it does not skip."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from counting import Counted
from hypothesis import settings
from lacking import lacking
from mounted_support import Guard, Mount, Pair, Run, run_traced

import tracefs.capture.request  # noqa: F401  # before anything imports pyfuse3
from tracefs.capture.backing import Backing

# A job that a shell starts in the background ignores SIGINT, one under nohup(1) SIGHUP: so would
# every program that the tests start.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)

# An example takes the time that a busy machine gives it; the rest of the settings stays.
settings.register_profile("without deadlines", settings(), deadline=None)
settings.load_profile("without deadlines")


@pytest.fixture(scope="session")
def guard() -> Iterator[Guard]:
    """A watchdog, for when the tests themselves are killed."""
    guard = Guard()
    yield guard
    guard.close()


def _make(base: Path, guard: Guard, *options: str) -> Mount:
    source, mountpoint = base / "src", base / "mnt"
    source.mkdir(exist_ok=True)
    mountpoint.mkdir()
    return Mount(source, mountpoint, base / "rec", guard, *options)


@pytest.fixture
def mounted(tmp_path: Path, guard: Guard) -> Iterator[Mount]:
    """A mount of the test's own."""
    mount = _make(tmp_path, guard)
    yield mount
    mount.end()


@pytest.fixture
def injected(tmp_path: Path, guard: Guard) -> Iterator[Callable[..., Mount]]:
    """Make a mount of the test's own, with rules of faults; several: each *below* a name."""
    made: list[Mount] = []

    def mount(*rules: str, options: Sequence[str] = (), below: str = "") -> Mount:
        words = [word for rule in rules for word in ("--inject", rule)]
        base = tmp_path / below
        base.mkdir(exist_ok=True)
        made.append(_make(base, guard, *words, *options))
        return made[-1]

    yield mount
    for one in made:
        if one.process.returncode is None:
            one.end()


@pytest.fixture
def counted_with(tmp_path: Path, guard: Guard) -> Iterator[Callable[..., Counted]]:
    """Make a mount of the test's own over a source that counts syncs, with options."""
    made: list[Counted] = []

    def mount(*options: str) -> Counted:
        made.append(Counted(tmp_path, guard, *options))
        return made[-1]

    yield mount
    for one in made:
        one.abandon()


@pytest.fixture(scope="module")
def shared_mount(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Mount]:
    """One mount for the tests of a module; its recording is not whole before they end."""
    mount = _make(tmp_path_factory.mktemp("m"), guard)
    yield mount
    mount.end()


@pytest.fixture
def pair(shared_mount: Mount, request: pytest.FixtureRequest) -> Pair:
    """Two empty directories that anybody may write to, one of them seen through a mount."""
    name = f"{len(os.listdir(shared_mount.source))}"
    bare = shared_mount.source.parent / "bare" / name
    for directory in (shared_mount.source / name, bare):
        directory.mkdir(parents=True)
        directory.chmod(0o777)
    return Pair(shared_mount.mountpoint / name, bare, shared_mount.source / name)


@pytest.fixture
def traced_run(tmp_path: Path, guard: Guard) -> Callable[..., Run]:
    """``tracefs run`` in ``tmp_path / "src"``: the command's words, then options of its own."""
    source = tmp_path / "src"
    source.mkdir()
    return partial(run_traced, source, tmp_path / "rec", guard)


@pytest.fixture(scope="session")
def as_root() -> None:
    """The test becomes other users, or makes what only root may; in CI that must be possible."""
    if os.geteuid() != 0:
        lacking("needs root, to become other users")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The traced directory."""
    made = tmp_path / "src"
    made.mkdir()
    return made


@pytest.fixture
def back(source: Path) -> Iterator[Callable[..., Backing]]:
    """Make a `Backing` of the source, by default one that may keep many descriptors."""
    before = len(os.listdir("/proc/self/fd"))
    made: list[Backing] = []

    def build(
        *, max_open: int = 1000, keep_sync_flags: bool = False, makes_for_others: bool = False
    ) -> Backing:
        backing = Backing(
            os.open(source, os.O_PATH | os.O_DIRECTORY),
            max_open=max_open,
            keep_sync_flags=keep_sync_flags,
            makes_for_others=makes_for_others,
        )
        made.append(backing)
        return backing

    yield build
    for backing in made:
        backing.inodes.close()
    assert len(os.listdir("/proc/self/fd")) == before, "a descriptor was left open"


@pytest.fixture
def backing(back: Callable[..., Backing]) -> Backing:
    return back()
