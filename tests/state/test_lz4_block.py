"""The strict decoder: a vector for each refusal, and the `lz4` package beside it."""

from collections.abc import Callable

import lz4.block
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lz4_blocks import LAST, sequence

from state.crypto import keccak
from state.limits import CHUNK_BYTES_MAX, CHUNK_SEQUENCES_MAX
from state.lz4_block import CodecError, CodecReason, decode, encode, encode_literals

SIZE_MAX = 100


def refusal(block: bytes, size_max: int = SIZE_MAX) -> CodecReason:
    with pytest.raises(CodecError) as error:
        decode(block, size_max)
    assert error.value.reason.name in str(error.value) and error.value.detail
    return error.value.reason


# In the order the decoder checks. The last column says that lz4's own decoder must take it.
REFUSALS = [
    ("no byte at all", b"", CodecReason.EMPTY_BLOCK, False),
    ("ends in a match", sequence(b"A", 1, 20), CodecReason.NO_LAST_LITERALS, False),
    ("a length byte missing", b"\xf0", CodecReason.LITERAL_LENGTH_CUT, False),
    ("a length that is too long already", b"\xf0\xff", CodecReason.LITERALS_TOO_LONG, False),
    ("a literal too many", encode_literals(bytes(101)), CodecReason.LITERALS_TOO_LONG, False),
    ("a literal missing", b"\x50ABCD", CodecReason.LITERALS_CUT, False),
    ("a nibble of 1", b"\x51ABCDE", CodecReason.LAST_MATCH_NIBBLE, True),
    ("a nibble of 15", b"\x5fABCDE", CodecReason.LAST_MATCH_NIBBLE, True),
    (
        "four literals at the end",
        sequence(b"A", 1, 20) + b"\x40WXYZ",
        CodecReason.LAST_LITERALS_TOO_FEW,
        True,
    ),
    (
        "none at the end",
        sequence(b"A", 1, 20) + b"\x00",
        CodecReason.LAST_LITERALS_TOO_FEW,
        False,
    ),
    (
        "a match 11 bytes before the end",
        sequence(b"A", 1, 4) + b"\x70TUVWXYZ",
        CodecReason.LAST_MATCH_TOO_LATE,
        True,
    ),
    ("half an offset", b"\x10A\x01", CodecReason.OFFSET_CUT, False),
    ("offset zero", sequence(b"A", 0, 4) + LAST, CodecReason.OFFSET_ZERO, True),
    ("offset zero at the start", sequence(b"", 0, 4) + LAST, CodecReason.OFFSET_ZERO, True),
    ("a byte before the start", sequence(b"A", 2, 4) + LAST, CodecReason.OFFSET_TOO_FAR, False),
    ("no byte to copy", sequence(b"", 1, 4) + LAST, CodecReason.OFFSET_TOO_FAR, False),
    ("a match length byte missing", b"\x1fA\x01\x00", CodecReason.MATCH_LENGTH_CUT, False),
    ("a match too long", sequence(b"A", 1, 100) + LAST, CodecReason.MATCH_TOO_LONG, False),
    (
        "a run that is a bomb",
        b"\x1fA\x01\x00" + b"\xff" * 60_000,
        CodecReason.MATCH_TOO_LONG,
        False,
    ),
]


@pytest.mark.parametrize(
    ("block", "reason"), [row[1:3] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_a_block_that_breaks_a_rule_is_refused_with_its_reason(
    block: bytes, reason: CodecReason
) -> None:
    assert refusal(block) is reason


@pytest.mark.parametrize("block", [row[1] for row in REFUSALS if row[3]])
def test_the_decoder_of_lz4_takes_some_of_what_is_refused_here(block: bytes) -> None:
    assert lz4.block.decompress(block, uncompressed_size=CHUNK_BYTES_MAX)


def test_every_reason_of_a_block_has_a_vector() -> None:
    shown = {reason for _, _, reason, _ in REFUSALS} | {CodecReason.TOO_MANY_SEQUENCES}
    assert shown == {reason for reason in CodecReason if reason < CodecReason.WRONG_HASH}


@pytest.mark.parametrize(
    ("block", "first"),
    [
        # Each breaks two rules; the one that is checked first is the reason.
        (b"\xf0\xff", CodecReason.LITERALS_TOO_LONG),
        (b"\xe0" + bytes(3), CodecReason.LITERALS_CUT),
        (sequence(b"A", 1, 20) + b"\x41WXYZ", CodecReason.LAST_MATCH_NIBBLE),
        (sequence(b"A", 1, 4) + b"\x40WXYZ", CodecReason.LAST_LITERALS_TOO_FEW),
        (sequence(b"A", 0, 500), CodecReason.OFFSET_ZERO),
        (sequence(b"A", 9, 500), CodecReason.OFFSET_TOO_FAR),
        (b"\x1fA\x01\x00\xff", CodecReason.MATCH_TOO_LONG),
        (sequence(b"A" * 101, 0, 4), CodecReason.LITERALS_TOO_LONG),
        (sequence(b"A", 1, 4) + b"\xf0", CodecReason.LITERAL_LENGTH_CUT),
    ],
)
def test_of_two_broken_rules_the_first_checked_is_the_reason(
    block: bytes, first: CodecReason
) -> None:
    assert refusal(block) is first


def test_the_last_sequence_counts_among_those_allowed() -> None:
    start = sequence(b"A", 1, 4)
    more = sequence(b"", 1, 4)
    most = start + more * (CHUNK_SEQUENCES_MAX - 2) + LAST
    size = 1 + 4 * (CHUNK_SEQUENCES_MAX - 1) + 12
    assert decode(most, size) == b"A" * (size - 12) + LAST[1:]
    excess = start + more * (CHUNK_SEQUENCES_MAX - 1) + LAST
    assert refusal(excess, CHUNK_BYTES_MAX) is CodecReason.TOO_MANY_SEQUENCES
    assert refusal(excess[: -len(LAST)], CHUNK_BYTES_MAX) is CodecReason.TOO_MANY_SEQUENCES
    assert len(lz4.block.decompress(excess, uncompressed_size=CHUNK_BYTES_MAX)) == size + 4


def test_a_length_of_255s_needs_the_byte_that_ends_it() -> None:
    assert refusal(b"\xf0\xff", 300) is CodecReason.LITERAL_LENGTH_CUT
    assert refusal(b"\x1fA\x01\x00\xff", 300) is CodecReason.MATCH_LENGTH_CUT


@pytest.mark.parametrize("length", [0, 1, 14, 15, 16, 269, 270, 271, 524, 525, 526, 8_192])
def test_literal_runs_of_every_length_form(length: int) -> None:
    raw = bytes(index % 251 for index in range(length))
    block = encode_literals(raw)
    assert decode(block, length) == raw == lz4.block.decompress(block, uncompressed_size=length)
    if length:
        assert refusal(block, length - 1) is CodecReason.LITERALS_TOO_LONG


@pytest.mark.parametrize("length", [4, 5, 18, 19, 20, 273, 274, 275, 528, 529, 530])
@pytest.mark.parametrize("offset", [1, 2, 3, 7])
def test_matches_of_every_length_form_overlap_what_they_write(offset: int, length: int) -> None:
    block = sequence(b"ABCDEFG", offset, length) + LAST
    size = 7 + length + 12
    raw = bytearray(b"ABCDEFG")
    for _ in range(length):
        raw.append(raw[-offset])
    assert decode(block, size) == bytes(raw) + LAST[1:]
    assert lz4.block.decompress(block, uncompressed_size=size) == bytes(raw) + LAST[1:]
    assert refusal(block, 7 + length - 1) is CodecReason.MATCH_TOO_LONG


def noise(seed: int, size: int) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    blocks = (keccak(seed.to_bytes(4) + index.to_bytes(4)) for index in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def structured(seed: int, size: int) -> bytes:
    """Words from a small vocabulary with a random byte between: many short matches."""
    words = noise(seed, 4 * 50)
    picks, between = noise(seed + 1, size // 5), noise(seed + 2, size // 5)
    starts = (4 * (pick % 50) for pick in picks)
    return b"".join(
        words[start : start + 4] + bytes([byte])
        for start, byte in zip(starts, between, strict=True)
    )


raws = st.one_of(
    st.binary(max_size=2_000),
    st.builds(structured, st.integers(0, 2**32 - 3), st.integers(0, 3_000)),
    st.builds(lambda part, times: part * times, st.binary(max_size=9), st.integers(0, 900)),
)


@given(raw=raws, mode=st.sampled_from(["default", "fast", "high_compression"]))
def test_what_lz4_writes_is_read_alike(raw: bytes, mode: str) -> None:
    block = lz4.block.compress(raw, mode=mode, store_size=False)
    assert decode(block, len(raw)) == raw
    if raw:
        tight = refusal(block, len(raw) - 1)
        assert tight in {CodecReason.LITERALS_TOO_LONG, CodecReason.MATCH_TOO_LONG}


sequences = st.builds(
    sequence, st.binary(max_size=20), st.integers(1, 12), st.one_of(st.integers(4, 40))
)
blocks = st.builds(
    lambda front, last: b"".join(front) + encode_literals(last),
    st.lists(sequences, max_size=6),
    st.binary(max_size=20),
)


@given(block=st.one_of(st.binary(max_size=60), blocks), size_max=st.integers(0, 300))
def test_whatever_is_read_is_read_alike_by_lz4(block: bytes, size_max: int) -> None:
    try:
        raw = decode(block, size_max)
    except CodecError:
        return
    assert len(raw) <= size_max
    assert lz4.block.decompress(block, uncompressed_size=size_max) == raw
    assert len(block) <= len(encode_literals(raw))


@given(block=blocks, at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_damaged_block_raises_nothing_but_a_codec_error(block: bytes, at: int, flip: int) -> None:
    damaged = bytearray(block)
    damaged[at % len(block)] ^= flip
    for variant in (bytes(damaged), block[: at % len(block)], block + bytes([flip])):
        try:
            raw = decode(variant, CHUNK_BYTES_MAX)
        except CodecError:
            continue
        assert len(raw) <= CHUNK_BYTES_MAX


@given(raw=raws)
def test_what_is_encoded_decodes_and_is_never_longer_than_literals(raw: bytes) -> None:
    block = encode(raw)
    assert decode(block, len(raw)) == raw
    assert len(block) <= len(encode_literals(raw))


@pytest.mark.parametrize(
    "sample",
    [
        lambda: structured(1, CHUNK_BYTES_MAX),
        lambda: noise(2, CHUNK_BYTES_MAX),
    ],
    ids=["too many sequences", "nothing to gain"],
)
def test_literals_stand_in_where_lz4_does_not_help(sample: Callable[[], bytes]) -> None:
    raw = sample()
    assert encode(raw) == encode_literals(raw)
    assert len(encode(raw)) <= len(raw) + 34


def test_lz4_writes_more_sequences_than_a_block_of_ours_may_have() -> None:
    raw = structured(1, CHUNK_BYTES_MAX)
    block = lz4.block.compress(raw, mode="high_compression", compression=9, store_size=False)
    assert refusal(block, len(raw)) is CodecReason.TOO_MANY_SEQUENCES
    assert len(block) < len(encode_literals(raw))
