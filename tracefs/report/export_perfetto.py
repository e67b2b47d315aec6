"""A trace for the Perfetto UI: a track for each thread, and one for the bytes that wait for a sync.

Numbers of fields are those of ``protos/perfetto/trace/trace_packet.proto`` and of
``protos/perfetto/trace/track_event/`` in google/perfetto.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from tracefs.report.export import Export
from tracefs.report.ledger import Ledger
from tracefs.report.protobuf import message, number, text
from tracefs.report.quote import printable
from tracefs.report.strace import error_name, spelled
from tracefs.trace.call import Call

_PACKET: Final = 1
"""Trace.packet."""
_TIMESTAMP, _SEQUENCE, _EVENT, _FLAGS, _TRACK = 8, 10, 11, 13, 60
"""Of a TracePacket."""
_CLEARED: Final = 1
"""TracePacket.SequenceFlags.SEQ_INCREMENTAL_STATE_CLEARED: what follows builds on nothing."""
_ANNOTATION, _TYPE, _TRACK_UUID, _CATEGORY, _NAME, _VALUE = 4, 9, 11, 22, 23, 30
"""Of a TrackEvent."""
_BEGIN, _END, _INSTANT, _COUNTER = 1, 2, 3, 4
"""TrackEvent.Type."""
_KEY, _INTEGER, _STRING = 10, 4, 6
"""Of a DebugAnnotation."""
_UUID, _TRACK_NAME, _THREAD, _COUNTS = 1, 2, 4, 8
"""Of a TrackDescriptor."""
_PID, _TID, _THREAD_NAME = 1, 2, 5
"""Of a ThreadDescriptor."""
_UNIT, _BYTES = 3, 3
"""CounterDescriptor.unit, and UNIT_SIZE_BYTES."""
_OF_COUNTER: Final = 1
_OF_UNKNOWN: Final = 2
_OF_THREAD: Final = 1 << 32
"""Identifiers of tracks: these, and from here on the threads."""


class Perfetto(Export):
    """One trace; syncs and writes are slices as long as they took."""

    def __init__(self, locate: Callable[[Call], str | None]) -> None:
        self._locate = locate
        self._ledger = Ledger(0)
        self._threads: dict[int, str | None] = {}
        self._total = -1

    def begin(self) -> bytes:
        """See `Export`."""
        counter = _track(_OF_COUNTER, text(_TRACK_NAME, "bytes not synced"),
                         message(_COUNTS, number(_UNIT, _BYTES)))  # fmt: skip
        return _packet(number(_FLAGS, _CLEARED), counter) + _packet(
            _track(_OF_UNKNOWN, text(_TRACK_NAME, "thread not known"))
        )

    def call(self, call: Call) -> bytes:
        """See `Export`."""
        self._ledger.take(call)
        return b"".join(self._packets(call))

    def _packets(self, call: Call) -> Iterator[bytes]:
        said = [
            number(_TYPE, _BEGIN if call.tid is not None else _INSTANT),
            text(_NAME, call.call),
            text(_CATEGORY, call.family),
            *self._annotations(call),
        ]
        if call.tid is None:
            # Nobody knows whether two of them overlap: slices of one track must not.
            yield _event(call.start_ns, _OF_UNKNOWN, *said)
        else:
            if call.tid not in self._threads or (call.comm and not self._threads[call.tid]):
                self._threads[call.tid] = call.comm
                yield _packet(_thread(call.tid, call))
            yield _event(call.start_ns, _OF_THREAD + call.tid, *said)
            yield _event(call.end_ns, _OF_THREAD + call.tid, number(_TYPE, _END))
        if self._ledger.total != self._total:
            self._total = self._ledger.total
            value = number(_VALUE, self._total)
            yield _event(call.end_ns, _OF_COUNTER, number(_TYPE, _COUNTER), value)

    def _annotations(self, call: Call) -> Iterator[bytes]:
        # Each is another: it would only fill the cache of texts.
        yield message(
            _ANNOTATION,
            text(_KEY, "call"),
            message(_STRING, spelled(call).encode("utf-8", "backslashreplace")),
        )
        for name, value in (
            ("index", call.index), ("offset", call.offset), ("length", call.length),
            ("result", call.result),
        ):  # fmt: skip
            if value is not None:
                yield message(_ANNOTATION, text(_KEY, name), number(_INTEGER, value))
        if call.path is not None:
            yield _said("path", printable(call.path))
        if call.errno:
            yield _said("error", error_name(call.errno))
        if call.reason is not None:
            yield _said("unknown", printable(call.reason))
        if call.injected:
            yield _said("injected", ", ".join(one.rule for one in call.injected))
        source = self._locate(call) if call.stack else None
        if source is not None:
            yield _said("source", printable(source))


def _thread(tid: int, call: Call) -> bytes:
    names = [] if call.comm is None else [text(_THREAD_NAME, printable(call.comm))]
    # A thread that can't be looked up is taken for its process's first one.
    pid = number(_PID, tid if call.pid is None else call.pid)
    return _track(_OF_THREAD + tid, message(_THREAD, pid, number(_TID, tid), *names))


def _track(uuid: int, *parts: bytes) -> bytes:
    return message(_TRACK, number(_UUID, uuid), *parts)


def _event(at_ns: int, track: int, *parts: bytes) -> bytes:
    return _packet(number(_TIMESTAMP, at_ns), message(_EVENT, number(_TRACK_UUID, track), *parts))


def _packet(*parts: bytes) -> bytes:
    return message(_PACKET, number(_SEQUENCE, 1), *parts)


@lru_cache(maxsize=4096)
def _said(name: str, value: str) -> bytes:
    return message(_ANNOTATION, text(_KEY, name), text(_STRING, value))
