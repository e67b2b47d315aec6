"""Fixtures and a marker for tests of what a program does to its files: a pytest plugin.

``traced_dir`` is an empty directory whose calls are recorded, ``trace`` has them, ``faults`` makes
some of them fail, and ``traced_session`` gives any number of such directories. The marker
``tracefs`` judges a test's calls by contracts.

Imported in every run of pytest where tracefs is installed, so this module imports nothing of
tracefs but itself; the rest is imported by the first test that needs it (`tracefs.pytest_plugin.
session` makes the mount, `outcome` keeps and judges, `directory` is what a test gets).
"""

import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tracefs.api import Trace
    from tracefs.api.faults import Faults
    from tracefs.pytest_plugin.directory import TracedDir as TracedDir
    from tracefs.pytest_plugin.session import TracedSession as TracedSession

__all__ = [
    "TracedDir",
    "TracedSession",
    "UnstruckFaultWarning",
    "faults",
    "trace",
    "traced_dir",
    "traced_session",
]

_SESSION: Final = pytest.StashKey["TracedSession"]()
"""Of the configuration, once a test has asked for it."""
_ITEM: Final = pytest.StashKey[pytest.Item]()
"""The test that is running."""
_MARKER: Final = (
    "tracefs(contracts=(), witness=None, paths=(), without=(), page_size=None, inject=(), "
    "payload=False, crash=None, check=None): record the test in traced_dir, with these faults made "
    "on purpose; fail it unless its calls keep the contracts, and what it wrote survives crashes"
)


class UnstruckFaultWarning(pytest.PytestWarning):
    """A fault was injected in a test, and no call met it: what the test shows is not about it."""


def __getattr__(name: str) -> Any:
    """Import the types of the fixtures for who names them."""
    if name == "TracedDir":
        from tracefs.pytest_plugin.directory import TracedDir  # noqa: PLC0415  # see above

        return TracedDir
    if name == "TracedSession":
        from tracefs.pytest_plugin.session import TracedSession  # noqa: PLC0415  # see above

        return TracedSession
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what can be set for all tests."""
    parser.addini("tracefs_contracts", "contracts that every test with traced_dir keeps", "args")
    parser.addini("tracefs_witness", "who looks for callers: none or proc", default="proc")
    parser.addini("tracefs_keep", "recordings to keep: failed, all or none", default="failed")
    group = parser.getgroup("tracefs")
    group.addoption(
        "--tracefs-keep",
        choices=("failed", "all", "none"),
        help="recordings to keep (default: the ini option tracefs_keep, which is failed)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def _tracefs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[TracedSession]":
    from tracefs.pytest_plugin.session import TracedSession  # noqa: PLC0415  # see above

    session = TracedSession(
        request.config, tmp_path_factory, lambda: request.config.stash.get(_ITEM, None)
    )
    request.config.stash[_SESSION] = session
    yield session
    session.close()


@pytest.fixture(scope="session")
def traced_session(_tracefs: "TracedSession") -> "TracedSession":
    """Return what makes a directory and its recording: ``with traced_session.fresh() as path``.

    For tests that need several, as those of hypothesis do.
    """
    _tracefs.mount()  # before an example whose time is taken
    return _tracefs


@pytest.fixture
def traced_dir(_tracefs: "TracedSession", request: pytest.FixtureRequest) -> "Iterator[TracedDir]":
    """Return an empty directory, a `pathlib.Path`; what is done in it is recorded."""
    with _tracefs.of_test(request) as directory:
        yield directory


@pytest.fixture
def trace(traced_dir: "TracedDir") -> "Trace":
    """Return what was done in ``traced_dir`` so far, as often as it is asked."""
    return traced_dir.trace


@pytest.fixture
def faults(traced_dir: "TracedDir") -> "Faults":
    """Return what makes calls in ``traced_dir`` fail: ``faults.inject("fsync=EIO:when=2")``.

    No rule outlives its test, and what one has stuck goes on when the test ends.
    """
    return traced_dir.faults


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a marker that would be in vain."""
    item.config.stash[_ITEM] = item
    if item.get_closest_marker("tracefs") is not None:
        from tracefs.pytest_plugin.wishes import require_possible  # noqa: PLC0415  # see above

        require_possible(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge a test that has passed so far."""
    __tracebackhide__ = True
    result = yield
    session = item.config.stash.get(_SESSION, None)
    if session is not None:
        session.judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the recording of a test that failed, and say where it is."""
    report = yield
    session = item.config.stash.get(_SESSION, None)
    if session is not None:
        session.report(report)
    return report


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Say where two lists of calls differ, and why."""
    # Who has made a call has imported it.
    if op != "==" or "tracefs.api.call" not in sys.modules:
        return None
    from tracefs.api.explain import explain  # noqa: PLC0415  # see above

    found = explain(left, right)
    if found is None:
        return None
    session = config.stash.get(_SESSION, None)
    if session is not None:
        session.note(found)
    verbosity: Any = config.get_verbosity(pytest.Config.VERBOSITY_ASSERTIONS)
    return found.lines(whole=verbosity >= 2)
