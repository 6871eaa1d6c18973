"""Rows out of a raw chunk on L1: the form it must have, and every row where Python has it."""

import re
from random import Random

import pytest
from chunk_contract import DECODE, MALFORMED, ROW_AT, ChunkContract
from evm_engines import Engine, Pyrevm, Reverted
from lz4_blocks import seeded

from contracts.abi import Function
from contracts.compiler import SOURCES
from state.chunks import (
    SIGNATURES,
    WIDTHS,
    Row,
    decode_chunk,
    encode_chunk,
    pack_chunk,
    row_at,
    row_size,
)
from state.crypto import keccak
from state.limits import CHUNK_BYTES_MAX, CHUNK_TRANSACTIONS_MAX
from state.lz4_block import CodecError, CodecReason, encode_literals
from state.transactions.kinds import Kind

HEADER = bytes(range(5))
FORM_REASONS = {
    reason
    for reason in CodecReason
    if CodecReason.WRONG_HASH <= reason <= CodecReason.CHUNK_TRAILING_BYTES
}


@pytest.fixture(scope="module")
def quick() -> ChunkContract:
    """On the engine that answers thousands of calls a second."""
    return ChunkContract(Pyrevm())


@pytest.fixture
def chunks(engine: Engine) -> ChunkContract:
    """On both engines, one after the other."""
    return ChunkContract(engine)


def counted(count: int, kinds: bytes, rest: int = 0) -> bytes:
    """A raw chunk that says `count`, then its kinds, then as many bytes as `rest`."""
    return count.to_bytes(2) + kinds + bytes(rest)


def in_python(compressed: bytes, raw_hash: bytes) -> int:
    """What the contract must answer."""
    try:
        decode_chunk(compressed, raw_hash)
    except CodecError as error:
        return int(error.reason)
    return 0


def drawn_rows(random: Random) -> list[Row]:
    """Rows of some kinds, as many as fit or fewer."""
    kinds = random.sample(list(Kind), random.randint(1, len(Kind)))
    rows: list[Row] = []
    size = 2
    for _ in range(random.choice([1, 2, 5, 40, CHUNK_TRANSACTIONS_MAX])):
        kind = random.choice(kinds)
        size += row_size(kind)
        if size > CHUNK_BYTES_MAX:
            break
        signature = random.randbytes(SIGNATURES.get(kind, 0))
        rows.append(Row(kind, random.randbytes(WIDTHS[kind]), signature))
    return rows


FORMS = [
    ("one header", counted(1, b"\1", 5), 0),
    ("256 headers", counted(256, b"\1" * 256, 1_280), 0),
    ("nothing at all", b"", CodecReason.COUNT_CUT),
    ("half a count", b"\0", CodecReason.COUNT_CUT),
    ("no rows", counted(0, b""), CodecReason.NO_ROWS),
    ("no rows, yet bytes", counted(0, b"\1", 5), CodecReason.NO_ROWS),
    ("a row too many", counted(257, b"\1" * 257, 1_285), CodecReason.TOO_MANY_ROWS),
    ("a count of all bits", counted(65_535, b"\1" * 8_000), CodecReason.TOO_MANY_ROWS),
    ("no kind byte", counted(1, b""), CodecReason.KINDS_CUT),
    ("a kind byte missing", counted(256, b"\1" * 255), CodecReason.KINDS_CUT),
    ("kind 0", counted(1, b"\0", 5), CodecReason.UNKNOWN_KIND),
    ("kind 12", counted(2, b"\1\x0c", 10), CodecReason.UNKNOWN_KIND),
    ("kind 255", counted(33, b"\1" * 32 + b"\xff", 165), CodecReason.UNKNOWN_KIND),
    ("256 rows announced, 255 there", counted(256, b"\1" * 256, 1_275), CodecReason.CHUNK_CUT),
    ("a byte short", counted(1, b"\1", 4), CodecReason.CHUNK_CUT),
    ("no room for a signature", counted(1, b"\3", 33), CodecReason.CHUNK_CUT),
    ("more than any chunk", counted(256, b"\x0b" * 256, 7_000), CodecReason.CHUNK_CUT),
    ("a kind that takes less", counted(1, b"\1", 14 + 64), CodecReason.CHUNK_TRAILING_BYTES),
    ("a byte behind the end", counted(1, b"\1", 6), CodecReason.CHUNK_TRAILING_BYTES),
]


@pytest.mark.parametrize(
    ("raw", "reason"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS]
)
def test_a_kinds_lane_that_disagrees_with_the_columns_is_told_by_its_reason(
    chunks: ChunkContract, raw: bytes, reason: int
) -> None:
    compressed = encode_literals(raw)
    assert in_python(compressed, keccak(raw)) == reason
    assert chunks.malformed(compressed, keccak(raw)) == reason
    assert chunks.malformed(compressed, keccak(raw + b"\0")) == CodecReason.WRONG_HASH
    if reason != 0:
        with pytest.raises(Reverted, match="chunks: not a chunk"):
            chunks.row_at(raw, 0)


def test_every_reason_of_a_chunk_is_shown_above() -> None:
    """But one that no block can lead to: it is refused for the bytes it would decode to."""
    shown = {reason for _, _, reason in FORMS} - {0} | {CodecReason.WRONG_HASH}
    assert shown == FORM_REASONS - {CodecReason.CHUNK_TOO_LONG}


def test_a_chunk_that_is_too_long_is_refused_as_a_block(chunks: ChunkContract) -> None:
    raw = counted(256, b"\1" * 256, CHUNK_BYTES_MAX)
    block = encode_literals(raw)
    assert chunks.malformed(block, keccak(raw)) == CodecReason.LITERALS_TOO_LONG


@pytest.mark.parametrize("kind", Kind)
def test_a_row_of_each_kind_is_found_on_both_engines(chunks: ChunkContract, kind: Kind) -> None:
    random = seeded(kind)
    row = Row(kind, random.randbytes(WIDTHS[kind]), random.randbytes(SIGNATURES[kind]))
    other = Row(Kind.ORDER, random.randbytes(33), random.randbytes(64))
    raw = pack_chunk([Row(1, HEADER), other, row, other])
    assert chunks.row_at(raw, 2) == (bytes([kind]) + row.row + row.signature, False)
    assert chunks.row_at(raw, 3) == (bytes([other.kind]) + other.row + other.signature, True)


@pytest.mark.parametrize("seed", range(3))
def test_every_row_of_a_chunk_is_the_one_that_was_packed(quick: ChunkContract, seed: int) -> None:
    random = seeded(seed)
    for _ in range(12):
        rows = drawn_rows(random)
        compressed, raw = encode_chunk(rows)
        assert quick.malformed(compressed, keccak(raw)) == 0
        for index, row in enumerate(rows):
            assert row == row_at(raw, index)
            found = (bytes([row.kind]) + row.row + row.signature, index == len(rows) - 1)
            assert quick.row_at(raw, index) == found


@pytest.mark.parametrize("index", [1, 2, 255, 256, 2**16, 2**256 - 1])
def test_a_row_past_the_end_is_none(quick: ChunkContract, index: int) -> None:
    raw = pack_chunk([Row(1, HEADER)])
    assert quick.row_at(raw, 0) == (b"\1" + HEADER, True)
    with pytest.raises(Reverted, match="chunks: no such row"):
        quick.row_at(raw, index)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_chunks_have_the_same_reason_as_in_python(quick: ChunkContract, seed: int) -> None:
    random = seeded(seed)
    seen = set()
    for _ in range(300):
        raw = bytearray(pack_chunk(drawn_rows(random)))
        count = int.from_bytes(raw[:2])
        match random.randrange(5):
            case 0:
                raw[random.randrange(2)] ^= 1 << random.randrange(8)
            case 1:
                raw[random.randrange(2, 2 + count)] = random.randrange(14)
            case 2:
                del raw[random.randrange(len(raw)) :]
            case 3:
                raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
            case _:
                raw += random.randbytes(random.randint(1, 90))
        whole = bytes(raw[:CHUNK_BYTES_MAX])
        block = encode_literals(whole)
        expected = in_python(block, keccak(whole))
        assert quick.malformed(block, keccak(whole)) == expected, whole.hex()
        seen.add(expected)
    assert len(seen) >= 5, seen


@pytest.mark.parametrize("size", [2**16, 2**63, 2**64, 2**255, 2**256 - 32, 2**256 - 1])
@pytest.mark.parametrize("function", [MALFORMED, DECODE, ROW_AT], ids=lambda found: found.name)
def test_a_size_of_up_to_256_bits_is_no_input(
    quick: ChunkContract, function: Function, size: int
) -> None:
    """In the calldata itself, which is taken apart before anything of ours runs."""
    head = [32 * len(function.inputs), 0][: len(function.inputs)]
    data = function.selector + b"".join(word.to_bytes(32) for word in (*head, size, 2**256 - 1))
    with pytest.raises(Reverted, match="no reason"):
        quick.engine.call(quick.address, data)


def test_widths_are_those_of_the_kinds() -> None:
    text = (SOURCES / "state" / "chunks.vy").read_text()
    tables = dict(re.findall(r"^(\w+): constant\(bytes32\) = 0x(\w+)$", text, re.MULTILINE))
    for name, widths in (("WIDTHS", WIDTHS), ("SIGNATURES", SIGNATURES)):
        table = bytes.fromhex(tables[name])
        assert {kind: width for kind, width in enumerate(table) if width} == {
            kind: width for kind, width in widths.items() if width
        }
