"""States asked about by a function of this process, as a test is one."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tracefs.crash.examiner import InMemory
from tracefs.crash.materialise import make
from tracefs.crash.removal import remove
from tracefs.crash.search import Found
from tracefs.crashes import Answer, Checked
from tracefs.errors import TracefsError
from tracefs.persistence.image import Bytes

Function = Callable[[Path, Sequence[str]], object]
"""Takes the state's directory and the acknowledgements before the crash. A text that it returns
says what is wrong, and so does an exception; None and True: all is good."""

_MOST_SAID: Final = 200


class ByFunction:
    """Asks a function, one state after the other, and about none twice."""

    def __init__(self, function: Function, source: Bytes, workplace: str, below: str = "") -> None:
        """*below* is the directory within the state's that it is asked about."""
        self._function = function
        self._source = source
        self._place = os.path.join(workplace, "here")
        self._below = below
        self._kept = InMemory()
        self.asked = 0
        self.checker_s = 0.0

    def ask(self, found: Iterable[Found]) -> Iterator[tuple[Found, Answer]]:
        """See `tracefs.crash.examiner.Examiner`."""
        for one in found:
            answer = self._kept.known.get(one.key)
            if answer is None:
                answer = self._ask(one)
                self._kept.add(one.key, answer)
            yield one, answer

    def _ask(self, found: Found) -> Answer:
        try:
            make(found.image, self._source, self._place)
        except (OSError, TracefsError) as error:
            return Answer(checked=Checked.TOOL_FAILED, said=str(error))
        self.asked += 1
        began = time.monotonic()
        try:
            checked, said = self._called(Path(self._place, self._below), found.acks)
        finally:
            remove(self._place)
        seconds = time.monotonic() - began
        self.checker_s += seconds
        return Answer(checked=checked, said=said, seconds=seconds)

    def _called(self, directory: Path, acks: Sequence[str]) -> tuple[Checked, str | None]:
        try:
            answer = self._function(directory, acks)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  # pytest's failures are no Exception
            return Checked.BAD, f"{type(error).__name__}: {error}"[:_MOST_SAID]
        if answer is None or answer is True:
            return Checked.GOOD, None
        return Checked.BAD, str(answer)[:_MOST_SAID]
