"""fio: blocks with checksums through each way to write them, read back through the mount.

Afterwards fio reads the blocks in the source itself: what the mount's page cache holds doesn't
help there.
"""

import json
from pathlib import Path
from typing import Final

from soak.arena import Arena
from soak.compare import compare
from soak.differences import FIO as EXPECTED
from soak.programs import FIO
from soak.suite import Scale, Suite, Tally

_ENGINES: Final = (
    *("psync", "sync", "pvsync", "pvsync2", "mmap"),
    *("libaio", "io_uring", "posixaio", "splice"),
)
# fio can't verify what is both mixed and of several sizes (its own header_seed).
_JOBS: Final = """\
[global]
ioengine={engine}
size={size}
iodepth=8
verify=crc32c
verify_fatal=1
verify_state_save=0
randseed={seed}
"""
_WORKLOADS: Final = (
    "rw=randwrite bs=4k fdatasync=32",
    "rw=randrw bs=8k fsync=32",
    "rw=randwrite bsrange=4k-64k",
    "rw=write bs=128k",
)


def _run(arena: Arena, scale: Scale) -> Tally:
    size, seeds = scale.pick(("1m", 1), ("64m", 5))
    tally = Tally(notes=(f"{len(_ENGINES)} engines, {size} a job",))
    for seed in range(1, seeds + 1):
        for engine in _ENGINES:
            tally += _one(arena, engine, size, seed)
    return tally


def _one(arena: Arena, engine: str, size: str, seed: int) -> Tally:
    bare, traced, aside = arena.bare(), arena.bare(), arena.bare("c")
    jobs = _jobs(aside / engine, engine, size, seed)
    arena.run(_command(jobs, aside / "bare"), bare)
    arena.run_traced(_command(jobs, aside / "traced"), traced)
    below, above = _results(aside / "bare"), _results(aside / "traced")
    # By the simplest engine: fio 3.33 dies of SIGSEGV when it only verifies with posixaio.
    reads = _jobs(aside / "reads", "psync", size, seed)
    arena.run(_command(reads, aside / "source", "--verify_only"), traced)
    failures = compare(below, above, EXPECTED) or compare(below, _results(aside / "source"))
    return Tally(
        operations=sum(int(words.split()[1]) for words in above.values()),
        failures=tuple(f"{engine}, seed {seed}: {failure}" for failure in failures),
    )


def _jobs(path: Path, engine: str, size: str, seed: int) -> Path:
    lines = [_JOBS.format(engine=engine, size=size, seed=seed)]
    for direct in (0, 1):
        for workload in _WORKLOADS:
            lines += [f"[{workload} direct={direct}]", *workload.split(), f"direct={direct}"]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def _command(jobs: Path, output: Path, *options: str) -> list[str]:
    return [str(FIO), "--output-format=json", f"--output={output}", *options, str(jobs)]


def _results(output: Path) -> dict[str, str]:
    """Return what came of each job: its error, and how many operations it did."""
    said = output.read_text(encoding="utf-8") if output.exists() else ""
    begin = said.find("{")
    if begin < 0:
        return {"fio": f"0 0 {said.strip()[:400] or 'nothing said'}"}
    # It may complain before and after.
    report, _ = json.JSONDecoder().raw_decode(said, begin)
    return {
        job["jobname"]: f"error={job['error']} {job['read']['total_ios']} read,"
        f" {job['write']['total_ios']} written"
        for job in report["jobs"]
    }


SUITE: Final = Suite(name="fio", about="verified blocks, by all engines", needs=(FIO,), run=_run)
