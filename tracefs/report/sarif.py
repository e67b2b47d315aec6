"""Verdicts as SARIF 2.1.0 (OASIS), for code scanning and editors.

A finding is a result of kind ``fail``: an error has the level ``error``, advice ``note``. What
can't be told has ``warning``, though SARIF has the kind ``open`` for it: an ``open`` result must
have the level ``none`` (3.27.10), and readers that know no kinds, GitHub's code scanning among
them, would show it as nothing at all. ``properties.verdict`` tells the two apart.

A contract that is kept has no result, only its rule. A result without a known source line points
at the file that was written, relative to the traced directory.
"""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType, field

from tracefs import __version__
from tracefs.check import CHECKER
from tracefs.findings import CheckResult, Finding, Verdict
from tracefs.pathtext import to_bytes
from tracefs.report import finding as words
from tracefs.report.cases import Case, cases, headline
from tracefs.report.jsonline import line
from tracefs.report.quote import printable
from tracefs.report.sourceplace import source_place

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
VERSION: Final = "2.1.0"
SOURCE_ROOT: Final = "SRCROOT"
TRACED: Final = "TRACEDDIR"
_LEVELS: Final = {"error": "error", "unknown": "warning", "advice": "note"}


class _Wire(Struct, frozen=True, kw_only=True, rename="camel"):
    """Spelled on the wire as SARIF does; what is UNSET is left out."""


class Message(_Wire, frozen=True, kw_only=True):
    """Plain text; ``[0](1)`` would be a link, ``{0}`` a placeholder (3.11.6, 3.11.5)."""

    text: str


class Rule(_Wire, frozen=True, kw_only=True):
    """A rule of a contract, or the contract itself (reportingDescriptor, 3.49)."""

    id: str
    short_description: Message
    help: Message | UnsetType = UNSET


class ArtifactLocation(_Wire, frozen=True, kw_only=True):
    """A file (3.4)."""

    uri: str
    uri_base_id: str | UnsetType = UNSET


class Region(_Wire, frozen=True, kw_only=True):
    """A line (3.30)."""

    start_line: int


class PhysicalLocation(_Wire, frozen=True, kw_only=True):
    """A place in a file (3.29)."""

    artifact_location: ArtifactLocation
    region: Region | UnsetType = UNSET


class Location(_Wire, frozen=True, kw_only=True):
    """A place (3.28)."""

    physical_location: PhysicalLocation


class Properties(_Wire, frozen=True, kw_only=True):
    """What SARIF has no field for (property bag, 3.8)."""

    contract: str
    verdict: Verdict
    call: int | None
    path: str | None
    page: int | None


class Result(_Wire, frozen=True, kw_only=True):
    """One finding (3.27)."""

    rule_id: str
    rule_index: int
    kind: str
    level: str
    message: Message
    locations: tuple[Location, ...] | UnsetType = UNSET
    properties: Properties


class Driver(_Wire, frozen=True, kw_only=True):
    """tracefs (toolComponent, 3.19)."""

    name: str
    version: str
    rules: tuple[Rule, ...]


class Tool(_Wire, frozen=True, kw_only=True):
    """What made the run (3.18)."""

    driver: Driver


class Notification(_Wire, frozen=True, kw_only=True):
    """Something about the check itself (3.58)."""

    level: str
    message: Message


class Invocation(_Wire, frozen=True, kw_only=True):
    """How the check went (3.20)."""

    execution_successful: bool
    tool_execution_notifications: tuple[Notification, ...]


class Run(_Wire, frozen=True, kw_only=True):
    """One check (3.14)."""

    tool: Tool
    invocations: tuple[Invocation, ...]
    column_kind: str
    results: tuple[Result, ...]


class Log(_Wire, frozen=True, kw_only=True):
    """The whole document (3.13)."""

    schema: str = field(name="$schema")
    version: str
    runs: tuple[Run, ...]


def sarif(result: CheckResult, root: str | None = None) -> str:
    """Return *result* as one line of JSON; files below *root* (path text) are relative to it."""
    whole = {case.contract: case for case in cases(result) if case.rule is None}
    rules = tuple(_rules(result))
    places = {rule.id: place for place, rule in enumerate(rules)}
    run = Run(
        tool=Tool(driver=Driver(name="tracefs", version=__version__, rules=rules)),
        invocations=(_invocation(result),),
        column_kind="unicodeCodePoints",
        results=tuple(_results(result, whole, places, root)),
    )
    return line(Log(schema=SCHEMA, version=VERSION, runs=(run,))) + "\n"


def _rules(result: CheckResult) -> Iterator[Rule]:
    """Yield each contract, and each of its rules that is named in the result."""
    for contract in result.contracts:
        text = Message(text=_plain(contract.help)) if contract.help else UNSET
        contract_id = printable(contract.id)
        yield Rule(
            id=contract_id,
            short_description=Message(text=_plain(f"The contract {contract_id} is kept.")),
            help=text,
        )
        named = (*(finding.rule for finding in contract.findings), *contract.rule_points)
        for rule in dict.fromkeys(named):
            yield Rule(
                id=_id(contract.id, rule),
                short_description=Message(
                    text=_plain(f"The rule {printable(rule)} of {contract_id} holds.")
                ),
                help=text,
            )


def _results(
    result: CheckResult, whole: Mapping[str, Case], places: Mapping[str, int], root: str | None
) -> Iterator[Result]:
    for contract in result.contracts:
        case = whole[contract.id]
        if case.verdict is not Verdict.KEPT and not case.findings:
            kind = "error" if case.verdict is Verdict.BROKEN else "unknown"
            yield Result(
                rule_id=printable(contract.id),
                rule_index=places[printable(contract.id)],
                kind="fail",
                level=_LEVELS[kind],
                message=Message(text=_plain(headline(case))),
                properties=Properties(
                    contract=printable(contract.id),
                    verdict=case.verdict,
                    call=None,
                    path=None,
                    page=None,
                ),
            )
        for finding in contract.findings:
            yield _result(contract.id, finding, places, root)


def _result(contract: str, finding: Finding, places: Mapping[str, int], root: str | None) -> Result:
    at = ", ".join(words.place(finding, sourced=source_place(finding) is None))
    undecided = "Not decided: " if words.kind(finding) == "unknown" else ""
    text = f"{undecided}{finding.message} {finding.repair}" + (f" ({at})" if at else "")
    return Result(
        rule_id=_id(contract, finding.rule),
        rule_index=places[_id(contract, finding.rule)],
        kind="fail",
        level=_LEVELS[words.kind(finding)],
        message=Message(text=_plain(text)),
        locations=_locations(finding, root),
        properties=Properties(
            contract=printable(contract),
            verdict=finding.verdict,
            call=finding.call,
            path=None if finding.path is None else printable(finding.path),
            page=finding.page,
        ),
    )


def _locations(finding: Finding, root: str | None) -> tuple[Location, ...] | UnsetType:
    place = source_place(finding, root)
    if place is not None:
        return _location(place.file, SOURCE_ROOT, Region(start_line=place.line))
    if finding.path:
        return _location(finding.path, TRACED, UNSET)
    return UNSET


def _location(file: str, base: str, region: Region | UnsetType) -> tuple[Location, ...]:
    uri = quote(to_bytes(printable(file)), safe="/")
    location = ArtifactLocation(uri=uri, uri_base_id=base)
    if uri.startswith("/"):  # a base goes with relative ones alone (3.4.4)
        location = ArtifactLocation(uri=f"file://{uri}")
    return (
        Location(physical_location=PhysicalLocation(artifact_location=location, region=region)),
    )


def _invocation(result: CheckResult) -> Invocation:
    failed = [
        finding.message
        for contract in result.contracts
        for finding in contract.findings
        if finding.rule == CHECKER
    ]
    if not result.trace.complete:
        failed.append(f"incomplete: {result.trace.incomplete_because or 'no reason is known'}")
    return Invocation(
        execution_successful=not failed,
        tool_execution_notifications=tuple(
            Notification(level="error", message=Message(text=_plain(text))) for text in failed
        ),
    )


def _id(contract: str, rule: str) -> str:
    """Return a hierarchical rule id (3.5.4): the contract, and its rule."""
    return f"{printable(contract)}/{printable(rule)}"


def _plain(text: str) -> str:
    """Return *text* so that it holds no link, no placeholder and no control character."""
    lines = "\n".join(map(printable, text.strip().split("\n")))
    braced = lines.replace("{", "{{").replace("}", "}}")
    return braced.replace("](", "\\](")
