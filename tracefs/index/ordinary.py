"""Calls that ``page-write`` need not be shown: nearly the same went before, and comes after.

Most calls of a program that keeps the contract are of two forms: ``pwrite64, fdatasync``, again and
again through one open; and ``open, (pwrite64, fdatasync)+, close, release`` of one file, again and
again. Here SQL finds runs of either in which each call follows the one before with nothing between,
in the trace and in time, and in which all is as the contract wants it. Of a run the first and the
last are kept, and the write that reaches furthest. The judge ends as if it had seen all of it:

- such a pair finds a clean file and leaves it clean; such an open finds a file that is clean or not
  open, and leaves it so; no finding is about either;
- that something was written, and how long the file is, shows what is kept as well.

One thing differs: a finding of ``synced`` may name the last sync of another file, which may be one
that was left out. Whoever has such a finding must judge the whole trace. Tests hold verdict and
findings to those of the whole trace, for programs by chance of which some calls were twisted.
"""

from typing import Final

from tracefs.index.tables import Lines, Tables

FLAGS: Final = (
    ("O_RDWR",), ("O_RDWR", "O_CREAT"), ("O_RDWR", "O_CLOEXEC"), ("O_RDWR", "O_CREAT", "O_CLOEXEC"),
)  # fmt: skip
"""Of opens that are ordinary: a few, since to look for each flag takes long."""
_OPENS: Final = """
WITH releases_before AS (
    SELECT before AS "index", count(*) AS many, min(handle) AS released, min(ino) AS released_ino
    FROM releases WHERE before BETWEEN {first} AND {last} GROUP BY before
), plain AS (
    SELECT
        "index" AS number, ino, handle, start_ns, end_ns, "offset" AS place, path, size, position,
        many, released, released_ino,
        CASE
            WHEN errno != 0 OR len(injected) > 0 OR exact IS NOT NULL THEN 'other'
            WHEN family = 'open' AND created = false AND size IS NOT NULL
                AND flags IN ({flags})
                THEN 'open'
            WHEN family = 'write' AND call = 'pwrite64' AND length = {page} AND result = {page}
                AND "offset" % {page} = 0 AND synced_by IS NULL AND note IS NULL THEN 'write'
            WHEN family = 'sync' AND call = 'fdatasync' THEN 'sync'
            WHEN family = 'close' THEN 'close'
            ELSE 'other'
        END AS kind
    FROM stored LEFT JOIN releases_before USING ("index")
    WHERE "index" BETWEEN {first} AND {last}
), seen AS (
    SELECT
        *, lag(number) OVER () AS last_number, lag(kind) OVER () AS last_kind,
        lag(ino) OVER () AS last_ino, lag(handle) OVER () AS last_handle,
        lag(end_ns) OVER () AS last_end, lag(position) OVER () AS last_position,
        lag(path) OVER () AS last_path
    FROM plain
), linked AS (
    SELECT
        number, place, size, kind,
        coalesce(
            last_number = number - 1 AND last_ino = ino AND start_ns >= last_end
            AND CASE kind
                WHEN 'write' THEN many IS NULL AND last_handle = handle AND (
                    last_kind = 'open' AND {from_start} OR last_kind = 'sync' AND {in_place}
                )
                WHEN 'sync' THEN many IS NULL AND last_handle = handle AND last_kind = 'write'
                    AND {in_place}
                WHEN 'close' THEN many IS NULL AND last_handle = handle AND last_kind = 'sync'
                WHEN 'open' THEN many = 1 AND released = last_handle AND released_ino = ino
                    AND handle != last_handle AND path = last_path AND last_kind = 'close'
                ELSE false
            END,
            false
        ) AS linked
    FROM seen
), counted AS (
    SELECT
        *, sum((NOT linked)::INT) OVER so_far AS run, sum((kind = 'open')::INT) OVER so_far AS opens
    FROM linked WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
)
SELECT
    run, min(number) AS first, max(number) AS last, min(number) FILTER (kind = 'write') AS pairs,
    max(number) FILTER (kind = 'sync') AS last_sync, arg_max(number, place) AS furthest,
    max(place) + {page} AS reach, max(size) AS size
FROM counted GROUP BY run, opens
"""
"""A row for each open of a run, or for what the run has of it, which starts with any call.

`lag() OVER ()` has the row before in the table's order, whatever that may be: it counts only if it
proves to be of the call before.
"""
_WHOLE: Final = """
WITH followed AS (
    SELECT
        first, last, coalesce(
            lag(run) OVER place = run AND size >= lag(greatest(size, reach)) OVER place, false
        ) AS joined
    FROM opens WINDOW place AS (ORDER BY first)
), numbered AS (
    SELECT *, sum((NOT joined)::INT) OVER (ORDER BY first) AS series FROM followed
)
SELECT min(first) FILTER (joined) AS low, max(first) - 1 AS high FROM numbered
GROUP BY series HAVING low <= high
"""
"""Opens from the second to the last but one of those that follow each other with nothing between,
each of a file no shorter than the one before left it."""
_PAIRS: Final = """
SELECT pairs, last_sync, furthest FROM opens
WHERE last_sync - pairs > 5 AND NOT EXISTS (FROM whole WHERE first BETWEEN low AND high)
"""


def ordinary(tables: Tables, portion: Lines, page_size: int, *, hears_seeks: bool) -> list[Lines]:
    """Return what can be left out of *portion*, in order.

    Args:
        tables: of one recording.
        portion: see `Tables.portions`.
        page_size: bytes.
        hears_seeks: the position of files doesn't count: see `page_write.position`.
    """
    first, last = portion
    opens = _OPENS.format(
        first=first,
        last=last,
        page=page_size,
        flags=", ".join(str(list(flags)) for flags in FLAGS),
        from_start="true" if hears_seeks else "position = 0",
        in_place="true" if hears_seeks else "position = last_position",
    )
    database = tables.database
    database.execute(f"CREATE OR REPLACE TEMP TABLE opens AS {opens}")
    database.execute(f"CREATE OR REPLACE TEMP TABLE whole AS {_WHOLE}")
    found: list[Lines] = database.execute("FROM whole").fetchall()
    for pairs, last_sync, furthest in database.execute(_PAIRS).fetchall():
        found += _middle(pairs, last_sync, furthest)
    return sorted(found)


def _middle(first: int, last_sync: int, furthest: int) -> list[Lines]:
    """Return the pairs of one run but the first, the last and the one that reaches furthest."""
    low, high = first + 2, last_sync - 2
    if low <= furthest <= high:
        parts = [(low, furthest - 1), (furthest + 2, high)]
    else:
        parts = [(low, high)]
    return [(start, end) for start, end in parts if start <= end]
