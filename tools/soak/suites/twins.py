"""Any operations, in any order, in a traced and a bare directory: all that is seen is the same.

Then the journal is replayed, and the same tree has to come of it.
"""

import secrets
from time import monotonic
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from soak.arena import Arena
from soak.suite import Scale, Suite, Tally
from soak.twins.machine import Machine, Twins
from soak.twins.replayed import compare, replay
from soak.twins.worker import Worker

_STEPS: Final = 80


def _run(arena: Arena, scale: Scale) -> Tally:
    end = monotonic() + scale.pick(0, 900)
    # The same ones in each test run; others each time in a long one.
    number = scale.pick(6, secrets.randbelow(1 << 32))
    failures: list[str] = []
    with arena.mounted("--payload") as place:
        workers = Worker(place.path), Worker(arena.bare())
        twins = Twins(*workers)
        try:
            while True:
                failures += _explore(twins, number, scale)
                if failures or monotonic() >= end:
                    break
                number = secrets.randbelow(1 << 32)
        finally:
            for worker in workers:
                worker.close()
    replayed = arena.bare("replayed")
    events = replay(place.recording, replayed)
    failures += compare(place.source, replayed)
    notes = (f"last seed {number}", f"{events} events replayed")
    return Tally(operations=twins.operations, failures=tuple(failures), notes=notes)


def _explore(twins: Twins, number: int, scale: Scale) -> list[str]:
    @seed(number)
    def machine() -> Machine:
        return Machine(twins)

    try:
        run_state_machine_as_test(
            machine,  # type: ignore[arg-type]
            settings=settings(
                max_examples=scale.pick(25, 400),
                stateful_step_count=_STEPS,
                deadline=None,
                database=None,
                report_multiple_bugs=False,
                # To shrink may take minutes, longer than a test may.
                phases=scale.pick([Phase.generate], [Phase.generate, Phase.shrink]),
                suppress_health_check=list(HealthCheck),
            ),
        )
    except AssertionError as error:
        return [f"seed {number}: {error}"]
    return []


SUITE: Final = Suite(
    name="twins", about="random operations on the mount and on a bare directory", run=_run
)
