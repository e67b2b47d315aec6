"""What the tests of the page writers share: where the programs lie, and how to watch them."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tools" / "pagealloc" / "python"

_CALL = re.compile(r"\d+ +(\w+)\((.*)\) += (.*)")
_BEGUN = re.compile(r"(\d+) +(.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")


def calls_on(
    files: Sequence[Path],
    command: Sequence[str],
    *,
    inject: Sequence[str] = (),
    code: int = 0,
) -> list[str]:
    """Return every system call that *command* makes on *files*, as strace -P tells them.

    A buffer is shown as its length alone, a descriptor as ``fd`` (``fd:NAME`` for another file
    than the first), and as ``fstat`` all that asks about an open file, whatever the C library or
    the language makes of it. The order is that in which the calls ended.
    """
    log = files[0].parent.parent / "strace.log"
    watched = [f"--trace-path={file}" for file in files]
    faults = [f"--inject={fault}" for fault in inject]
    done = subprocess.run(
        ["strace", "-f", "-y", "-s0", "-o", str(log), *watched, *faults, "--", *command],
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    shown = (_shown(line, files) for line in _whole(log.read_text().splitlines()))
    return [call for call in shown if call is not None]


def _whole(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of strace, those put together that another thread's line had cut."""
    begun: dict[str, str] = {}
    for line in lines:
        if (cut := _BEGUN.fullmatch(line)) is not None:
            begun[cut[1]] = cut[2]
        elif (rest := _RESUMED.fullmatch(line)) is not None:
            yield f"{rest[1]} {begun.pop(rest[1])}{rest[2]}"
        else:
            yield line


def _shown(line: str, files: Sequence[Path]) -> str | None:
    match = _CALL.match(line)
    if match is None:
        return None  # a signal, an exit
    name, arguments, result = match.groups()
    if name == "fstat" or (name in {"newfstatat", "statx"} and "AT_EMPTY_PATH" in arguments):
        return "fstat"
    for number, file in enumerate(files):
        label = "fd" if number == 0 else f"fd:{file.name}"
        arguments = re.sub(rf"\d+<{re.escape(str(file))}>", label, arguments)
        arguments = arguments.replace(f'"{file}"', file.name)
    arguments = re.sub(r'""\.\.\.', "DATA", arguments)
    arguments = arguments.replace("AT_FDCWD" + f"<{os.getcwd()}>, ", "")
    outcome = re.sub(r"^\d+<.*>$", "fd", result)
    return f"{name}({arguments}) = {outcome}"
