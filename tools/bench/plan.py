"""What is measured, in which order.

A machine's speed drifts while it measures, and what one run leaves in the caches the next one
finds. So targets take turns within each round, each round in another order.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

STORAGES = ("tmpfs", "disk")
PLACEMENTS = ("one core", "free")


class Step(Struct, frozen=True, kw_only=True):
    """One run of one program."""

    round: int
    storage: str
    placement: str
    program: str
    target: str


def order(targets: Sequence[str], round_no: int) -> tuple[str, ...]:
    """Return *targets* in the order of one round: a row of a Williams square.

    Over as many rounds as there are targets each is first once, and, if their number is even,
    each follows each other one once.

    >>> order("abcd", 0), order("abcd", 1)
    (('a', 'b', 'd', 'c'), ('b', 'c', 'a', 'd'))
    """
    count = len(targets)
    zigzag = [(number + 1) // 2 * (1 if number % 2 else -1) for number in range(count)]
    return tuple(targets[(place + round_no) % count] for place in zigzag)


def steps(targets: Mapping[str, Sequence[str]], rounds: int) -> Iterator[Step]:
    """Yield every run, round by round.

    Args:
        targets: program -> the targets that it is to run on.
        rounds: how often.
    """
    for round_no in range(rounds):
        for storage in STORAGES:
            for placement in PLACEMENTS:
                for program, names in targets.items():
                    for target in order(names, round_no):
                        yield Step(
                            round=round_no,
                            storage=storage,
                            placement=placement,
                            program=program,
                            target=target,
                        )
