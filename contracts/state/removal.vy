# pragma version 0.4.3
"""
@title Removal: a resting order leaves the book
@notice `remove_order` of state/matching.py. It stands apart because every contract that takes orders off a
        book needs it and nothing else of matching.
"""

from . import accounts
from . import orders
from . import resting
from . import store
from . import witness


@internal
@pure
def _remove_order(
    account: accounts.Account, market: uint256, side: uint256, order: orders.RestingOrder
) -> accounts.Account:
    """
    @notice The account of a resting order without it: neither the reference nor the resting lots.
    """
    return resting._without_resting(account, market, side, order)


@internal
@pure
def _removed(
    places: witness.Places, market: uint256, side: uint256, key: uint256
) -> Bytes[store.OTHER_ENTRY_BYTES_MAX]:
    """
    @notice The entry of an order that is gone: its place and a leaf of size zero.
    """
    place: uint256 = store._order_place(places, market, side, key)
    return convert(store._entry(place, b""), Bytes[store.OTHER_ENTRY_BYTES_MAX])
