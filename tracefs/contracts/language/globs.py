"""Whether any path can be like two globs at once."""

from typing import Final

_LONGEST: Final = 200
"""Longer globs are not compared: it would take the product of their lengths."""
_ANY: Final = ""
"""Stands for one character that isn't known."""


def can_meet(one: str, other: str) -> bool:
    """Return False where no path is like both; a glob fits a path or its last component.

    >>> can_meet("*.db", "pages.*"), can_meet("*.db", "*.log"), can_meet("a.db", "sub/a.db")
    (True, False, True)
    """
    if len(one) > _LONGEST or len(other) > _LONGEST:
        return True
    return (
        _meet(one, other)
        # A last component has no slash.
        or ("/" not in other and _meet(one, f"*/{other}"))
        or ("/" not in one and _meet(f"*/{one}", other))
    )


def _meet(one: str, other: str) -> bool:
    """Return whether some text is like both, each taken for a whole path."""
    first, second = _tokens(one), _tokens(other)
    # row[j]: what is left of *first* and the rest of *second* from j can be the same text.
    row = [True]
    for sign in reversed(second):
        row.insert(0, sign == "*" and row[0])
    for sign in reversed(first):
        below, row = row, [False] * len(row)
        row[-1] = sign == "*" and below[-1]
        for at in reversed(range(len(second))):
            if sign == "*":
                row[at] = below[at] or row[at + 1]
            elif second[at] == "*":
                row[at] = row[at + 1] or below[at]
            else:
                alike = sign == second[at] or _ANY in {sign, second[at]}
                row[at] = alike and below[at + 1]
    return row[0]


def _tokens(glob: str) -> list[str]:
    """Return the characters of *glob*, `_ANY` for one that may be several."""
    tokens: list[str] = []
    at = 0
    while at < len(glob):
        if glob[at] == "[":
            # As fnmatch: a ] right behind [ or [! is one of the characters.
            begin = at + (2 if glob.startswith("!", at + 1) else 1)
            end = glob.find("]", begin + 1)
            if end > 0:
                tokens.append(_ANY)
                at = end + 1
                continue
        tokens.append(_ANY if glob[at] == "?" else glob[at])
        at += 1
    return tokens
