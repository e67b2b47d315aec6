"""Faults that were made on purpose: what claims success counts for nothing, and findings say so."""

import errno

from page_write_calls import Script, advice, assert_broken, assert_kept, judge

from tracefs.events import Injected

FEIGNED = (Injected(rule="all:retval=0", kind="retval"),)
FAILED = (Injected(rule="sync:error=EIO", kind="error"),)
SLOW = (Injected(rule="all:delay_exit=5", kind="delay", delay_ns=5),)


def test_a_sync_that_did_nothing_covers_nothing() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.sync(opened, injected=FEIGNED)
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert finding.message.endswith(
        "did nothing of what it was said to have done (injected by all:retval=0)."
    )
    assert "No program can notice this" in finding.repair


def test_a_write_that_did_nothing_leaves_nothing_to_sync() -> None:
    script = Script()
    opened = script.open()
    script.page(opened)
    script.write(opened, injected=FEIGNED)
    script.sync(opened)
    script.end(opened)
    result = judge(script.items)
    assert_kept(result)
    assert not advice(result)


def test_a_finding_names_the_rule_that_made_the_failure() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.sync(opened, errno=errno.EIO, result=None, injected=FAILED)
    script.end(opened)
    finding = assert_broken(judge(script.items), "synced")
    assert "it failed with EIO (injected by sync:error=EIO), and" in finding.message


def test_what_is_only_late_is_judged_as_ever() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, injected=SLOW)
    script.sync(opened, injected=SLOW)
    script.end(opened)
    assert_kept(judge(script.items))
