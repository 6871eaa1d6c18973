# pragma version 0.4.3
"""
@title Packing: fixed-width big-endian fields, read and written in order
@notice As state/packing.py. A layout is a table in one word: a byte a field, from the most
        significant one down, that says how many bytes it has, with SIGNED on top where it is
        signed; a zero byte ends it. So a leaf of many fields costs one loop and no code of
        its own. In memory a field is a word: `abi_encode` and `abi_decode` make the struct.
@dev This is the innermost loop of a step. Its sums stay below 2^16, so they go unchecked.
"""

SIGNED: constant(uint256) = 128
FIELDS_MAX: constant(uint256) = 32
WORDS_BYTES_MAX: constant(uint256) = FIELDS_MAX * 32
PACKED_BYTES_MAX: constant(uint256) = WORDS_BYTES_MAX + 32

# The longest of all leaves is an account's, see accounts.vy.
LEAF_BYTES_MAX: constant(uint256) = 2_816
PADDED_BYTES_MAX: constant(uint256) = LEAF_BYTES_MAX + 32

# In front of a struct's words: they are the one item of a dynamic array. Such a one is decoded by
# a single copy, a struct by code for each of its fields, and code is scarce.
ONE: constant(Bytes[64]) = (
    x"00000000000000000000000000000000000000000000000000000000000000200000000000000000000000000000000000000000000000000000000000000001"
)


@internal
@pure
def _unpack(
    data: Bytes[LEAF_BYTES_MAX], start: uint256, layout: bytes32
) -> Bytes[WORDS_BYTES_MAX]:
    """
    @notice The fields of `layout` from byte `start` of `data` on, a word each.
            Reverts where the data ends before they do.
    """
    words: uint256[FIELDS_MAX] = empty(uint256[FIELDS_MAX])
    padded: Bytes[PADDED_BYTES_MAX] = concat(data, empty(bytes32))
    table: uint256 = convert(layout, uint256)
    at: uint256 = start
    count: uint256 = 0
    for i: uint256 in range(FIELDS_MAX):
        field: uint256 = table >> 248
        if field == 0:
            break
        if field < SIGNED:
            rest: uint256 = unsafe_sub(256, field << 3)
            words[i] = extract32(padded, at, output_type=uint256) >> rest
            at = unsafe_add(at, field)
        else:
            rest: uint256 = unsafe_sub(256, (field & 127) << 3)
            word: int256 = extract32(padded, at, output_type=int256) >> rest
            words[i] = convert(convert(word, bytes32), uint256)
            at = unsafe_add(at, field & 127)
        table <<= 8
        count = unsafe_add(count, 32)
    assert at <= len(data)
    return slice(abi_encode(words), 0, count)


@internal
@pure
def _pack(words: Bytes[WORDS_BYTES_MAX], layout: bytes32) -> Bytes[PACKED_BYTES_MAX]:
    """
    @notice The bytes of the fields in `words`. Reverts where one does not fit, which is a bug.
    """
    packed: uint256[FIELDS_MAX + 1] = empty(uint256[FIELDS_MAX + 1])
    table: uint256 = convert(layout, uint256)
    full: uint256 = 0  # words of `packed`
    last: uint256 = 0  # the word after them, and how many of its bits are in use
    bits: uint256 = 0
    for i: uint256 in range(FIELDS_MAX):
        field: uint256 = table >> 248
        if field == 0:
            break
        rest: uint256 = unsafe_sub(256, (field & 127) << 3)
        word: uint256 = extract32(words, i << 5, output_type=uint256)
        top: uint256 = word << rest
        if field < SIGNED:
            assert top >> rest == word
        else:
            sign_carried: int256 = convert(convert(top, bytes32), int256) >> rest
            assert convert(convert(sign_carried, bytes32), uint256) == word
        last |= top >> bits
        bits = unsafe_add(bits, unsafe_sub(256, rest))
        if bits >= 256:
            # A field may run over the end of a word.
            packed[full] = last
            full = unsafe_add(full, 1)
            bits = unsafe_sub(bits, 256)
            last = word << unsafe_sub(256, bits)
        table <<= 8
    packed[full] = last
    return slice(abi_encode(packed), 0, unsafe_add(full << 5, bits >> 3))
