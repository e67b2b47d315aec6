"""The page writers' loops make the calls that they are compared by; the table compares them."""

import subprocess
from pathlib import Path

import pytest
from bench.plan import PLACEMENTS, STORAGES
from bench.programs import compile_c
from bench.sample import Cell, Measured, figure, sample
from bench.writers import FLOOR, TRACED, render_writers, run_loop
from pagewriters import ROOT, listed
from syrupy.assertion import SnapshotAssertion
from writers_support import command

LOOP_C = ROOT / "tools" / "bench" / "page_loop.c"
CALLS = ["openat", "fstat", "pwrite64", "fdatasync", "close"]
"""Of each page; Rust asks by statx."""


def loop(language: str, folder: Path) -> str:
    if language == FLOOR:
        program = folder / "page_loop"
        compile_c(LOOP_C, program)
        return str(program)
    (writer,) = [writer for writer in listed() if writer.language == language]
    command(writer)  # skips, or fails in CI, where its compiler is missing
    folder = ROOT / writer.folder
    subprocess.run(["sh", "-c", writer.loop_build], cwd=folder, check=True, capture_output=True)
    return str(ROOT / writer.loop)


@pytest.mark.parametrize("language", [FLOOR, *(writer.language for writer in listed())])
def test_a_loop_makes_the_calls_of_a_page_and_no_others(language: str, tmp_path: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "pages"
    strace = ["strace", "-f", "-o", str(log), f"--trace-path={file}"]
    words = [loop(language, tmp_path), str(file), "3", "60000"]
    assert len(run_loop([*strace, *words]).times) == 3
    lines = [line.split(None, 1)[1] for line in log.read_text().splitlines() if "(" in line]
    calls = [line.partition("(")[0] for line in lines]
    same = {"statx": "fstat", "newfstatat": "fstat"}
    assert [same.get(call, call) for call in calls] == CALLS * (256 + 3)


def test_the_table(snapshot: SnapshotAssertion) -> None:
    figures = [
        figure(
            Cell(
                storage=storage,
                placement=placement,
                workload="write_page",
                target=language + kind,
            ),
            [sample(0, times_of((1000 + 500 * number) * (30 if kind else 1)))],
        )
        for storage in STORAGES
        for placement in PLACEMENTS
        for number, language in enumerate((FLOOR, "Zig"))
        for kind in ("", TRACED)
    ]
    assert render_writers(figures) == snapshot


def times_of(median_ns: int) -> Measured:
    times = (median_ns, median_ns, 2 * median_ns)
    return Measured(workload="write_page", elapsed_ns=sum(times), times=times)
