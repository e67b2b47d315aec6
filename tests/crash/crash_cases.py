"""Programs, and who judges the states that a crash leaves of them: no disk, no process."""

from collections.abc import Callable, Iterable, Iterator

from litmus_facts import Tree
from litmus_model import Modelled

from tracefs.crash.exploration import Explored, Limits, explore
from tracefs.crash.search import Found, Search
from tracefs.crashes import Answer, Checked
from tracefs.persistence.history import History
from tracefs.persistence.profiles import chosen
from tracefs.persistence.resolve import Resolver
from tracefs.persistence.rules import Persistence
from tracefs.persistence.strategies import Strategy

NO_LIMIT = Limits(states=10_000)


class Pure:
    """Says what a function says of a tree."""

    def __init__(self, modelled: Modelled, good: Callable[[Tree], bool]) -> None:
        self._modelled, self._good = modelled, good
        self.asked: list[str] = []

    def ask(self, found: Iterable[Found]) -> Iterator[tuple[Found, Answer]]:
        for one in found:
            self.asked.append(one.key)
            tree = {seen.path: seen for seen in self._modelled.seen(one.image)}
            yield one, Answer(checked=Checked.GOOD if self._good(tree) else Checked.BAD)


class Case:
    """A program, who judges it, and a search in it."""

    def __init__(self, before: str, text: str, good: Callable[[Tree], bool]) -> None:
        self.modelled = Modelled(before, text)
        self.examiner = Pure(self.modelled, good)
        self.search = self.searching(self.modelled.history)

    def searching(self, history: History) -> Search:
        held = self.modelled.held
        return Search(history, Resolver(history, held, held.add))

    def explored(self, history: History, profile: str) -> Explored:
        profiles = [Persistence(rules, history) for rules in chosen(profile)]
        return explore(self.searching(history), self.examiner, profiles, Strategy(), NO_LIMIT)


class Words:
    """Stands for the recording's words of calls."""

    def shown(self, call: int | None) -> str:
        return f"call {call}"

    def place(self, call: int | None) -> str | None:
        return None if call is None else f"source of {call}"
