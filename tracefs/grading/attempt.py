"""One submission: copied, built, run in a fresh traced directory, and what came of it.

Meant for a process of its own: the tracing adopts orphans, and changes the working directory.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from tracefs.capture.runner import Options, Run, run_traced
from tracefs.capture.spawn import Spawned
from tracefs.errors import TracefsError
from tracefs.grades import Attempt, Ending, signal_name
from tracefs.grading.plan import Plan, Submission
from tracefs.pathtext import to_text
from tracefs.trials import ended, limit
from tracefs.trials.ended import How
from tracefs.trials.words import note, said

COPY: Final = "submission"
WORK: Final = "work"
RECORDING: Final = "recording.trace"
COPY_LIMIT_S: Final = 60
PLACE: Final = "{submission}"

_ENDINGS: Final = {
    How.ENDED: Ending.ENDED,
    How.LATE: Ending.TIME_LIMIT,
    How.LEFT: Ending.LEFT_RUNNING,
    How.MOVED: Ending.MOUNT_TAKEN,
    How.UNSTARTED: Ending.NOT_STARTED,
}
_GRACE_S: Final = 10
"""For the mount to end once the time is up; a moment is enough, unless the machine is busy."""
_MOST_SAID: Final = 200
"""Bytes that a reason quotes of what a build said."""


class _Ended(Struct, frozen=True, kw_only=True):
    """What `limit` reported."""

    ending: Ending
    status: int | None
    message: str


def attempt(submission: Submission, plan: Plan) -> Attempt:
    """Do all with *submission* that *plan* says but judging it."""
    try:
        submission.folder.mkdir(mode=0o700)
        _copy(submission)
    except (OSError, subprocess.SubprocessError) as error:
        return _failed(submission, f"it can't be copied: {said(error)}")
    if plan.build is not None:
        built = _build(submission, plan, plan.build)
        if built.ending is not Ending.ENDED or built.status != 0:
            return Attempt(
                submission=submission.name,
                ending=Ending.NOT_BUILT,
                status=built.status,
                reason=_why_not_built(submission, built, plan),
            )
    try:
        return _run(submission, plan)
    except TracefsError as error:
        return _failed(submission, str(error))
    except OSError as error:
        return _failed(submission, said(error))


def _copy(submission: Submission) -> None:
    """Copy with cp(1), which makes FIFOs and devices anew where Python would read them."""
    subprocess.run(
        ["cp", "-a", "-T", "--", submission.source, submission.folder / COPY],
        check=True,
        timeout=COPY_LIMIT_S,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _build(submission: Submission, plan: Plan, build: str) -> _Ended:
    words = _limited(submission, "build", plan.build_limit_s, ["sh", "-c", build], patient=False)
    subprocess.run(words, check=False, cwd=submission.folder / COPY, stdin=subprocess.DEVNULL)
    return _ended(submission, "build")


def _run(submission: Submission, plan: Plan) -> Attempt:
    work = submission.folder / WORK
    work.mkdir(mode=0o700)
    os.chdir(work)
    copy = str(submission.folder / COPY)
    command = [word.replace(PLACE, copy) for word in plan.command]
    words = _limited(submission, "run", plan.limit_s, command, patient=True)
    options = Options(
        witness=plan.witness,
        fall_back=plan.fall_back,
        stacks=plan.stacks,
        page_size=plan.page_size,
    )
    recording = submission.folder / RECORDING
    with Spawned() as server, _ended_at_last(plan.limit_s + _GRACE_S):
        outcome = run_traced(
            str(work),
            [os.fsencode(word) for word in words],
            recording,
            options,
            note,
            server,
            Run(told=partial(ended.command, _report(submission, "run"))),
        )
    run = _ended(submission, "run")
    return Attempt(
        submission=submission.name,
        ending=run.ending,
        status=run.status,
        reason=_why(run, plan, copy) or outcome.failed,
        recording=to_text(os.fsencode(recording)),
    )


@contextlib.contextmanager
def _ended_at_last(seconds: float) -> Iterator[None]:
    """End the trace after *seconds*, as Ctrl-C does: a command may have killed what limits it."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limited(
    submission: Submission, step: str, limit_s: float, command: list[str], *, patient: bool
) -> list[str]:
    report, output = _report(submission, step), submission.folder / f"{step}.txt"
    # -I and -S: nothing of the traced directory or of an installation is imported.
    program = [sys.executable, "-I", "-S", limit.__file__]
    return [*program, str(limit_s), str(int(patient)), str(report), str(output), *command]


def _report(submission: Submission, step: str) -> Path:
    return submission.folder / f".{step}"


def _ended(submission: Submission, step: str) -> _Ended:
    said = ended.read(_report(submission, step))
    if said is None:
        killed = f"What limits its {step} was killed."
        return _Ended(ending=Ending.TIME_LIMIT, status=None, message=killed)
    return _Ended(ending=_ENDINGS[said.how], status=said.status, message=said.message)


def _why(run: _Ended, plan: Plan, copy: str) -> str | None:
    match run.ending:
        case Ending.TIME_LIMIT:
            return run.message or f"It did not end within {plan.limit_s:g} s."
        case Ending.LEFT_RUNNING:
            return f"It ended, but left processes that did not end within {plan.limit_s:g} s."
        case Ending.MOUNT_TAKEN:
            return "It took the directory's mount away: what it did then was not recorded."
        case Ending.ENDED:
            return _why_status(run.status)
        case _:
            return run.message.replace(to_text(os.fsencode(copy)), PLACE)


def _why_status(status: int | None) -> str | None:
    if status == 0:
        return None
    if status is not None and status > 128:
        return f"It was ended by {signal_name(status - 128)}."
    return f"It ended with exit status {status}."


def _why_not_built(submission: Submission, built: _Ended, plan: Plan) -> str:
    if built.ending is Ending.TIME_LIMIT:
        return built.message or f"The build did not end within {plan.build_limit_s:g} s."
    lines = (submission.folder / "build.txt").read_bytes().strip().splitlines() or [b""]
    telling = next((line for line in lines if b"error" in line.lower()), lines[-1])
    said = to_text(telling[:_MOST_SAID]) or built.message
    return f"The build ended with exit status {built.status}" + (f": {said}" if said else ".")


def _failed(submission: Submission, reason: str) -> Attempt:
    return Attempt(submission=submission.name, ending=Ending.TOOL_FAILED, reason=reason)
