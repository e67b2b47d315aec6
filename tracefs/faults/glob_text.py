"""The glob behind a rule's calls: where it ends, and one without parentheses in the way.

The parentheses of a glob must pair; one that has no partner is written ``[(]`` or ``[)]``, as
fnmatch quotes a star by ``[*]``. So no character needs a quoting of its own, and a glob in a rule
is what it is elsewhere.
"""

from collections.abc import Iterator

from tracefs.faults.refused import RefusedError


def end_of(text: str, begin: int) -> int:
    """Return where the ``)`` stands that closes the glob which begins at *begin*.

    >>> end_of("write(a(1).db):error=EIO", 6), end_of("write([)].db)", 6)
    (13, 12)

    Raises:
        RefusedError: None does, or nothing is before it.
    """
    depth = 0
    for at, sign in _signs(text, begin):
        if sign == "(":
            depth += 1
        elif sign == ")":
            if not depth:
                if at == begin:
                    raise RefusedError("expected a glob between the parentheses, as in (*.db)")
                return at
            depth -= 1
    raise RefusedError("expected a ) behind the glob; write a parenthesis without partner as [(]")


def paired(glob: str) -> str:
    """Return a glob that matches the same and whose parentheses pair.

    >>> paired("a(1).db"), paired("a(.db"), paired("a).db")
    ('a(1).db', 'a[(].db', 'a[)].db')
    """
    signs = list(_signs(glob, 0))
    opened: list[int] = []
    alone: set[int] = set()
    for index, (_, sign) in enumerate(signs):
        if sign == "(":
            opened.append(index)
        elif sign == ")":
            if opened:
                opened.pop()
            else:
                alone.add(index)
    alone.update(opened)
    if not alone:
        return glob
    # A bracket that opens nothing would open something with the closing ones that come.
    alone.update(index for index, (_, sign) in enumerate(signs) if sign == "[")
    return "".join(f"[{sign}]" if index in alone else sign for index, (_, sign) in enumerate(signs))


def _signs(text: str, begin: int) -> Iterator[tuple[int, str]]:
    """Yield characters and where they stand; what fnmatch takes for one of several is one."""
    at = begin
    while at < len(text):
        end = at
        if text[at] == "[":
            # As fnmatch: a ] right behind [ or [! is one of the characters.
            first = at + (2 if text.startswith("!", at + 1) else 1)
            end = max(text.find("]", first + 1), at)
        yield at, text[at : end + 1]
        at = end + 1
