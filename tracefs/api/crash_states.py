"""States that a power failure may leave of a recording, one by one."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, overload
from weakref import finalize

from tracefs.api.folder import AnyPath
from tracefs.crash.materialise import make
from tracefs.crash.question import MOST_IN_PYTHON, Question
from tracefs.crash.removal import remove
from tracefs.crash.search import Found
from tracefs.crash.setting import Setting, opened
from tracefs.errors import UsageError
from tracefs.persistence.profiles import chosen
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import spell
from tracefs.persistence.strategies import Strategy

if TYPE_CHECKING:
    from tracefs.crash.store import Store


class HasRecording(Protocol):
    """A trace, or what `tracefs.record` and `tracefs.run` return."""

    @property
    def recording(self) -> Path:
        """Folder of the recording."""


class CrashState:
    """A directory as a crash may leave it."""

    def __init__(self, place: "_Place", found: Found, name: str) -> None:
        self._place = place
        self._found = found
        self._directory: Path | None = None
        self.id = self.__name__ = name  # by which pytest calls it
        """As ``tracefs crash --show-state`` takes it."""

    def __repr__(self) -> str:
        return f"CrashState({self.id!r})"

    @property
    def acks(self) -> tuple[str, ...]:
        """Acknowledgements that were made before the crash."""
        return self._found.acks

    @property
    def profile(self) -> str:
        """A profile that allows it."""
        return self._found.profile

    @property
    def directory(self) -> Path:
        """The directory, made when it is first asked for; it may be changed.

        It goes with the state.

        Raises:
            RecordingError: Bytes that it is made of are missing.
        """
        if self._directory is None:
            folder = tempfile.mkdtemp(prefix="tracefs-crash-")
            finalize(self, remove, folder)
            self._directory = Path(folder, "state")
            make(self._found.image, self._place.store, os.fspath(self._directory))
        return self._directory


class CrashStates(Sequence[CrashState]):
    """All of them: see `crash_states`."""

    def __init__(self, states: Sequence[CrashState], left: int) -> None:
        self._states = tuple(states)
        self.left = left
        """How many there are beyond *max_states*."""

    def __len__(self) -> int:
        return len(self._states)

    @overload
    def __getitem__(self, index: int) -> CrashState: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CrashState]: ...
    def __getitem__(self, index: int | slice) -> CrashState | Sequence[CrashState]:
        return self._states[index]


def crash_states(
    trace: HasRecording | AnyPath,
    *,
    profile: str = "linux",
    deep: bool = False,
    random: int = 0,
    seed: int = 0,
    max_states: int = MOST_IN_PYTHON,
) -> CrashStates:
    """Return the states that a power failure may leave of a recording, each content once.

    ::

        @pytest.mark.parametrize("state", crash_states("r.trace", profile="ext4-ordered"))
        def test_survives(state):
            assert load(state.directory) >= len(state.acks)

    Args:
        trace: A recording's folder, a trace, or what `tracefs.record` or `tracefs.run` returned;
            recorded with ``payload=True``.
        profile: What filesystems promise, names with commas between; ``"linux"`` is ext4-ordered,
            xfs and btrfs, ``"all"`` every one.
        deep: Many more states, torn pages among them.
        random: So many more at each point, by chance.
        seed: Decides which.
        max_states: No more than so many.

    Raises:
        UsageError: There is no such profile, or *max_states* is below 1.
        RecordingError: The recording can't be read, or has no bytes.
    """
    if max_states < 1:
        raise UsageError(f"max_states={max_states}: there must be one at least")
    folder = trace if isinstance(trace, str | os.PathLike) else trace.recording
    question = Question(
        folder=Path(folder),
        profiles=chosen(profile),
        strategy=Strategy(deep=deep, random=random, seed=seed),
        most_states=max_states,
    )
    place = _Place(question)
    history = place.setting.recorded.history
    profiles = [Persistence(rules, history) for rules in question.profiles]
    found: list[CrashState] = []
    left = 0
    for one in place.setting.search(history).every(profiles, question.strategy):
        if len(found) < max_states:
            name = spell(one.state, profiles[0].happened(one.state.point))
            found.append(CrashState(place, one, name))
        else:
            left += 1
    return CrashStates(found, left)


class _Place:
    """The open recording, as long as a state of it is there."""

    def __init__(self, question: Question) -> None:
        stack = ExitStack()
        self.setting: Setting
        self.store: Store
        self.setting, _, self.store = stack.enter_context(opened(question))
        finalize(self, stack.close)
