"""``tracefs grade``: build, run and judge each folder of a folder of submissions."""

import argparse
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Final

import msgspec

from tracefs.cli import target, verdict_format
from tracefs.cli.arguments import path_glob, positive
from tracefs.cli.check import judged
from tracefs.cli.running import JUDGED_FULLY
from tracefs.contracts import find_all
from tracefs.errors import RecordingError, TracefsError, UsageError
from tracefs.findings import Verdict
from tracefs.grades import Attempt, Ending
from tracefs.grading.attempt import COPY_LIMIT_S, attempt
from tracefs.grading.plan import Plan, Submission
from tracefs.journal.recordings import is_inside, state_dir
from tracefs.pathtext import to_text
from tracefs.report.grade_formats import grades_csv, grades_gradescope, grades_json, grades_junit
from tracefs.report.grades import grades, table
from tracefs.report.stray import CALLS
from tracefs.trials.jobs import Failed, in_parallel
from tracefs.witness.level_names import FULL, LEVELS

NAME: Final = "grade"
_USAGE: Final = "tracefs grade SUBMISSIONS [OPTION]... -- COMMAND [ARG]..."
HELP: Final = "build, run and judge a folder of submissions"

EXIT_BROKEN: Final = 1
EXIT_FAILED: Final = 3
EXIT_UNKNOWN: Final = 4
_GRACE_S: Final = 60
"""For tracefs itself, beside what the submission may take."""

_FORMATS: Final[Mapping[str, Callable[[Sequence[Attempt]], str]]] = MappingProxyType(
    {
        "text": lambda attempts: "".join(f"{line}\n" for line in table(grades(attempts))),
        "json": grades_json,
        "csv": grades_csv,
        "junit": grades_junit,
        "gradescope": grades_gradescope,
    }
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.usage = _USAGE
    parser.add_argument(
        "submissions", metavar="SUBMISSIONS", help="folder with a folder for each submission"
    )
    _add_options(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--contract", metavar="NAME", action="append", default=[], help="contract to hold"
    )
    parser.add_argument(
        "--build", metavar="CMD", help="command for sh, run in a copy of each submission"
    )
    parser.add_argument(
        "--time-limit", metavar="S", type=positive, default=10,
        help="seconds for COMMAND and all it starts (default: 10)",
    )  # fmt: skip
    parser.add_argument(
        "--build-limit", metavar="S", type=positive, default=120,
        help="seconds for the build (default: 120)",
    )  # fmt: skip
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=positive, default=os.cpu_count() or 1,
        help="submissions at once (default: one for each processor)",
    )  # fmt: skip
    parser.add_argument(
        "--path", metavar="GLOB", type=path_glob, action="append", default=[],
        help="judge only files with paths like GLOB",
    )  # fmt: skip
    parser.add_argument(
        "--without", metavar="RULE", action="append", default=[], help="leave this rule out"
    )
    parser.add_argument(
        "--page-size", metavar="N", type=positive, default=4096, help="bytes in a page"
    )
    parser.add_argument(
        "--witness", choices=LEVELS, help=f"who looks for the caller (default: {FULL})"
    )
    parser.add_argument(
        "--results", metavar="DIR",
        help="new folder for recordings, builds and output (default: one in the state directory)",
    )  # fmt: skip
    verdict_format.add_arguments(parser, tuple(_FORMATS))
    parser.add_argument("-q", "--quiet", action="store_true", help="no word of what is under way")


def _read_rest(args: argparse.Namespace) -> None:
    """Read options that stand between SUBMISSIONS and ``--``; argparse takes them for the command.

    Raises:
        SystemExit: one of them is wrong, and that was said.
    """
    words = args.command
    if not words or not words[0].startswith("-"):
        return
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(prog="tracefs grade", usage=_USAGE, allow_abbrev=False)
    _add_options(parser)
    parser.parse_args(words[:at], namespace=args)
    args.command = words[at:]


def run(args: argparse.Namespace) -> int:
    """Grade all submissions and print how they did; return the exit code."""
    try:
        _read_rest(args)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else UsageError.exit_code
    if not args.contract:
        raise UsageError("there is nothing to judge by", repair="name a --contract")
    words = target.command_words(args, "grade SUBMISSIONS --contract NAME")
    # Read now: a submission may change the files that they stand in.
    args.contract = [contract for name in args.contract for contract in find_all(name)]
    source = Path(args.submissions).absolute()
    names = _submissions(source)
    folder = _results(args.results, source)
    submissions = [
        Submission(
            name=to_text(name), source=source / os.fsdecode(name), folder=folder / os.fsdecode(name)
        )
        for name in names
    ]
    attempts = _attempts(args, submissions, _plan(args, words), folder)
    verdict_format.put(_FORMATS[args.format](attempts), args.output, locale=args.format == "text")
    if not args.quiet:
        target.say(f"recordings and output are in {folder}")
    return _exit_code(attempts)


def _attempts(
    args: argparse.Namespace, submissions: Sequence[Submission], plan: Plan, folder: Path
) -> list[Attempt]:
    patience_s = COPY_LIMIT_S + plan.build_limit_s + plan.limit_s + _GRACE_S
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGHUP, _interrupted)

    def perform(submission: Submission) -> bytes:
        return msgspec.json.encode(_judge(attempt(submission, plan), submission, args))

    def log(submission: Submission) -> Path:
        return folder / f".{submissions.index(submission)}.log"

    found: dict[int, Attempt] = {}
    for place, answer in in_parallel(
        submissions, perform, jobs=args.jobs, patience_s=patience_s, log=log
    ):
        submission = submissions[place]
        found[place] = _answer(answer, submission)
        _keep_log(log(submission), submission)
        if not args.quiet:
            target.say(f"{len(found)} of {len(submissions)}: {_short(found[place])}")
    return [found[place] for place in range(len(submissions))]


def _judge(made: Attempt, submission: Submission, args: argparse.Namespace) -> Attempt:
    if made.recording is None:
        return made
    recording = submission.folder / "recording.trace"
    try:
        result = judged(str(recording), args.contract, without=args.without, paths=args.path)
    except TracefsError as error:
        return msgspec.structs.replace(
            made, ending=Ending.TOOL_FAILED, reason=f"it can't be judged: {error}"
        )
    return msgspec.structs.replace(made, result=result)


def _answer(answer: bytes | Failed, submission: Submission) -> Attempt:
    if isinstance(answer, Failed):
        return Attempt(submission=submission.name, ending=Ending.TOOL_FAILED, reason=answer.reason)
    return msgspec.json.decode(answer, type=Attempt)


def _plan(args: argparse.Namespace, words: list[str]) -> Plan:
    witness = args.witness or FULL
    return Plan(
        command=tuple(words),
        build=args.build,
        limit_s=args.time_limit,
        build_limit_s=args.build_limit,
        page_size=args.page_size,
        witness=witness,
        fall_back=args.witness is None,
        stacks=(*CALLS, *(JUDGED_FULLY if witness == FULL else ())),
    )


def _submissions(source: Path) -> list[bytes]:
    """Return the names of the folders in *source*, sorted.

    Raises:
        UsageError: there are none.
    """
    try:
        with os.scandir(os.fsencode(source)) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(b".")
            )
    except OSError as error:
        raise UsageError(f"{source} can't be read: {error.strerror}") from None
    if not names:
        raise UsageError(f"{source} has no folder in it, so nothing was handed in")
    return names


def _results(name: str | None, source: Path) -> Path:
    """Make and return the folder for all that comes of it.

    Raises:
        UsageError: it lies among the submissions.
        RecordingError: it exists, or can't be made.
    """
    stem = state_dir(os.environ) / f"grades-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    folder = stem if name is None else Path(name).absolute()
    if is_inside(folder, source):
        raise UsageError(f"the results ({folder}) would lie among the submissions")
    number = 1
    while True:
        try:
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if name is not None:
                raise RecordingError(
                    f"{folder} exists", repair="name a new folder with --results"
                ) from None
            number += 1
            folder = Path(f"{stem}-{number}")
        except OSError as error:
            raise RecordingError(f"{folder} can't be made: {error.strerror}") from None
        else:
            return folder


def _keep_log(log: Path, submission: Submission) -> None:
    """Put what tracefs said beside the submission's other files, if it said anything."""
    if not log.exists():
        return
    if log.stat().st_size == 0 or not submission.folder.is_dir():
        log.unlink()
    else:
        log.rename(submission.folder / "tracefs.txt")


def _short(made: Attempt) -> str:
    (row,) = grades([made])
    ran = "" if row.ran == "yes" else f" ({row.ran})"
    return f"{row.submission}: {row.verdict}{ran}"


def _exit_code(attempts: Sequence[Attempt]) -> int:
    if any(each.ending is Ending.TOOL_FAILED for each in attempts):
        return EXIT_FAILED
    verdicts = {each.verdict for each in attempts}
    if Verdict.BROKEN in verdicts:
        return EXIT_BROKEN
    return EXIT_UNKNOWN if Verdict.UNKNOWN in verdicts else 0


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    """Do at SIGTERM what is done at Ctrl-C: end what was started."""
    raise KeyboardInterrupt
