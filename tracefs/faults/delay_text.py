"""``delay_enter`` and ``delay_exit``: a time, or how times are spread."""

import re
from typing import Final

from tracefs.faults.amounts import fraction, milliseconds, spelled_number
from tracefs.faults.model import Delay, Shape
from tracefs.faults.refused import RefusedError
from tracefs.pathtext import quoted
from tracefs.suggestion import suggestion

_MOST_SIGMA: Final = 10
_SPREAD: Final = re.compile(r"([^()]*)\(([^()]*)\)")
_ARGUMENTS: Final = {
    Shape.UNIFORM: "LEAST,MOST",
    Shape.NORMAL: "MEAN,DEVIATION",
    Shape.EXPONENTIAL: "MEAN",
    Shape.LOGNORMAL: "MEDIAN,SIGMA",
}


def read(text: str) -> Delay:
    """Return how long *text* says, in one way for all texts that mean the same.

    >>> read("20us").first, read("uniform(1,20)").second, read("normal(5,0)").shape.value
    (0.02, 20.0, 'fixed')

    Raises:
        RefusedError: It is neither a time nor a spread of times.
    """
    found = _SPREAD.fullmatch(text)
    if found is None:
        return Delay(first=milliseconds(text))
    name = found[1]
    shapes = {shape.value: shape for shape in _ARGUMENTS}
    if name not in shapes:
        raise RefusedError(
            f"expected one of {', '.join(sorted(shapes))}, saw {quoted(name)}"
            f"{suggestion(name, shapes)}"
        )
    shape = shapes[name]
    arguments = found[2].split(",")
    form = _ARGUMENTS[shape]
    if len(arguments) != len(form.split(",")):
        raise RefusedError(f"expected {name}({form}), saw {quoted(text)}")
    match shape, arguments:
        case Shape.UNIFORM, [least, most]:
            first, second = milliseconds(least, zero=True), milliseconds(most)
            if second < first:
                raise RefusedError(f"expected {name}({form}), saw the most first in {quoted(text)}")
            plain = first == second
        case Shape.NORMAL, [mean, deviation]:
            first, second = milliseconds(mean), milliseconds(deviation, zero=True)
            plain = not second
        case Shape.LOGNORMAL, [median, sigma]:
            first, second = milliseconds(median), fraction(sigma, _MOST_SIGMA)
            plain = not second
        case _, [mean]:
            first, second, plain = milliseconds(mean), 0.0, False
    return Delay(first=first) if plain else Delay(shape=shape, first=first, second=second)


def spelled(delay: Delay) -> str:
    """Return the one spelling of *delay*, without what it takes for each MiB."""
    first = spelled_number(delay.first)
    match delay.shape:
        case Shape.FIXED:
            return first
        case Shape.EXPONENTIAL:
            return f"{delay.shape}({first})"
        case _:
            return f"{delay.shape}({first},{spelled_number(delay.second)})"
