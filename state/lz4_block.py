"""The strict decoder of an LZ4 block, and the encoder of blocks it takes.

The rules, in the order they are checked, are in docs/codec.md: the same decoder
exists on L1, and the two agree on every byte and every reason. What is taken here
keeps all rules of the LZ4 block format, so any LZ4 decoder reads it alike; the
reverse does not hold. All or nothing: there is no partial output.
"""

from enum import IntEnum

from state.limits import CHUNK_SEQUENCES_MAX

MATCH_BYTES_MIN = 4
# The block format ends every block in literals, and starts no match near the end.
LAST_LITERALS_MIN = 5
LAST_MATCH_DISTANCE_MIN = 12


class CodecReason(IntEnum):
    """Why bytes are not a block (1-14), not a chunk (20-31) or not a payload (40-41)."""

    EMPTY_BLOCK = 1
    TOO_MANY_SEQUENCES = 2
    NO_LAST_LITERALS = 3
    LITERAL_LENGTH_CUT = 4
    LITERALS_TOO_LONG = 5
    LITERALS_CUT = 6
    LAST_MATCH_NIBBLE = 7
    LAST_LITERALS_TOO_FEW = 8
    LAST_MATCH_TOO_LATE = 9
    OFFSET_CUT = 10
    OFFSET_ZERO = 11
    OFFSET_TOO_FAR = 12
    MATCH_LENGTH_CUT = 13
    MATCH_TOO_LONG = 14

    WRONG_HASH = 20
    CHUNK_TOO_LONG = 21
    COUNT_CUT = 22
    NO_ROWS = 23
    TOO_MANY_ROWS = 24
    KINDS_CUT = 25
    UNKNOWN_KIND = 26
    CHUNK_CUT = 27
    CHUNK_TRAILING_BYTES = 28
    NO_SUCH_ROW = 29
    ROW_WIDTH = 30
    SIGNATURE_WIDTH = 31

    PAYLOAD_CUT = 40
    PAYLOAD_TRAILING_BYTES = 41


class CodecError(Exception):
    """The bytes break a rule of docs/codec.md; `reason` is the rule's stable number."""

    def __init__(self, reason: CodecReason, detail: str) -> None:
        super().__init__(f"{reason.name} ({reason.value}): {detail}")
        self.reason = reason
        self.detail = detail


def decode(block: bytes, size_max: int) -> bytes:
    """The bytes that `block` stands for, `size_max` of them at most; a CodecError otherwise."""
    end = len(block)
    if end == 0:
        raise CodecError(CodecReason.EMPTY_BLOCK, "a block has at least one byte")
    raw = bytearray()
    position = match_start = 0
    for sequence in range(CHUNK_SEQUENCES_MAX):
        if position == end:
            raise CodecError(CodecReason.NO_LAST_LITERALS, "the block ends in a match")
        token = block[position]
        length, position = literal_length(block, position + 1, token >> 4, size_max - len(raw))
        if length > end - position:
            detail = f"{length} literals are announced, but {end - position} bytes are left"
            raise CodecError(CodecReason.LITERALS_CUT, detail)
        raw += block[position : position + length]
        position += length
        if position == end:
            check_last_sequence(token, length, len(raw) - match_start, alone=sequence == 0)
            return bytes(raw)

        if end - position < 2:
            raise CodecError(CodecReason.OFFSET_CUT, "an offset has two bytes, but one is left")
        offset = block[position] | block[position + 1] << 8
        if offset == 0:
            raise CodecError(CodecReason.OFFSET_ZERO, "an offset is at least 1")
        if offset > len(raw):
            detail = f"offset {offset} reaches beyond the {len(raw)} bytes written so far"
            raise CodecError(CodecReason.OFFSET_TOO_FAR, detail)
        match_start = len(raw)
        length, position = match_length(block, position + 2, token & 15, size_max - match_start)
        copy_match(raw, offset, length)
    detail = f"a block has at most {CHUNK_SEQUENCES_MAX} sequences"
    raise CodecError(CodecReason.TOO_MANY_SEQUENCES, detail)


def literal_length(block: bytes, position: int, nibble: int, room: int) -> tuple[int, int]:
    cut, too_long = CodecReason.LITERAL_LENGTH_CUT, CodecReason.LITERALS_TOO_LONG
    return length_at(block, position, nibble, nibble, room, cut, too_long)


def match_length(block: bytes, position: int, nibble: int, room: int) -> tuple[int, int]:
    cut, too_long = CodecReason.MATCH_LENGTH_CUT, CodecReason.MATCH_TOO_LONG
    return length_at(block, position, nibble, nibble + MATCH_BYTES_MIN, room, cut, too_long)


def length_at(
    block: bytes,
    position: int,
    nibble: int,
    length: int,
    room: int,
    cut: CodecReason,
    too_long: CodecReason,
) -> tuple[int, int]:
    """A length with its extension bytes, at most `room`, and the position after them.

    The room is checked after every byte, so a run of 255s ends early.
    """
    extended = nibble == 15
    while extended:
        if position == len(block):
            raise CodecError(cut, "the block ends within a length")
        extended = block[position] == 255
        length += block[position]
        position += 1
        if length > room:
            break
    if length > room:
        raise CodecError(too_long, f"{length} or more bytes do not fit the {room} left")
    return length, position


def copy_match(raw: bytearray, offset: int, length: int) -> None:
    """Append `length` bytes from `offset` back; they may run into those being appended."""
    start = len(raw) - offset
    if offset < length:
        pattern = bytes(raw[start:])
        raw += (pattern * (length // offset + 1))[:length]
    else:
        raw += raw[start : start + length]


def check_last_sequence(token: int, literals: int, distance: int, *, alone: bool) -> None:
    """`distance` is from the last match's start to the end of the output."""
    if token & 15:
        detail = f"the last sequence has no match, but its nibble is {token & 15}"
        raise CodecError(CodecReason.LAST_MATCH_NIBBLE, detail)
    if alone:
        return
    if literals < LAST_LITERALS_MIN:
        detail = f"the last {LAST_LITERALS_MIN} bytes are literals, but {literals} are"
        raise CodecError(CodecReason.LAST_LITERALS_TOO_FEW, detail)
    if distance < LAST_MATCH_DISTANCE_MIN:
        detail = f"a match starts {distance} bytes before the end, not {LAST_MATCH_DISTANCE_MIN}"
        raise CodecError(CodecReason.LAST_MATCH_TOO_LATE, detail)


def encode(raw: bytes) -> bytes:
    """A block of `raw` that `decode` takes: the smaller of LZ4's own and one run of literals."""
    import lz4.block

    plain = encode_literals(raw)
    block: bytes = lz4.block.compress(raw, mode="high_compression", compression=9, store_size=False)
    if len(block) >= len(plain):
        return plain
    try:
        decode(block, len(raw))
    except CodecError:
        return plain
    return block


def encode_literals(raw: bytes) -> bytes:
    """`raw` as a block of one sequence; the longest block there is for that many bytes."""
    if len(raw) < 15:
        return bytes([len(raw) << 4]) + raw
    full, rest = divmod(len(raw) - 15, 255)
    return b"\xf0" + b"\xff" * full + bytes([rest]) + raw
