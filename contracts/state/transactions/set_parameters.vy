# pragma version 0.4.3
"""
@title Set parameters: a market's rules change under its orders and positions, from L1's governor
@notice As state/transactions/set_parameters.py.
"""

from . import list_market
from .. import limits
from .. import machine
from .. import markets
from .. import packing
from .. import status
from .. import store
from .. import witness


@internal
@pure
def _apply_set_parameters(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    payload: Bytes[limits.GIVEN_BYTES_MAX],
) -> (machine.Machine, store.Changed):
    """
    @notice Every parameter as listed; prices, books, funds and funding stay as they are. A
            publisher who stays keeps price and time; who is new begins at the time of the mark.
    """
    after: machine.Machine = m
    changed: store.Changed = empty(store.Changed)
    is_listing: bool = False
    listing: list_market.Listing = empty(list_market.Listing)
    is_listing, listing = list_market._decode_listing(payload)
    if not is_listing:
        after.status = status.BAD_LISTING
        return after, changed
    number: uint256 = listing.terms.market
    places: witness.Places = witness._places(leaves)
    leaf: Bytes[packing.LEAF_BYTES_MAX] = store._market_leaf(leaves, places, number)
    market: markets.Market = markets._decode_market(leaf)
    row: markets.BoardRow = store._row(leaves, places, number)
    if market.domain == 0 or row.domain == 0:
        after.status = status.UNKNOWN_MARKET
        return after, changed
    if not list_market._is_sound(listing):
        after.status = status.BAD_LISTING
        return after, changed
    if not self._keeps_fixed(listing.terms, market):
        after.status = status.FIXED_PARAMETER
        return after, changed
    # Nothing that the venue sums up is among the parameters.
    changed.market = store._market_entry(
        places,
        list_market._with_market_terms(market, listing.terms),
        list_market._publishers(listing.publishers, markets._publishers(leaf), row.time),
    )
    changed.row = store._row_entry(
        places,
        number,
        markets._encode_board_row(list_market._with_row_terms(row, listing.terms)),
    )
    after.status = status.OK
    return after, changed


@internal
@pure
def _keeps_fixed(x: list_market.Terms, market: markets.Market) -> bool:
    """
    @notice What orders and positions are counted in does not change under them.
    """
    return (
        x.kind == market.kind
        and x.lot_exponent == market.lot_exponent
        and x.symbol == market.symbol
        and x.tick == market.tick
        and x.expiry == market.expiry
    )
