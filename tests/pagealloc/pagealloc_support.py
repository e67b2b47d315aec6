"""What the tests of the page writers share: where the programs lie, how to run and watch them."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools" / "pagealloc"
PACKAGE = TOOLS / "python"
FAULTY = TOOLS / "faulty"
COMMAND = (sys.executable, str(PACKAGE / "bin" / "pagealloc"))

_CALL = re.compile(r"\d+ +(\w+)\((.*)\) += (.*)")


def run(*arguments: str | bytes, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command."""
    return subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, check=False)


def calls_on(
    files: Sequence[Path],
    command: Sequence[str],
    *,
    inject: Sequence[str] = (),
    code: int = 0,
) -> list[str]:
    """Return every system call that *command* makes on *files*, as strace -P tells them.

    A buffer is shown as its length alone, a descriptor as ``fd`` (``fd:NAME`` for another file
    than the first), fstat(2) under the one name, whatever the C library makes of it.
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
    shown = (_shown(line, files) for line in log.read_text().splitlines())
    return [call for call in shown if call is not None]


def _shown(line: str, files: Sequence[Path]) -> str | None:
    match = _CALL.match(line)
    if match is None:
        return None  # a signal, an exit
    name, arguments, result = match.groups()
    if name in {"fstat", "newfstatat"}:
        return "fstat"
    for number, file in enumerate(files):
        label = "fd" if number == 0 else f"fd:{file.name}"
        arguments = re.sub(rf"\d+<{re.escape(str(file))}>", label, arguments)
        arguments = arguments.replace(f'"{file}"', file.name)
    arguments = re.sub(r'""\.\.\.', "DATA", arguments)
    arguments = arguments.replace("AT_FDCWD" + f"<{os.getcwd()}>, ", "")
    outcome = re.sub(r"^\d+<.*>$", "fd", result)
    return f"{name}({arguments}) = {outcome}"
