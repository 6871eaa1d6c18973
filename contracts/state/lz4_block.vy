# pragma version 0.4.3
"""
@title LZ4 block: the strict decoder, to the same bytes or the same reason as Python's
@notice As state/lz4_block.py; the rules and their order are in section 2 of docs/codec.md. No
        bytes make it revert. Every check looks at lengths alone, so a block is judged before
        anything of it is copied.
@dev Positions, lengths and sizes stay below 2^18, so their sums go unchecked.
"""

from . import limits


# What a header can say of a compressed chunk, whose size has 16 bits.
BLOCK_BYTES_MAX: constant(uint256) = 2**16 - 1

MATCH_BYTES_MIN: constant(uint256) = 4
# The block format ends every block in literals, and starts no match near the end.
LAST_LITERALS_MIN: constant(uint256) = 5
LAST_MATCH_DISTANCE_MIN: constant(uint256) = 12

# A length that has not ended after 33 bytes of 255 is more than a chunk holds.
LENGTH_BYTES_MAX: constant(uint256) = 33

# However long a block is, no more of it is looked at than this. A sequence has as many bytes as
# its output at most, and one more for each 255 literals: so none begins more than 32 bytes
# behind the output. Of the sequence that is refused, the literals fit the output, and token,
# two lengths and an offset come to it.
READ_BYTES_MAX: constant(uint256) = limits.CHUNK_BYTES_MAX + 32 + 1 + 2 * LENGTH_BYTES_MAX + 2

# With two words of zeros behind, so that two words can be read wherever a byte can.
FRONT_BYTES_MAX: constant(uint256) = READ_BYTES_MAX + 64

# Output is written by two words at a time; nothing of a chunk is in the last.
WORDS_MAX: constant(uint256) = limits.CHUNK_BYTES_MAX // 32 + 1

# The longest match of offset 1 is copied in 1, 2, 4, 8 and 16 bytes, and then by the word.
PIECES_MAX: constant(uint256) = limits.CHUNK_BYTES_MAX // 32 + 5

U16: constant(uint256) = 2**16 - 1

# Why bytes are not a block; CodecReason.
EMPTY_BLOCK: constant(uint256) = 1
TOO_MANY_SEQUENCES: constant(uint256) = 2
NO_LAST_LITERALS: constant(uint256) = 3
LITERAL_LENGTH_CUT: constant(uint256) = 4
LITERALS_TOO_LONG: constant(uint256) = 5
LITERALS_CUT: constant(uint256) = 6
LAST_MATCH_NIBBLE: constant(uint256) = 7
LAST_LITERALS_TOO_FEW: constant(uint256) = 8
LAST_MATCH_TOO_LATE: constant(uint256) = 9
OFFSET_CUT: constant(uint256) = 10
OFFSET_ZERO: constant(uint256) = 11
OFFSET_TOO_FAR: constant(uint256) = 12
MATCH_LENGTH_CUT: constant(uint256) = 13
MATCH_TOO_LONG: constant(uint256) = 14


@internal
@pure
def _decode(
    compressed: Bytes[BLOCK_BYTES_MAX], size_max: uint256
) -> (uint256, Bytes[limits.CHUNK_BYTES_MAX]):
    """
    @notice Zero and the bytes that `compressed` stands for, `size_max` of them at most, which
            is no more than limits.CHUNK_BYTES_MAX; or the first reason against it, and no bytes.
    """
    end: uint256 = len(compressed)
    if end == 0:
        return EMPTY_BLOCK, b""
    front: Bytes[FRONT_BYTES_MAX] = concat(
        convert(slice(compressed, 0, min(end, READ_BYTES_MAX)), Bytes[READ_BYTES_MAX]),
        empty(bytes32),
        empty(bytes32),
    )
    reason: uint256 = 0
    sequences: DynArray[uint256, limits.CHUNK_SEQUENCES_MAX] = []
    reason, sequences = self._sequences(front, end, size_max)
    if reason != 0:
        return reason, b""
    return 0, self._copied(front, sequences)


@internal
@pure
def _sequences(
    front: Bytes[FRONT_BYTES_MAX], end: uint256, size_max: uint256
) -> (uint256, DynArray[uint256, limits.CHUNK_SEQUENCES_MAX]):
    """
    @notice Every check of a block of `end` bytes: zero and its sequences, or the first reason.
            A sequence is u16 where its literals begin | u16 literals | u16 offset | u16 match.
    """
    sequences: DynArray[uint256, limits.CHUNK_SEQUENCES_MAX] = []
    reason: uint256 = 0
    literals: uint256 = 0
    matched: uint256 = 0
    position: uint256 = 0
    size: uint256 = 0
    match_start: uint256 = 0
    for sequence: uint256 in range(limits.CHUNK_SEQUENCES_MAX):
        if position == end:
            return NO_LAST_LITERALS, []
        token: uint256 = extract32(front, position, output_type=uint256) >> 248
        position = unsafe_add(position, 1)
        first: uint256 = extract32(front, position, output_type=uint256)
        second: uint256 = extract32(front, unsafe_add(position, 32), output_type=uint256)
        nibble: uint256 = token >> 4
        room: uint256 = unsafe_sub(size_max, size)
        reason, literals, position = self._length_at(
            first, second, position, end, nibble, nibble, room, LITERAL_LENGTH_CUT
        )
        if reason != 0:
            return reason, []
        if literals > unsafe_sub(end, position):
            return LITERALS_CUT, []
        found: uint256 = (position << 48) | (literals << 32)
        size = unsafe_add(size, literals)
        position = unsafe_add(position, literals)
        if position == end:
            sequences.append(found)
            distance: uint256 = unsafe_sub(size, match_start)
            reason = self._check_last_sequence(token, literals, distance, sequence == 0)
            return reason, sequences

        if unsafe_sub(end, position) < 2:
            return OFFSET_CUT, []
        first = extract32(front, position, output_type=uint256)
        offset: uint256 = (first >> 248) | (((first >> 240) & 255) << 8)
        if offset == 0:
            return OFFSET_ZERO, []
        if offset > size:
            return OFFSET_TOO_FAR, []
        match_start = size
        position = unsafe_add(position, 2)
        first = extract32(front, position, output_type=uint256)
        second = extract32(front, unsafe_add(position, 32), output_type=uint256)
        nibble = token & 15
        least: uint256 = unsafe_add(nibble, MATCH_BYTES_MIN)
        room = unsafe_sub(size_max, size)
        reason, matched, position = self._length_at(
            first, second, position, end, nibble, least, room, MATCH_LENGTH_CUT
        )
        if reason != 0:
            return reason, []
        size = unsafe_add(size, matched)
        sequences.append(found | (offset << 16) | matched)
    return TOO_MANY_SEQUENCES, []


@internal
@pure
def _length_at(
    first: uint256,
    second: uint256,
    start: uint256,
    end: uint256,
    nibble: uint256,
    least: uint256,
    room: uint256,
    cut: uint256,
) -> (uint256, uint256, uint256):
    """
    @notice Zero or a reason, `least` with the extension bytes that begin the two words at
            `start`, and the position after them. The room is checked after every byte.
    """
    length: uint256 = least
    position: uint256 = start
    if nibble == 15:
        ahead: uint256 = first
        for i: uint256 in range(LENGTH_BYTES_MAX):
            if position == end:
                return cut, length, position
            byte: uint256 = ahead >> 248
            length = unsafe_add(length, byte)
            position = unsafe_add(position, 1)
            if byte != 255 or length > room:
                break
            ahead <<= 8
            if i == 31:
                ahead = second
    if length <= room:
        return 0, length, position
    if cut == LITERAL_LENGTH_CUT:
        return LITERALS_TOO_LONG, length, position
    return MATCH_TOO_LONG, length, position


@internal
@pure
def _check_last_sequence(
    token: uint256, literals: uint256, distance: uint256, alone: bool
) -> uint256:
    """
    @notice `distance` is from the last match's start to the end of the output.
    """
    if token & 15 != 0:
        return LAST_MATCH_NIBBLE
    if alone:
        return 0
    if literals < LAST_LITERALS_MIN:
        return LAST_LITERALS_TOO_FEW
    if distance < LAST_MATCH_DISTANCE_MIN:
        return LAST_MATCH_TOO_LATE
    return 0


@internal
@pure
def _copied(
    front: Bytes[FRONT_BYTES_MAX], sequences: DynArray[uint256, limits.CHUNK_SEQUENCES_MAX]
) -> Bytes[limits.CHUNK_BYTES_MAX]:
    """
    @notice The output of sequences that are sound. What is appended comes in pieces of up to a
            word, with zeros behind it, and behind the output there are zeros only.
    """
    words: uint256[WORDS_MAX] = empty(uint256[WORDS_MAX])
    size: uint256 = 0
    for sequence: uint256 in sequences:
        source: uint256 = sequence >> 48
        left: uint256 = (sequence >> 32) & U16
        for i: uint256 in range(PIECES_MAX):
            if left == 0:
                break
            count: uint256 = min(left, 32)
            rest: uint256 = unsafe_sub(256, count << 3)
            piece: uint256 = extract32(front, source, output_type=uint256) >> rest << rest
            bits: uint256 = (size & 31) << 3
            words[size >> 5] |= piece >> bits
            words[unsafe_add(size >> 5, 1)] |= piece << unsafe_sub(256, bits)
            size = unsafe_add(size, count)
            source = unsafe_add(source, 32)
            left = unsafe_sub(left, count)

        # A match that runs into what it writes repeats it: as long as less than a word lies
        # between source and end, all of that is copied, and then there is twice as much.
        source = unsafe_sub(size, (sequence >> 16) & U16)
        left = sequence & U16
        for i: uint256 in range(PIECES_MAX):
            if left == 0:
                break
            count: uint256 = min(min(left, 32), unsafe_sub(size, source))
            rest: uint256 = unsafe_sub(256, count << 3)
            bits: uint256 = (source & 31) << 3
            piece: uint256 = words[source >> 5] << bits
            piece |= words[unsafe_add(source >> 5, 1)] >> unsafe_sub(256, bits)
            piece = piece >> rest << rest
            bits = (size & 31) << 3
            words[size >> 5] |= piece >> bits
            words[unsafe_add(size >> 5, 1)] |= piece << unsafe_sub(256, bits)
            size = unsafe_add(size, count)
            left = unsafe_sub(left, count)
            if count == 32:
                source = unsafe_add(source, 32)
    return convert(slice(abi_encode(words), 0, size), Bytes[limits.CHUNK_BYTES_MAX])
