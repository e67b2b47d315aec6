"""``tracefs mount``: show a directory at another place and record what happens there."""

import argparse
import os
import signal
import sys
from datetime import datetime
from types import FrameType
from typing import Final

from tracefs.capture import fusermount
from tracefs.capture.mounts import require_free
from tracefs.capture.runner import config
from tracefs.capture.session import Session, open_directory
from tracefs.capture.spawn import Spawned
from tracefs.cli import destination, target
from tracefs.errors import MountError
from tracefs.pathtext import printable, to_text
from tracefs.witness.level_names import NONE, PROC

NAME: Final = "mount"
HELP: Final = "show a directory at another place and record it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument("source", metavar="SRC", help="directory to trace")
    parser.add_argument("mountpoint", metavar="MNT", help="empty directory, or SRC itself")
    parser.add_argument(
        "--allow-other",
        action="store_true",
        help="let other users in; what they make belongs to them",
    )
    parser.add_argument("--background", action="store_true", help="return when the mount is ready")
    target.add_arguments(parser)
    parser.add_argument(
        "--witness",
        choices=(NONE, PROC),
        help=f"who looks for the caller (default: {PROC})",
    )


def run(args: argparse.Namespace) -> int:
    """Mount, and stay until the mount ends, unless told to return."""
    root_fd = open_directory(args.source)
    require_free(args.source, args.mountpoint)
    mountpoint = os.path.realpath(os.fsencode(args.mountpoint))
    name = os.path.basename(os.path.realpath(args.source)) or "root"
    recording = destination.folder(
        args.output, name, datetime.now().astimezone(), args.source, args.mountpoint
    )
    with (
        destination.discarded_on_failure(recording),
        Spawned() as server,
        Session(
            server,
            config(args.source, recording, None, target.options(args, default_witness=PROC)),
            root_fd,
        ) as session,
    ):
        os.close(root_fd)
        session.mount(to_text(mountpoint), allow_other=args.allow_other)
        told = printable(f"{args.mountpoint} shows {args.source}; recording in {recording}")
        if args.background:
            print(told, flush=True)
            session.detach()
            return 0
        return _stay(session, mountpoint, told)


def _stay(session: Session, mountpoint: bytes, told: str) -> int:
    """Say *told*, and wait for the end; Ctrl-C and SIGTERM bring it about from then on."""

    def end(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    while True:
        try:
            if told:
                # Who reads it may end the mount at once.
                print(told, flush=True)
                told = ""
                print("Ctrl-C ends it.", file=sys.stderr, flush=True)
            done = session.wait()
        except KeyboardInterrupt:
            try:
                fusermount.unmount(mountpoint)
            except MountError as error:
                target.say(
                    f"{error}; Ctrl-C again once it is free, or: "
                    f"tracefs umount --force {os.fsdecode(mountpoint)}"
                )
            else:
                # Another mount namespace can have a copy, and the kernel goes on asking for it.
                session.stop()
        else:
            assert done is not None
            if done.failed:
                raise MountError(f"the recording is incomplete: {done.failed}")
            return 0
