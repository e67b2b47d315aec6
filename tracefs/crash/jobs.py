"""States to ask about, as they travel."""

from typing import Final

import msgspec
from msgspec import Struct

from tracefs.crashes import Answer
from tracefs.persistence.image import Image


class Job(Struct, frozen=True):
    """One state."""

    key: str
    """Names it among all."""
    image: Image
    acks: tuple[str, ...] = ()
    """Acknowledgements made before the crash."""


class Batch(Struct, frozen=True, kw_only=True):
    """States that one process is asked about, one after the other."""

    jobs: tuple[Job, ...]
    pages: dict[int, bytes] = {}
    """Pages by id that whoever gets this doesn't have."""


class Answers(Struct, frozen=True):
    """What came of a batch, in its order."""

    answers: tuple[Answer, ...]
    seconds: float = 0.0
    """What all of it took."""


encode: Final = msgspec.msgpack.Encoder().encode
decode_batch: Final = msgspec.msgpack.Decoder(Batch).decode
decode_answers: Final = msgspec.msgpack.Decoder(Answers).decode
