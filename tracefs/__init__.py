"""tracefs records what a program does to its files, and judges it.

Layers, high to low (import-linter holds them, see ``pyproject.toml``)::

    cli, pytest_plugin -> api -> crash -> trials -> report -> check -> contracts -> persistence
        -> trace, source, replay -> findings, journal -> events -> errors
    cli, pytest_plugin -> api -> crash -> trials -> capture -> witness -> journal -> events
        -> errors

What records (``capture``, ``witness``) and what judges (``trace``, ``persistence``, ``contracts``,
``check``, ``report``) meet only in the journal, and above ``trials``. Importing this package
imports neither pyfuse3 nor trio.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tracefs.api import Trace as Trace
    from tracefs.api.crash_states import crash_states as crash_states
    from tracefs.api.record import record as record
    from tracefs.api.run import run as run

__version__: Final = "0.1.0"

_LAZY: Final = {
    "Trace": "tracefs.api",
    "crash_states": "tracefs.api.crash_states",
    "record": "tracefs.api.record",
    "run": "tracefs.api.run",
}
"""Names that this package has, by the module that they are imported from when asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # most imports of tracefs need none of it

    return getattr(import_module(_LAZY[name]), name)
