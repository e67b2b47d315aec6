"""What a contract file says once it is read: plain data, checked for its form and its names."""

from enum import Enum, StrEnum
from typing import TypeAlias

from msgspec import Struct

from tracefs.findings import Severity
from tracefs.placed.place import Place


class Kind(Enum):
    """What an expression's value is."""

    NUMBER = "a number"
    TEXT = "a text"
    FLAGS = "a set of flags"
    TRUTH = "true or false"


# Expressions. Each has a value, or None where what it asks for is not known of the call.


class Number(Struct, frozen=True, tag=True):
    """An integer."""

    value: int


class Text(Struct, frozen=True, tag=True):
    """A quoted text."""

    value: str


class FlagSet(Struct, frozen=True, tag=True):
    """``{O_RDWR, O_CREAT}``."""

    values: frozenset[str]


class Field(Struct, frozen=True, tag=True):
    """What is known of the call by a name from `tracefs.contracts.language.fields.KINDS`."""

    name: str


class Not(Struct, frozen=True, tag=True):
    """Negation of a truth."""

    operand: "Expression"


class Logic(Struct, frozen=True, tag=True):
    """``and``, ``or``: Kleene's, so that what is not known matters only where it decides."""

    operator: str
    left: "Expression"
    right: "Expression"


class Arithmetic(Struct, frozen=True, tag=True):
    """``+ - * // %`` of numbers; division by 0 has no value."""

    operator: str
    left: "Expression"
    right: "Expression"


class Comparison(Struct, frozen=True, tag=True):
    """``== != < <= > >=`` of two values of one kind; of flags ``<=`` is "no others than"."""

    operator: str
    left: "Expression"
    right: "Expression"


class Contains(Struct, frozen=True, tag=True):
    """``O_APPEND in flags``; with *negated* ``not in``."""

    flag: str
    within: "Expression"
    negated: bool = False


Expression: TypeAlias = (
    Number | Text | FlagSet | Field | Not | Logic | Arithmetic | Comparison | Contains
)


# Patterns


class PathPattern(Struct, frozen=True, kw_only=True):
    """Which paths a pattern means: a glob, or a variable with fixed text around it."""

    text: str
    """As written."""
    glob: str | None = None
    """fnmatch glob for the whole path or its last component; with *variable*, which then is bound
    to the whole path. None: *variable* is set."""
    variable: str | None = None
    """Name without its ``$``; binds what it first matches, and means the same from then on."""
    before: str = ""
    """Fixed text before the variable."""
    after: str = ""
    """Fixed text behind it, as ``-wal`` in ``$db-wal``."""
    parent: bool = False
    """``dir($path)``: the directory of the variable's path; it binds nothing."""


class CallPattern(Struct, frozen=True, kw_only=True):
    """Calls by name, file and condition, ``pwrite($db)[offset == 0]``."""

    text: str
    place: Place
    names: frozenset[str] = frozenset()
    """Names of system calls (``pwrite`` is ``pwrite64``)."""
    families: frozenset[str] = frozenset()
    """Families of calls, written ``@write``; ``fsyncdir`` is ``@syncdir``."""
    path: PathPattern | None = None
    """None: any, known or not."""
    target: PathPattern | None = None
    """New name of a rename, existing name of a link, contents of a symlink."""
    where: Expression | None = None


class Pattern(Struct, frozen=True, kw_only=True):
    """Any of several kinds of call."""

    text: str
    place: Place
    calls: tuple[CallPattern, ...]
    end: bool = False
    """``end`` is among them: the scope comes to its end."""
    failure: bool = False
    """``failure`` is among them: the process ends with an exit status that isn't 0."""


class Step(Struct, frozen=True, tag=True):
    """One call of a sequence."""

    pattern: Pattern


class Repeated(Struct, frozen=True, tag=True):
    """``+ * ? {n} {n,m}``."""

    node: "Node"
    least: int
    most: int | None
    """None: without a limit."""


class InTurn(Struct, frozen=True, tag=True):
    """One after the other."""

    nodes: "tuple[Node, ...]"


class AnyOf(Struct, frozen=True, tag=True):
    """One of several."""

    nodes: "tuple[Node, ...]"


Node: TypeAlias = Step | Repeated | InTurn | AnyOf


# Clauses


class Must(Struct, frozen=True, kw_only=True, tag=True):
    """Each call like *every* is as *must* says."""

    every: Pattern
    must: Expression
    text: str
    """*must* as written."""


class Next(Struct, frozen=True, kw_only=True, tag=True):
    """After each call like *every*, one like *next* succeeds before any like *until*."""

    every: Pattern
    next: Pattern
    until: Pattern
    """As written; by default *every* and ``end``."""
    provided: Pattern | None = None
    """It counts only if a call like this has come, too, before *until*; None: always."""


class AtMost(Struct, frozen=True, kw_only=True, tag=True):
    """No more than *most* calls like *every* in a scope."""

    every: Pattern
    most: int


class Never(Struct, frozen=True, kw_only=True, tag=True):
    """No call like any of *patterns*."""

    patterns: tuple[Pattern, ...]


class Before(Struct, frozen=True, kw_only=True, tag=True):
    """When a call like *before* comes, one like *need* has succeeded since the last like *since*.

    Without *since*: it has succeeded at all.
    """

    before: Pattern
    need: Pattern
    since: Pattern | None = None


class Sequence(Struct, frozen=True, kw_only=True, tag=True):
    """Where a call like *when* comes, it is part of the sequence *node*."""

    when: Pattern
    node: Node
    steps: tuple[Pattern, ...]
    """The patterns in *node*, in their order: the calls that the sequence is about."""


Clause: TypeAlias = Must | Next | AtMost | Never | Before | Sequence


class Rule(Struct, frozen=True, kw_only=True):
    """One thing that must hold."""

    id: str
    """Several rules of a contract may share one; they are then left out and counted together."""
    clause: Clause
    place: Place
    severity: Severity = Severity.ERROR
    per: "Per | None" = None
    """What this rule holds for; None: as the contract says."""
    expected: str | None = None
    """What findings say was expected; None: made of the clause."""
    repair: str | None = None
    """What findings propose; None: made of the clause."""


class Per(StrEnum):
    """What a rule holds for, each by itself."""

    OPEN = "open"
    FILE = "file"
    PROCESS = "process"
    THREAD = "thread"
    TRACE = "trace"


class Opens(StrEnum):
    """Which opens are judged."""

    ALL = "all"
    WRITABLE = "writable"


class ContractSpec(Struct, frozen=True, kw_only=True):
    """One contract."""

    id: str
    place: Place
    origin: str
    """Name of the file it stands in, as path text."""
    rules: tuple[Rule, ...]
    per: Per = Per.TRACE
    title: str = ""
    """One sentence: what holds."""
    help: str | None = None
    files: tuple[str, ...] = ()
    """Globs; a call on another file is not judged. Empty: all files."""
    opens: Opens = Opens.ALL
    some: Pattern | None = None
    """Without a call like this nothing was shown: the verdict is unknown. None: without a call that
    any clause begins with, unless all are `Never`, `AtMost`."""
    points: float | None = None
    rule_points: dict[str, float] = {}
    """By rule id."""
