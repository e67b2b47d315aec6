"""DuckDB, imported when it is needed: it is an extra, and takes a tenth of a second."""

from typing import TYPE_CHECKING, Final

from tracefs.index.card import Unusable

if TYPE_CHECKING:
    import duckdb

MISSING: Final = "DuckDB is missing: pip install 'tracefs[index]'"

_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    # Nothing is ever fetched from elsewhere.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": "512MB",
    "threads": 1,
    "preserve_insertion_order": True,
}


def connect() -> "duckdb.DuckDBPyConnection":
    """Return a database in memory.

    Raises:
        Unusable: DuckDB is not installed.
    """
    try:
        import duckdb  # noqa: PLC0415
    except ImportError as error:
        raise Unusable(MISSING) from error
    return duckdb.connect(config=_CONFIG)


def duckdb_error() -> type[Exception]:
    """Return the base of what DuckDB raises."""
    import duckdb  # noqa: PLC0415

    return duckdb.Error
