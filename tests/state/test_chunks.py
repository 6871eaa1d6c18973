"""Chunks there and back, a vector for each refusal, and damage of every single byte."""

from collections.abc import Callable
from itertools import pairwise

import lz4.block
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.chunks import (
    Row,
    chunk_size,
    decode_chunk,
    encode_chunk,
    pack_chunk,
    row_at,
    row_count,
    row_size,
    split_payload,
    unpack_chunk,
)
from state.crypto import keccak
from state.limits import CHUNK_BYTES_MAX, CHUNK_TRANSACTIONS_MAX
from state.lz4_block import CodecError, CodecReason, encode_literals
from state.transactions.kinds import ROW_WIDTHS, Kind

SIGNED = {kind: {Kind.HEADER: 0, Kind.BLOCK_TRADE: 128}.get(kind, 64) for kind in Kind}


def sample(kind: Kind, seed: int) -> Row:
    """A row of `kind` whose bytes follow from `seed`, its signature looking random."""
    digest = keccak(seed.to_bytes(4))
    signature = (digest + keccak(digest) + keccak(digest[1:]) + keccak(digest[2:]))[: SIGNED[kind]]
    return Row(kind, (seed.to_bytes(4) * 22)[: ROW_WIDTHS[kind]], signature)


def rows_of(kind: Kind) -> st.SearchStrategy[Row]:
    width = ROW_WIDTHS[kind]
    signed = SIGNED[kind]
    return st.builds(
        lambda row, signature: Row(kind, row, signature),
        st.binary(min_size=width, max_size=width),
        st.binary(min_size=signed, max_size=signed),
    )


any_rows = st.lists(st.sampled_from(Kind).flatmap(rows_of), min_size=1, max_size=40)

MIXED = [sample(kind, seed) for seed, kind in enumerate([*Kind, *reversed(Kind), Kind.ORDER])]
RAW = pack_chunk(MIXED)
ORDER = sample(Kind.ORDER, 7)
HEADER = sample(Kind.HEADER, 7)
# 81 orders and 42 headers fill a chunk to its last byte.
FULL = [sample(Kind.ORDER, seed) for seed in range(81)] + [HEADER] * 42


def refusal(call: Callable[[], object]) -> CodecReason:
    with pytest.raises(CodecError) as error:
        call()
    assert error.value.detail
    return error.value.reason


@given(rows=any_rows)
def test_a_chunk_unpacks_to_the_rows_it_was_packed_from(rows: list[Row]) -> None:
    raw = pack_chunk(rows)
    assert len(raw) == chunk_size(row.kind for row in rows)
    assert row_count(raw) == len(rows)
    assert unpack_chunk(raw) == rows
    assert [row_at(raw, index) for index in range(len(rows))] == rows


@given(rows=any_rows)
def test_a_compressed_chunk_decodes_to_its_rows(rows: list[Row]) -> None:
    compressed, raw = encode_chunk(rows)
    assert decode_chunk(compressed, keccak(raw)) == rows


def test_the_layout_is_count_kinds_columns_and_signatures_in_order() -> None:
    price, header, other = (
        Row(Kind.PRICE, bytes(range(14)), b"P" * 64),
        Row(Kind.HEADER, b"abcde"),
        Row(Kind.PRICE, bytes(range(100, 114)), b"Q" * 64),
    )
    columns = b"".join(bytes([byte, 100 + byte]) for byte in range(14))
    kinds = bytes([Kind.PRICE, Kind.HEADER, Kind.PRICE])
    raw = b"\x00\x03" + kinds + b"abcde" + columns + b"P" * 64 + b"Q" * 64
    assert pack_chunk([price, header, other]) == raw


def test_a_block_trade_has_two_signatures_in_its_place() -> None:
    block = Row(Kind.BLOCK_TRADE, bytes(range(86)), b"M" * 64 + b"T" * 64)
    rows = [ORDER, block, HEADER, block, ORDER]
    raw = pack_chunk(rows)
    pair, order = b"M" * 64 + b"T" * 64, ORDER.signature
    assert raw.endswith(order + pair + pair + order)
    assert [row_at(raw, index) for index in range(5)] == rows == unpack_chunk(raw)
    assert row_size(Kind.BLOCK_TRADE) == 1 + 86 + 128


@pytest.mark.parametrize(
    "rows",
    [[HEADER], [ORDER], [HEADER] * CHUNK_TRANSACTIONS_MAX, FULL],
    ids=["one header", "one order", "256 headers", "8,192 bytes"],
)
def test_the_smallest_and_the_fullest_chunks(rows: list[Row]) -> None:
    compressed, raw = encode_chunk(rows)
    assert decode_chunk(compressed, keccak(raw)) == rows
    assert row_at(raw, len(rows) - 1) == rows[-1]


def test_the_bytes_of_an_order_are_those_on_the_codec_page() -> None:
    assert len(pack_chunk(FULL)) == CHUNK_BYTES_MAX
    assert row_size(Kind.ORDER) == 1 + 33 + 64 == 98
    assert chunk_size([Kind.ORDER] * 83) == 8_136
    assert chunk_size([Kind.ORDER] * 84) > CHUNK_BYTES_MAX
    assert len(encode_literals(bytes(CHUNK_BYTES_MAX))) == 8_226


def resting_order(seed: int) -> Row:
    """An order as traders send them: a thousand owners, eight markets, prices near the mark."""
    chance = keccak(b"order" + seed.to_bytes(4))
    market = chance[0] % 8
    row = (
        (int.from_bytes(chance[1:3]) % 1_000 << 8).to_bytes(4)  # account
        + bytes([0, 0, 0, chance[3] % 2])  # epoch
        + (int.from_bytes(chance[4:7]) % 100_000).to_bytes(8)  # sequence
        + market.to_bytes(2)
        + bytes([chance[7] % 2 | (chance[8] % 4) << 2])  # flags
        + (500_000 + 1_000 * market + chance[9]).to_bytes(3)  # ticks
        + (10 ** (2 + chance[10] % 4) * (1 + chance[11] % 20)).to_bytes(6)  # lots
        + (1_750_000_000 + (60, 3_600, 86_400)[chance[12] % 3]).to_bytes(5)  # expiry
    )
    return Row(Kind.ORDER, row, keccak(chance) + keccak(keccak(chance)))


def test_an_order_takes_less_than_79_bytes_on_l1() -> None:
    compressed, raw = encode_chunk([resting_order(seed) for seed in range(83)])
    assert len(raw) == 8_136
    assert len(compressed) < 79 * 83


# In the order of the checks. The count stands in the first two bytes, the kinds follow.
BAD_FORMS = [
    ("a byte too long", bytes(CHUNK_BYTES_MAX + 1), CodecReason.CHUNK_TOO_LONG),
    ("no byte", b"", CodecReason.COUNT_CUT),
    ("half a count", b"\x00", CodecReason.COUNT_CUT),
    ("no rows", b"\x00\x00", CodecReason.NO_ROWS),
    ("no rows, then bytes", b"\x00\x00" + RAW[2:], CodecReason.NO_ROWS),
    ("257 rows", b"\x01\x01" + b"\x01" * 257 + bytes(5 * 257), CodecReason.TOO_MANY_ROWS),
    ("a kind byte missing", b"\x00\x02\x01", CodecReason.KINDS_CUT),
    ("kind 0", b"\x00\x01\x00" + bytes(5), CodecReason.UNKNOWN_KIND),
    ("kind 99", b"\x00\x01\x63" + bytes(5), CodecReason.UNKNOWN_KIND),
    ("kind 255, cut as well", b"\x00\x02\x01\xff", CodecReason.UNKNOWN_KIND),
    ("a byte short", RAW[:-1], CodecReason.CHUNK_CUT),
    ("kinds only", b"\x00\x01\x01", CodecReason.CHUNK_CUT),
    ("more than fits", b"\x01\x00" + b"\x03" * 256 + bytes(7_000), CodecReason.CHUNK_CUT),
    ("a byte left over", RAW + b"\x00", CodecReason.CHUNK_TRAILING_BYTES),
    ("a count one less", b"\x00\x01\x01\x01" + bytes(10), CodecReason.CHUNK_TRAILING_BYTES),
]


@pytest.mark.parametrize(
    ("raw", "reason"), [row[1:] for row in BAD_FORMS], ids=[row[0] for row in BAD_FORMS]
)
def test_bytes_that_are_no_chunk_are_refused_with_their_reason(
    raw: bytes, reason: CodecReason
) -> None:
    assert refusal(lambda: unpack_chunk(raw)) is reason
    assert refusal(lambda: row_at(raw, 0)) is reason
    if len(raw) <= CHUNK_BYTES_MAX:
        block = encode_literals(raw)
        assert refusal(lambda: decode_chunk(block, keccak(raw))) is reason


BAD_ROWS = [
    ("none", [], CodecReason.NO_ROWS),
    ("257", [HEADER] * 257, CodecReason.TOO_MANY_ROWS),
    ("an unknown kind", [Row(99, bytes(5))], CodecReason.UNKNOWN_KIND),
    ("a kind beyond a byte", [Row(259, bytes(33), bytes(64))], CodecReason.UNKNOWN_KIND),
    ("a row cut", [Row(Kind.ORDER, bytes(32), bytes(64))], CodecReason.ROW_WIDTH),
    ("a row with a byte more", [Row(Kind.HEADER, bytes(6))], CodecReason.ROW_WIDTH),
    ("an unsigned order", [Row(Kind.ORDER, bytes(33))], CodecReason.SIGNATURE_WIDTH),
    ("a long signature", [Row(Kind.ORDER, bytes(33), bytes(65))], CodecReason.SIGNATURE_WIDTH),
    ("half consent", [Row(Kind.BLOCK_TRADE, bytes(86), bytes(64))], CodecReason.SIGNATURE_WIDTH),
    ("a signed header", [Row(Kind.HEADER, bytes(5), bytes(64))], CodecReason.SIGNATURE_WIDTH),
    ("more than fits", [*FULL, HEADER], CodecReason.CHUNK_TOO_LONG),
]


@pytest.mark.parametrize(
    ("rows", "reason"), [row[1:] for row in BAD_ROWS], ids=[row[0] for row in BAD_ROWS]
)
def test_rows_that_make_no_chunk_are_refused_with_their_reason(
    rows: list[Row], reason: CodecReason
) -> None:
    assert refusal(lambda: pack_chunk(rows)) is reason


@pytest.mark.parametrize("index", [-1, len(MIXED), 65_535])
def test_a_row_that_is_not_there_is_refused(index: int) -> None:
    assert refusal(lambda: row_at(RAW, index)) is CodecReason.NO_SUCH_ROW


@pytest.mark.parametrize("kind", [0, 99, -1, 256])
def test_an_unknown_kind_has_no_size(kind: int) -> None:
    assert refusal(lambda: row_size(kind)) is CodecReason.UNKNOWN_KIND


@given(raw=st.one_of(st.binary(max_size=200), st.binary(max_size=20).map(RAW.__add__)))
def test_any_bytes_unpack_exactly_or_are_refused(raw: bytes) -> None:
    try:
        rows = unpack_chunk(raw)
    except CodecError:
        return
    assert pack_chunk(rows) == raw


@settings(max_examples=200)
@given(count=st.integers(0, 300), kinds=st.binary(max_size=6), rest=st.binary(max_size=300))
def test_a_count_that_lies_is_refused(count: int, kinds: bytes, rest: bytes) -> None:
    raw = count.to_bytes(2) + kinds + rest
    try:
        rows = unpack_chunk(raw)
    except CodecError:
        return
    assert len(rows) == count and pack_chunk(rows) == raw


@given(compressed=st.binary(max_size=100), raw_hash=st.binary(min_size=32, max_size=32))
def test_any_compressed_bytes_raise_nothing_but_a_codec_error(
    compressed: bytes, raw_hash: bytes
) -> None:
    with pytest.raises(CodecError):
        decode_chunk(compressed, raw_hash)


def test_a_flip_of_any_byte_or_bit_never_gives_other_rows() -> None:
    compressed, raw = encode_chunk(MIXED)
    refused = 0
    for at in range(len(compressed)):
        for flip in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            damaged = bytearray(compressed)
            damaged[at] ^= flip
            try:
                assert decode_chunk(bytes(damaged), keccak(raw)) == MIXED
            except CodecError:
                refused += 1
    # The rest are other blocks for the same raw bytes: only those are canonical.
    assert refused > 0.99 * 9 * len(compressed)


def test_a_flip_of_any_raw_byte_is_refused_by_its_hash() -> None:
    for at in range(len(RAW)):
        damaged = bytearray(RAW)
        damaged[at] ^= 1
        block = encode_literals(bytes(damaged))
        assert refusal(lambda: decode_chunk(block, keccak(RAW))) is CodecReason.WRONG_HASH  # noqa: B023


def test_every_truncation_and_every_byte_more_is_refused() -> None:
    compressed, raw = encode_chunk(MIXED)
    for end in range(len(compressed)):
        with pytest.raises(CodecError):
            decode_chunk(compressed[:end], keccak(raw))
    for end in range(len(raw)):
        with pytest.raises(CodecError):
            unpack_chunk(raw[:end])
    for more in range(256):
        with pytest.raises(CodecError):
            decode_chunk(compressed + bytes([more]), keccak(raw))


def test_a_block_with_less_output_is_refused_where_lz4_says_nothing() -> None:
    short = encode_literals(RAW[:-1])
    assert lz4.block.decompress(short, uncompressed_size=len(RAW)) == RAW[:-1]
    assert refusal(lambda: decode_chunk(short, keccak(RAW))) is CodecReason.WRONG_HASH
    assert refusal(lambda: decode_chunk(short, keccak(RAW[:-1]))) is CodecReason.CHUNK_CUT


def test_a_block_with_more_output_than_a_chunk_is_refused() -> None:
    raw = bytes(CHUNK_BYTES_MAX + 6)
    block = lz4.block.compress(raw, store_size=False)
    assert refusal(lambda: decode_chunk(block, keccak(raw))) is CodecReason.MATCH_TOO_LONG


@given(chunks=st.lists(st.binary(max_size=20), max_size=8))
def test_a_payload_splits_by_the_sizes_of_its_header(chunks: list[bytes]) -> None:
    payload, sizes = b"".join(chunks), [len(chunk) for chunk in chunks]
    assert split_payload(payload, sizes) == chunks
    longer = refusal(lambda: split_payload(payload + b"\x00", sizes))
    shorter = refusal(lambda: split_payload(payload, [*sizes, 1]))
    assert (longer, shorter) == (CodecReason.PAYLOAD_TRAILING_BYTES, CodecReason.PAYLOAD_CUT)


def test_every_reason_of_a_chunk_has_a_vector() -> None:
    forms = {reason for _, _, reason in BAD_FORMS} | {reason for _, _, reason in BAD_ROWS}
    others = {CodecReason.WRONG_HASH, CodecReason.NO_SUCH_ROW}
    payload = {CodecReason.PAYLOAD_CUT, CodecReason.PAYLOAD_TRAILING_BYTES}
    assert forms | others | payload == {reason for reason in CodecReason if reason >= 20}


def test_the_codec_page_lists_every_reason_by_its_number(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs" / "codec.md").read_text(encoding="utf-8")
    listed = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| ")]
    numbered = [(int(number), name.strip()) for number, name in listed if number.strip().isdigit()]
    assert numbered == [(reason.value, f"`{reason.name}`") for reason in CodecReason]
    assert all(before < after for (before, _), (after, _) in pairwise(numbered))
