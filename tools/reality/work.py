"""One request, in a mount namespace of its own: read from stdin, a line for each cut written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import msgspec

from reality import disk, trees
from reality.filesystems import ALL, Filesystem
from reality.nudges import NUDGES
from reality.requests import Cut, Observation, Request, Work
from tracefs import events
from tracefs.errors import RecordingError
from tracefs.events import AnyEvent, is_pretended
from tracefs.persistence.seen import Seen
from tracefs.replay import Replay


class Synced(Replay):
    """A replay that does the syncs, too."""

    def apply(self, event: AnyEvent) -> None:
        """Do what *event* tells was done; RecordingError: it can't be done here."""
        if not isinstance(event, events.Fsync | events.Fsyncdir):
            super().apply(event)
        elif not event.errno and not is_pretended(event.injected):
            self._sync(event)

    def _sync(self, event: events.Fsync | events.Fsyncdir) -> None:
        path = self._file(event.ino, event.path if isinstance(event, events.Fsyncdir) else "")
        if path is None:
            raise RecordingError(f"no file is there to sync: {event}")
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            (os.fdatasync if event.datasync else os.fsync)(fd)
        finally:
            os.close(fd)


class Bench:
    """A folder on a tmpfs with the images of one filesystem."""

    def __init__(self, filesystem: Filesystem, folder: Path) -> None:
        """Make the filesystem in the empty *folder*; OSError: it can't be made."""
        self._filesystem = filesystem
        self._folder = folder
        self._fresh = folder / "fresh.img"
        self._place = folder / "mounted"
        self._seen: dict[str, tuple[Seen, ...] | str] = {}
        """Trees, or what was wrong, by the hash of the image: most cuts find it as others did."""
        self._place.mkdir()
        disk.make(self._filesystem, self._fresh)
        disk.sparse(self._fresh)

    def observe(self, number: int, work: Work) -> Iterator[Observation]:
        """Yield what each cut of the work with that *number* shows.

        Raises:
            OSError: the filesystem can't be mounted here.
            RecordingError: the events can't be done.
        """
        # A nudge is no part of what is tried: each, at each point, needs a run of its own.
        plain = tuple(sorted(cut for cut in work.cuts if cut.nudge == "nothing"))
        runs = [plain] if plain else []
        runs += [(cut,) for cut in work.cuts if cut.nudge != "nothing"]
        for cuts in runs:
            for cut, image, digest in list(self._run(work, cuts)):
                seen = self._look(image, digest)
                if isinstance(seen, str):
                    yield Observation(number, cut, error=seen)
                else:
                    yield Observation(number, cut, seen)

    def _run(self, work: Work, cuts: tuple[Cut, ...]) -> Iterator[tuple[Cut, Path, str]]:
        """Do the events once, up to the last of *cuts*; yield the copies that were made."""
        image = self._folder / "live.img"
        disk.duplicate(self._fresh, image)
        wanted = {point: list(group) for point, group in groupby(cuts, lambda cut: cut.point)}
        with disk.mounted(self._filesystem, image, self._place) as place:
            tree = place / "tree"
            tree.mkdir()
            device = disk.device_of(place)
            with Synced(tree, Path(work.recording)) as replay:
                replay.run(work.before)
                _sync_all(place)
                for point in range(max(wanted) + 1):
                    if point:
                        replay.run(work.events[point - 1 : point])
                    for cut in wanted.get(point, ()):
                        NUDGES[cut.nudge].give(self._filesystem, place, tree)
                        copy = self._folder / f"{cut.point}.img"
                        yield cut, copy, disk.copy(image, device, copy)
        image.unlink()

    def _look(self, image: Path, digest: str) -> tuple[Seen, ...] | str:
        """Mount a copy, read it, remove it."""
        if digest not in self._seen:
            try:
                with disk.mounted(self._filesystem, image, self._place) as place:
                    self._seen[digest] = trees.read(place / "tree")
            except OSError as error:
                self._seen[digest] = str(error)
        image.unlink()
        return self._seen[digest]


def _sync_all(place: Path) -> None:
    """Write everything of the filesystem at *place* (sync(1) with ``--file-system``)."""
    subprocess.run(["sync", "--file-system", os.fspath(place)], check=True)


def main() -> int:
    """Answer the request; 1, with the reason on standard error: nothing can be tried here."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    folder = Path(sys.argv[1])
    # Images vanish with the namespace, and are never written to a disk.
    subprocess.run(["mount", "-t", "tmpfs", "reality", os.fspath(folder)], check=True)
    try:
        bench = Bench(ALL[request.profile], folder)
        for number, work in enumerate(request.works):
            for observation in bench.observe(number, work):
                sys.stdout.buffer.write(msgspec.json.encode(observation) + b"\n")
    except (OSError, RecordingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
