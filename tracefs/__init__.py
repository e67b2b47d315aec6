"""tracefs records what a program does to its files, and judges it.

Layers, high to low (import-linter holds them, see ``pyproject.toml``)::

    cli -> report -> check -> contracts -> trace, source, replay -> findings, journal -> events
        -> errors
    cli -> capture -> witness -> journal -> events -> errors

What records (``capture``, ``witness``) and what judges (``trace``, ``contracts``, ``check``,
``report``) meet only in the journal. Importing this package imports neither pyfuse3 nor trio.
"""

from typing import Final

__version__: Final = "0.1.0"
