"""States that are worth asking about: each once."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from tracefs.crash.jobs import Job
from tracefs.persistence.history import History
from tracefs.persistence.image import Image
from tracefs.persistence.resolve import Resolver
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import State
from tracefs.persistence.strategies import Strategy, states


class Found(Struct, frozen=True):
    """A state that is no other's twin."""

    state: State
    profile: str
    """The first that allowed it."""
    key: str
    image: Image
    acks: tuple[str, ...]

    @property
    def job(self) -> Job:
        """What is asked about it."""
        return Job(self.key, self.image, self.acks)


class Counts(Struct):
    """How many states there were."""

    generated: int = 0
    same_operations: int = 0
    same_content: int = 0


class Search:
    """Makes states of one history, and leaves twins out."""

    def __init__(
        self, history: History, resolver: Resolver, acks_before: tuple[str, ...] = ()
    ) -> None:
        """*acks_before* were made before the history began."""
        self.history = history
        self.counts = Counts()
        self._resolver = resolver
        self._acks = [len(acks_before)]
        for step in history.steps:
            self._acks.append(self._acks[-1] + (step.ack is not None))
        self._all_acks = (*acks_before, *history.acks)
        self._operations: set[tuple[int, tuple[tuple[int, int], ...], int]] = set()
        self._contents: set[str] = set()

    def every(self, profiles: Sequence[Persistence], strategy: Strategy) -> Iterator[Found]:
        """Yield the states that *profiles* allow, the plain ones of each first."""
        for persistence in profiles:
            for state in states(persistence, strategy):
                found = self.new(state, persistence.rules.name)
                if found is not None:
                    yield found

    def new(self, state: State, profile: str) -> Found | None:
        """Return *state* if it has no twin yet."""
        self.counts.generated += 1
        acks = self._acks[state.point]
        operations = (state.atoms, state.torn, acks)
        if operations in self._operations:
            self.counts.same_operations += 1
            return None
        self._operations.add(operations)
        found = self.found(state, profile)
        if found.key in self._contents:
            self.counts.same_content += 1
            return None
        self._contents.add(found.key)
        return found

    def found(self, state: State, profile: str) -> Found:
        """Return *state* with its tree, whether it has a twin or not."""
        image = self._resolver.image(state)
        acks = self._acks[state.point]
        key = f"{self._resolver.key(image)}-{acks}"
        return Found(state, profile, key, image, self._all_acks[:acks])

    def contents(self, points: Iterable[int], prefix: Persistence) -> list[str]:
        """Return what is there at each of *points* with nothing lost, as hashes."""
        return [
            self._resolver.key(self._resolver.image(State(point, prefix.happened(point))))
            for point in points
        ]
