"""What the sequencer's journal is made of: everything that moved the state, in order."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from state.chunks import Row
from state.inbox import InboxItem


class ItemsTaken(Struct, frozen=True, array_like=True, tag=1):
    """These inbox items ran, with the venue's clock at `time`."""

    time: int
    items: tuple[InboxItem, ...]


class Taken(Struct, frozen=True, array_like=True, tag=2):
    """A trader's transaction was included, with the venue's clock at `time`."""

    time: int
    row: Row
    client_order_id: str = ""


class Sealed(Struct, frozen=True, array_like=True, tag=3):
    """The open batch was sealed; it ended in `state_root`."""

    number: int
    state_root: bytes


class Rewound(Struct, frozen=True, array_like=True, tag=4):
    """Everything after batch `number` was undone; what traders had sent since is owed a retry."""

    number: int


class Adopted(Struct, frozen=True, array_like=True, tag=5):
    """A batch was executed as L1 has it. Where `void` says why it is, there is no payload."""

    header: bytes
    payload: bytes
    items: tuple[InboxItem, ...]
    void: str


class Settled(Struct, frozen=True, array_like=True, tag=6):
    """Everything that was owed a retry has had it."""


class Final(Struct, frozen=True, array_like=True, tag=7):
    """L1 called batch `number` final: it is never undone."""

    number: int


Record = ItemsTaken | Taken | Sealed | Rewound | Adopted | Settled | Final

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Record])


def encode_records(records: Sequence[Record]) -> bytes:
    """A group of records as one body."""
    return _encoder.encode(records)


def decode_records(body: bytes) -> list[Record]:
    """msgspec's ValidationError or DecodeError for other bytes than `encode_records` makes."""
    return _decoder.decode(body)
