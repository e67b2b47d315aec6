"""The results as tables of a page."""

from collections.abc import Iterable, Sequence
from typing import Final

from bench.markdown import table

from judges.outcome import Fault, Outcome, Verdict
from judges.plan import Line, Session
from judges.programs import JUDGES, Judge

BEGIN: Final = "<!-- judges: begin -->"
END: Final = "<!-- judges: end -->"
_HEAD: Final = (
    "fault", "runs", "struck", "kept", "lost", "corrupt", "hung",
    "unreported", "acknowledged", "appeared", "vanished", "retried",
)  # fmt: skip


def page(lines: Iterable[Line]) -> str:
    """Return the tables: the programs, what came of the runs, and how to repeat what went wrong.

    Of two runs of a program under the same rule the later one counts.
    """
    sessions: dict[str, Session] = {}
    latest: dict[tuple[str, str], Outcome] = {}
    for line in lines:
        if isinstance(line, Session):
            sessions[line.judge] = line
        else:
            latest[line.outcome.judge, line.outcome.rule] = line.outcome
    outcomes = list(latest.values())
    judges = [judge for judge in JUDGES if judge.name in sessions]
    parts = [_programs(judges, sessions, outcomes)]
    for judge in judges:
        own = [one for one in outcomes if one.judge == judge.name]
        parts += [f"### {judge.title}: {judge.use}", _faults(own)]
        if bad := _repeats(own):
            parts.append(bad)
    return "\n\n".join(parts)


def put_into(text: str, tables: str) -> str:
    """Return a page's text with the tables in place of those that it has.

    Raises:
        ValueError: It has no place for them.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END} in the page")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


def _programs(
    judges: Sequence[Judge], sessions: dict[str, Session], outcomes: Sequence[Outcome]
) -> str:
    rows = []
    for judge in judges:
        session = sessions[judge.name]
        own = [one for one in outcomes if one.judge == judge.name]
        worst = [verdict for verdict in Verdict if any(one.verdict is verdict for one in own)]
        rows.append(
            [
                judge.title,
                session.version,
                judge.use,
                str(session.syncs),
                str(session.writes),
                str(len(own)),
                ", ".join(f"{verdict.value} {_count(own, verdict)}" for verdict in worst),
            ]
        )
    return table(["program", "version", "used with", "syncs", "writes", "runs", "outcome"], rows)


def _faults(own: Sequence[Outcome]) -> str:
    rows = []
    for fault in Fault:
        runs = [one for one in own if one.fault is fault]
        if not runs:
            continue
        struck = [one for one in runs if one.struck]
        counts = [
            len(runs),
            len(struck),
            *(_count(runs, verdict) for verdict in Verdict),
            sum(one.silent for one in struck),
            sum(one.acknowledged_under for one in struck),
            sum(bool(one.appeared) for one in struck),
            sum(bool(one.vanished) for one in struck),
            sum(one.retried for one in struck),
        ]
        rows.append([fault.about, *(str(number) if number else "-" for number in counts)])
    return table(_HEAD, rows)


def _count(outcomes: Iterable[Outcome], verdict: Verdict) -> int:
    return sum(one.verdict is verdict for one in outcomes)


def _repeats(own: Sequence[Outcome]) -> str:
    """Return, of each kind of bad end under each fault, how to see the first one again."""
    seen: dict[tuple[Fault, Verdict], Outcome] = {}
    for one in own:
        if one.verdict is not Verdict.KEPT:
            seen.setdefault((one.fault, one.verdict), one)
    return "\n".join(
        f"- {verdict.value}, {one.struck}: `python tools/judges --only {one.judge}"
        f" --rule '{one.rule}'`"
        for (_, verdict), one in seen.items()
    )
