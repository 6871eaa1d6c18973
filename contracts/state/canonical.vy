# pragma version 0.4.3
"""
@title Canonical: which bytes are a leaf
@notice What the decoders of state/accounts.py, markets.py and orders.py refuse, no more and no less.
        Leaves are read where they stand and not taken apart: a witness can have 37 of them.
@dev No leaf has 64 bytes, the size of an inner node: each of these forms has other sizes.
"""

from . import accounts
from . import limits
from . import markets
from . import orders
from . import packing


# Where fields begin that have more than one possible form.
OWNER: constant(uint256) = 1
KEY_EPOCH: constant(uint256) = 37
ROW_MODE: constant(uint256) = 3
ORDER_LOTS: constant(uint256) = 17
ORDER_FLAGS: constant(uint256) = 33

# Of an entry of a list: its key comes first.
POSITION_LOTS: constant(uint256) = 2
REFERENCE_SIDE: constant(uint256) = 14

# How much of a word is not of the field that it begins with.
BUT_U8: constant(uint256) = 256 - 8
BUT_U16: constant(uint256) = 256 - 16
BUT_U32: constant(uint256) = 256 - 32
BUT_U64: constant(uint256) = 256 - 64
BUT_NAME: constant(uint256) = 256 - accounts.NAME_BITS
BUT_U128: constant(uint256) = 256 - 128
BUT_ADDRESS: constant(uint256) = 256 - 160
BUT_THREE_LOTS: constant(uint256) = 256 - 3 * 64

PADDED_BYTES_MAX: constant(uint256) = packing.LEAF_BYTES_MAX + 32


struct List:
    count: uint256
    first: uint256  # byte
    end: uint256


@internal
@pure
def _check_account(leaf: Bytes[packing.LEAF_BYTES_MAX]):
    """
    @notice Reverts unless state/accounts.py reads an account of these bytes.
    """
    if len(leaf) == 0:
        return
    padded: Bytes[PADDED_BYTES_MAX] = concat(leaf, empty(bytes32))
    assert extract32(padded, 0, output_type=uint256) >> BUT_U8 == accounts.DOMAIN, "leaves: account"
    # A head that is cut has no list behind it.
    positions: List = self._list(
        padded, accounts.HEAD_BYTES, accounts.POSITION_BYTES, limits.ACCOUNT_POSITIONS_MAX
    )
    references: List = self._list(
        padded, positions.end, accounts.REFERENCE_BYTES, limits.ACCOUNT_ORDERS_MAX
    )
    keys: List = self._list(
        padded, references.end, accounts.KEY_BYTES, limits.ACCOUNT_KEYS_MAX
    )
    assert keys.end == len(leaf), "leaves: account too long"
    owner: uint256 = extract32(padded, OWNER, output_type=uint256) >> BUT_ADDRESS
    assert owner != 0, "leaves: account of nobody"

    self._check_ascending(padded, positions, accounts.POSITION_BYTES, BUT_U16)
    for i: uint256 in range(positions.count, bound=limits.ACCOUNT_POSITIONS_MAX):
        at: uint256 = positions.first + i * accounts.POSITION_BYTES + POSITION_LOTS
        lots: uint256 = extract32(padded, at, output_type=uint256) >> BUT_THREE_LOTS
        assert lots != 0, "leaves: empty position"
    self._check_ascending(padded, references, accounts.REFERENCE_BYTES, BUT_NAME)
    for i: uint256 in range(references.count, bound=limits.ACCOUNT_ORDERS_MAX):
        at: uint256 = references.first + i * accounts.REFERENCE_BYTES + REFERENCE_SIDE
        side: uint256 = extract32(padded, at, output_type=uint256) >> BUT_U8
        assert side <= orders.SELL, "leaves: a side is 0 or 1"
    self._check_ascending(padded, keys, accounts.KEY_BYTES, BUT_U32)
    given: uint256 = extract32(padded, KEY_EPOCH, output_type=uint256) >> BUT_U32
    for i: uint256 in range(keys.count, bound=limits.ACCOUNT_KEYS_MAX):
        at: uint256 = keys.first + i * accounts.KEY_BYTES
        epoch: uint256 = extract32(padded, at, output_type=uint256) >> BUT_U32
        assert accounts.OWNER_KEY < epoch and epoch <= given, "leaves: key epoch not given out"


@internal
@pure
def _check_market(leaf: Bytes[packing.LEAF_BYTES_MAX]):
    """
    @notice Reverts unless state/markets.py reads a market of these bytes.
    """
    if len(leaf) == 0:
        return
    padded: Bytes[PADDED_BYTES_MAX] = concat(leaf, empty(bytes32))
    domain: uint256 = extract32(padded, 0, output_type=uint256) >> BUT_U8
    assert domain == markets.MARKET_DOMAIN, "leaves: market"
    publishers: List = self._list(
        padded, markets.MARKET_BYTES, markets.PUBLISHER_BYTES, limits.PUBLISHERS_MAX
    )
    assert publishers.count > 0, "leaves: no publisher"
    assert publishers.end == len(leaf), "leaves: market too long"
    self._check_ascending(padded, publishers, markets.PUBLISHER_BYTES, BUT_ADDRESS)


@internal
@pure
def _check_board_row(leaf: Bytes[packing.LEAF_BYTES_MAX]):
    """
    @notice Reverts unless state/markets.py reads a row of the board of these bytes.
    """
    if len(leaf) == 0:
        return
    padded: Bytes[PADDED_BYTES_MAX] = concat(leaf, empty(bytes32))
    domain: uint256 = extract32(padded, 0, output_type=uint256) >> BUT_U8
    assert domain == markets.BOARD_DOMAIN, "leaves: row"
    tiers: List = self._list(padded, markets.ROW_BYTES, markets.TIER_BYTES, limits.TIERS_MAX)
    assert tiers.count > 0, "leaves: no tier"
    assert tiers.end == len(leaf), "leaves: row too long"
    mode: uint256 = extract32(padded, ROW_MODE, output_type=uint256) >> BUT_U8
    assert markets.LIVE <= mode and mode <= markets.SETTLED, "leaves: no such mode"
    self._check_ascending(padded, tiers, markets.TIER_BYTES, BUT_U128)
    start: uint256 = extract32(padded, tiers.first, output_type=uint256) >> BUT_U128
    assert start == 0, "leaves: first tier above zero"


@internal
@pure
def _check_order(leaf: Bytes[packing.LEAF_BYTES_MAX]):
    """
    @notice Reverts unless state/orders.py reads a resting order of these bytes.
    """
    if len(leaf) == 0:
        return
    assert len(leaf) == orders.ORDER_BYTES, "leaves: order"
    padded: Bytes[PADDED_BYTES_MAX] = concat(leaf, empty(bytes32))
    domain: uint256 = extract32(padded, 0, output_type=uint256) >> BUT_U8
    assert domain == orders.DOMAIN, "leaves: order"
    lots: uint256 = extract32(padded, ORDER_LOTS, output_type=uint256) >> BUT_U64
    is_sensible: bool = False
    flags: orders.Flags = empty(orders.Flags)
    is_sensible, flags = orders._decode_flags(
        extract32(padded, ORDER_FLAGS, output_type=uint256) >> BUT_U8
    )
    assert lots > 0 and is_sensible and flags.may_rest, "leaves: no such order can rest"


@internal
@pure
def _list(
    padded: Bytes[PADDED_BYTES_MAX], at: uint256, width: uint256, maximum: uint256
) -> List:
    """
    @notice The list whose byte of count is at `at`, with entries of `width` bytes.
    """
    assert at + 32 < len(padded), "leaves: cut"
    count: uint256 = extract32(padded, at, output_type=uint256) >> BUT_U8
    assert count <= maximum, "leaves: list too long"
    end: uint256 = at + 1 + count * width
    assert end + 32 <= len(padded), "leaves: cut"
    return List(count=count, first=at + 1, end=end)


@internal
@pure
def _check_ascending(
    padded: Bytes[PADDED_BYTES_MAX], list: List, width: uint256, rest: uint256
):
    """
    @notice Reverts unless the keys that entries begin with, `256 - rest` bits each, are strictly
            ascending, so that one content has one encoding.
    """
    lowest: uint256 = 0
    for i: uint256 in range(list.count, bound=limits.ACCOUNT_ORDERS_MAX):
        key: uint256 = extract32(padded, list.first + i * width, output_type=uint256) >> rest
        assert key >= lowest, "leaves: not ascending"
        lowest = key + 1
