"""``tracefs umount``: end a mount."""

import argparse
import os
from typing import Final

from tracefs.capture import fusermount
from tracefs.capture.mounts import abort, find
from tracefs.errors import MountError

NAME: Final = "umount"
HELP: Final = "end a mount"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument("mountpoint", metavar="MNT", help="where it is mounted")
    parser.add_argument(
        "--force",
        action="store_true",
        help="end it even while it is in use: open files there fail from then on",
    )


def run(args: argparse.Namespace) -> int:
    """Unmount; with ``--force`` end the connection first, so that nothing can hang."""
    # No look at the mount point itself: a server that is stuck would hold us too.
    mountpoint = os.path.abspath(os.fsencode(args.mountpoint))
    mounted = find(mountpoint)
    if mounted is None:
        raise MountError(f"{args.mountpoint}: no tracefs is mounted there")
    if args.force:
        abort(mounted)
        fusermount.unmount(mountpoint, lazy=True)
    else:
        fusermount.unmount(mountpoint)
    return 0
