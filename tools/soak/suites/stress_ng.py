"""stress-ng: its stressors of filesystems and of ways to do I/O, each verifying what it can."""

import re
from pathlib import Path
from typing import Final

from soak.arena import Arena
from soak.compare import compare
from soak.differences import STRESS_NG as EXPECTED
from soak.programs import STRESS_NG
from soak.suite import Scale, Suite, Tally

# The class "filesystem" without what works elsewhere (binderfs, bind-mount, eventfd, procfs); of
# the class "io", "os" and "vm" what works on files.
_STRESSORS: Final = (
    *("access", "aio", "chattr", "chdir --chdir-dirs 64", "chmod", "chown", "copy-file"),
    *("dentry", "dir", "dirdeep --dirdeep-inodes 500", "dirmany", "dnotify", "dup"),
    *("fallocate --fallocate-bytes 4M", "fanotify", "fcntl", "fiemap", "file-ioctl", "filename"),
    *("flock", "fpunch", "fsize", "fstat", "getdent", "handle", "hdd --hdd-bytes 4M"),
    *("inode-flags", "inotify", "io", "io-uring", "iomix --iomix-bytes 4M", "ioprio", "lease"),
    *("link", "locka", "lockf", "lockofd", "mknod", "msync --msync-bytes 4M", "open"),
    *("readahead --readahead-bytes 4M", "rename", "revio --revio-bytes 4M", "seek --seek-size 4M"),
    *("sendfile", "symlink", "sync-file --sync-file-bytes 4M", "touch", "utime", "verity", "xattr"),
)
_AT_ONCE: Final = 4
_LIMIT_S: Final = 3600
# The arguments: folder for what it says, operations, seconds, stressor, its options.
_ONE: Final = """\
aside=$1 ops=$2 limit=$3 name=$4
shift 4
mkdir "$name" || exit
{program} "--$name" 1 "--$name-ops" "$ops" "$@" --timeout "$limit" --verify --metrics-brief \
    --temp-path "$name" >"$aside/$name" 2>&1
echo "exit status $?" >>"$aside/$name"
"""
# What is said in passing ("note", "removing N directories") depends on how quick it was.
_TELLING: Final = re.compile(
    r"^stress-ng: \w+: +\[\d+\] (.*(?:fail|error|unexpected|incorrect).*)$",
    re.MULTILINE,
)
# A call that is stopped for the seccomp witness can be interrupted by a signal, such as that of the
# stressor's end, where it couldn't else (docs/reference/limits.md): now and then it is.
_INTERRUPTED: Final = re.compile(
    r"(?:lseek|dup\d?) failed, errno=N \(Interrupted system call\)(?:, filesystem type: \w+)?$"
)
_STATUS: Final = re.compile(r"^exit status (\d+)$", re.MULTILINE)
_MEANING: Final = {"0": "passed", "2": "failed", "3": "no resource", "4": "not implemented"}


def _run(arena: Arena, scale: Scale) -> Tally:
    bounds = scale.pick("40 1", "100000 20")
    aside = arena.bare("c")
    script = aside / "one"
    script.write_text(_ONE.format(program=STRESS_NG), encoding="utf-8")
    found = {}
    for side in ("bare", "traced"):
        folder = aside / side
        folder.mkdir()
        jobs = aside / "jobs"
        lines = [f"{folder} {bounds} {job}" for job in _STRESSORS]
        jobs.write_text("\n".join(lines), encoding="utf-8")
        command = ["xargs", "-a", str(jobs), "-P", str(_AT_ONCE), "-L", "1", "sh", str(script)]
        if side == "bare":
            arena.run(command, arena.bare(), limit_s=_LIMIT_S)
        else:
            arena.run_traced(command, arena.bare(), limit_s=_LIMIT_S)
        found[side] = {job.split()[0]: _result(folder / job.split()[0]) for job in _STRESSORS}
    passed = [name for name, result in found["bare"].items() if result.startswith("passed")]
    return Tally(
        operations=_operations(aside / "traced"),
        failures=compare(found["bare"], found["traced"], EXPECTED),
        notes=(f"{len(passed)} stressors of {len(_STRESSORS)} pass on the bare directory",),
    )


def _result(output: Path) -> str:
    said = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
    if ", skipping stress" in said:
        return "skipped"
    status = _STATUS.search(said)
    result = _MEANING.get(status[1], f"exit status {status[1]}") if status else "did not end"
    # Numbers are counts, offsets and process ids.
    told = {re.sub(r"0x[0-9a-f]+|\d+", "N", text) for text in _TELLING.findall(said)}
    told = {text for text in told if not _INTERRUPTED.search(text)}
    return "; ".join([result, *sorted(told)])


def _operations(folder: Path) -> int:
    # The stressor's name, its operations, seconds, and more.
    row = re.compile(r"^stress-ng: \w+: +\[\d+\] [\w-]+ +(\d+) +\d+\.\d+ ", re.MULTILINE)
    return sum(int(ops) for path in folder.iterdir() for ops in row.findall(path.read_text()))


SUITE: Final = Suite(
    name="stress-ng", about="stressors of filesystems", needs=(STRESS_NG,), run=_run
)
