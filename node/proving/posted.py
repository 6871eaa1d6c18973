"""A batch as it was posted: its header, its transactions in words, and how two of them differ.

A file of one holds the header and, right behind it, the payload: the compressed chunks.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from msgspec import Struct

from node.proving.readable import ABSENT, Difference, differences, plain
from prover.derivation import Inconsistent, chunks_of
from state.batch import BatchHeader, decode_header, encode_header
from state.chunks import Row, chunk_size
from state.orders import Flags, decode_flags
from state.packing import NotCanonical
from state.transactions import NewOrder, Transaction, decode_transaction
from state.transactions.kinds import Kind

CHUNK_RECORD_BYTES = 66
HEADER_BYTES = 148
"""Of a header without chunks, whose number is its last byte."""


class PostedBatch(Struct, frozen=True, kw_only=True):
    """Header and payload, and what they hold; `void_reason` is empty unless it is void."""

    header: BatchHeader
    payload: bytes
    chunks: Sequence[Sequence[Row]]
    void_reason: str

    @property
    def encoded(self) -> bytes:
        """The bytes of its file."""
        return encode_header(self.header) + self.payload


class PostedTransaction(Struct, frozen=True, kw_only=True):
    """Transaction `row` of chunk `chunk`, both counted from 0."""

    chunk: int
    row: int
    kind: str
    fields: dict[str, Any]
    signature: bytes


def read_posted(header: bytes, payload: bytes) -> PostedBatch:
    """The batch of these bytes. ValueError where they are none that L1 can have logged."""
    try:
        decoded = decode_header(header)
        chunks, void_reason = chunks_of(decoded, payload)
    except NotCanonical as error:
        raise ValueError(f"its header does not read: {error}") from error
    except Inconsistent as error:
        raise ValueError(f"its chunks are not those of its header: {error}") from error
    return PostedBatch(header=decoded, payload=payload, chunks=chunks, void_reason=void_reason)


def parted(data: bytes) -> tuple[bytes, bytes]:
    """Header and payload of a file. ValueError where it ends within the header."""
    chunks = data[HEADER_BYTES - 1] if len(data) >= HEADER_BYTES else 0
    size = HEADER_BYTES + CHUNK_RECORD_BYTES * chunks
    if len(data) < size:
        raise ValueError(
            f"{len(data)} bytes are no batch: expected a header of {size} bytes, and its "
            "payload behind it"
        )
    return data[:size], data[size:]


def transactions(batch: PostedBatch) -> list[PostedTransaction]:
    """All of them in order; none of a void batch."""
    return [
        posted_transaction(chunk, place, row)
        for chunk, rows in enumerate(batch.chunks)
        for place, row in enumerate(rows)
    ]


def posted_transaction(chunk: int, place: int, row: Row) -> PostedTransaction:
    """One, with flags in words."""
    tx = decode_transaction(row.kind, row.row)
    kind = Kind(row.kind).name.lower().replace("_", " ")
    fields = _fields(tx)
    return PostedTransaction(
        chunk=chunk, row=place, kind=kind, fields=fields, signature=row.signature
    )


def _fields(tx: Transaction) -> dict[str, Any]:
    fields: dict[str, Any] = plain(tx)
    if isinstance(tx, NewOrder):
        flags = decode_flags(tx.flags)
        fields["flags"] = f"{tx.flags:#04x}, no order" if flags is None else _flag_words(flags)
    return fields


def _flag_words(flags: Flags) -> str:
    """Side, type, life and the rest as an order is spoken of."""
    words = [
        ("buy", "sell")[flags.side],
        "market" if flags.is_market else "limit",
        flags.life.name.replace("_", "-"),
    ]
    words += ["reduce-only"] if flags.reduce_only else []
    return " ".join([*words, flags.self_trade.name.lower().replace("_", "-")])


def sizes(batch: PostedBatch) -> dict[str, int]:
    """Bytes and counts."""
    return {
        "header": len(encode_header(batch.header)),
        "payload": len(batch.payload),
        "raw": sum(chunk_size(row.kind for row in rows) for rows in batch.chunks),
        "chunks": len(batch.header.chunks),
        "transactions": sum(len(rows) for rows in batch.chunks),
        "items": batch.header.inbox_to - batch.header.inbox_from,
    }


# --- two of them ---


class FirstTransaction(Struct, frozen=True, kw_only=True):
    """The first transaction in which two batches differ, counted from 0 over all chunks."""

    transaction: int
    one: PostedTransaction | None
    other: PostedTransaction | None
    differences: tuple[Difference, ...]


def header_differences(one: PostedBatch, other: PostedBatch) -> tuple[Difference, ...]:
    """The fields of the headers that differ, and whether and why one of them is void."""
    found = differences(one.header, other.header)
    if one.void_reason != other.void_reason:
        void = Difference("void", one.void_reason or "no", other.void_reason or "no")
        return (*found, void)
    return found


def first_transaction(one: PostedBatch, other: PostedBatch) -> FirstTransaction | None:
    """None where all are the same, chunk by chunk too."""
    pairs = zip_longest(transactions(one), transactions(other))
    for place, (left, right) in enumerate(pairs):
        if left != right:
            found = _differences(left, right)
            return FirstTransaction(transaction=place, one=left, other=right, differences=found)
    return None


def _differences(
    one: PostedTransaction | None, other: PostedTransaction | None
) -> tuple[Difference, ...]:
    left, right = _named(one), _named(other)
    names = dict.fromkeys((*left, *right))
    return tuple(
        Difference(name, left.get(name, ABSENT), right.get(name, ABSENT))
        for name in names
        if left.get(name) != right.get(name)
    )


def _named(tx: PostedTransaction | None) -> dict[str, Any]:
    if tx is None:
        return {}
    place = {"chunk": tx.chunk, "row": tx.row, "kind": tx.kind}
    return place | tx.fields | {"signature": plain(tx.signature)}


def first_byte(one: bytes, other: bytes) -> int | None:
    """Where two byte strings first differ, the end of the shorter one at the latest."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return None if len(one) == len(other) else min(len(one), len(other))
