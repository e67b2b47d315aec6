"""Other filesystems that log what programs do: measured in the same run when asked for."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.counters import Watch
from bench.mount import BenchError, mount
from bench.targets import OURS, Place, Site, Target, ten_rules
from bench.workloads import CALLS, SQLITE, THREADS

_LAZYFS_SETTINGS: Final = """\
[faults]
fifo_path="{folder}/faults"
[cache]
apply_eviction=false
[cache.simple]
custom_size="0.5GB"
blocks_per_page=1
[filesystem]
log_all_operations=true
logfile="{log}"
"""
"""As its own example has it, with the log on."""


@contextmanager
def loggedfs(site: Site) -> Iterator[Place]:
    """Mount LoggedFS over the directory, which it shows in its own place."""
    if shutil.which("loggedfs") is None:
        raise BenchError("LoggedFS is not installed (Debian: loggedfs)")
    with tempfile.TemporaryDirectory(dir=site.logs) as parent:
        log = Path(parent) / "log"
        # Without a settings file it logs every operation.
        server = [*site.prefix, "loggedfs", "-f", "-l", str(log), str(site.folder)]
        with mount(server, site.folder) as process:
            yield Place(site.folder, watch=lambda _: Watch([process], log))


@contextmanager
def lazyfs(site: Site) -> Iterator[Place]:
    """Mount LazyFS, its log on; what is not synced it keeps in memory of its own."""
    if shutil.which(site.lazyfs) is None:
        raise BenchError(f"{site.lazyfs} is no program: --lazyfs has to name LazyFS's")
    with tempfile.TemporaryDirectory(dir=site.logs) as parent:
        log, settings = Path(parent) / "log", Path(parent) / "settings.toml"
        settings.write_text(_LAZYFS_SETTINGS.format(folder=parent, log=log))
        # In the order of its own mount-lazyfs.sh: it takes the source from where that has it.
        options = ["-o", "allow_other", "-o", "modules=subdir", "-o", f"subdir={site.folder}", "-f"]
        server = [*site.prefix, site.lazyfs, str(site.mount_point), "--config-path", str(settings)]
        with mount([*server, *options], site.mount_point) as process:
            yield Place(site.mount_point, watch=lambda _: Watch([process], log))


_GROUPS: Final = (CALLS, THREADS, SQLITE)
TARGETS: Final[dict[str, Target]] = {
    **OURS,
    "ten rules": Target(ten_rules, (CALLS, THREADS), peer=True),
    "loggedfs": Target(loggedfs, _GROUPS, peer=True),
    "lazyfs": Target(lazyfs, _GROUPS, peer=True),
}
"""Everything that can be measured, by its name."""
