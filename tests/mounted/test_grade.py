"""``tracefs grade`` on folders of real programs: each does as it was made to, none stops it."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from lacking import lacking
from mounted_support import TRACEFS, Guard

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "tools" / "grading-example"
LIMIT_S = 4
"""Seconds that a program gets; those that hang take all of it."""

RIGHT = """#!/usr/bin/env python3
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, bytes(4096), 4096 * int(sys.argv[2]))
os.fdatasync(fd)
os.close(fd)
"""

ODD = {
    "crashes": "#!/bin/sh\nkill -SEGV $$\n",
    "fails": RIGHT + "sys.exit(3)\n",
    "hangs": RIGHT + "import signal\nsignal.pause()\n",
    "ignores-sigterm": "#!/bin/sh\ntrap '' TERM HUP INT\nwhile :; do sleep 100; done\n",
    "daemon": RIGHT + "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
    "        os.execvp('sleep', ['sleep', '600'])\n",
    "daemon-that-ends": RIGHT + "if os.fork() == 0:\n    os.setsid()\n    os._exit(0)\n",
    "kills-its-parent": RIGHT + "os.kill(os.getppid(), 9)\nimport signal\nsignal.pause()\n",
    "loud": "#!/bin/sh\nexec yes\n",
    "no-program": None,
    "not-executable": RIGHT,
    "\x1b[31m\n=cmd::error::": RIGHT,
    "-rf": RIGHT,
}
"""Programs that go wrong in their own ways, by the name of their folder."""

TAKES_MOUNT = {
    "unmounts": RIGHT + "if os.system(f'umount -l {os.getcwd()}') == 0:\n"
    "    os.pwrite(os.open(f'{os.getcwd()}/pages.db', os.O_RDWR | os.O_CREAT), b'x', 0)\n",
    "mounts-over": RIGHT + "os.system(f'mount -t tmpfs none {os.getcwd()}')\n",
}

EXPECTED = {
    "crashes": ("SIGSEGV", "unknown"),
    "fails": ("exit 3", "unknown"),
    "hangs": ("time limit", "unknown"),
    "ignores-sigterm": ("time limit", "unknown"),
    "daemon": ("left processes", "unknown"),
    "daemon-that-ends": ("yes", "kept"),
    "kills-its-parent": ("time limit", "unknown"),
    "loud": ("time limit", "unknown"),
    "no-program": ("not started", "unknown"),
    "not-executable": ("not started", "unknown"),
    "\x1b[31m\n=cmd::error::": ("yes", "kept"),
    "-rf": ("yes", "kept"),
}


def grade(
    submissions: Path, results: Path, *options: str, contract: str | None = "page-write"
) -> subprocess.CompletedProcess[str]:
    """Grade *submissions*, whose command is ``writer FILE PAGE_NO``."""
    judge = () if contract is None else ("--contract", contract)
    return subprocess.run(
        [*TRACEFS, "grade", str(submissions), *judge, "--path", "pages.db", "--results",
         str(results), "--time-limit", str(LIMIT_S), *options,
         "--", "{submission}/writer", "pages.db", "2"],
        capture_output=True, text=True, timeout=55, check=False,
    )  # fmt: skip


def odd(folder: Path, *names: str) -> None:
    for name in names or ODD:
        program = (ODD | TAKES_MOUNT)[name]
        (folder / name).mkdir(parents=True)
        if program is not None:
            writer = folder / name / "writer"
            writer.write_text(program)
            writer.chmod(0o644 if name == "not-executable" else 0o755)


def running(word: str) -> list[str]:
    """Return the processes that have *word* in their command line or working directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            place = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if pid != str(os.getpid()) and (word in line or word in place):
            found.append(f"{pid}: {line} in {place}")
    return found


def first_rules(submission: dict[str, Any]) -> set[str]:
    return {
        finding["rule"]
        for contract in (submission["result"] or {"contracts": []})["contracts"]
        for finding in contract["findings"]
        if finding["severity"] == "error" and finding["verdict"] == "broken"
    }


def test_each_submission_does_as_it_was_made_to(tmp_path: Path, guard: Guard) -> None:
    """Of each kind, in C++ and Python: right, wrong, a part of a page, not building, nothing."""
    if shutil.which("c++") is None:
        lacking("no c++")
    made = tmp_path / "made.csv"
    chosen = [
        "cpp-02",
        "cpp-05",
        "cpp-07",
        "cpp-10",
        "python-01",
        "python-05",
        "python-09",
        "python-10",
    ]
    subprocess.run(
        [sys.executable, EXAMPLE, tmp_path / "in", "--made", made, "--only", *chosen],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    done = grade(tmp_path / "in", tmp_path / "out", "--build", "make writer", "--format", "json")

    assert done.returncode == 1, done.stderr
    graded = {each["submission"]: each for each in json.loads(done.stdout)["submissions"]}
    with open(made, newline="", encoding="utf-8") as file:
        expected = {row["submission"]: row for row in csv.DictReader(file)}
    assert list(graded) == sorted(chosen)
    assert {name: (each["ran"], each["verdict"]) for name, each in graded.items()} == {
        name: (row["ran"], row["verdict"]) for name, row in expected.items()
    }
    assert {name: first_rules(each) for name, each in graded.items()} == {
        name: set(row["rules"].split()) for name, row in expected.items()
    }
    sources = [
        finding["source"]
        for contract in graded["cpp-05"]["result"]["contracts"]
        for finding in contract["findings"]
        if finding["rule"] == "synced"
    ]
    text = (tmp_path / "in" / "cpp-05" / "main.cc").read_text().splitlines()
    (line,) = [number for number, code in enumerate(text, 1) if "::pwrite(" in code]
    # What calls pwrite is inlined into main by some compilers: the line is that of the call.
    assert sources[0].startswith(f"main.cc:{line} in ")
    assert "error: " in graded["cpp-10"]["reason"]


def test_points_of_a_contract_file_are_earned_rule_by_rule(tmp_path: Path, guard: Guard) -> None:
    chosen = ["python-02", "python-05", "python-06", "python-10"]
    subprocess.run(
        [sys.executable, EXAMPLE, tmp_path / "in", "--only", *chosen],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    contract = EXAMPLE.with_suffix(".toml")
    options = ("--build", "make writer", "--contract", str(contract), "--format")
    done = grade(tmp_path / "in", tmp_path / "out", *options, "gradescope", contract=None)

    assert done.returncode == 1, done.stderr
    earned = {
        name: {test["name"]: test["score"] for test in of["tests"] if "score" in test}
        for name, of in json.loads(done.stdout).items()
    }
    of = "page-writer: "
    assert earned == {
        "python-02": {f"{of}flags": 1, f"{of}position": 1, f"{of}whole": 1, f"{of}synced": 2},
        "python-05": {f"{of}flags": 1, f"{of}position": 1, f"{of}whole": 1, f"{of}synced": 0},
        "python-06": {f"{of}flags": 1, f"{of}position": 0, f"{of}whole": 1, f"{of}synced": 2},
        "python-10": {f"{of}flags": 0, f"{of}position": 0, f"{of}whole": 0, f"{of}synced": 0},
    }


def test_no_submission_stops_the_others_or_leaves_anything(tmp_path: Path, guard: Guard) -> None:
    odd(tmp_path / "in")
    (tmp_path / "in" / "a file").write_text("no submission")
    (tmp_path / "in" / "a link").symlink_to("/")
    os.mkfifo(tmp_path / "in" / "crashes" / "fifo")
    done = grade(tmp_path / "in", tmp_path / "out", "--format", "json", "--jobs", "4")

    assert done.returncode == 4, done.stderr
    graded = {each["submission"]: each for each in json.loads(done.stdout)["submissions"]}
    assert {name: (each["ran"], each["verdict"]) for name, each in graded.items()} == EXPECTED
    assert running(str(tmp_path)) == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert (tmp_path / "out" / "loud" / "run.txt").stat().st_size < 70_000
    for name in ("hangs", "daemon", "fails"):
        assert graded[name]["result"]["trace"]["complete"], name
        # Nobody had to say anything: what the command left was ended inside the trace.
        assert not (tmp_path / "out" / name / "tracefs.txt").exists()


@pytest.mark.usefixtures("as_root")
def test_who_takes_the_mount_away_earns_nothing(tmp_path: Path, guard: Guard) -> None:
    odd(tmp_path / "in", *TAKES_MOUNT)
    done = grade(tmp_path / "in", tmp_path / "out", "--format", "json")
    assert done.returncode == 4, done.stderr
    graded = json.loads(done.stdout)["submissions"]
    assert [(each["ran"], each["verdict"]) for each in graded] == [
        ("mount taken away", "unknown")
    ] * 2
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def test_the_table_is_text_whatever_the_names_are(tmp_path: Path, guard: Guard) -> None:
    odd(tmp_path / "in", "\x1b[31m\n=cmd::error::", "no-program")
    done = grade(tmp_path / "in", tmp_path / "out")

    assert done.returncode == 4
    lines = done.stdout.splitlines()
    assert all(line.isprintable() for line in [*lines, *done.stderr.splitlines()])
    assert [line.split("  ")[0] for line in lines[:3]] == [
        "submission", r"\x1b[31m\x0a=cmd::error::", "no-program",
    ]  # fmt: skip
    assert lines[-1] == "2 submissions: 1 kept, 0 broken, 1 unknown"


@pytest.mark.parametrize("form", ["csv", "junit", "gradescope"])
def test_other_formats_have_every_submission(tmp_path: Path, guard: Guard, form: str) -> None:
    odd(tmp_path / "in", "-rf", "fails", "no-program")
    file = tmp_path / "answer"
    done = grade(tmp_path / "in", tmp_path / "out", "--format", form, "-o", str(file), "-q")

    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")
    text = file.read_text("utf-8")
    passed: dict[str, bool]
    if form == "csv":
        rows = list(csv.DictReader(text.splitlines()))
        passed = {row["submission"].removeprefix("'"): row["verdict"] == "kept" for row in rows}
    elif form == "junit":
        suites = ET.fromstring(text).iter("testsuite")
        passed = {
            str(suite.get("name")): suite.get("failures") == suite.get("errors") == "0"
            for suite in suites
        }
    else:
        results = json.loads(text)
        passed = {name: of["score"] == 1.0 for name, of in results.items()}
        assert [
            sum(test.get("max_score", 0) for test in of["tests"]) for of in results.values()
        ] == [1] * 3
    assert passed == {"-rf": True, "fails": False, "no-program": False}


def test_interrupted_it_ends_all_it_started(tmp_path: Path, guard: Guard) -> None:
    odd(tmp_path / "in", "hangs", "ignores-sigterm")
    process = subprocess.Popen(
        [*TRACEFS, "grade", str(tmp_path / "in"), "--contract", "page-write", "--jobs", "2",
         "--results", str(tmp_path / "out"), "--time-limit", "600",
         "--", "sh", "-c", 'echo begun > "$0.begun"; exec "$0" pages.db 2', "{submission}/writer"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    begun = [
        tmp_path / "out" / name / "submission" / "writer.begun"
        for name in ("hangs", "ignores-sigterm")
    ]
    while not all(each.exists() for each in begun):
        assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert running(str(tmp_path)) == []


def test_what_was_handed_in_stays_as_it_was(tmp_path: Path, guard: Guard) -> None:
    odd(tmp_path / "in", "-rf")
    done = grade(
        tmp_path / "in",
        tmp_path / "out",
        "--build",
        "echo x > made; rm writer; ln -s /bin/true writer",
    )
    assert done.returncode == 4, done.stderr
    assert os.listdir(tmp_path / "in" / "-rf") == ["writer"]
    assert (tmp_path / "in" / "-rf" / "writer").read_text() == RIGHT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("EMPTY", "--contract", "page-write", "--", "true"), "has no folder in it"),
        (("NONE", "--contract", "page-write", "--", "true"), "can't be read"),
        (("IN", "--contract", "page-wrote", "--", "true"), "no contract 'page-wrote'"),
        (("IN", "--", "true"), "there is nothing to judge by"),
        (("IN", "--contract", "page-write", "--nonsense", "--", "true"), "--nonsense"),
        (("IN", "--contract", "page-write"), "no command to run"),
        (
            ("IN", "--contract", "page-write", "--results", "IN/x", "--", "true"),
            "lie among the submissions",
        ),
    ],
)
def test_wrong_command_lines_are_told(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    odd(tmp_path / "IN", "-rf")
    (tmp_path / "EMPTY").mkdir()
    done = subprocess.run(
        [*TRACEFS, "grade", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert os.listdir(tmp_path / "IN") == ["-rf"]


def test_results_are_never_mixed_with_earlier_ones(tmp_path: Path, guard: Guard) -> None:
    odd(tmp_path / "in", "-rf")
    (tmp_path / "out").mkdir()
    done = grade(tmp_path / "in", tmp_path / "out")
    assert done.returncode == 3
    assert "exists" in done.stderr
    assert os.listdir(tmp_path / "out") == []
