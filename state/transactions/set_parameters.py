"""Set parameters: a market's rules change under its orders and positions, from L1's governor."""

from msgspec.structs import replace

from state.markets import BoardRow, Market, Publisher
from state.packing import NotCanonical
from state.status import Status
from state.store import Changes
from state.transactions.list_market import (
    MARKET_TERMS,
    ROW_TERMS,
    Listing,
    decode_listing,
    is_sound,
    terms,
)

FIXED = ("kind", "lot_exponent", "symbol", "tick", "expiry")
"""What orders and positions are counted in does not change under them."""


def apply_set_parameters(changes: Changes, payload: bytes) -> Status:
    """Every parameter as listed; prices, books, funds and funding stay as they are."""
    try:
        listing = decode_listing(payload)
    except NotCanonical:
        return Status.BAD_LISTING
    market, row = changes.market(listing.market), changes.row(listing.market)
    if market is None or row is None:
        return Status.UNKNOWN_MARKET
    if not is_sound(listing):
        return Status.BAD_LISTING
    if terms(listing, FIXED) != {name: getattr(market, name) for name in FIXED}:
        return Status.FIXED_PARAMETER
    publishers = _publishers(listing, market, row)
    changes.write_market(replace(market, publishers=publishers, **terms(listing, MARKET_TERMS)))
    changes.write_row(replace(row, **terms(listing, ROW_TERMS)))
    return Status.OK


def _publishers(listing: Listing, market: Market, row: BoardRow) -> tuple[Publisher, ...]:
    """Who stays keeps price and time; who is new begins at the time of the mark.

    So no price is older than the one before it, nor published again by who comes back.
    """
    held = {publisher.address: publisher for publisher in market.publishers}
    return tuple(
        replace(held[address], family=family, weight=weight)
        if address in held
        else Publisher(address, family, weight, time=row.time)
        for address, family, weight in listing.publishers
    )
