"""Contract files: from TOML to `model.ContractSpec`, with the place of whatever is wrong."""

import os
from typing import Final

from msgspec.structs import replace

from tracefs.contracts.language.clauses import KEYS, Read, read_clauses
from tracefs.contracts.language.contradictions import contradiction
from tracefs.contracts.language.model import (
    AnyOf,
    ContractSpec,
    InTurn,
    Node,
    Opens,
    Per,
    Repeated,
    Rule,
    Sequence,
)
from tracefs.contracts.language.paths import check_glob
from tracefs.contracts.language.patterns import read_pattern
from tracefs.findings import Severity
from tracefs.pathtext import quoted, to_text
from tracefs.placed import files, tables
from tracefs.placed.place import Place
from tracefs.placed.snippet import error_at
from tracefs.placed.toml_places import Located, parse

VERSION: Final = 1
MAX_CONTRACTS: Final = 100
MAX_RULES: Final = 200
MAX_STEPS: Final = 10_000
"""Steps of all sequences in a file, repetitions written out."""

_FILE: Final = ("version", "contract")
_CONTRACT: Final = (
    "id", "title", "help", "points", "per", "files", "opens", "some", "rule", *KEYS,
)  # fmt: skip
_RULE: Final = ("id", "severity", "per", "points", "expected", "repair", *KEYS)
_RESERVED: Final = ("complete-trace", "checker")
"""Rules that `tracefs.check` adds."""


def load(path: str | os.PathLike[str], origin: str | None = None) -> tuple[ContractSpec, ...]:
    """Return the contracts in the file *path*, which messages call *origin*; None: by its path.

    Raises:
        TextFileError: It can't be understood.
        UsageError: It can't be read.
    """
    origin = to_text(os.fsencode(path)) if origin is None else origin
    repair = "`tracefs contracts list` shows the contracts that come with tracefs."
    text = files.read(path, origin, "contract file", repair)
    return read_contracts(text, origin)


def read_contracts(text: str, origin: str) -> tuple[ContractSpec, ...]:
    """Return the contracts that *text* has; at least one.

    Args:
        text: What a contract file says.
        origin: Its name, for messages.

    Raises:
        TextFileError: It can't be understood; with the first place where that is so.
    """
    file = parse(text, origin)
    _check_version(file)
    tables.check_keys(file, _FILE, "a contract file")
    if "contract" not in file.table:
        raise error_at(origin, Place(1, 1), "expected at least one [[contract]]")
    items = tables.tables(file.table["contract"], "contract")
    if not items:
        raise file.table["contract"].error("expected at least one [[contract]]")
    if len(items) > MAX_CONTRACTS:
        raise items[MAX_CONTRACTS].error(f"expected at most {MAX_CONTRACTS} contracts in a file")
    specs: list[ContractSpec] = []
    steps = 0
    for item in items:
        spec = _contract(item)
        if spec.id in (other.id for other in specs):
            raise item.table["id"].error(f"expected another id: {spec.id} is that of one before")
        specs.append(spec)
        steps += sum(map(_steps, spec.rules))
        if steps > MAX_STEPS:
            raise item.error(f"expected sequences of at most {MAX_STEPS} calls in a file")
    return tuple(specs)


def _steps(rule: Rule) -> int:
    return _length(rule.clause.node) if isinstance(rule.clause, Sequence) else 0


def _length(node: Node) -> int:
    match node:
        case Repeated(inside, least, most):
            return _length(inside) * max(1, least if most is None else most)
        case InTurn(nodes) | AnyOf(nodes):
            return sum(map(_length, nodes))
    return 1


def _check_version(file: Located) -> None:
    version = file.table.get("version")
    if version is None:
        raise error_at(file.origin, Place(1, 1), f"expected version = {VERSION}, saw no version")
    number = tables.count(version)
    if number != VERSION:
        raise version.error(f"expected version = {VERSION}, saw {number}: another tracefs reads it")


def _contract(item: Located) -> ContractSpec:
    tables.check_keys(item, _CONTRACT, "[[contract]]")
    given = item.table
    _require(item, "id", "[[contract]]")
    per = tables.choice(given["per"], Per) if "per" in given else Per.TRACE
    if "opens" in given and per is not Per.OPEN:
        raise error_at(item.origin, given["opens"].key, 'expected per = "open" beside opens')
    spec = ContractSpec(
        id=tables.identifier(given["id"]),
        place=item.place,
        origin=item.origin,
        rules=(),
        per=per,
        title=tables.line(given["title"]) if "title" in given else "",
        help=tables.text(given["help"]).text if "help" in given else None,
        files=tuple(map(check_glob, tables.texts(given["files"]))) if "files" in given else (),
        opens=tables.choice(given["opens"], Opens) if "opens" in given else Opens.ALL,
        some=read_pattern(tables.text(given["some"])) if "some" in given else None,
        points=tables.points(given["points"]) if "points" in given else None,
    )
    rules, rule_points = _rules(item)
    spec = replace(spec, rules=rules, rule_points=rule_points)
    error = contradiction(spec)
    if error is not None:
        raise error
    return spec


def _rules(item: Located) -> tuple[tuple[Rule, ...], dict[str, float]]:
    """Return the rules of a contract, and what each is worth."""
    rules = [Rule(id=read.id, clause=read.clause, place=read.place) for read in read_clauses(item)]
    rule_points: dict[str, float] = {}
    inner = tables.tables(item.table["rule"], "contract.rule") if "rule" in item.table else ()
    for each in inner:
        rules.extend(_rule(each, rule_points))
        if "points" in each.table and "points" in item.table:
            raise error_at(
                each.origin,
                each.table["points"].key,
                "expected points of the contract or of its rules, saw both",
            )
        if len(rules) > MAX_RULES:
            raise each.error(f"expected at most {MAX_RULES} rules in a contract")
    if not rules:
        raise item.error(
            "expected at least one clause (every, never, before or when) or [[contract.rule]]"
        )
    return tuple(rules), rule_points


def _rule(item: Located, rule_points: dict[str, float]) -> list[Rule]:
    tables.check_keys(item, _RULE, "[[contract.rule]]")
    given = item.table
    _require(item, "id", "[[contract.rule]]")
    name = tables.identifier(given["id"])
    if name in _RESERVED:
        raise given["id"].error(f"expected another id: {quoted(name)} is a rule of every check")
    if "points" in given:
        worth = tables.points(given["points"])
        if rule_points.setdefault(name, worth) != worth:
            raise given["points"].error(
                f"expected {rule_points[name]:g} points, as {name} has before: it counts once"
            )
    severity = tables.choice(given["severity"], Severity) if "severity" in given else Severity.ERROR
    reads: list[Read] = read_clauses(item)
    if not reads:
        raise item.error("expected a clause: every, never, before or when")
    return [
        Rule(
            id=name,
            clause=read.clause,
            place=item.place,
            severity=severity,
            per=tables.choice(given["per"], Per) if "per" in given else None,
            expected=tables.text(given["expected"]).text if "expected" in given else None,
            repair=tables.text(given["repair"]).text if "repair" in given else None,
        )
        for read in reads
    ]


def _require(item: Located, key: str, what: str) -> None:
    if key not in item.table:
        raise item.error(f"expected the key {key} in {what}")
