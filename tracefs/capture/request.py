"""Who made the request that is being handled.

`current` returns the thread id in the request's header (0: the kernel, or not visible here),
whether it is a write-back of a shared mapping, and whether it must clear set-id bits; it belongs
to the handler that has just been called, until that awaits. `direct` says whether it is a write
by O_DIRECT: who asked for that may have gone on, into exec (io_submit(2)). `synchronous` says how
a write is to be synced, by its open or by itself: RWF_SYNC, RWF_DSYNC or 0. In cached mode the
kernel asks for that by an FSYNC of its own.

`carry` names the requests that come as a READ of `CARRIED`, since pyfuse3 has no handler for them;
`carried` returns such a one: opcode, node id, thread id, user, group, and body.

`received` counts the requests; -1: the connection has ended.

`shortcut` lets requests on *files* be answered without a handler where nothing is out of the
ordinary (``_shortcut.c``): *threads* and *descriptors* are what the witness knows, *journal* is
looked after once in *check_every* lines. Without arguments it ends that. `shortcut_open` adds opens
of *openable* files, which *opened* then takes note of. `shortcut_faults` has each of them decided
first (`tracefs.faults.engine.Faults.decide`); None: no rule holds. `unique` is the number in the
request's header, by which the handler knows what was decided about it.

Import this module before pyfuse3: the extension must be in the global symbol scope first
(see ``_request.c``).
"""

import os
import sys

from tracefs.errors import SetupError

__all__ = [
    "CARRIED",
    "carried",
    "carry",
    "current",
    "direct",
    "received",
    "shortcut",
    "shortcut_faults",
    "shortcut_open",
    "synchronous",
    "unique",
]

if "pyfuse3" in sys.modules:
    raise ImportError("tracefs.capture.request must be imported before pyfuse3")

_flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)
try:
    from tracefs.capture._request import (
        CARRIED,
        carried,
        carry,
        current,
        direct,
        received,
        shortcut,
        shortcut_faults,
        shortcut_open,
        synchronous,
        unique,
    )
except ImportError as error:
    raise SetupError(
        f"the compiled part of tracefs is missing ({error})",
        repair="apt install gcc pkg-config libfuse3-dev python3-dev, "
        "then install tracefs[capture] again",
    ) from error
finally:
    sys.setdlopenflags(_flags)
