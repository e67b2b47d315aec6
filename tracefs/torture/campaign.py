"""All runs of a command: two without a fault, then those with one, then those with two."""

import contextlib
import gc
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tracefs.capture import forked
from tracefs.errors import UsageError
from tracefs.findings import Verdict
from tracefs.torture.attempt import COPY_LIMIT_S, GRACE_S, Order, attempt
from tracefs.torture.plan import Asked, Seen, in_common, pairs, sample, singles
from tracefs.torture.results import Results
from tracefs.tortures import Checked, Coverage, Ending, Result, Row, Struck, Trial
from tracefs.trials.jobs import Failed, in_parallel

FIRST_LIMIT_S = 300.0
"""For a run without a fault, where nobody says how long one may take."""
_TIMES = 10
_LEAST_S = 5.0
"""A run with a fault gets so many times what those without took, at least so many seconds: other
runs go on beside it."""
_MORE_S = 60
"""For tracefs itself, beside what the command may take."""

Progress = Callable[[int, int], None]


class Made(Struct, frozen=True, kw_only=True):
    """What came of all."""

    rows: tuple[Row, ...]
    coverage: Coverage
    remarks: tuple[str, ...]
    interrupted: bool = False


class Campaign:
    """The runs of one plan.

    Args:
        asked: the plan.
        order: how each run is made; its time limit is set here.
        work: folder for the runs' own folders; those that are kept stay.
        jobs: how many at once.
        results: file with what was done before; None: there is none.
        progress: told how many runs of how many are done.
    """

    def __init__(
        self,
        asked: Asked,
        order: Order,
        work: Path,
        jobs: int,
        results: Results | None,
        progress: Progress,
    ) -> None:
        self._asked = asked
        self._order = order
        self._work = work
        self._jobs = jobs
        self._results = results
        self._progress = progress
        self._known = {} if results is None else dict(results.known)
        self._started = 0

    def make(self) -> Made:
        """Make all runs that are not in the file yet; Ctrl-C ends that early.

        Raises:
            UsageError: nothing can be learnt from this command.
            RecordingError: the file can't be written.
        """
        forked.prepare()
        # What stays is not looked at again, nor copied, by the processes that are forked off.
        gc.collect()
        gc.freeze()
        seen = self._without_faults()
        trials, coverage = sample(singles(seen, self._asked), self._asked.limit, self._asked.seed)
        if not trials:
            raise UsageError(
                "the command makes no call that one of these faults can strike",
                repair="name the directory that it writes in with --dir, or others with --faults",
            )
        try:
            self._run(trials)
            if self._asked.pairs:
                more, of_pairs = self._pairs(trials)
                trials, coverage = [*trials, *more], _added(coverage, of_pairs)
                self._run(trials)
        except KeyboardInterrupt:
            return self._made(trials, coverage, seen, interrupted=True)
        return self._made(trials, coverage, seen)

    def _made(
        self, trials: Iterable[Trial], coverage: Coverage, seen: Seen, *, interrupted: bool = False
    ) -> Made:
        return Made(
            rows=tuple(
                Row(trial=trial, result=self._known[trial.key])
                for trial in trials
                if trial.key in self._known
            ),
            coverage=coverage,
            remarks=seen.remarks,
            interrupted=interrupted,
        )

    def _without_faults(self) -> Seen:
        """Run twice without a fault, and set how long a run with one may take."""
        nothing = Trial(strikes=())
        first = replace(
            self._order, limit_s=self._asked.limit_s or FIRST_LIMIT_S, pairs=True, keeps=False
        )
        found = [result for _, result in self._parallel([nothing, nothing], first)]
        for result in found:
            _require_good(result)
        slowest = max(result.seconds for result in found)
        limit_s = self._asked.limit_s or max(_LEAST_S, _TIMES * slowest)
        self._order = replace(self._order, limit_s=limit_s)
        return in_common(found[0].after, found[1].after)

    def _pairs(self, trials: Sequence[Trial]) -> tuple[list[Trial], Coverage]:
        limit = self._asked.limit
        left = None if limit is None else max(0, limit - len(trials))
        known = [self._known[trial.key] for trial in trials]
        return sample(pairs(trials, known, self._asked), left, self._asked.seed)

    def _run(self, trials: Sequence[Trial]) -> None:
        left = [trial for trial in trials if trial.key not in self._known]
        done = len(trials) - len(left)
        with contextlib.closing(self._parallel(left, self._order)) as ending:
            for _, result in ending:
                self._known[result.key] = result
                if self._results is not None:
                    self._results.add(result)
                done += 1
                self._progress(done, len(trials))

    def _parallel(
        self, trials: Sequence[Trial], order: Order
    ) -> Generator[tuple[Trial, Result], None, None]:
        numbers = range(self._started, self._started + len(trials))
        self._started += len(trials)
        folders = [self._work / f"{number:05}" for number in numbers]

        def perform(place: int) -> bytes:
            return msgspec.json.encode(attempt(trials[place], order, folders[place]))

        def log(place: int) -> Path:
            return folders[place].with_suffix(".log")

        patience_s = COPY_LIMIT_S + 2 * order.limit_s + GRACE_S + _MORE_S
        for place, answer in in_parallel(
            range(len(trials)), perform, jobs=self._jobs, patience_s=patience_s, log=log
        ):
            _keep_log(log(place), folders[place])
            yield trials[place], _result(answer, trials[place])


def _result(answer: bytes | Failed, trial: Trial) -> Result:
    if isinstance(answer, Failed):
        return Result(
            key=trial.key,
            ending=Ending.TOOL_FAILED,
            struck=Struck.UNTOLD,
            reason=answer.reason,
        )
    return msgspec.json.decode(answer, type=Result)


def _keep_log(log: Path, folder: Path) -> None:
    """Put what tracefs said beside the run's other files, if both are there."""
    if not log.exists():
        return
    if log.stat().st_size == 0 or not folder.is_dir():
        log.unlink()
    else:
        log.rename(folder / "tracefs.txt")


def _require_good(result: Result) -> None:
    """Let only a command be tortured that is well without.

    Raises:
        UsageError: it isn't.
    """
    repair = "what it does with a fault tells nothing before that is mended"
    if result.ending is not Ending.ENDED:
        raise UsageError(f"without a fault: {result.ending}: {result.reason}", repair=repair)
    if result.status != 0:
        printed = f": {result.printed}" if result.printed else ""
        raise UsageError(
            f"without a fault the command ends with {result.exit}{printed}", repair=repair
        )
    if result.checked not in {Checked.GOOD, Checked.NOT_ASKED}:
        said = f": {result.said}" if result.said else ""
        raise UsageError(
            f"without a fault the checker's answer is {result.checked}{said}", repair=repair
        )
    if result.contracts not in {Verdict.KEPT, None}:
        raise UsageError(
            f"without a fault the contracts are {result.contracts}: {result.finding}", repair=repair
        )


def _added(one: Coverage, other: Coverage) -> Coverage:
    return Coverage(
        possible=one.possible + other.possible,
        chosen=one.chosen + other.chosen,
        seed=other.seed if one.seed is None else one.seed,
    )
