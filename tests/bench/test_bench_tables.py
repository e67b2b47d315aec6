"""How figures are shown: tables, the page that they are put into, the file that keeps them."""

from pathlib import Path

import pytest
from bench.checking import Checking
from bench.compare import compare
from bench.machine import Machine, this_machine
from bench.markdown import number, spread
from bench.measure import QUICK, Commands
from bench.mount import BenchError
from bench.page import put_into, replaced
from bench.report import Report, read, text, write
from bench.sample import Cell, Figure, Sample, Served, figure
from bench.spread import Spread
from bench.table import render
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

COMMANDS = Commands(
    python_ns=31_000_000,
    help_ns=50_400_000,
    run_true_ns=415_000_000,
    checking=(Checking(calls=1_000_000, bytes=210 << 20, calls_per_s=204_321, peak_kib=24_000),),
)
MACHINE = Machine(
    kernel="Linux 6.1",
    cores=2,
    processor="Some 1",
    versions={"Python": "3.11"},
    filesystems={"tmpfs": "tmpfs"},
)


def made(workload: str, target: str, times_us: list[float], served: Served | None = None) -> Figure:
    cell = Cell(storage="tmpfs", placement="free", workload=workload, target=target)
    return figure(
        cell,
        [
            Sample(
                round=round_no,
                median_ns=round(1000 * us),
                p99_ns=round(3000 * us),
                iterations=100,
                elapsed_ns=round(100_000 * us),
                served=served,
            )
            for round_no, us in enumerate(times_us)
        ],
    )


# Of 100 iterations: 25 us of an event, of it 15 in user mode; the ticks are of all rounds.
SERVED = Served(cpu_ns=5_000_000, user_ticks=6, system_ticks=4, events=200, log_bytes=25_600)
FIGURES = [
    made("pwrite", "bare", [0.7, 0.69, 0.72]),
    made("pwrite", "no-op", [25, 26, 27]),
    made("pwrite", "tracefs", [21, 26, 54], SERVED),
    made("8-threads-one-file", "bare", [1, 1, 1]),
    made("8-threads-one-file", "tracefs", [150, 160, 170], SERVED),
    made("pgbench", "bare", [1200, 1100, 1000]),
]


def report() -> Report:
    return Report(
        measured="2000-01-01",
        machine=MACHINE,
        effort=QUICK,
        figures=tuple(FIGURES),
        ratios=compare(FIGURES),
        commands=COMMANDS,
    )


def test_a_report_as_text(snapshot: SnapshotAssertion) -> None:
    assert text(report()) == snapshot


def test_what_tracefs_takes_is_of_an_iteration_and_of_an_event() -> None:
    (row,) = [
        line
        for line in render(FIGURES, ()).splitlines()
        if line.startswith("| pwrite") and line.count("|") == 9
    ]
    # 600 events of 300 iterations, which took 10.1 ms; 30 ticks tell user from system mode.
    assert [cell.strip() for cell in row.split("|")[2:-1]] == [
        *("2.00", "256", "50.0", "25.0", "15.0", "10.0"),
        "59,406",
    ]


def test_of_few_ticks_nothing_is_said_of_the_mode() -> None:
    one = made("pwrite", "tracefs", [21], SERVED)
    assert render([one], ()).splitlines()[-1].split("|")[6:8] == [
        f"{'-':>{len(' of it user ') - 1}} ",
        f"{'-':>{len(' of it system ') - 1}} ",
    ]


def test_a_target_that_logs_nothing_has_no_table_of_events() -> None:
    assert "What tracefs itself takes" not in render(FIGURES[:2], ())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.0304, "0.030"),
        (0.0994, "0.099"),
        (0.0996, "0.10"),
        (0.694, "0.69"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.94, "99.9"),
        (99.96, "100"),
        (35_012.4, "35,012"),
    ],
)
def test_numbers_have_two_or_three_figures(value: float, shown: str) -> None:
    assert number(value) == shown


@given(st.floats(0.01, 1e9))
def test_a_number_is_shown_to_a_twentieth(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=0.051, abs=0)


def test_a_spread_of_one_round_is_one_number() -> None:
    assert spread(Spread(median=2500, low=2500, high=2500), 1000) == "2.50"
    assert spread(Spread(median=2500, low=900, high=12345), 1000) == "2.50 (0.90-12.3)"


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "r.json", report())
    assert read(tmp_path / "r.json") == report()


@pytest.mark.parametrize("contents", [None, b"{}", b"no JSON"])
def test_what_is_no_report_is_one_clear_line(tmp_path: Path, contents: bytes | None) -> None:
    file = tmp_path / "r.json"
    if contents is not None:
        file.write_bytes(contents)
    with pytest.raises(BenchError, match=r"r\.json"):
        read(file)


def test_tables_go_into_their_place_of_a_page_and_replace_what_is_there(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n")
    for shown in ("first\n", "second\n"):
        put_into(page, "figures", shown)
        assert page.read_text() == (
            f"before\n<!-- figures: begin -->\n\n{shown}\n<!-- figures: end -->\nafter\n"
        )


@pytest.mark.parametrize(
    "page",
    [
        "nothing\n",
        "<!-- figures: begin -->\n",
        "<!-- figures: end -->\n<!-- figures: begin -->\n",
        "<!-- figures: begin -->\n<!-- figures: begin -->\n<!-- figures: end -->\n",
    ],
)
def test_a_page_without_one_place_is_left_alone(page: str) -> None:
    with pytest.raises(BenchError, match=r"p\.md has to have one line"):
        replaced(page, "figures", "new", "p.md")


def test_the_page_of_the_documentation_has_a_place_for_each_output() -> None:
    page = Path(__file__).parents[2] / "docs" / "development" / "benchmarks.md"
    for mark in ("figures", "writers"):
        assert "\nnew\n" in replaced(page.read_text(), mark, "new", page.name)


def test_a_machine_says_what_its_filesystems_are(tmp_path: Path) -> None:
    machine = this_machine({"tmpfs": Path("/dev/shm")})
    assert machine.filesystems == {"tmpfs": "tmpfs"}
    assert "unknown" not in machine.versions.values()
