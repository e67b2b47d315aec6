"""Exports, each read by somebody else: csv, Perfetto's own description, compilers."""

import ast
import csv
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as proto
from report_support import PAGE, START_NS, call, close, fdatasync, pwrite

from tracefs.events import Injected
from tracefs.pathtext import to_bytes, to_text
from tracefs.report.documents import asset
from tracefs.report.export import Export
from tracefs.report.export_c import C
from tracefs.report.export_csv import COLUMNS, Csv
from tracefs.report.export_fio import Fio
from tracefs.report.export_jsonl import JsonLines
from tracefs.report.export_perfetto import Perfetto
from tracefs.report.export_python import _FIELDS, Python
from tracefs.report.protobuf import varint
from tracefs.report.replay_plan import Do, closed_early
from tracefs.trace.call import Call, Released

HOSTILE = b'a "b"\n,;* ??! \\ \xff\r\x1b[2J{%s}'
NAMES = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\\"), min_size=1, max_size=12
)


def nowhere(_: Call) -> str | None:
    return None


def exported(export: Export, calls: Iterable[Call]) -> bytes:
    made = [export.begin(), *map(export.call, calls)]
    return b"".join([*made, export.end()])


def opened(path: str = "pages.db", **fields: Any) -> Call:
    known = {"fd": 3, "handle": 1, "flags": ("O_RDWR", "O_CREAT"), "created": True}
    return call("openat", "open", path=path, **(known | fields))


RUN = (
    opened(index=0, end_ns=START_NS + 140_000),
    pwrite(0, index=1, handle=1, injected=(Injected(kind="delay", rule="write:delay_enter=1"),)),
    fdatasync(index=2, handle=1),
    pwrite(PAGE, index=3, handle=1, tid=9, pid=9, comm="other"),
    call("mmap", "write", index=4, tid=None, pid=None, offset=0, length=10, result=10, handle=1),
    fdatasync(index=5, handle=1, errno=5, result=None, reason="nobody knows"),
    close(index=6, handle=1),
)


def test_csv_has_the_fields_of_the_json() -> None:
    table = exported(Csv(PAGE, nowhere), RUN).decode()
    lines = exported(JsonLines(PAGE, nowhere), RUN).decode().splitlines()
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert len(rows) == len(lines) == len(RUN)
    for row, line in zip(rows, lines, strict=True):
        known = json.loads(line)
        for name in COLUMNS:
            if name == "rules":
                assert row[name] == "|".join(one["rule"] for one in known["injected"])
            elif name == "flags":
                assert row[name] == "|".join(known[name])
            else:
                assert row[name] == ("" if known[name] is None else str(known[name]))


@given(NAMES)
def test_any_name_is_one_field(name: str) -> None:
    table = exported(Csv(PAGE, nowhere), [opened(name)]).decode()
    [row] = csv.DictReader(io.StringIO(table, newline=""))
    assert row["path"] == name
    assert None not in row


@given(st.integers(-(2**63), 2**64 - 1))
def test_varints_are_read_by_protobuf(number: int) -> None:
    event = proto.TracePacket.FromString(b"\x40" + varint(number))
    assert event.timestamp == number % 2**64


def packets(calls: Iterable[Call]) -> list[proto.TracePacket]:
    data = exported(Perfetto(nowhere), calls)
    trace = proto.Trace.FromString(data)
    trace.DiscardUnknownFields()
    assert trace.ByteSize() == len(data)  # nothing was unknown
    return list(trace.packet)


def test_perfetto_has_a_slice_for_each_call_of_a_known_thread() -> None:
    made = packets(RUN)
    events = [one for one in made if one.HasField("track_event")]
    kinds = proto.TrackEvent.Type
    begins = [one for one in events if one.track_event.type == kinds.TYPE_SLICE_BEGIN]
    ends = [one for one in events if one.track_event.type == kinds.TYPE_SLICE_END]
    known = [one for one in RUN if one.tid is not None]
    assert [(one.timestamp, one.track_event.name) for one in begins] == [
        (one.start_ns, one.call) for one in known
    ]
    assert [one.timestamp for one in ends] == [one.end_ns for one in known]
    [instant] = [one for one in events if one.track_event.type == kinds.TYPE_INSTANT]
    assert instant.track_event.name == "mmap"
    assert {one.trusted_packet_sequence_id for one in made} == {1}


def test_perfetto_counts_what_is_not_synced() -> None:
    counted = [
        (one.timestamp, one.track_event.counter_value)
        for one in packets(RUN)
        if one.track_event.type == proto.TrackEvent.Type.TYPE_COUNTER
    ]
    assert counted == [
        (RUN[0].end_ns, 0), (RUN[1].end_ns, PAGE), (RUN[2].end_ns, 0), (RUN[3].end_ns, PAGE),
        (RUN[4].end_ns, PAGE + 10),
    ]  # fmt: skip
    [counter] = [
        one.track_descriptor for one in packets(RUN) if one.track_descriptor.HasField("counter")
    ]
    assert counter.counter.unit == proto.CounterDescriptor.Unit.UNIT_SIZE_BYTES


def test_perfetto_names_threads_and_says_what_is_known() -> None:
    made = packets(RUN)
    threads = [
        one.track_descriptor.thread for one in made if one.track_descriptor.HasField("thread")
    ]
    assert [(one.pid, one.tid, one.thread_name) for one in threads] == [
        (12341, 12341, ""), (9, 9, "other"),
    ]  # fmt: skip
    failed = next(one for one in made if one.timestamp == RUN[5].start_ns)
    said = {
        one.name: one.string_value or one.int_value for one in failed.track_event.debug_annotations
    }
    assert said == {
        "call": "fdatasync(3<pages.db>)", "index": 5, "path": "pages.db", "error": "EIO",
        "unknown": "nobody knows",
    }  # fmt: skip


@given(NAMES)
def test_a_name_in_c_and_python_is_its_bytes(name: str) -> None:
    [row] = [
        line
        for line in exported(Python(), [opened(name)]).decode().splitlines()
        if line.startswith("    (open_,")
    ]
    words = ast.parse(row.strip().rstrip(",")).body[0]
    assert isinstance(words, ast.Expr)
    assert isinstance(words.value, ast.Tuple)
    assert ast.literal_eval(words.value.elts[3]) == to_bytes(name)
    text = exported(C(), [opened(name)]).decode()
    assert all(character.isprintable() or character == "\n" for character in text)


def test_a_hostile_name_in_c_is_the_file_that_is_made(tmp_path: Path) -> None:
    (tmp_path / "replay.c").write_bytes(exported(C(), [opened(to_text(HOSTILE)), close(handle=1)]))
    compiler = shutil.which("gcc")
    assert compiler is not None
    strict = ["-Wall", "-Wextra", "-Werror", "-std=gnu17", "-O1"]
    subprocess.run([compiler, *strict, "-o", "replay", "replay.c"], cwd=tmp_path, check=True)
    (tmp_path / "there").mkdir()
    subprocess.run(["./replay", "there"], cwd=tmp_path, check=True)
    assert os.listdir(os.fsencode(tmp_path / "there")) == [HOSTILE]


def test_fio_gets_what_it_can_say() -> None:
    fio = Fio()
    calls = (
        *RUN[:4], call("ftruncate", "truncate", index=7, handle=1, length=0, result=0), RUN[6],
        opened("white space", index=8, handle=2), pwrite(0, index=9, handle=2),
    )  # fmt: skip
    assert exported(fio, calls).decode().splitlines() == [
        "fio version 3 iolog", "0 pages.db add", "0 pages.db open", "0 pages.db write 0 4096",
        "0 pages.db datasync 0 0", "0 pages.db write 4096 4096", "0 pages.db close",
    ]  # fmt: skip
    assert fio.left_out == 3


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (pwrite(0, handle=None), "through which open it came is not known"),
        (pwrite(0, handle=5), "its open is not in the recording"),
        (pwrite(0, handle=1, result=None), "where it wrote, or how much, is not known"),
        (call("unknown", "write", handle=1), "its name is not known"),
        (call("fchmod", "attr"), "a replay has no fchmod"),
        (call("sync_file_range", "range", handle=1), "a replay has no sync_file_range"),
        (
            call("fallocate", "allocate", handle=1, offset=0, length=9),
            "what came of it is not known",
        ),
    ],
)
def test_what_cannot_be_done_again_is_counted_with_its_reason(one: Call, reason: str) -> None:
    for export in (C(), Python()):
        text = exported(export, [opened(), one]).decode()
        assert export.left_out == 1
        assert f"1 left out: {reason}" in text


def test_a_close_counts_if_nothing_came_after_it() -> None:
    calls = (
        opened(index=0), close(index=1, handle=1, tid=9), pwrite(0, index=2, handle=1),
        close(index=3, handle=1), opened("b", index=4), close(index=5, handle=1),
        Released(handle=1, ino=7, end_ns=0), pwrite(0, index=6, handle=1),
    )  # fmt: skip
    assert closed_early(calls) == {1}
    python = Python()
    python.learn(calls)
    text = exported(python, calls[:4]).decode()
    assert "(pwrite64, 2, 0, 0, 4096)" in text
    assert "(close, 3, 0)" in text
    assert "# 1 left out: it closed one of several descriptors of the same open" in text


def test_where_an_append_writes_need_not_be_known() -> None:
    log = opened("log", flags=("O_WRONLY", "O_APPEND"))
    text = exported(Python(), [log, call("write", "write", handle=1, result=10)]).decode()
    assert "(write, 0, 0, 10)" in text


def test_fio_has_no_files_without_a_name() -> None:
    fio = Fio()
    nameless = opened("#17", flags=("O_RDWR", "O_TMPFILE"))
    assert exported(fio, [nameless, pwrite(0, handle=1)]) == b"fio version 3 iolog\n"
    assert fio.left_out == 2


def test_fio_gets_no_write_that_it_would_stop_at() -> None:
    fio = Fio()
    log = opened("log", flags=("O_WRONLY", "O_APPEND"))
    append = call("write", "write", handle=1, result=10, length=10)
    text = exported(fio, [log, pwrite(0, 0, handle=1), append, pwrite(0, 5, handle=1)])
    assert text.splitlines()[3:] == [b"0 log write 0 5"]
    assert fio.left_out == 2


def test_programs_know_all_that_a_replay_does() -> None:
    python = ast.parse(asset("replay_head.py.txt").removesuffix("STEPS = [\n"))
    functions = {
        one.name.removesuffix("_"): [each.arg for each in one.args.args]
        for one in python.body
        if isinstance(one, ast.FunctionDef)
    }
    [names] = re.findall(r"enum what {(.*?)}", asset("replay_head.c"), re.DOTALL)
    done = set(get_args(Do))
    assert {one.strip().lower() for one in names.split(",")} == done == set(_FIELDS)
    for do, fields in _FIELDS.items():
        assert functions[do] == ["call", *fields.replace("flags", "names").split()]


def test_what_failed_is_no_loss() -> None:
    python = Python()
    nothing = pwrite(0, known_by="seccomp", result=None, fragments=0)
    text = exported(python, [opened(), fdatasync(errno=5), nothing]).decode()
    assert "# 2 left out: failed, or had nothing to do" in text
    assert python.left_out == 0
