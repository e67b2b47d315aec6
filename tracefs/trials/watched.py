"""A command watched by a fork of this process, where an interpreter of its own would take long."""

import os
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from tracefs.trials import limit
from tracefs.trials.ended import Ended, read

_MOST_DESCRIPTORS = 1 << 20


def watch(
    command: Sequence[str], limit_s: float, report: Path, output: Path, *, patient: bool
) -> NoReturn:
    """Do what `tracefs.trials.limit` does, in place of this process, and end.

    Descriptors but the standard ones are closed: nobody is to wait for this process who waits for
    one of them.
    """
    status = 1
    try:
        os.closerange(3, _MOST_DESCRIPTORS)
        status = limit.main([str(limit_s), str(int(patient)), str(report), str(output), *command])
    except BaseException:  # noqa: BLE001  # whatever it was, the log is to have it
        traceback.print_exc()
    finally:
        os._exit(status)


def run_watched(
    command: Sequence[str], limit_s: float, report: Path, output: Path, told: Mapping[str, str]
) -> Ended:
    """Run *command*, and return how it ended; all children of this process end with it.

    Args:
        command: found along PATH.
        limit_s: seconds that it and all it starts get.
        report: file that is used for that; it is removed.
        output: gets the first of what it prints.
        told: variables for its environment.
    """
    os.environ.update(told)
    limit.main([str(limit_s), "0", str(report), str(output), *command])
    ended = read(report)
    assert ended is not None
    return ended
