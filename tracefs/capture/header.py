"""The first line of a recording, from what the server was told to serve."""

import platform
from datetime import datetime
from time import monotonic_ns
from typing import Final

from tracefs import __version__
from tracefs.capture.messages import Config
from tracefs.events import FORMAT, VERSION, Header

_RECORDED: Final = (
    "open", "create", "read", "write", "copy", "fallocate", "ioctl", "fsync",
    "fsyncdir", "flush", "release", "setattr", "mknod", "mkdir", "symlink", "link", "unlink",
    "rmdir", "rename", "setxattr", "removexattr", "statfs",
)  # fmt: skip


def header(config: Config, block_size: int) -> Header:
    """Return the header of a recording that begins now; *block_size* is f_bsize of the source."""
    return Header(
        format=FORMAT,
        version=VERSION,
        tool=f"tracefs {__version__}",
        source=config.source,
        started=datetime.now().astimezone().isoformat(),
        start_ns=monotonic_ns(),
        clock="CLOCK_MONOTONIC",
        kernel=platform.release(),
        machine=platform.machine(),
        mode="direct_io" if config.direct_io else "cached",
        page_size=config.page_size,
        block_size=block_size,
        witness=config.witness,
        notified=config.notified,
        degraded=config.degraded,
        visible=config.visible,
        bypassed_by=config.bypassed_by,
        command=config.command,
        faults=tuple(rule.text for rule in config.faults),
        operations=(*_RECORDED, "query") if config.queries else _RECORDED,
    )
