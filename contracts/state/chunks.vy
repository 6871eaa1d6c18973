# pragma version 0.4.3
"""
@title Chunks: up to 256 transactions in columns
@notice As state/chunks.py; the rules and their order are in sections 1 and 3 of docs/codec.md.
        u16 n | n kind bytes | per kind, ascending: its rows transposed | signatures in order
@dev A tally has 16 bits for each kind, so one word counts all of them. All sums stay below
     2^18 and go unchecked.
"""

from . import limits
from . import lz4_block


CHUNK_BYTES_MAX: constant(uint256) = limits.CHUNK_BYTES_MAX
COUNT_BYTES: constant(uint256) = 2
KIND_LAST: constant(uint256) = 11

# A byte a kind, from kind 0 on: what its rows and its signatures take.
WIDTHS: constant(bytes32) = 0x00050e21212d1f182a2c15560000000000000000000000000000000000000000
SIGNATURES: constant(bytes32) = 0x0000404040404040404040800000000000000000000000000000000000000000

# u8 kind | row | signatures, where a block trade has the longest.
ROW_BYTES_MAX: constant(uint256) = 86
SIGNATURE_BYTES_MAX: constant(uint256) = 128
TRANSACTION_BYTES_MAX: constant(uint256) = 1 + ROW_BYTES_MAX + SIGNATURE_BYTES_MAX
ROW_WORDS: constant(uint256) = 3

PADDED_BYTES_MAX: constant(uint256) = CHUNK_BYTES_MAX + 32

U16: constant(uint256) = 2**16 - 1

# Why bytes are not a chunk; CodecReason. CHUNK_TOO_LONG cannot come out of a block, and no
# type here holds such a chunk.
WRONG_HASH: constant(uint256) = 20
COUNT_CUT: constant(uint256) = 22
NO_ROWS: constant(uint256) = 23
TOO_MANY_ROWS: constant(uint256) = 24
KINDS_CUT: constant(uint256) = 25
UNKNOWN_KIND: constant(uint256) = 26
CHUNK_CUT: constant(uint256) = 27
CHUNK_TRAILING_BYTES: constant(uint256) = 28


struct Layout:
    reason: uint256  # zero, or why there is none; then nothing else counts
    count: uint256
    tally: uint256  # rows of each kind
    before: uint256  # rows of each kind in front of the one asked for
    kind: uint256  # of the one asked for, zero where there is none


@internal
@pure
def _decode_chunk(
    compressed: Bytes[lz4_block.BLOCK_BYTES_MAX], raw_hash: bytes32
) -> uint256:
    """
    @notice Zero where `compressed` is a chunk whose raw bytes hash to `raw_hash`. Any other
            answer makes a batch void: the block, then the hash, then the form.
    """
    reason: uint256 = 0
    raw: Bytes[CHUNK_BYTES_MAX] = b""
    reason, raw = lz4_block._decode(compressed, CHUNK_BYTES_MAX)
    if reason != 0:
        return reason
    if keccak256(raw) != raw_hash:
        return WRONG_HASH
    return self._chunk_layout(raw, 0).reason


@internal
@pure
def _row_at(raw: Bytes[CHUNK_BYTES_MAX], index: uint256) -> (Bytes[TRANSACTION_BYTES_MAX], bool):
    """
    @notice Transaction `index` of a raw chunk as u8 kind | row | signatures, and whether it is
            the last. Reverts where `raw` has not the exact form, or has no such row.
    """
    layout: Layout = self._chunk_layout(raw, index)
    assert layout.reason == 0, "chunks: not a chunk"
    assert index < layout.count, "chunks: no such row"

    kind: uint256 = layout.kind
    start: uint256 = unsafe_add(COUNT_BYTES, layout.count)
    signed_at: uint256 = start
    for other: uint256 in range(1, KIND_LAST + 1):
        rows: uint256 = self._rows(layout.tally, other)
        signed_at = unsafe_add(signed_at, unsafe_mul(rows, self._row_width(other)))
        if other < kind:
            start = signed_at
    for other: uint256 in range(1, KIND_LAST + 1):
        rows: uint256 = self._rows(layout.before, other)
        signed_at = unsafe_add(signed_at, unsafe_mul(rows, self._signature_width(other)))

    start = unsafe_add(start, self._rows(layout.before, kind))
    step: uint256 = self._rows(layout.tally, kind)
    row: Bytes[ROW_BYTES_MAX] = self._column(raw, start, step, self._row_width(kind))
    transaction: Bytes[TRANSACTION_BYTES_MAX] = concat(
        convert(convert(kind, uint8), bytes1),
        row,
        convert(slice(raw, signed_at, self._signature_width(kind)), Bytes[SIGNATURE_BYTES_MAX]),
    )
    return transaction, index == layout.count - 1


@internal
@pure
def _row_count(raw: Bytes[CHUNK_BYTES_MAX]) -> (uint256, uint256):
    """
    @notice Zero and how many transactions a raw chunk says it has, 1 to 256; or a reason.
    """
    if len(raw) < COUNT_BYTES:
        return COUNT_CUT, 0
    count: uint256 = convert(slice(raw, 0, COUNT_BYTES), uint256)
    if count == 0:
        return NO_ROWS, 0
    if count > limits.CHUNK_TRANSACTIONS_MAX:
        return TOO_MANY_ROWS, 0
    return 0, count


@internal
@pure
def _chunk_layout(raw: Bytes[CHUNK_BYTES_MAX], index: uint256) -> Layout:
    """
    @notice Where the parts of a raw chunk are, after every check of its form.
    """
    layout: Layout = empty(Layout)
    layout.reason, layout.count = self._row_count(raw)
    if layout.reason != 0:
        return layout
    if unsafe_sub(len(raw), COUNT_BYTES) < layout.count:
        layout.reason = KINDS_CUT
        return layout

    padded: Bytes[PADDED_BYTES_MAX] = concat(raw, empty(bytes32))
    ahead: uint256 = 0
    for i: uint256 in range(limits.CHUNK_TRANSACTIONS_MAX):
        if i == layout.count:
            break
        if i & 31 == 0:
            ahead = extract32(padded, unsafe_add(COUNT_BYTES, i), output_type=uint256)
        kind: uint256 = ahead >> 248
        if kind == 0 or kind > KIND_LAST:
            layout.reason = UNKNOWN_KIND
            return layout
        if i == index:
            layout.kind = kind
            layout.before = layout.tally
        layout.tally = unsafe_add(layout.tally, 1 << (kind << 4))
        ahead <<= 8

    size: uint256 = self._chunk_size(layout.count, layout.tally)
    if len(raw) < size:
        layout.reason = CHUNK_CUT
    if len(raw) > size:
        layout.reason = CHUNK_TRAILING_BYTES
    return layout


@internal
@pure
def _chunk_size(count: uint256, tally: uint256) -> uint256:
    """
    @notice The bytes of the raw chunk that holds `count` transactions of the kinds in `tally`.
    """
    size: uint256 = unsafe_add(COUNT_BYTES, count)
    for kind: uint256 in range(1, KIND_LAST + 1):
        width: uint256 = unsafe_add(self._row_width(kind), self._signature_width(kind))
        size = unsafe_add(size, unsafe_mul(self._rows(tally, kind), width))
    return size


@internal
@pure
def _column(
    raw: Bytes[CHUNK_BYTES_MAX], start: uint256, step: uint256, width: uint256
) -> Bytes[ROW_BYTES_MAX]:
    """
    @notice `width` bytes of a raw chunk from `start` on, each `step` behind the last.
    """
    padded: Bytes[PADDED_BYTES_MAX] = concat(raw, empty(bytes32))
    words: uint256[ROW_WORDS] = empty(uint256[ROW_WORDS])
    at: uint256 = start
    for i: uint256 in range(ROW_BYTES_MAX):
        if i == width:
            break
        byte: uint256 = extract32(padded, at, output_type=uint256) >> 248
        words[i >> 5] |= byte << unsafe_sub(248, (i & 31) << 3)
        at = unsafe_add(at, step)
    return convert(slice(abi_encode(words), 0, width), Bytes[ROW_BYTES_MAX])


@internal
@pure
def _rows(tally: uint256, kind: uint256) -> uint256:
    return (tally >> (kind << 4)) & U16


@internal
@pure
def _row_width(kind: uint256) -> uint256:
    return convert(WIDTHS << (kind << 3), uint256) >> 248


@internal
@pure
def _signature_width(kind: uint256) -> uint256:
    return convert(SIGNATURES << (kind << 3), uint256) >> 248
