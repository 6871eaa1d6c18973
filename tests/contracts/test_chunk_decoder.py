"""The decoder on L1 beside Python's: the same bytes or the same reason, and never a revert."""

import os
import re
from collections import Counter

import lz4.block
import pytest
from chunk_contract import ChunkContract
from evm_engines import Engine, Pyrevm, Reverted
from lz4_blocks import LAST, damaged, drawn_block, many_sequences, seeded, sequence

from contracts.compiler import RUNTIME_BYTES_MAX, SOURCES, compile_contract
from state import limits, lz4_block
from state.crypto import keccak
from state.limits import CHUNK_BYTES_MAX, CHUNK_SEQUENCES_MAX
from state.lz4_block import CodecError, CodecReason, encode_literals

BLOCK_BYTES_MAX = 2**16 - 1
DRAWN = int(os.environ.get("TALLYSTICK_BLOCKS", "6000"))
"""Blocks drawn in all: sound ones, damaged ones, and random bytes."""
SEEDS = range(4)
BLOCK_REASONS = [reason for reason in CodecReason if reason < CodecReason.WRONG_HASH]


@pytest.fixture(scope="module")
def quick() -> ChunkContract:
    """On the engine that decodes thousands of blocks a second."""
    return ChunkContract(Pyrevm())


@pytest.fixture
def chunks(engine: Engine) -> ChunkContract:
    """On both engines, one after the other."""
    return ChunkContract(engine)


def in_python(block: bytes) -> tuple[int, bytes]:
    """What the contract must answer."""
    try:
        return 0, lz4_block.decode(block, CHUNK_BYTES_MAX)
    except CodecError as error:
        return int(error.reason), b""


REFUSALS = [
    ("no byte at all", b"", CodecReason.EMPTY_BLOCK),
    (
        "a sequence too many",
        sequence(b"A", 1, 4) + sequence(b"", 1, 4) * (CHUNK_SEQUENCES_MAX - 1) + LAST,
        CodecReason.TOO_MANY_SEQUENCES,
    ),
    ("ends in a match", sequence(b"A", 1, 20), CodecReason.NO_LAST_LITERALS),
    ("a length byte missing", b"\xf0", CodecReason.LITERAL_LENGTH_CUT),
    ("32 length bytes and no end", b"\xf0" + b"\xff" * 32, CodecReason.LITERAL_LENGTH_CUT),
    ("33 bytes of 255", b"\xf0" + b"\xff" * 33, CodecReason.LITERALS_TOO_LONG),
    ("a literal too many", encode_literals(bytes(8_193)), CodecReason.LITERALS_TOO_LONG),
    ("a literal missing", b"\x50ABCD", CodecReason.LITERALS_CUT),
    ("a literal run past the end", b"\xf0\xff\x10" + bytes(285), CodecReason.LITERALS_CUT),
    ("a nibble of 1", b"\x51ABCDE", CodecReason.LAST_MATCH_NIBBLE),
    ("a nibble of 15", b"\x5fABCDE", CodecReason.LAST_MATCH_NIBBLE),
    (
        "four literals at the end",
        sequence(b"A", 1, 20) + b"\x40WXYZ",
        CodecReason.LAST_LITERALS_TOO_FEW,
    ),
    ("none at the end", sequence(b"A", 1, 20) + b"\x00", CodecReason.LAST_LITERALS_TOO_FEW),
    (
        "a match 11 bytes before the end",
        sequence(b"A", 1, 4) + b"\x70TUVWXYZ",
        CodecReason.LAST_MATCH_TOO_LATE,
    ),
    ("half an offset", b"\x10A\x01", CodecReason.OFFSET_CUT),
    ("offset zero", sequence(b"A", 0, 4) + LAST, CodecReason.OFFSET_ZERO),
    ("offset zero at the start", sequence(b"", 0, 4) + LAST, CodecReason.OFFSET_ZERO),
    ("a byte before the start", sequence(b"A", 2, 4) + LAST, CodecReason.OFFSET_TOO_FAR),
    ("an offset of all bits", sequence(b"A", 65_535, 4) + LAST, CodecReason.OFFSET_TOO_FAR),
    ("no byte to copy", sequence(b"", 1, 4) + LAST, CodecReason.OFFSET_TOO_FAR),
    ("a match length byte missing", b"\x1fA\x01\x00", CodecReason.MATCH_LENGTH_CUT),
    ("a match too long", sequence(b"A", 1, 8_192) + LAST, CodecReason.MATCH_TOO_LONG),
    ("a match a byte too long", sequence(b"A" * 8_189, 1, 4) + LAST, CodecReason.MATCH_TOO_LONG),
    ("length overflow", b"\x1fA\x01\x00" + b"\xff" * 60_000, CodecReason.MATCH_TOO_LONG),
    ("length overflow of literals", b"\xff" * BLOCK_BYTES_MAX, CodecReason.LITERALS_TOO_LONG),
    # Each of these breaks two rules; the one that is checked first is the reason.
    ("both cut and late", sequence(b"A", 1, 4) + b"\x40WXYZ", CodecReason.LAST_LITERALS_TOO_FEW),
    ("zero and too long", sequence(b"A", 0, 9_000), CodecReason.OFFSET_ZERO),
    ("too far and too long", sequence(b"A", 9, 9_000), CodecReason.OFFSET_TOO_FAR),
    ("too long and cut", sequence(bytes(8_000), 1, 274)[:-1], CodecReason.MATCH_TOO_LONG),
    ("too long and zero", sequence(b"A" * 8_193, 0, 4), CodecReason.LITERALS_TOO_LONG),
    ("nibble and too few", sequence(b"A", 1, 20) + b"\x41WXYZ", CodecReason.LAST_MATCH_NIBBLE),
]


@pytest.mark.parametrize(
    ("block", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_a_block_that_breaks_a_rule_is_refused_with_its_reason(
    chunks: ChunkContract, block: bytes, reason: CodecReason
) -> None:
    assert in_python(block) == (reason, b"")
    assert chunks.decode(block) == (reason, b"")
    assert chunks.malformed(block, bytes(32)) == reason


def test_every_reason_of_a_block_is_shown_above() -> None:
    assert {reason for _, _, reason in REFUSALS} == set(BLOCK_REASONS)


@pytest.mark.parametrize("literals", [0, 1, 14, 15, 16, 31, 32, 33, 270, 8_160, 8_191, 8_192])
def test_literal_runs_of_every_length_form(chunks: ChunkContract, literals: int) -> None:
    raw = seeded(literals).randbytes(literals)
    assert chunks.decode(encode_literals(raw)) == (0, raw)


def test_the_most_sequences_decode_on_both_engines(chunks: ChunkContract) -> None:
    block = many_sequences(1, 1, 7)
    reason, raw = chunks.decode(block)
    assert (reason, raw) == in_python(block)
    assert reason == 0 and len(raw) == CHUNK_BYTES_MAX


def test_matches_of_every_offset_overlap_what_they_write(quick: ChunkContract) -> None:
    random = seeded(1)
    for offset in range(1, 80):
        for match in (4, offset + 3, 32 + offset, 65, random.randint(100, 7_000)):
            front = random.randbytes(offset + random.randint(0, 33))
            block = sequence(front, offset, match) + encode_literals(random.randbytes(12))
            assert quick.decode(block) == in_python(block), (offset, match)
            assert quick.decode(block)[0] == 0


def test_the_longest_match_of_every_offset_is_copied_to_its_end(quick: ChunkContract) -> None:
    for offset in (*range(1, 70), 4_000, 8_000):
        front = seeded(offset).randbytes(offset)
        raw = (front * (CHUNK_BYTES_MAX // offset + 1))[: CHUNK_BYTES_MAX - 12] + LAST[1:]
        block = sequence(front, offset, CHUNK_BYTES_MAX - 12 - offset) + LAST
        assert in_python(block) == (0, raw)
        assert quick.decode(block) == (0, raw), offset


@pytest.mark.parametrize("seed", SEEDS)
def test_sound_blocks_decode_to_the_same_bytes_as_in_python(
    quick: ChunkContract, seed: int
) -> None:
    random = seeded(seed)
    for _ in range(DRAWN // 12):
        block = drawn_block(random)
        reason, raw = in_python(block)
        assert reason == 0
        assert quick.decode(block) == (0, raw), block.hex()
        assert quick.malformed(block, keccak(raw)) in {0, *range(22, 29)}


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_blocks_have_the_same_bytes_or_reason_as_in_python(
    quick: ChunkContract, seed: int
) -> None:
    random = seeded(seed)
    seen: Counter[int] = Counter()
    for _ in range(DRAWN // 8):
        block = damaged(random, drawn_block(random))
        expected = in_python(block)
        assert quick.decode(block) == expected, block.hex()
        seen[expected[0]] += 1
    assert len(seen) >= 9, seen


@pytest.mark.parametrize("seed", SEEDS)
def test_random_bytes_are_refused_alike(quick: ChunkContract, seed: int) -> None:
    random = seeded(seed)
    for _ in range(DRAWN // 24):
        block = random.randbytes(random.choice([0, 1, 2, 3, 8, 20, 60, 300]))
        assert quick.decode(block) == in_python(block), block.hex()


@pytest.mark.parametrize("mode", ["default", "fast", "high_compression"])
def test_what_the_lz4_package_writes_is_read_alike(quick: ChunkContract, mode: str) -> None:
    random = seeded(len(mode))
    taken = 0
    for _ in range(200):
        words = [random.randbytes(random.randint(1, 9)) for _ in range(random.randint(1, 200))]
        raw = b"".join(random.choices(words, k=random.randint(1, 1_500)))[:CHUNK_BYTES_MAX]
        block = lz4.block.compress(raw, mode=mode, store_size=False)
        answer = quick.decode(block)
        assert answer == in_python(block)
        assert answer in {(0, raw), (CodecReason.TOO_MANY_SEQUENCES, b"")}
        taken += answer[0] == 0
    assert taken > 100


@pytest.mark.parametrize("filler", [0x00, 0x0F, 0x10, 0x11, 0x1F, 0xF0, 0xFF])
@pytest.mark.parametrize("size", [8_192, 8_226, 8_227, 8_293, 8_294, 8_326, 30_000, 65_535])
def test_no_block_is_too_long_to_be_judged(quick: ChunkContract, filler: int, size: int) -> None:
    """Also where it goes on behind as much as the decoder ever reads."""
    fronts = (
        b"",
        encode_literals(bytes(CHUNK_BYTES_MAX)),
        sequence(bytes(CHUNK_BYTES_MAX - 4), 8_000, 4),
        sequence(bytes(8_160), 1, 19),
        sequence(bytes(15), 1, 4) * 431,
        sequence(bytes(270), 1, 4) * 29 + sequence(bytes(246), 1, 4),
        many_sequences(0, 1, 8)[:-2],
    )
    for front in fronts:
        block = front + bytes([filler]) * (size - len(front))
        assert quick.decode(block) == in_python(block), len(front)


def test_a_longer_chunk_than_a_header_can_name_is_no_input(quick: ChunkContract) -> None:
    assert quick.decode(b"\xff" * BLOCK_BYTES_MAX)[0] == CodecReason.LITERALS_TOO_LONG
    with pytest.raises(Reverted):
        quick.decode(b"\xff" * (BLOCK_BYTES_MAX + 1))


def constants(module: str) -> dict[str, str]:
    """Name to value, as a Vyper source gives them."""
    constant = re.compile(r"^(\w+): constant\(\w+\) = (\S+)$", re.MULTILINE)
    return dict(constant.findall((SOURCES / f"{module}.vy").read_text()))


def test_reasons_and_limits_are_those_of_python() -> None:
    block, chunk = constants("state/lz4_block"), constants("state/chunks")
    for reason in CodecReason:
        if reason <= CodecReason.CHUNK_TRAILING_BYTES and reason != CodecReason.CHUNK_TOO_LONG:
            source = block if reason in BLOCK_REASONS else chunk
            assert int(source[reason.name]) == reason, reason
    for name in ("CHUNK_BYTES_MAX", "CHUNK_SEQUENCES_MAX", "CHUNK_TRANSACTIONS_MAX"):
        assert int(constants("state/limits")[name]) == getattr(limits, name)
    for name in ("MATCH_BYTES_MIN", "LAST_LITERALS_MIN", "LAST_MATCH_DISTANCE_MIN"):
        assert int(block[name]) == getattr(lz4_block, name)


def test_the_decoder_fits_one_contract_of_l1() -> None:
    size = len(compile_contract("steps/chunks").runtime_code)
    print(f"steps/chunks: {size} of {RUNTIME_BYTES_MAX} bytes")
    assert size < RUNTIME_BYTES_MAX
