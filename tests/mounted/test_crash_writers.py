"""What the lab claims: an acknowledged page survives a power loss, by its sync and nothing else."""

import shlex
import subprocess
from pathlib import Path

import msgspec
from mounted_support import TRACEFS, Guard
from pagealloc.page import build_page
from pagewriters import Writer
from writers_support import command, each_writer

from tracefs.crashes import CrashReport, Failure, Loss
from tracefs.findings import Verdict

ALL = ("prefix", "ext4-ordered", "ext4-writeback", "xfs", "btrfs", "posix-strict")
PREPARED = build_page(b"there before") * 2


def explored(base: Path, writer: Writer, *options: str, prepared: bytes | None) -> CrashReport:
    """Let *writer* write pages 0 and 1, acknowledging each; return what a crash may leave."""
    home = base / "home"
    home.mkdir()
    if prepared is not None:
        (home / "pages.db").write_bytes(prepared)
    lines = [
        f"{shlex.join(command(writer, 'write', 'pages.db', str(page), f'text {page}'))}"
        f" && mkdir '.ack:pages.db {page} text {page}' 2> /dev/null"
        for page in (0, 1)
    ]
    run = [*TRACEFS, "run", "-q", "--payload", *options, "-o", "../r.trace", "--"]
    subprocess.run([*run, "sh", "-c", "; ".join(lines)], cwd=home, timeout=50, check=False)
    return report(base / "r.trace")


def report(recording: Path) -> CrashReport:
    """Explore a recording under every profile."""
    ask = [*TRACEFS, "crash", recording.name, "--check", "page-file"]
    done = subprocess.run(
        [*ask, "--profile", ",".join(ALL), "--format", "json"],
        cwd=recording.parent, capture_output=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return msgspec.json.decode(done.stdout, type=CrashReport)


@each_writer
def test_each_acknowledged_page_survives(tmp_path: Path, guard: Guard, writer: Writer) -> None:
    found = explored(tmp_path, writer, prepared=PREPARED)

    assert (found.verdict, found.failures, found.profiles) == (Verdict.KEPT, (), ALL)
    assert found.acks == ("pages.db 0 text 0", "pages.db 1 text 1")
    assert found.coverage.explored > len(found.acks)


@each_writer
def test_without_its_sync_a_page_is_lost(tmp_path: Path, guard: Guard, writer: Writer) -> None:
    found = explored(tmp_path, writer, "--inject", "fdatasync:retval=0", prepared=PREPARED)

    assert found.verdict is Verdict.BROKEN
    (failure,) = [one for one in found.failures if one.loss is Loss.ACKNOWLEDGED]
    assert failure.ack == "pages.db 0 text 0"
    assert set(failure.profiles) == set(ALL) - {"prefix"}
    (dropped,) = failure.dropped
    assert (dropped.part, dropped.path) == ("data", "pages.db")
    assert (dropped.first_page, dropped.last_page) == (0, 0)
    assert dropped.shown.startswith("pwrite64(")
    (repair,) = failure.repairs
    assert (repair.sync, repair.path, repair.verified) == ("fdatasync", "pages.db", True)
    assert repair.after_call == dropped.call
    assert (repair.places, repair.left) == (2, 0)


def losing_the_name(found: CrashReport) -> list[Failure]:
    return [one for one in found.failures if any(each.part == "name" for each in one.dropped)]


@each_writer
def test_a_new_file_needs_its_directory_by_the_standard_alone(
    tmp_path: Path, guard: Guard, writer: Writer
) -> None:
    found = explored(tmp_path, writer, prepared=None)

    assert found.verdict is Verdict.BROKEN
    (failure,) = found.failures
    assert failure.profiles == ("posix-strict",)
    assert failure.ack == "pages.db 0 text 0"
    assert losing_the_name(found) == [failure]
    (repair,) = failure.repairs
    assert (repair.sync, repair.path, repair.verified) == ("fsync of the directory", ".", True)


def test_a_wrong_page_is_told_from_a_right_one(tmp_path: Path, guard: Guard) -> None:
    """The checker looks: a file that is damaged fails whatever was synced."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "pages.db").write_bytes(PREPARED)
    run = [*TRACEFS, "run", "-q", "--payload", "-o", "../r.trace", "--"]
    damage = "printf junk | dd of=pages.db conv=notrunc,fdatasync status=none"
    subprocess.run([*run, "sh", "-c", damage], cwd=home, timeout=50, check=True)

    found = report(tmp_path / "r.trace")

    assert found.verdict is Verdict.BROKEN
    assert found.failures[0].loss is Loss.CORRUPT
    assert "prefix" in found.failures[0].profiles
