"""What a run comes to, and the table of all."""

import json
import os
import subprocess
from typing import Any

import pytest
from inline_snapshot import snapshot
from torture_samples import result, target

from tracefs.findings import Verdict
from tracefs.report.torture import table
from tracefs.report.torture_json import lines
from tracefs.torture import kinds
from tracefs.tortures import (
    Checked,
    Coverage,
    Ending,
    Outcome,
    Report,
    Row,
    Struck,
    Trial,
)

FAULTS = ("EIO", "ENOSPC")


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, Outcome.PASSED),
        ({"status": 3}, Outcome.PASSED),
        ({"status": 134}, Outcome.PASSED),  # SIGABRT: it has ended itself
        ({"status": 139}, Outcome.FAILED),
        ({"contracts": Verdict.BROKEN}, Outcome.FAILED),
        ({"checked": Checked.BAD}, Outcome.FAILED),
        ({"checked": Checked.BAD, "struck": Struck.MOVED}, Outcome.FAILED),
        ({"ending": Ending.HUNG, "contracts": Verdict.BROKEN}, Outcome.HUNG),
        ({"contracts": Verdict.UNKNOWN}, Outcome.UNKNOWN),
        ({"checked": Checked.CRASHED}, Outcome.UNKNOWN),
        ({"checked": Checked.LATE}, Outcome.UNKNOWN),
        ({"checked": Checked.NOT_STARTED}, Outcome.UNKNOWN),
        ({"struck": Struck.NOT_REACHED}, Outcome.UNKNOWN),
        ({"struck": Struck.MOVED}, Outcome.UNKNOWN),
        ({"ending": Ending.TOOL_FAILED}, Outcome.UNKNOWN),
        ({"ending": Ending.MOUNT_TAKEN, "contracts": Verdict.BROKEN}, Outcome.UNKNOWN),
        ({"contracts": None, "checked": Checked.GOOD}, Outcome.PASSED),
        ({"checked": Checked.NOT_ASKED}, Outcome.PASSED),
        ({"contracts": None, "checked": Checked.NOT_ASKED}, Outcome.UNKNOWN),
        ({"contracts": None, "checked": Checked.NOT_ASKED, "status": 1}, Outcome.PASSED),
    ],
)
def test_what_cannot_be_told_is_never_passed(fields: dict[str, Any], outcome: Outcome) -> None:
    assert result("rule", **fields).outcome is outcome


def report(**more: Any) -> Report:
    strikes = [
        strike
        for one in (target("write", 1, length=4096), target("sync", 1))
        for strike in kinds.strikes(one, FAULTS)
    ]
    given: list[dict[str, Any]] = [
        {},
        {
            "contracts": Verdict.BROKEN,
            "judged_by": ("no-space-handled",),
            "finding": "no-space-handled: error kept, pages.db, call 1: Expected it.",
            "checked": Checked.BAD,
            "said": "pages.db is shorter \x1b[31m",
        },
        {"ending": Ending.HUNG, "status": None, "reason": "it did not end within 5 s"},
    ]
    rows = tuple(
        Row(trial=Trial(strikes=(strike,)), result=result(strike.rule.text, **fields))
        for strike, fields in zip(strikes, given, strict=True)
    )
    usual: dict[str, Any] = {
        "command": ("./prog", "a b"),
        "directory": ".",
        "check": "true {dir}",
        "rows": rows,
        "coverage": Coverage(possible=3, chosen=3),
    }
    return Report(**(usual | more))


def test_what_did_not_pass_is_written_out() -> None:
    assert "\n".join(table(report())) == snapshot("""\
result  fault   call               exit  contracts  check  again
failed  ENOSPC  1 write(pages.db)  0     broken     bad    tracefs run --inject write:error=ENOSPC:when=1 --contract no-space-handled -- ./prog 'a b'
    no-space-handled: error kept, pages.db, call 1: Expected it.
    check: pages.db is shorter \\x1b[31m
hung    EIO     1 sync(pages.db)   hung  kept       good   tracefs run --inject sync:error=EIO:when=1 -- ./prog 'a b'
    it did not end within 5 s

passed: 1 EIO
3 runs: 1 passed, 1 failed, 1 hung, 0 unknown
note: tracefs run works in . itself, not in a copy\
""")  # noqa: E501  # as it is printed


def test_all_are_shown_on_request() -> None:
    shown = list(table(report(), passed=True))
    assert [line.split(None, 1)[0] for line in shown if " tracefs run --" in line] == [
        "failed", "hung", "passed",
    ]  # fmt: skip


def test_what_was_not_tried_is_told() -> None:
    coverage = Coverage(possible=9, chosen=4, seed=7)
    shown = list(table(report(coverage=coverage, remarks=("two runs differ",))))
    assert "chosen from 9 by --seed 7: 5 were not tried" in shown
    assert "not finished: 1 run is left" in shown
    assert "two runs differ" in shown


def test_each_command_can_be_typed() -> None:
    shown = list(table(report(directory="/a b")))
    assert any(
        line.endswith(
            " tracefs run --inject write:error=ENOSPC:when=1 --dir '/a b'"
            " --contract no-space-handled"
            " -- ./prog 'a b'"
        )
        for line in shown
    )


@pytest.mark.parametrize(
    "word",
    ["import os\n\n\tos.write('\\n', \"x\")", "'\n", "\x1b[31mf\x07", "caf\xe9\u2028", "\udcff\n"],
)
def test_a_command_of_several_lines_is_the_same_command_again(word: str) -> None:
    shown = [line for line in table(report(command=("printf", "%s", word))) if " -- printf" in line]
    line = shown[0].split(" -- ", 1)[1]
    assert line.isprintable()
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert os.fsdecode(done.stdout) == word


def test_a_run_is_one_object() -> None:
    passed, failed, hung = map(json.loads, lines(report()))
    assert passed["outcome"] == "passed"
    assert failed["again"] == (
        "tracefs run --inject write:error=ENOSPC:when=1 --contract no-space-handled -- ./prog 'a b'"
    )
    assert failed["result"]["said"] == "pages.db is shorter \x1b[31m"
    assert hung["strikes"][0]["rule"] == "sync:error=EIO:when=1"
    assert hung["strikes"][0]["target"]["shown"] == "sync(pages.db)"
    assert (hung["exit"], hung["result"]["status"]) == ("hung", None)
