"""Markets by chance: tiers, caps, bands, fees and ages that press on every rule."""

from random import Random
from typing import Any

from msgspec.structs import replace

from state.crypto import keccak
from state.limits import LOTS_MAX, TICKS_MAX
from state.markets import BoardRow, Market, Tier
from state.orders import BUY, SELL
from state.transactions.list_market import Listing, encode_listing
from state.transactions.order import band_edge

DAY = 86_400
MARK, GRAND_MARK = 50_000_000, 2**55
"""Where prices begin; the second is near the end of what a price can be."""


def any_listing(r: Random, market: int, publisher: bytes) -> Listing:
    """A sound one. One of its ticks in thirteen leaves no price in the band of a side."""
    lots_max = r.choice((10**6, 40_000))
    return Listing(
        market=market,
        symbol=b"M%d-USD-PERP" % market,
        lot_exponent=r.choice((6, 0, 18)),
        tick=r.choice((1_000, 999, 50_000, 700_000) * 6 + (1, 10**8)),
        order_life_max=2 * DAY,
        price_age_max=r.choice((900, 3_600)),
        publishers=((publisher, r.choice((0, 1)), r.choice((1, 2**16 - 1))),),
        order_lots_max=lots_max,
        **_sizes(r, lots_max),  # type: ignore[arg-type]
        **_margin(r),  # type: ignore[arg-type]
    )


def grand(r: Random, market: Listing) -> Listing:
    """The same near the upper bounds of its fields."""
    return replace(
        market,
        tick=2**32 - r.randint(1, 3),
        order_lots_max=r.choice((LOTS_MAX, 2**40)),
        position_max=LOTS_MAX,
        open_interest_max=r.choice((2**63 - 1, 2**20)),
        min_notional=r.choice((0, 2**64 - 1)),
        interest_lower=0,
        interest_upper=2**96 - 1,
        tiers=(Tier(0, 50_000, 30_000), Tier(2**90, 10**6, 5), Tier(2**96 - 1, 10**6, 7)),
    )


def _sizes(r: Random, lots_max: int) -> dict[str, object]:
    return {
        "min_notional": r.choice((0, 0, 10**9 + 1)),
        "position_max": r.choice((10**13, lots_max, lots_max + 7)),
        "open_interest_max": r.choice((10**15, 30_000, 10**6)),
        "band": r.choice((100_000, 33_333, 999_999)),
        "taker_fee": r.choice((0, 500, 333, 333, 100_000)),
        "maker_fee": r.choice((0, 100, 777)),
    }


def _margin(r: Random) -> dict[str, object]:
    upper = r.choice((0, 10**11, 10**12, 3 * 10**12 + 7))
    tiers = r.choice(
        (
            (Tier(0, 50_000, 30_000),),
            (Tier(0, 20_001, 10_000), Tier(3 * 10**11 + 1, 100_003, 50_000)),
            (Tier(0, 33_333, 1), Tier(10**11, 50_000, 1), Tier(10**13, 999_999, 7)),
            tuple(Tier(start * 10**10, 10_000 + start, 10_000) for start in (0, 1, 5, 30)),
        )
    )
    return {
        "interest_lower": r.choice((0, upper // 3, upper)),
        "interest_upper": upper,
        "tiers": tiers,
    }


def changed(r: Random, market: Listing, publishers: tuple[bytes, ...]) -> Listing:
    """Other parameters that are as sound, under whatever stands in the market."""
    ages = {"order_life_max": r.choice((2 * DAY, DAY, 3_000)), "price_age_max": r.choice((900, 60))}
    later = {"deviation": 10**6, "price_step": 7, "damp": 8, "funding_cap": 1, "close_out": 9}
    lots_max = r.choice((10**6, 40_000, 1_000))
    change = r.choice(
        (
            _margin(r),
            # Every lot paid for in full: who leaned on margin is unhealthy from now on.
            {"tiers": (Tier(0, 10**6, 1),)},
            {"order_lots_max": lots_max, **_sizes(r, lots_max)},
            ages,
            later,
            {"publishers": ((r.choice(publishers), 1, 1),)},
            {"publishers": ((market.publishers[0][0], 2, 9),)},
        )
    )
    return replace(market, **change)


def unsound(r: Random, market: Listing, publishers: tuple[bytes, ...]) -> bytes:
    """A listing that says what no market may be, or bytes that are none."""
    change = r.choice(_unsoundnesses(r, market, publishers))
    bad, payload = encode_listing(replace(market, **change)), encode_listing(market)
    noise = bytearray(payload)
    noise[r.randrange(len(noise))] ^= 1 << r.randrange(8)
    others = payload[:-1], payload + b"\0", b"", bytes(noise), r.randbytes(r.randrange(400))
    return r.choice((bad, bad, bad, r.choice(others)))


def _unsoundnesses(
    r: Random, market: Listing, publishers: tuple[bytes, ...]
) -> list[dict[str, Any]]:
    tiers = (
        (Tier(0, 10**6 + 1, 1),),
        (Tier(0, 50_000, 0),),
        (Tier(0, 50_000, 50_001),),
        (Tier(0, 1, 1), Tier(5, 1, 1), Tier(9, 0, 0)),
        (Tier(1, 1, 1),),
        (Tier(0, 1, 1), Tier(5, 1, 1), Tier(5, 1, 1)),
        (Tier(0, 1, 1), Tier(2**96, 1, 1)),
        tuple(Tier(start, 1, 1) for start in range(5)),
        (),
    )
    symbols = (b"BTC\nUSD", b"BTC\x7f", b"\0BTC", b"BTC\0USD", b"BTC USD", b"", b"\xff")
    zero = ("tick", "band", "order_lots_max", "price_age_max", "order_life_max")
    rates = ("deviation", "price_step", "interest", "damp", "funding_cap", "liquidation_fee")
    two = tuple(sorted({(address, 1, 1) for address in publishers}))
    found: list[dict[str, Any]] = [
        *({"kind": kind} for kind in (0, 2, 7)),
        {"symbol": r.choice(symbols)},
        {"lot_exponent": 19},
        *({name: 0} for name in (*zero, "open_interest_max")),
        *({name: 10**5 + 1} for name in ("taker_fee", "maker_fee")),
        *({name: 10**6 + 1} for name in (*rates, "close_out")),
        {"band": 10**6},
        {"order_lots_max": market.position_max + 1},
        {"position_max": 2**48},
        {"open_interest_max": 2**63},
        {"interest_lower": market.interest_upper + 1},
        {"interest_upper": 2**96},
        *({"tiers": choice} for choice in tiers),
        *({"publishers": choice} for choice in (two, two[::-1], (), ((bytes(20), 1, 1),))),
        {"publishers": ((publishers[0], 1, 0),)},
        *({name: value} for name in ("quorum", "families") for value in (0, 2)),
        {"expiry": 1},
    ]
    return found


def otherwise_fixed(r: Random, market: Listing) -> Listing:
    """What may not change changed."""
    changes = {"lot_exponent": 7, "symbol": b"ETH", "tick": market.tick - 1 or 2}
    name = r.choice(sorted(changes))
    return replace(market, **{name: changes[name]})


def near(r: Random, market: Market, row: BoardRow, side: int) -> int:
    """A price around the mark, now and then one at the ends of what there is."""
    if r.random() < 0.03:
        return r.choice((0, 1, TICKS_MAX, band_end(r, market, row, side)))
    mark = row.mark // market.tick
    spread = max(2, mark // r.choice((8, 30, 100, 300, 2_000)))
    return min(TICKS_MAX, max(1, mark + r.randint(-spread, spread)))


def band_end(r: Random, market: Market, row: BoardRow, side: int) -> int:
    """The farthest price the band lets an order name, or one tick beyond."""
    beyond = r.choice((0, 0, 0, 1))
    edge = band_edge(market, row, side)
    return min(TICKS_MAX, max(1, edge + beyond if side == BUY else edge - beyond))


def band_ends(market: Market, row: BoardRow) -> tuple[int, int]:
    """The lowest and the highest price that the band allows."""
    return band_edge(market, row, SELL), band_edge(market, row, BUY)


def name_hash(name: str) -> bytes:
    """A private key, from a name."""
    return keccak(name.encode())
