"""rsync and tar: copies of a tree with all that a file can have, which then find no difference."""

import os
import random
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from soak.arena import Arena
from soak.both import run_on_both
from soak.programs import RSYNC, SETFACL, TAR
from soak.suite import Scale, Suite, Tally

# Without a window of -1 it compares whole seconds.
_RSYNC: Final = (
    "rsync --archive --hard-links --acls --xattrs --sparse --numeric-ids --modify-window=-1"
)
# With --checksum it reads all files, with --dry-run it only says what it would change.
_CHECK: Final = f"{_RSYNC} --checksum --dry-run --delete --itemize-changes"
_TAR: Final = "tar --format posix --acls --xattrs --xattrs-include='*' --numeric-owner --sparse"
_SCRIPT: Final = f"""
tree=$1
{_RSYNC} "$tree/" copied/
echo differences of the copy:
{_CHECK} "$tree/" copied/
{_RSYNC} copied/ again/
echo of its copy:
{_CHECK} "$tree/" again/
{_RSYNC} --checksum --inplace "$tree/" again/
{_TAR} --create --file archive.tar --directory copied .
mkdir extracted
{_TAR} --extract --same-permissions --same-owner --file archive.tar --directory extracted
echo of what tar extracted:
{_TAR} --compare --file archive.tar --directory extracted
{_CHECK} "$tree/" extracted/
find . | wc -l
"""


def _run(arena: Arena, scale: Scale) -> Tally:
    tree = arena.bare("t")
    made = _plant(tree, scale.pick(150, 5000))
    both = run_on_both(arena, _SCRIPT, str(tree))
    failures = both.failures
    if not failures:
        check = ["sh", "-euc", f'{_CHECK} "$1/" copied/; {_CHECK} "$1/" again/', "sh", str(tree)]
        done = arena.run(check, both.traced)
        if done.returncode != 0 or done.stdout:
            failures += (f"in the source: {done.stdout}{done.stderr}",)
    return Tally(operations=3 * made, failures=failures, notes=(f"{made:,} files, three times",))


def _plant(tree: Path, files: int) -> int:
    """Make a tree with every kind of file; return how many."""
    dice = random.Random(6)  # noqa: S311  # the same tree each time
    folders = [tree]
    for at in range(files):
        if at % 10 == 0:
            folders.append(dice.choice(folders) / f"folder {at}")
            folders[-1].mkdir()
        _make(dice.choice(folders), at, dice)
    for at, folder in enumerate(reversed(folders)):
        os.utime(folder, ns=(at, 1_000_000_007 * at))
    return sum(1 for _ in tree.rglob("*"))


def _make(folder: Path, at: int, dice: random.Random) -> None:
    path = folder / dice.choice((f"file{at}", f"-{at} name\n", f"\N{SNOWMAN}{at}", f"{at:0>250}"))
    path.write_bytes(dice.randbytes(dice.choice((0, 1, 100, 4096, 70_000))))
    if at % 9 == 1:
        with path.open("r+b") as file:
            file.seek(3_000_000)
            file.write(b"after a hole")
    if at % 5 == 2:
        (folder / f"link{at}").hardlink_to(path)
        (folder / f"symlink{at}").symlink_to(path.name)
    if at % 7 == 3:
        os.setxattr(path, b"user.note", dice.randbytes(200))
    if at % 11 == 4:
        subprocess.run([str(SETFACL), "-m", "u:1234:rwx,g:4321:r", os.fspath(path)], check=True)
    if os.geteuid() == 0:
        os.chown(path, dice.choice((0, 1, 65534)), dice.choice((0, 2, 65534)))
    path.chmod(dice.choice((0o644, 0o600, 0o4755, 0o2750, 0o444, 0o1666)))
    os.utime(path, ns=(dice.randrange(1 << 60), dice.randrange(1 << 60)))
    if at % 20 == 5:
        for special in _specials(folder, at):
            os.utime(special, ns=(at, at), follow_symlinks=False)


def _specials(folder: Path, at: int) -> Iterator[Path]:
    fifo = folder / f"fifo{at}"
    os.mkfifo(fifo, 0o640)
    yield fifo
    with suppress(PermissionError):  # only root may
        device = folder / f"device{at}"
        os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        yield device


SUITE: Final = Suite(
    name="copies", about="rsync and tar of everything", needs=(RSYNC, TAR, SETFACL), run=_run
)
