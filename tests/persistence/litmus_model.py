"""What the model says of programs of `litmus_text`."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from litmus_facts import Tree
from litmus_text import Program

from tracefs.events import AnyEvent
from tracefs.persistence.building import build
from tracefs.persistence.difference import page_bytes
from tracefs.persistence.history import History, bits
from tracefs.persistence.image import PAGE, Image
from tracefs.persistence.membership import Seeker
from tracefs.persistence.profiles import ALL
from tracefs.persistence.resolve import Resolver
from tracefs.persistence.rules import Persistence
from tracefs.persistence.seen import Seen
from tracefs.persistence.states import State


class Start(msgspec.Struct, frozen=True):
    """One entry of the starting tree."""

    path: str
    ino: int
    mode: int
    uid: int
    gid: int
    size: int = 0
    rdev: int = 0
    target: str | None = None
    xattrs: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Held:
    """All bytes: of the starting tree, of what was written, and of pages."""

    start: dict[int, bytes]
    written: bytes
    pages: list[bytes] = field(default_factory=list)

    def payload(self, offset: int, size: int) -> bytes:
        return self.written[offset : offset + size]

    def base(self, ino: int, offset: int, size: int) -> bytes:
        return self.start[ino][offset : offset + size]

    def add(self, page: bytes) -> int:
        self.pages.append(page)
        return len(self.pages) - 1

    def page(self, number: int) -> bytes:
        return self.pages[number]


class Modelled:
    """A program, after what was there and synced before it."""

    def __init__(self, before: str, text: str) -> None:
        self.program = Program()
        self.beginning = self.program.run(before)
        start = self.program.tree()
        self.program.run(text)
        self.held = Held(
            {one.ino: one.content for one in start if one.content is not None},
            bytes(self.program.payload),
        )
        self.starting = [_entry(one) for one in start]
        self.history: History = build(self.starting, self.events, lambda _: None)
        self.resolver = Resolver(self.history, self.held, self.held.add)

    @property
    def events(self) -> list[AnyEvent]:
        """What was recorded after the beginning."""
        return self.program.events[self.beginning :]

    def under(self, profile: str) -> Persistence:
        """Apply a profile."""
        return Persistence(ALL[profile], self.history)

    def seeker(self, profile: str) -> Seeker:
        """Return what finds states of a profile."""
        return Seeker(self.under(profile), self.resolver, self.held)

    def tree(self, state: State) -> Tree:
        """Return the tree of a state."""
        return {one.path: one for one in self.seen(self.resolver.image(state))}

    def seen(self, image: Image) -> tuple[Seen, ...]:
        """Return an image as if it was seen."""
        return tuple(
            Seen(
                path=path,
                mode=node.mode,
                ino=node.ino,
                uid=node.uid,
                gid=node.gid,
                target=node.target,
                content=None
                if node.content is None
                else b"".join(
                    page_bytes(node.content, number, self.held)
                    for number in range(-(-node.content.size // PAGE))
                )[: node.content.size],
            )
            for path, node in image.nodes
        )

    def point(self, events: int) -> int:
        """Return the point after the first so many events."""
        if not events:
            return 0
        until = self.events[events - 1].end_ns
        return sum(step.end_ns <= until for step in self.history.steps)


def every_state(persistence: Persistence, point: int) -> Iterator[State]:
    """Yield each state that is allowed at *point*, by brute force."""
    forced = persistence.closed(point, 0)
    waiting, met = [forced], {forced}
    while waiting:
        atoms = waiting.pop()
        assert persistence.allows(point, atoms)
        yield State(point, atoms)
        for number in bits(persistence.happened(point) & ~atoms):
            wider = persistence.closed(point, atoms | 1 << number)
            if wider not in met:
                met.add(wider)
                waiting.append(wider)


def _entry(one: Seen) -> Start:
    return Start(
        path=one.path,
        ino=one.ino,
        mode=one.mode,
        uid=one.uid,
        gid=one.gid,
        size=len(one.content or b""),
        target=one.target,
    )
