"""What a condition says of a call, against Python's own reading of the same text."""

import ast
import errno
import operator
from typing import Any

import pytest
from condition_support import calls, conditions, facts, snippet, views
from hypothesis import example, given

from tracefs.contracts.language.evaluate import View, compiled, uses
from tracefs.contracts.language.expressions import read_expression
from tracefs.contracts.language.fields import KINDS, OF_FILE
from tracefs.contracts.language.model import Arithmetic, Comparison, Expression, Field, Number, Text
from tracefs.contracts.language.printing import printed
from tracefs.trace.call import Call

OPERATORS: dict[type, Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.In: lambda flag, flags: flag in flags, ast.NotIn: lambda flag, flags: flag not in flags,
}  # fmt: skip


PLAIN = (
    "path", "target", "offset", "length", "result", "position", "size", "fragments", "fd", "pid",
    "tid",
)  # fmt: skip


def reference(text: str, call: Call, view: View) -> Any:
    """Return the value of the Python expression *text*, where a field can be None."""
    return value_of(ast.parse(text.strip(), mode="eval").body, fields(call, view))


def fields(call: Call, view: View) -> dict[str, Any]:
    done = None if call.errno or call.result is None or call.length is None else call.result
    return {
        **{name: getattr(call, name) for name in PLAIN},
        **{name: getattr(view, name) for name in (*OF_FILE, "page_size")},
        "call": None if call.call == "unknown" else call.call,
        "family": call.family,
        "errno": errno.errorcode.get(call.errno, str(call.errno)) if call.errno else "",
        "note": call.note or "",
        "synced_by": call.synced_by or "",
        "flags": (set(call.flags) if call.call != "unknown" or call.family == "open" else None),
        "created": call.created if call.family == "open" else None,
        "datasync": call.datasync if call.family in {"sync", "syncdir"} else None,
        "page": None if call.offset is None else call.offset // view.page_size,
        "short": True if call.errno else None if done is None else done < (call.length or 0),
        "stored": call.family == "write" and call.call == "mmap",
        "unfinished": None not in {call.length, call.offset}
        and (bool(call.errno) or (done is not None and done < (call.length or 0))),
        "emulated": "posix_fallocate" in (call.note or ""),
        "injected": any(one.kind not in {"delay", "stuck"} for one in call.injected),
        "replaces": call.replaced if call.family == "rename" else None,
        "closed_again": None,
    }


def value_of(node: Any, known: dict[str, Any]) -> Any:  # noqa: C901, PLR0911 - one for each node
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(id=name):
            return known.get(name, name)  # a flag is its own name
        case ast.Set(elts=names):
            return {value_of(name, known) for name in names}
        case ast.Dict(keys=[]):
            return set()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            value = value_of(operand, known)
            return None if value is None else not value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value_of(operand, known)
        case ast.BoolOp(op=ast.And(), values=parts):
            values = [value_of(part, known) for part in parts]
            return False if False in values else None if None in values else True
        case ast.BoolOp(op=ast.Or(), values=parts):
            values = [value_of(part, known) for part in parts]
            return True if True in values else None if None in values else False
        case (
            ast.BinOp(op=op, left=left, right=right)
            | ast.Compare(ops=[op], left=left, comparators=[right])
        ):
            values = [value_of(part, known) for part in (left, right)]
            if None in values:
                return None
            try:
                return OPERATORS[type(op)](*values)
            except ZeroDivisionError:
                return None
    raise AssertionError(ast.dump(node))


@given(conditions, calls, views)
@example(
    Comparison("==", Arithmetic("%", Field("offset"), Number(0)), Number(0)),
    Call(0, "pwrite64", "write", None, None, 0, 1, None, offset=1),
    facts(4096, {}),
)
def test_it_is_what_python_would_say(condition: Expression, call: Call, view: View) -> None:
    assert compiled(condition)(call, view) == reference(printed(condition), call, view)


@given(conditions)
def test_what_is_printed_is_read_as_the_same(condition: Expression) -> None:
    assert read_expression(snippet(printed(condition))) == condition


@pytest.mark.parametrize("text", ["a'b", 'a"b', "a\\b", "\n", "", "]", "é"])
def test_any_text_is_printed_and_read(text: str) -> None:
    condition = Comparison("==", Field("path"), Text(text))
    assert read_expression(snippet(printed(condition))) == condition


@given(conditions)
def test_the_fields_that_are_used_are_those_in_its_text(condition: Expression) -> None:
    names = {
        node.id
        for node in ast.walk(ast.parse(printed(condition), mode="eval"))
        if isinstance(node, ast.Name)
    }
    assert uses(condition) == names & set(KINDS)


def test_every_field_has_a_value() -> None:
    call = Call(0, "openat", "open", None, "a", 0, 1, 1, 1, fd=3, offset=0, length=1, result=1)
    view = facts(4096, dict.fromkeys(OF_FILE, True))
    for name in KINDS:
        compared = compiled(Comparison("==", Field(name), Field(name)))
        assert compared(call, view) in {True, None}, name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("errno == 'EWOULDBLOCK'", True),
        ("errno == 'EAGAIN'", True),
        ("length % 0 == 0", None),
        ("length // (length - length) == 0", None),
        ("length * length * length > 0xFFFF_FFFF_FFFF_FFFF", True),
        ("offset == 0", None),
        ("not offset == 0", None),
        ("offset == 0 and length == 1", False),
        ("offset == 0 or length == 4611686018427387904", True),
        ("-length < -5", True),
        ("flags == {}", True),
        ("synced_by == '' and note == '' and not emulated", True),
        ("short", True),
        ("result == 0", None),
    ],
)
def test_by_hand(text: str, expected: bool | None) -> None:
    call = Call(0, "pwrite64", "write", None, "a", 0, 1, 1, length=2**62, errno=errno.EAGAIN)
    assert compiled(read_expression(snippet(text)))(call, facts(4096, {})) is expected
