# pragma version 0.4.3
"""
@title Witness: where the leaves of a witness are
@notice The `leaves` of docs/step.md, section 1, as prover/witness.py writes them. Everything that reads
        them agrees on this one reading, which refuses any other form.
@dev Its sums stay below 2^17, so they go unchecked.
"""

from . import limits


# The lists, in their order, and where each begins among all places.
ACCOUNTS: constant(uint256) = 0
MARKETS: constant(uint256) = 1
ROWS: constant(uint256) = 2
ORDERS: constant(uint256) = 3
WITHDRAWALS: constant(uint256) = 4
LISTS: constant(uint256) = 5

FIRST_ACCOUNT: constant(uint256) = 0
FIRST_MARKET: constant(uint256) = FIRST_ACCOUNT + limits.WITNESS_ACCOUNTS_MAX
FIRST_ROW: constant(uint256) = FIRST_MARKET + limits.WITNESS_MARKETS_MAX
FIRST_ORDER: constant(uint256) = FIRST_ROW + limits.WITNESS_ROWS_MAX
FIRST_WITHDRAWAL: constant(uint256) = FIRST_ORDER + limits.WITNESS_ORDERS_MAX
PLACES_MAX: constant(uint256) = FIRST_WITHDRAWAL + limits.WITNESS_WITHDRAWALS_MAX

FIRSTS: constant(uint256[LISTS + 1]) = [
    FIRST_ACCOUNT, FIRST_MARKET, FIRST_ROW, FIRST_ORDER, FIRST_WITHDRAWAL, PLACES_MAX
]
# u32 account, u16 market, u8 row, u16 market | u8 side | u64 key, u32 withdrawal
KEY_BYTES: constant(uint256[LISTS]) = [4, 2, 1, 11, 4]

SIDE_BIT: constant(uint256) = 64


struct Places:
    counts: uint256[LISTS]
    keys: uint256[PLACES_MAX]
    # Of each leaf the byte at which its u16 size begins.
    leaves: uint256[PLACES_MAX]


@internal
@pure
def _places(leaves: Bytes[limits.LEAVES_BYTES_MAX]) -> Places:
    """
    @notice Where every leaf is. Reverts for bytes that no witness has: lists too long or not strictly
            ascending, a side that is none, an end too early or too late.
    """
    places: Places = empty(Places)
    # What is read past the end is zero, and found out at the end.
    padded: Bytes[limits.LEAVES_BYTES_MAX + 32] = concat(leaves, empty(bytes32))
    at: uint256 = 0
    next_first: uint256 = FIRST_ACCOUNT
    for list: uint256 in range(LISTS):
        first: uint256 = next_first
        next_first = FIRSTS[unsafe_add(list, 1)]
        key_bytes: uint256 = KEY_BYTES[list]
        count: uint256 = extract32(padded, at, output_type=uint256) >> 248
        last: uint256 = unsafe_add(first, count)
        assert last <= next_first, "witness: list too long"
        places.counts[list] = count
        at = unsafe_add(at, 1)
        for place: uint256 in range(first, last, bound=limits.WITNESS_ROWS_MAX):
            key: uint256 = extract32(padded, at, output_type=uint256) >> unsafe_sub(
                256, key_bytes << 3
            )
            assert place == first or places.keys[unsafe_sub(place, 1)] < key, "witness: not ascending"
            assert list != ORDERS or (key >> SIDE_BIT) & 255 <= 1, "witness: a side is 0 or 1"
            places.keys[place] = key
            at = unsafe_add(at, key_bytes)
            places.leaves[place] = at
            if list != WITHDRAWALS:
                size: uint256 = extract32(padded, at, output_type=uint256) >> 240
                at = unsafe_add(at, unsafe_add(size, 2))
    assert at == len(leaves), "witness: leaves cut or too long"
    return places


@internal
@pure
def _place(places: Places, list: uint256, key: uint256) -> uint256:
    """
    @notice The place among all leaves of this key in this list. Reverts where the witness lacks it:
            what a step asks for must be there, be it absent from the state.
    """
    first: uint256 = FIRSTS[list]
    for place: uint256 in range(first, first + places.counts[list], bound=limits.WITNESS_ROWS_MAX):
        if places.keys[place] == key:
            return place
    raise "witness: leaf missing"


@internal
@pure
def _order_key(market: uint256, side: uint256, key: uint256) -> uint256:
    """
    @notice u16 market | u8 side | u64 key, as a witness sorts orders.
    """
    return market << (SIDE_BIT + 8) | side << SIDE_BIT | key
