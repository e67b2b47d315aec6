"""What a program found on the mount against what it found on the bare directory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One result that FUSE or pyfuse3 forces to be another one on the mount."""

    of: str
    """Which of the program's tests."""
    bare: str
    """The result that becomes another one. Any other result must be the same on both sides."""
    traced: str
    why: str


def compare(
    bare: Mapping[str, str], traced: Mapping[str, str], expected: Iterable[Difference] = ()
) -> tuple[str, ...]:
    """Say each way in which *traced* is not what *bare* makes it to be, a sentence each.

    An expected difference that is not there is one of them.
    """
    known = {(difference.of, difference.bare): difference for difference in expected}
    return tuple(_compare(bare, traced, known))


def _compare(
    bare: Mapping[str, str],
    traced: Mapping[str, str],
    known: Mapping[tuple[str, str], Difference],
) -> Iterator[str]:
    for name in sorted(bare.keys() | traced.keys()):
        ours, theirs = traced.get(name, "absent"), bare.get(name, "absent")
        difference = known.get((name, theirs))
        if difference is None and ours != theirs:
            yield f"{name}: {ours} on the mount, {theirs} on the bare directory"
        if difference is not None and ours != difference.traced:
            yield f"{name}: {ours} on the mount, where {difference.traced} is expected"
