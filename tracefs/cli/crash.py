"""``tracefs crash``: say what of a recording survives a power failure."""

import argparse
import hashlib
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tracefs import __version__
from tracefs.cli import recording, target
from tracefs.cli.arguments import path_glob, positive
from tracefs.cli.progress import Progress
from tracefs.cli.recording import EXIT_UNKNOWN
from tracefs.crash import checkers
from tracefs.crash.asking import PLACE
from tracefs.crash.choice import Choice, Transient, choose
from tracefs.crash.examination import examine
from tracefs.crash.materialise import make
from tracefs.crash.question import KILLED, LIMIT_S, Question, recovering
from tracefs.crash.recovery import Recovery, record
from tracefs.crash.results import Asked
from tracefs.crash.search import Found
from tracefs.crash.setting import Setting, opened
from tracefs.errors import RecordingError, UsageError
from tracefs.findings import Verdict
from tracefs.journal.format import JOURNAL
from tracefs.persistence.profiles import ALL, LINUX, chosen
from tracefs.persistence.states import parse
from tracefs.persistence.strategies import Strategy
from tracefs.report import crash_html, crash_json, crash_text
from tracefs.report.frame import plural
from tracefs.report.style import style_for
from tracefs.trials.content import content_hash
from tracefs.wholefile import write_whole

if TYPE_CHECKING:
    from tracefs.crashes import CrashReport

NAME: Final = "crash"
HELP: Final = "say what of a recording survives a power failure"

EXIT_BROKEN: Final = 1
_MOST_STATES: Final = 20_000
_RECOVERED: Final = 8
_SHOW: Final = ("ID", "DIR")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    recording.add_argument(parser)
    parser.add_argument(
        "--check",
        metavar="CMD|NAME",
        help="command for sh that ends with 0 if all is well with the directory {dir}, or a ready "
        f"checker: {', '.join(checkers.names())} (default: {KILLED})",
    )
    parser.add_argument(
        "--profile", metavar="NAME[,NAME]", default="linux",
        help=f"what filesystems promise: {', '.join(ALL)}, all (default: {','.join(LINUX)})",
    )  # fmt: skip
    _add_states(parser)
    _add_running(parser)
    parser.add_argument(
        "--find-redundant", action="store_true", help="take each sync out: does more fail then?"
    )
    parser.add_argument(
        "--recover", metavar="CMD",
        help="command for sh that repairs the directory {dir}: done before the checker is asked, "
        "and crashed, too",
    )  # fmt: skip
    parser.add_argument(
        "--recover-states", metavar="N", type=positive, default=_RECOVERED,
        help=f"states whose recovery is crashed (default: {_RECOVERED})",
    )  # fmt: skip
    parser.add_argument(
        "--show-state", nargs=2, metavar=_SHOW, help="make the state ID in the new directory DIR"
    )
    parser.add_argument(
        "--format", choices=("text", "json", "html"), default="text", help="form of the answer"
    )
    parser.add_argument("--html", metavar="FILE", help="write a page about it to FILE, too")
    parser.add_argument("-q", "--quiet", action="store_true", help="no word of what is under way")


def _add_states(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--deep", action="store_true",
        help="many more states: each change left out or kept alone, at every point, and torn pages",
    )  # fmt: skip
    parser.add_argument(
        "--random", metavar="N", type=positive, default=0, help="N more states at each point"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="chooses those (default: 0)"
    )
    parser.add_argument(
        "--max-states", metavar="N", type=positive, default=_MOST_STATES,
        help=f"explore no more than N (default: {_MOST_STATES})",
    )  # fmt: skip
    parser.add_argument(
        "--time", metavar="S", type=positive, help="explore no longer than S seconds"
    )
    parser.add_argument(
        "--transient", metavar="GLOB", type=path_glob, action="append", default=[],
        help="files whose contents say nothing after a restart",
    )  # fmt: skip


def _add_running(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dir", metavar="DIR", help="where the traced directory is now (default: where it was)"
    )
    parser.add_argument(
        "--timeout", metavar="S", type=positive, default=LIMIT_S,
        help=f"seconds after which a checker or a repair is hung (default: {LIMIT_S:g})",
    )  # fmt: skip
    parser.add_argument(
        "-j", "--jobs", metavar="N", type=positive, default=os.cpu_count() or 1,
        help="checkers at once (default: one for each processor)",
    )  # fmt: skip
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="have the workers of this Dask scheduler ask"
    )
    parser.add_argument("--work", metavar="DIR", help="make the states in DIR (default: in memory)")
    parser.add_argument(
        "-o", "--output", metavar="FILE",
        help="keep each answer in FILE; an interrupted command goes on from it",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the answer; return the exit code."""
    question = _question(args)
    if args.show_state:
        return _show(question, *args.show_state)
    with Progress("crash") as progress:

        def told(what: str, done: int) -> None:
            if not args.quiet:
                progress.count(what, done)

        report = examine(question, told)
    _print(report, args)
    return exit_code(report)


def exit_code(report: "CrashReport") -> int:
    """Return 0 for kept, 1 for broken, 4 for unknown."""
    codes = {Verdict.KEPT: 0, Verdict.BROKEN: EXIT_BROKEN, Verdict.UNKNOWN: EXIT_UNKNOWN}
    return codes[report.verdict]


def _print(report: "CrashReport", args: argparse.Namespace) -> None:
    if args.html:
        write_whole(os.fsencode(args.html), crash_html.page(report).encode())
    match args.format:
        case "json":
            print(crash_json.document(report))
        case "html":
            print(crash_html.page(report))
        case _:
            for line in crash_text.lines(report, style=style_for(sys.stdout)):
                print(line)
    if args.html:
        target.say(f"the page is in {args.html}")


def _show(question: Question, name: str, directory: str) -> int:
    *outer, name = name.split("/")
    if len(outer) and question.recovery is None:
        raise UsageError(f"{outer[0]}/{name} is a state of a recovery", repair="name its --recover")
    with ExitStack() as stack:
        setting, work, store = stack.enter_context(opened(question))
        for each in outer:
            found = _found(setting, each)
            assert question.recovery is not None
            folder = record(found, store, work, question.recovery)
            question = replace(recovering(question, folder, found.acks), recovery=question.recovery)
            setting, work, store = stack.enter_context(opened(question))
        found = _found(setting, name)
        left_out = make(found.image, store, directory)
    for path in left_out:
        target.say(f"{path} could not be made")
    acks = f", after {plural(len(found.acks), 'acknowledgement')}" if found.acks else ""
    target.say(f"{directory} is as a crash after {found.state.point} steps may leave it{acks}")
    return 0


def _found(setting: Setting, name: str) -> Found:
    history = setting.recorded.history
    return setting.search(history).found(parse(name, history), "")


def _question(args: argparse.Namespace) -> Question:
    folder = recording.folder(args.recording, "a crash")
    if args.html:
        recording.require_apart(args.html, folder)
    choice = _choice(args)
    check = KILLED if choice is None else choice.name
    known = () if choice is None else choice.transient
    asked = None
    if args.output is not None:
        asked = Asked(
            recording=_hash(folder),
            check=check,
            content=content_hash(None, (), args.check),
            limit_s=args.timeout,
            tool=f"tracefs {__version__}",
        )
    return Question(
        folder=folder,
        source=None if args.dir is None else Path(args.dir),
        checker=None if choice is None else choice.checker,
        check=check,
        transient=(*known, *(Transient(glob, "said to be so") for glob in args.transient)),
        profiles=chosen(args.profile),
        strategy=Strategy(deep=args.deep, random=args.random, seed=args.seed),
        most_states=args.max_states,
        time_s=args.time,
        jobs=args.jobs,
        scheduler=args.scheduler,
        work=args.work,
        results=args.output,
        asked=asked,
        find_redundant=args.find_redundant,
        recovery=_recovery(args),
    )


def _hash(folder: Path) -> str:
    """Return a hash of the journal, in whose footer is that of the bytes."""
    try:
        with open(folder / JOURNAL, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordingError(f"{folder}: {error.strerror}") from None


def _recovery(args: argparse.Namespace) -> Recovery | None:
    if args.recover is None:
        return None
    return Recovery(command=args.recover, states=args.recover_states, limit_s=args.timeout)


def _choice(args: argparse.Namespace) -> Choice | None:
    if args.recover is None:
        return None if args.check is None else choose(args.check, args.timeout)
    if PLACE not in args.recover or args.check is None:
        raise UsageError(
            f"--recover needs {PLACE} in its command, and a --check to ask afterwards",
            repair=f"--recover 'CMD {PLACE}' --check 'CMD {PLACE}'",
        )
    return choose(args.check, args.timeout, recovery=args.recover)
