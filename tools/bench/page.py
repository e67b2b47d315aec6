"""Output put into a page of the documentation, between two lines that mark its place."""

from pathlib import Path

from bench.mount import BenchError


def put_into(page: Path, mark: str, text: str) -> None:
    """Replace what is between ``<!-- MARK: begin -->`` and ``<!-- MARK: end -->`` by *text*.

    Raises:
        BenchError: The page can't be read, or has not one such place.
    """
    try:
        before = page.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{page}: {error.strerror}") from error
    page.write_text(replaced(before, mark, text, str(page)), encoding="utf-8")


def replaced(page: str, mark: str, text: str, name: str) -> str:
    """Return *page*, called *name*, with *text* in the marked place.

    Raises:
        BenchError: There is not one such place.
    """
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->\n"
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed or begin in rest:
        raise BenchError(f"{name} has to have one line {begin.strip()} and one {end.strip()}")
    return f"{head}{begin}\n{text.strip()}\n\n{end}{tail}"
