"""Chunks: up to 256 transactions in columns, as docs/codec.md lays them out.

    u16 n | n kind bytes | per kind, ascending: its rows transposed | signatures in order

Byte j of every row stands next to byte j of the others, where it compresses; the
signatures, which do not compress, stand apart at the end.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from state.crypto import keccak
from state.limits import CHUNK_BYTES_MAX, CHUNK_TRANSACTIONS_MAX
from state.lz4_block import CodecError, CodecReason, decode, encode
from state.transactions.kinds import ROW_WIDTHS, SIGNATURE_WIDTHS

COUNT_BYTES = 2
WIDTHS = {int(kind): width for kind, width in sorted(ROW_WIDTHS.items())}
SIGNATURES = {int(kind): width for kind, width in SIGNATURE_WIDTHS.items()}


class Row(NamedTuple):
    """A sequenced transaction as it stands in a chunk; `signature` is b"" where there is none.

    Two signatures stand behind one another.
    """

    kind: int
    row: bytes
    signature: bytes = b""


class Layout(NamedTuple):
    """Where a chunk that has the right form keeps its rows: offsets in bytes."""

    kinds: bytes
    columns: dict[int, int]
    signatures: int


def row_width(kind: int) -> int:
    if kind not in WIDTHS:
        detail = f"kind {kind} is not one of {', '.join(map(str, WIDTHS))}"
        raise CodecError(CodecReason.UNKNOWN_KIND, detail)
    return WIDTHS[kind]


def signature_width(kind: int) -> int:
    return SIGNATURES.get(kind, 0)


def row_size(kind: int) -> int:
    """The bytes that a transaction of `kind` adds to a raw chunk."""
    return 1 + row_width(kind) + signature_width(kind)


def chunk_size(kinds: Iterable[int]) -> int:
    """The bytes of the raw chunk that holds transactions of `kinds`."""
    return COUNT_BYTES + sum(map(row_size, kinds))


def pack_chunk(rows: Sequence[Row]) -> bytes:
    """The raw chunk of `rows`; a CodecError where `unpack_chunk` would raise one."""
    check_count(len(rows))
    for at, row in enumerate(rows):
        width, signed = row_width(row.kind), signature_width(row.kind)
        if len(row.row) != width:
            detail = f"row {at} of kind {row.kind} has {len(row.row)} bytes, not {width}"
            raise CodecError(CodecReason.ROW_WIDTH, detail)
        if len(row.signature) != signed:
            detail = f"row {at} has a signature of {len(row.signature)} bytes, not {signed}"
            raise CodecError(CodecReason.SIGNATURE_WIDTH, detail)
    kinds = bytes(row.kind for row in rows)
    check_size(chunk_size(kinds))

    raw = bytearray(len(rows).to_bytes(COUNT_BYTES) + kinds)
    for kind in sorted(set(kinds)):
        width, joined = WIDTHS[kind], b"".join(row.row for row in rows if row.kind == kind)
        for byte in range(width):
            raw += joined[byte::width]
    raw += b"".join(row.signature for row in rows)
    return bytes(raw)


def unpack_chunk(raw: bytes) -> list[Row]:
    """The transactions of a raw chunk, in order; a CodecError if it has not the exact form."""
    kinds, columns, signed_at = chunk_layout(raw)
    waiting = {}
    for kind, start in columns.items():
        count, width = kinds.count(kind), WIDTHS[kind]
        lane = raw[start : start + count * width]
        waiting[kind] = iter([lane[place::count] for place in range(count)])
    rows = []
    for kind in kinds:
        width = signature_width(kind)
        rows.append(Row(kind, next(waiting[kind]), raw[signed_at : signed_at + width]))
        signed_at += width
    return rows


def row_at(raw: bytes, index: int) -> Row:
    """Transaction `index` of a raw chunk, without taking the others apart."""
    kinds, columns, signed_at = chunk_layout(raw)
    if not 0 <= index < len(kinds):
        detail = f"row {index} is not within 0 to {len(kinds) - 1}"
        raise CodecError(CodecReason.NO_SUCH_ROW, detail)
    kind = kinds[index]
    count = kinds.count(kind)
    start = columns[kind] + kinds.count(kind, 0, index)
    row = raw[start : columns[kind] + count * WIDTHS[kind] : count]
    width = signature_width(kind)
    signed_at += sum(width * kinds.count(kind, 0, index) for kind, width in SIGNATURES.items())
    return Row(kind, row, raw[signed_at : signed_at + width])


def row_count(raw: bytes) -> int:
    """How many transactions a raw chunk says it has: 1 to 256."""
    if len(raw) < COUNT_BYTES:
        detail = f"a chunk begins with {COUNT_BYTES} bytes of count, but has {len(raw)}"
        raise CodecError(CodecReason.COUNT_CUT, detail)
    count = int.from_bytes(raw[:COUNT_BYTES])
    check_count(count)
    return count


def chunk_layout(raw: bytes) -> Layout:
    """Where the parts of a raw chunk are, after every check of its form."""
    check_size(len(raw))
    count = row_count(raw)
    kinds = raw[COUNT_BYTES : COUNT_BYTES + count]
    if len(kinds) < count:
        detail = f"{count} kind bytes are announced, but {len(kinds)} are there"
        raise CodecError(CodecReason.KINDS_CUT, detail)
    size = chunk_size(kinds)
    if len(raw) < size:
        detail = f"its kinds take {size} bytes, but it has {len(raw)}"
        raise CodecError(CodecReason.CHUNK_CUT, detail)
    if len(raw) > size:
        detail = f"its kinds take {size} bytes, but it has {len(raw)}"
        raise CodecError(CodecReason.CHUNK_TRAILING_BYTES, detail)
    columns = {}
    start = COUNT_BYTES + count
    for kind, width in WIDTHS.items():
        if kind in kinds:
            columns[kind] = start
            start += width * kinds.count(kind)
    return Layout(kinds, columns, start)


def check_size(size: int) -> None:
    if size > CHUNK_BYTES_MAX:
        detail = f"a chunk has at most {CHUNK_BYTES_MAX} bytes, not {size}"
        raise CodecError(CodecReason.CHUNK_TOO_LONG, detail)


def check_count(count: int) -> None:
    if count == 0:
        raise CodecError(CodecReason.NO_ROWS, "a chunk has at least one transaction")
    if count > CHUNK_TRANSACTIONS_MAX:
        detail = f"a chunk has at most {CHUNK_TRANSACTIONS_MAX} transactions, not {count}"
        raise CodecError(CodecReason.TOO_MANY_ROWS, detail)


def encode_chunk(rows: Sequence[Row]) -> tuple[bytes, bytes]:
    """`rows` as (compressed, raw) chunk; the header commits to the hash of both."""
    raw = pack_chunk(rows)
    return encode(raw), raw


def decode_chunk(compressed: bytes, raw_hash: bytes) -> list[Row]:
    """The transactions of a compressed chunk whose raw bytes hash to `raw_hash`.

    A CodecError is what makes a batch void: the block, then the hash, then the form.
    """
    raw = decode(compressed, CHUNK_BYTES_MAX)
    if keccak(raw) != raw_hash:
        detail = f"the raw chunk hashes to {keccak(raw).hex()}, not {raw_hash.hex()}"
        raise CodecError(CodecReason.WRONG_HASH, detail)
    return unpack_chunk(raw)


def split_payload(payload: bytes, sizes: Sequence[int]) -> list[bytes]:
    """The compressed chunks of a batch's payload, by the sizes in its header."""
    size = sum(sizes)
    detail = f"the header's chunks take {size} bytes, but the payload has {len(payload)}"
    if len(payload) < size:
        raise CodecError(CodecReason.PAYLOAD_CUT, detail)
    if len(payload) > size:
        raise CodecError(CodecReason.PAYLOAD_TRAILING_BYTES, detail)
    chunks = []
    for length in sizes:
        chunks.append(payload[:length])
        payload = payload[length:]
    return chunks
