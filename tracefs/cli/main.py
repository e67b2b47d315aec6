"""The ``tracefs`` command: finds the subcommand, runs it, turns what went wrong into an exit code.

Only the module of the chosen subcommand is imported, so that help costs no more than argparse.
A subcommand module has ``NAME``, ``HELP``, ``configure(parser)`` and ``run(args) -> int``.
"""

import argparse
import codecs
import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple, NoReturn

from tracefs import __version__
from tracefs.errors import TracefsError

_SPELLED: Final = "tracefs.spelled"
"""Name of what is done with characters that a stream's encoding lacks."""


class Command(NamedTuple):
    """One subcommand, as the help shows it."""

    name: str
    help: str
    module: str


COMMANDS: Final = (
    Command("run", "run a command and record what it does to its files", "tracefs.cli.run"),
    Command("show", "print a recording, one system call a line", "tracefs.cli.show"),
    Command("check", "say whether a recording keeps a contract", "tracefs.cli.check"),
    Command("contracts", "list, show, check and explain contracts", "tracefs.cli.contracts"),
    Command("grade", "build, run and judge a folder of submissions", "tracefs.cli.grade"),
    Command("torture", "run a command with a fault at each of its calls", "tracefs.cli.torture"),
    Command("crash", "say what of a recording survives a power failure", "tracefs.cli.crash"),
    Command("top", "watch a mount or a recording: calls, syncs, unsynced bytes", "tracefs.cli.top"),
    Command("stray", "show where a command seeks or writes astray", "tracefs.cli.stray"),
    Command("stats", "count calls, bytes, sync times and rewritten pages", "tracefs.cli.stats"),
    Command(
        "report",
        "make a page of a recording, to look at",
        "tracefs.cli.report",
    ),
    Command(
        "export",
        "write a recording for another tool, or as a program",
        "tracefs.cli.export",
    ),
    Command("replay", "do in a directory what a recording says was done", "tracefs.cli.replay"),
    Command("pages", "draw the pages of a file: written, synced or not", "tracefs.cli.pages"),
    Command("diff", "say what two runs did differently", "tracefs.cli.diff"),
    Command(
        "record-golden",
        "write down what a command does, to compare later runs with",
        "tracefs.cli.record_golden",
    ),
    Command("index", "copy a recording's calls to where filters are quick", "tracefs.cli.index"),
    Command("dataset", "check many recordings at once, ask them by SQL", "tracefs.cli.dataset"),
    Command("import", "keep what strace wrote as a recording", "tracefs.cli.import_text"),
    Command("mount", "show a directory at another place and record it", "tracefs.cli.mount"),
    Command(
        "inject", "change the faults that a living mount makes on purpose", "tracefs.cli.inject"
    ),
    Command("umount", "end a mount", "tracefs.cli.umount"),
    Command("list", "list the recordings", "tracefs.cli.list"),
    Command("prune", "delete old recordings", "tracefs.cli.prune"),
    Command("completion", "print what completes this command in a shell", "tracefs.cli.completion"),
    Command("doctor", "find out what keeps tracefs from working here", "tracefs.cli.doctor"),
)

_FIRST_STEPS: Final = """\
tracefs records what a program does to its files, and judges it.

  tracefs run -- COMMAND   run a command in this directory and record it
  tracefs show             print the latest recording, one system call a line
  tracefs check            say whether it writes whole pages and syncs each one

All commands: tracefs --help
"""

EXIT_FAILURE: Final = 3
EXIT_USAGE: Final = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv* (default: the process's own) and return its exit code."""
    _survive_closed_streams()
    words = sys.argv[1:] if argv is None else list(argv)
    _survive_any_name()
    if not words:
        sys.stderr.write(_FIRST_STEPS)
        return EXIT_USAGE
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except TracefsError as error:
        return complain(str(error), error.repair, error.exit_code)
    except BrokenPipeError:
        _forget_output()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (OSError, MemoryError) as error:
        _forget_output()
        return complain_of(error, EXIT_FAILURE)
    return code


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints can hold any word of the command line."""

    def error(self, message: str) -> NoReturn:
        super().error(_printable(message))


def _dispatch(words: list[str]) -> int:
    try:
        args = _parser(words).parse_args(words)
    except SystemExit as done:  # argparse has printed its help or its complaint
        return done.code if isinstance(done.code, int) else EXIT_USAGE
    code: int = args.run_command(args)
    return code


def _parser(words: list[str]) -> argparse.ArgumentParser:
    """Return a parser that knows all subcommands, and the arguments of the one in *words*."""
    chosen = next((word for word in words if not word.startswith("-")), None)
    parser = _Parser(
        prog="tracefs",
        description="Record what a program does to its files, and judge it.",
        epilog="'tracefs COMMAND --help' says more about a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tracefs {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.help,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            allow_abbrev=False,
        )
        if command.name == chosen:
            module = importlib.import_module(command.module)
            module.configure(sub)
            if not {"-h", "--help"}.isdisjoint(words):
                describe(sub, command.name)
            sub.set_defaults(run_command=module.run)
    return parser


def describe(parser: argparse.ArgumentParser, name: str) -> None:
    """Let the help of a command end with examples."""
    from tracefs.cli.examples import epilog  # noqa: PLC0415  # for help alone

    parser.epilog = epilog(name, parser.epilog)
    parser.formatter_class = _Help


class _Help(argparse.HelpFormatter):
    """The description is wrapped, the examples stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:") or "\n\nexamples:" in text:
            return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))
        return super()._fill_text(text, width, indent)


def _survive_closed_streams() -> None:
    """Put /dev/null where standard input, output or error is closed.

    Else the next file or socket would get its number. It is closed on exec, as `os.open` has it, so
    that a command has closed what it would have closed without tracefs.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # as long as the process lives
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115  # the same


def _survive_any_name() -> None:
    """Let no character of a name end the program where the terminal's encoding lacks it."""
    codecs.register_error(_SPELLED, _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_SPELLED)


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    from tracefs.pathtext import spell_unencodable  # noqa: PLC0415  # few ever need it

    return spell_unencodable(error)


def _forget_output() -> None:
    """Send what is still buffered nowhere: the interpreter would flush it at exit and complain."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def complain(message: str, repair: str | None, code: int) -> int:
    """Print what is wrong, and how to mend it, to standard error; return *code*."""
    lines = [f"tracefs: {_printable(message)}"]
    if repair:
        lines.append(f"  repair: {_printable(repair)}")
    with contextlib.suppress(OSError):  # nobody reads it any more: the exit code is left
        print("\n".join(lines), file=sys.stderr, flush=True)
    return code


def _printable(text: str) -> str:
    from tracefs.pathtext import printable  # noqa: PLC0415  # help must import little

    return printable(text)


def complain_of(error: OSError | MemoryError, code: int) -> int:
    """Print what the system refused, and how to mend it, to standard error; return *code*."""
    if isinstance(error, MemoryError):
        return complain("there is not enough memory", None, code)
    what = error.strerror or str(error)
    if error.filename is not None:
        return complain(f"{os.fsdecode(error.filename)}: {what}", None, code)
    if isinstance(error, BlockingIOError):  # EAGAIN of fork(2): nothing here waits for anything
        return complain(
            f"no process can be started: {what}",
            "raise the limit of processes (ulimit -u; pids.max of the control group)",
            code,
        )
    return complain(what, None, code)
