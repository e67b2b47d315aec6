"""Tables that are read both as text and as a page, and how numbers and spreads are written."""

from collections.abc import Sequence

from bench.spread import Spread


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose columns are wide enough; the first is aligned to the left.

    >>> print(table(["call", "µs"], [["pwrite", "0.7"]]))
    | call   |  µs |
    | :----- | --: |
    | pwrite | 0.7 |
    """
    widths = [max(3, *map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = [f":{'-' * (widths[0] - 1)}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(_aligned(line, widths))} |" for line in lines)


def _aligned(words: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(words, widths, strict=True)
    return [f"{first[0]:<{first[1]}}", *(f"{word:>{width}}" for word, width in others)]


def number(value: float) -> str:
    """Return *value* with two or three figures, or all before the point.

    >>> number(0), number(0.0294), number(0.6942), number(23.06), number(306.4), number(35012.0)
    ('0', '0.029', '0.69', '23.1', '306', '35,012')
    """
    if not value:
        return "0"
    for limit, digits in ((0.1, 3), (10, 2), (100, 1)):
        # What would be rounded up to the limit has a figure more before the point.
        if round(value, digits) < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def spread(one: Spread, unit: float = 1) -> str:
    """Return the middle and, in brackets, the lowest and the highest; of one value, that alone.

    >>> spread(Spread(median=23060, low=22900, high=24120), 1000)
    '23.1 (22.9-24.1)'
    """
    middle = number(one.median / unit)
    if one.low == one.high:
        return middle
    return f"{middle} ({number(one.low / unit)}-{number(one.high / unit)})"
