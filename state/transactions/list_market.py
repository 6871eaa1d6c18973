"""List market: a new market and its row on the board, from L1's governor."""

from typing import Any

from msgspec import Struct

from state.limits import LOTS_MAX, TIERS_MAX
from state.markets import (
    PERPETUAL,
    BoardRow,
    Market,
    Mode,
    Publisher,
    Tier,
    decode_tiers,
    encode_tiers,
)
from state.packing import NotCanonical, Reader, check_ascending, u
from state.status import Status
from state.store import Changes
from state.units import RATE_ONE

FEE_MAX = RATE_ONE // 10
NOTIONAL_MAX = 2**96
assert TIERS_MAX * NOTIONAL_MAX < 2**128

MARKET_TERMS = (
    *("market", "kind", "symbol", "lot_exponent", "tick", "min_notional", "order_lots_max"),
    *("band", "taker_fee", "maker_fee", "order_life_max", "open_interest_max", "position_max"),
    *("quorum", "families", "deviation", "price_step", "interest", "damp", "funding_cap"),
    *("liquidation_fee", "expiry"),
)
"""What a listing says of the market's leaf, publishers apart."""

ROW_TERMS = (
    *("market", "tiers", "price_age_max", "close_out", "interest_lower", "interest_upper"),
)
"""What a listing says of the market's row on the board."""


class Listing(Struct, frozen=True, gc=False, kw_only=True):
    """Everything that is fixed about a market on the day it is listed."""

    market: int
    symbol: bytes
    lot_exponent: int
    tick: int
    min_notional: int
    order_lots_max: int
    band: int
    taker_fee: int
    maker_fee: int
    order_life_max: int
    open_interest_max: int
    position_max: int
    price_age_max: int
    tiers: tuple[Tier, ...]
    publishers: tuple[tuple[bytes, int, int], ...]
    kind: int = PERPETUAL
    quorum: int = 1
    families: int = 1
    deviation: int = 0
    price_step: int = 0
    interest: int = 0
    damp: int = 0
    funding_cap: int = 0
    liquidation_fee: int = 0
    expiry: int = 0
    close_out: int = 0
    interest_lower: int = 0
    interest_upper: int = 0


def encode_listing(x: Listing) -> bytes:
    return b"".join(
        [
            u(x.market, 16) + u(x.kind, 8) + u(x.lot_exponent, 8) + x.symbol.ljust(16, b"\0"),
            u(x.tick, 32) + u(x.min_notional, 64) + u(x.order_lots_max, 64) + u(x.band, 32),
            u(x.taker_fee, 32) + u(x.maker_fee, 32) + u(x.order_life_max, 32),
            u(x.open_interest_max, 64) + u(x.position_max, 64) + u(x.quorum, 8),
            u(x.families, 8) + u(x.deviation, 32) + u(x.price_step, 32) + u(x.price_age_max, 32),
            u(x.interest, 32) + u(x.damp, 32) + u(x.funding_cap, 32) + u(x.liquidation_fee, 32),
            u(x.expiry, 64) + u(x.close_out, 32) + u(x.interest_lower, 128),
            u(x.interest_upper, 128) + encode_tiers(x.tiers) + u(len(x.publishers), 8),
            *(address + u(family, 8) + u(weight, 16) for address, family, weight in x.publishers),
        ]
    )


def decode_listing(payload: bytes) -> Listing:
    """NotCanonical for bytes that are no listing; `refusal` judges what it says."""
    r = Reader(payload)
    return Listing(
        market=r.u(16),
        kind=r.u(8),
        lot_exponent=r.u(8),
        symbol=r.raw(16),
        tick=r.u(32),
        min_notional=r.u(64),
        order_lots_max=r.u(64),
        band=r.u(32),
        taker_fee=r.u(32),
        maker_fee=r.u(32),
        order_life_max=r.u(32),
        open_interest_max=r.u(64),
        position_max=r.u(64),
        quorum=r.u(8),
        families=r.u(8),
        deviation=r.u(32),
        price_step=r.u(32),
        price_age_max=r.u(32),
        interest=r.u(32),
        damp=r.u(32),
        funding_cap=r.u(32),
        liquidation_fee=r.u(32),
        expiry=r.u(64),
        close_out=r.u(32),
        interest_lower=r.u(128),
        interest_upper=r.u(128),
        tiers=decode_tiers(r),
        publishers=_publishers(r),
    )


def _publishers(r: Reader) -> tuple[tuple[bytes, int, int], ...]:
    publishers = tuple((r.raw(20), r.u(8), r.u(16)) for _ in range(r.u(8)))
    r.end()
    check_ascending([address for address, _, _ in publishers], "publishers")
    return publishers


def apply_list_market(changes: Changes, payload: bytes) -> Status:
    """BAD_LISTING for what no market can be; MARKET_EXISTS where its row is taken."""
    try:
        listing = decode_listing(payload)
    except NotCanonical:
        return Status.BAD_LISTING
    if not is_sound(listing):
        return Status.BAD_LISTING
    taken = changes.base.row(listing.market)
    if taken is not None or changes.market(listing.market) is not None:
        return Status.MARKET_EXISTS
    changes.write_market(_market(listing))
    changes.write_row(_row(listing))
    return Status.OK


def is_sound(x: Listing) -> bool:
    """Whether every figure is within the venue's limits and they agree with one another."""
    name = x.symbol.rstrip(b"\0")
    rates = (x.deviation, x.price_step, x.interest, x.damp, x.funding_cap, x.liquidation_fee)
    return all(
        [
            x.kind == PERPETUAL and x.expiry == 0 and x.lot_exponent <= 18,
            len(name) > 0 and all(32 < byte < 127 for byte in name),
            x.tick > 0 and 0 < x.band < RATE_ONE,
            max(x.taker_fee, x.maker_fee) <= FEE_MAX,
            x.order_life_max > 0 and x.price_age_max > 0,
            0 < x.order_lots_max <= x.position_max <= LOTS_MAX,
            0 < x.open_interest_max < 2**63,
            all(rate <= RATE_ONE for rate in (*rates, x.close_out)),
            x.interest_lower <= x.interest_upper < NOTIONAL_MAX,
            all(0 < tier.maintenance <= tier.initial <= RATE_ONE for tier in x.tiers),
            all(tier.start < NOTIONAL_MAX for tier in x.tiers),
            # One publisher for now: the weighted median of several is a later rule.
            len(x.publishers) == 1 and x.quorum == 1 and x.families == 1,
            all(any(address) and weight > 0 for address, _, weight in x.publishers),
        ]
    )


def terms(x: Listing, names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the listing's figures."""
    return {name: getattr(x, name) for name in names}


def _market(x: Listing) -> Market:
    publishers = tuple(Publisher(*publisher) for publisher in x.publishers)
    return Market(publishers=publishers, **terms(x, MARKET_TERMS))


def _row(x: Listing) -> BoardRow:
    return BoardRow(mode=Mode.LIVE, **terms(x, ROW_TERMS))
