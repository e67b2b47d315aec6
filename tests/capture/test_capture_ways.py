"""Which quicker ways are taken."""

import pytest

from tracefs.capture.ways import Ways, choose

BOTH, NEITHER = Ways(loop=True, shortcut=True), Ways(loop=False, shortcut=False)


@pytest.mark.parametrize(
    ("said", "ways"),
    [
        (None, BOTH),
        ("", BOTH),
        ("loop", Ways(loop=False, shortcut=True)),
        ("shortcut", Ways(loop=True, shortcut=False)),
        ("shortcut, loop", NEITHER),
    ],
)
def test_the_environment_may_ask_for_the_plain_ways(said: str | None, ways: Ways) -> None:
    environment = {} if said is None else {"TRACEFS_PLAIN": said}
    assert choose(environment, "3.4.0", "0.25.0") == ways


@pytest.mark.parametrize(
    ("pyfuse3", "trio"),
    [
        ("3.3.0", "0.30.0"),
        ("3.6.0", "0.30.0"),
        ("4.0", "0.30.0"),
        ("3.5.0", "0.24.0"),
        ("3.5.0", "0.36.0"),
        ("3.5.0", "1.25.0"),
        ("3.5.0", "unknown"),
        ("3", "0.30.0"),
    ],
)
def test_versions_that_were_not_tested_take_the_plain_ways(pyfuse3: str, trio: str) -> None:
    assert choose({}, pyfuse3, trio) == NEITHER


@pytest.mark.parametrize(("pyfuse3", "trio"), [("3.4.2", "0.25"), ("3.5.0", "0.35.9")])
def test_versions_that_were_tested_take_both(pyfuse3: str, trio: str) -> None:
    assert choose({}, pyfuse3, trio) == BOTH
