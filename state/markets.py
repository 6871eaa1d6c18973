"""Markets: the leaf with everything about one market, and its row on the board.

The board holds what a margin check of any holder needs, so that such a check reads
one small tree instead of a market leaf per position.
"""

from enum import IntEnum

from msgspec import Struct

from state.limits import MARKETS_MAX, PUBLISHERS_MAX, TIERS_MAX
from state.packing import NotCanonical, Reader, check_ascending, i128, u
from state.units import INDEX_ONE

MARKET_DOMAIN = 2
BOARD_DOMAIN = 3
PERPETUAL = 1


class Mode(IntEnum):
    """What a market lets traders do."""

    LIVE = 1
    REDUCE_ONLY = 2
    HALTED = 3
    SETTLED = 4


class Publisher(Struct, frozen=True, gc=False):
    """An oracle publisher of one market and its last signed price."""

    address: bytes
    family: int
    weight: int
    price: int = 0
    time: int = 0


class Tier(Struct, frozen=True, gc=False):
    """Margin rates for the slice of a notional from `start` up to the next tier."""

    start: int
    initial: int
    maintenance: int


class Side(Struct, frozen=True, gc=False):
    """All longs, or all shorts, of one market."""

    lots: int = 0
    legs: int = 0
    a: int = INDEX_ONE
    k: int = 0
    f: int = 0


class BoardRow(Struct, frozen=True, gc=False):
    """Prices, open interest, margin rates and indices of one market."""

    market: int
    mode: int
    tiers: tuple[Tier, ...]
    price_age_max: int
    close_out: int = 0
    interest_lower: int = 0
    interest_upper: int = 0
    mark: int = 0
    slow_mark: int = 0
    index: int = 0
    time: int = 0
    long: Side = Side()
    short: Side = Side()


class Market(Struct, frozen=True, gc=False):
    """Parameters and running figures of one market, without its books' roots."""

    market: int
    kind: int
    lot_exponent: int
    symbol: bytes
    tick: int
    min_notional: int
    order_lots_max: int
    band: int
    taker_fee: int
    maker_fee: int
    order_life_max: int
    open_interest_max: int
    position_max: int
    publishers: tuple[Publisher, ...]
    next_order: int = 0
    quorum: int = 1
    families: int = 1
    deviation: int = 0
    price_step: int = 0
    premium_sum: int = 0
    premium_samples: int = 0
    sampled_at: int = 0
    basis: int = 0
    interest: int = 0
    damp: int = 0
    funding_cap: int = 0
    liquidation_fee: int = 0
    insurance: int = 0
    pool: int = 0
    bad_debt: int = 0
    dust: int = 0
    expiry: int = 0
    settlement: int = 0

    @property
    def name(self) -> str:
        """The symbol without its padding."""
        return self.symbol.rstrip(b"\0").decode("ascii")


def board_key(market: int) -> int:
    """Where a market's row stands; live markets differ in it."""
    return market % MARKETS_MAX


def encode_market(m: Market, bids_root: bytes, asks_root: bytes) -> bytes:
    """The leaf of a market; the roots of its books are given by whoever holds the trees."""
    parts = [
        u(MARKET_DOMAIN, 8) + u(m.market, 16) + u(m.kind, 8) + u(m.lot_exponent, 8) + m.symbol,
        u(m.tick, 32) + u(m.min_notional, 64) + u(m.order_lots_max, 64) + u(m.band, 32),
        u(m.taker_fee, 32) + u(m.maker_fee, 32) + u(m.order_life_max, 32),
        u(m.open_interest_max, 64) + u(m.position_max, 64) + bids_root + asks_root,
        u(m.next_order, 64) + u(m.quorum, 8) + u(m.families, 8) + u(m.deviation, 32),
        u(m.price_step, 32) + i128(m.premium_sum) + u(m.premium_samples, 16),
        u(m.sampled_at, 64) + i128(m.basis) + u(m.interest, 32) + u(m.damp, 32),
        u(m.funding_cap, 32) + u(m.liquidation_fee, 32) + u(m.insurance, 128) + i128(m.pool),
        u(m.bad_debt, 128) + i128(m.dust) + u(m.expiry, 64) + u(m.settlement, 64),
        u(len(m.publishers), 8),
    ]
    for p in m.publishers:
        parts.append(p.address + u(p.family, 8) + u(p.weight, 16) + u(p.price, 64) + u(p.time, 64))
    return b"".join(parts)


def decode_market(leaf: bytes) -> tuple[Market, bytes, bytes]:
    """The market of `leaf` with its bids and asks roots. NotCanonical for other bytes."""
    r = Reader(leaf)
    if r.u(8) != MARKET_DOMAIN:
        raise NotCanonical("not a market leaf")
    head = (r.u(16), r.u(8), r.u(8), r.raw(16), r.u(32), r.u(64), r.u(64))
    rates = (r.u(32), r.u(32), r.u(32), r.u(32), r.u(64), r.u(64))
    bids_root, asks_root = r.raw(32), r.raw(32)
    figures = (
        *(r.u(64), r.u(8), r.u(8), r.u(32), r.u(32), r.i(128), r.u(16), r.u(64), r.i(128)),
        *(r.u(32), r.u(32), r.u(32), r.u(32), r.u(128), r.i(128), r.u(128), r.i(128)),
        *(r.u(64), r.u(64)),
    )
    count = r.u(8)
    if not 1 <= count <= PUBLISHERS_MAX:
        raise NotCanonical(f"{count} publishers, 1 to {PUBLISHERS_MAX} expected")
    publishers = tuple(
        Publisher(r.raw(20), r.u(8), r.u(16), r.u(64), r.u(64)) for _ in range(count)
    )
    r.end()
    check_ascending([p.address for p in publishers], "publishers")
    return Market(*head, *rates, publishers, *figures), bids_root, asks_root


def _encode_side(side: Side) -> bytes:
    return u(side.lots, 64) + u(side.legs, 32) + u(side.a, 64) + i128(side.k) + i128(side.f)


def encode_board_row(row: BoardRow) -> bytes:
    """The leaf of a market's row on the board."""
    return b"".join(
        [
            u(BOARD_DOMAIN, 8) + u(row.market, 16) + u(row.mode, 8),
            u(row.mark, 64) + u(row.slow_mark, 64) + u(row.index, 64) + u(row.time, 64),
            u(row.price_age_max, 32) + _encode_side(row.long) + _encode_side(row.short),
            u(row.close_out, 32) + u(row.interest_lower, 128) + u(row.interest_upper, 128),
            encode_tiers(row.tiers),
        ]
    )


def decode_board_row(leaf: bytes) -> BoardRow:
    """The row of `leaf`. NotCanonical for anything `encode_board_row` never writes."""
    r = Reader(leaf)
    if r.u(8) != BOARD_DOMAIN:
        raise NotCanonical("not a board row")
    market, mode = r.u(16), r.u(8)
    if not Mode.LIVE <= mode <= Mode.SETTLED:
        raise NotCanonical(f"{mode} is no mode")
    mark, slow_mark, index, time, age = r.u(64), r.u(64), r.u(64), r.u(64), r.u(32)
    long, short = (Side(r.u(64), r.u(32), r.u(64), r.i(128), r.i(128)) for _ in range(2))
    close_out, lower, upper = r.u(32), r.u(128), r.u(128)
    tiers = decode_tiers(r)
    r.end()
    return BoardRow(
        *(market, mode, tiers, age, close_out, lower, upper),
        *(mark, slow_mark, index, time, long, short),
    )


def encode_tiers(tiers: tuple[Tier, ...]) -> bytes:
    """A count and the tiers, as they stand in a row and in a listing."""
    return u(len(tiers), 8) + b"".join(
        u(tier.start, 128) + u(tier.initial, 32) + u(tier.maintenance, 32) for tier in tiers
    )


def decode_tiers(r: Reader) -> tuple[Tier, ...]:
    """1 to 4 tiers, the first from zero, strictly ascending."""
    count = r.u(8)
    if not 1 <= count <= TIERS_MAX:
        raise NotCanonical(f"{count} tiers, 1 to {TIERS_MAX} expected")
    tiers = tuple(Tier(r.u(128), r.u(32), r.u(32)) for _ in range(count))
    check_ascending([tier.start for tier in tiers], "tiers")
    if tiers[0].start != 0:
        raise NotCanonical("the first tier starts at zero")
    return tiers
