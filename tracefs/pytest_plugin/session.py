"""The recordings of a session of tests, one at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, NamedTuple, NoReturn

import pytest

from tracefs.api.explain import Explanation
from tracefs.capture.messages import Standing
from tracefs.errors import MountError, SetupError
from tracefs.pytest_plugin import UnstruckFaultWarning, wishes
from tracefs.pytest_plugin.directory import TracedDir
from tracefs.pytest_plugin.mount import SessionMount
from tracefs.pytest_plugin.recorded import ByCommand, Mounted, Recorded

REQUIRE: Final = "TRACEFS_REQUIRE_FUSE"
_OURS: Final = frozenset({"_tracefs", "faults", "traced_dir", "trace", "traced_session"})


class TracedSession:
    """Directories that are recorded, below one mount, which is made when the first is asked for."""

    def __init__(
        self,
        config: pytest.Config,
        factory: pytest.TempPathFactory,
        running: Callable[[], pytest.Item | None],
    ) -> None:
        """*running* tells the test that is running."""
        self._config = config
        self._factory = factory
        self._keep = wishes.keep(config)
        self._mounts: dict[bool, SessionMount] = {}
        """One for tests that want the bytes kept, one for the others; made when asked for."""
        self._own_mounts: list[SessionMount] = []
        """Of the test that is running, for single directories."""
        self._now: Recorded | None = None
        self._of_item: list[Recorded] = []
        """Recordings of the test that is running, whose end decides whether they are kept."""
        self._compared: Explanation | None = None
        self._hindrance: _Hindrance | None = None
        self._running = running
        self._asked_by_fixture = False
        """A fixture has asked for the test's directory while it ran (`getfixturevalue`)."""

    def mount(self) -> None:
        """Make the mount, which the first directory would make otherwise."""
        mount = self._given(payload=False)
        try:
            mount.start()
        except MountError as error:
            self._cannot(error)

    @contextmanager
    def fresh(self) -> Iterator[TracedDir]:
        """Give one more empty directory, with a recording of its own that ends with the block.

        A marker's contracts are judged at the end of each block.
        """
        item = self._running()
        recorded = self._begin("fresh" if item is None else item.name)
        try:
            yield recorded.directory
            recorded.judge()
        except BaseException:
            recorded.failed = True
            raise
        finally:
            self._now = None
            unstruck = recorded.restore()
            self._keep_the_last(recorded)
        self._warn(unstruck)

    @contextmanager
    def of_test(self, request: pytest.FixtureRequest) -> Iterator[TracedDir]:
        """Give the test's own directory; judge at the end, if nobody has."""
        recorded = self._begin(request.node.name)
        asking = getattr(getattr(request, "_parent_request", None), "fixturename", None)
        self._asked_by_fixture = asking is not None and asking not in _OURS
        try:
            yield recorded.directory
            recorded.judge()
        except BaseException:
            recorded.failed = True
            raise
        finally:
            self._now = None
            unstruck = recorded.restore()
        self._warn(unstruck)

    def judge(self, item: pytest.Item) -> None:
        """Judge the directory of a test whose function has returned.

        Where a fixture of the test uses the directory, it is judged when that was torn down.
        """
        if self._now is not None and not (self._asked_by_fixture or _has_users(item)):
            self._now.judge()

    def note(self, found: Explanation) -> None:
        """Remember a comparison that failed."""
        self._compared = found

    def report(self, report: pytest.TestReport) -> None:
        """Take in how a phase of the test ended; tell what was recorded in one that failed."""
        if not report.passed and self._now is not None:
            self._now.excuse()
        if report.failed:
            for recorded in self._of_item:
                recorded.failed = True
            for recorded in self._of_item[-1:]:
                report.sections += recorded.sections(kept=self._keep != "none")
            found, self._compared = self._compared, None
            if found is not None and found.first in report.longreprtext and found.is_cut:
                report.sections.insert(0, ("tracefs: expected and seen", "\n".join(found.table)))
        if report.when == "teardown":
            if self._now is not None:
                self._now.pause()  # a fixture of a wider scope has it
            self._sort_out()

    def close(self) -> None:
        """Unmount."""
        with ExitStack() as closing:
            for mount in (*self._own_mounts, *self._mounts.values()):
                closing.callback(mount.close)

    def _begin(self, name: str) -> Recorded:
        if self._now is not None:
            pytest.fail(
                f"{self._now.directory} is being recorded, and only one directory can be at a time",
                pytrace=False,
            )
        asked = wishes.of_test(self._running(), self._config)
        mount = self._given(payload=asked.payload) if asked.crash is None else self._own()
        if asked.witness in wishes.BY_RUN:
            self._now = ByCommand(mount.aside(name), asked, self._cannot)
        else:
            try:
                place = mount.begin(name)
            except MountError as error:
                self._cannot(error)
            self._now = Mounted(mount, place, asked)
        self._of_item.append(self._now)
        return self._now

    def _warn(self, unstruck: Sequence[Standing]) -> None:
        """Say which faults were injected in vain."""
        item = self._running()
        if item is None:
            return
        for one in unstruck:
            met = {0: "no call was", 1: "1 call was"}.get(one.met, f"{one.met} calls were")
            item.warn(UnstruckFaultWarning(f"{one.rule} struck nothing: {met} like it"))

    def _given(self, *, payload: bool) -> SessionMount:
        """Return the mount, which need not be there yet."""
        if self._hindrance is not None:
            self._give_up(self._hindrance)
        if payload not in self._mounts:
            base = self._factory.mktemp("tracefs")
            witness = wishes.in_process(self._config)
            self._mounts[payload] = SessionMount(base, witness, payload=payload)
        return self._mounts[payload]

    def _own(self) -> SessionMount:
        """Return a mount for one directory, whose bytes are kept: crash states are of all of it."""
        if self._hindrance is not None:
            self._give_up(self._hindrance)
        mount = SessionMount(
            self._factory.mktemp("tracefs"), wishes.in_process(self._config), payload=True
        )
        self._own_mounts.append(mount)
        return mount

    def _keep_the_last(self, recorded: Recorded) -> None:
        """Of many that one test makes, keep that which failed last: it is what is reported."""
        if self._keep == "all":
            recorded.end(keep=True)
        elif recorded.failed:
            recorded.end(keep=True)
            for other in self._of_item[:-1]:
                other.end(keep=False)
            self._of_item = [recorded]
        else:
            recorded.end(keep=False)
            self._of_item.remove(recorded)
        recorded.empty()

    def _sort_out(self) -> None:
        """End the recordings of a test that has ended; remove those that are not to be kept."""
        # One that a fixture of a wider scope has asked for goes on into the next test.
        going_on = [recorded for recorded in self._of_item if recorded is self._now]
        for recorded in self._of_item:
            if recorded not in going_on:
                failed = recorded.failed and self._keep == "failed"
                recorded.end(keep=failed or self._keep == "all")
        self._of_item = going_on
        if not going_on:
            for mount in self._own_mounts:
                mount.close()
            self._own_mounts.clear()

    def _cannot(self, error: MountError) -> NoReturn:
        """Fail or skip the test, and those after it, since there is no mount."""
        self._hindrance = _why_not(error)
        self._give_up(self._hindrance)

    def _give_up(self, hindrance: "_Hindrance") -> NoReturn:
        said = f"tracefs cannot mount: {hindrance.reason}"
        if hindrance.is_fault or os.environ.get(REQUIRE, "0") not in {"", "0"}:
            pytest.fail(said, pytrace=False)
        pytest.skip(said)


class _Hindrance(NamedTuple):
    """Why there is no mount."""

    reason: str
    is_fault: bool
    """The machine lacks nothing, so that it should have worked."""


def _has_users(item: pytest.Item) -> bool:
    """Tell whether another fixture of *item* uses the directory, perhaps at its end too."""
    info = getattr(item, "_fixtureinfo", None)
    fixtures = {} if info is None else info.name2fixturedefs
    return any(
        not _OURS.isdisjoint(definitions[-1].argnames)
        for name, definitions in fixtures.items()
        if name not in _OURS and definitions
    )


def _why_not(error: MountError) -> _Hindrance:
    """Return what this machine lacks, by the doctor, or else what went wrong."""
    from tracefs.doctor import Status, examine  # noqa: PLC0415  # takes long, and is seldom needed

    for check in examine(os.fspath(os.curdir)).checks:
        if check.status in {Status.FAIL, Status.UNKNOWN}:
            reason = f"{check.name}: {check.seen}"
            return _Hindrance(_mended(reason, check.repair), is_fault=False)
    return _Hindrance(_mended(str(error), error.repair), is_fault=not isinstance(error, SetupError))


def _mended(reason: str, repair: str | None) -> str:
    return reason if repair is None else f"{reason}; repair: {repair}"
