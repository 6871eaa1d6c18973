"""Markets by chance: tiers, caps, bands, fees and ages that press on every rule."""

from random import Random

from builders import PUBLISHER, key, listing
from msgspec.structs import replace
from reference_ledger import BUY, Market
from reference_margin import band_edges

from state.markets import Tier
from state.transactions.list_market import Listing, encode_listing

MANY = 18
"""More markets than an account has places for."""

NOBODYS = 63
"""A market that is never listed."""

DAY = 86_400
MARK, GRAND_MARK = 50_000_000, 2**55
PUBLISHERS = (PUBLISHER.address, PUBLISHER.address, key("another publisher").address)


def listings(random: Random) -> tuple[Listing, ...]:
    """Two to four markets, sometimes more than an account has places for, all unlike."""
    count = random.choice((2, 3, 4, MANY))
    return tuple(any_listing(random, market) for market in range(count))


def any_listing(r: Random, market: int) -> Listing:
    return listing(
        market,
        symbol=b"M%d-USD-PERP" % market,
        # One of the last two leaves no price within the band of one side.
        tick=r.choice((1_000, 999, 50_000, 700_000) * 4 + (1, 10**8)),
        order_life_max=2 * DAY,
        price_age_max=r.choice((900, 3_600)),
        **_fees_and_sizes(r),
        **_margin(r),
    )


def grand(r: Random, markets: tuple[Listing, ...]) -> tuple[Listing, ...]:
    """The same near the upper bounds of their fields."""
    return tuple(
        replace(
            market,
            tick=2**32 - r.randint(1, 3),
            order_lots_max=r.choice((2**48 - 1, 2**40)),
            position_max=2**48 - 1,
            open_interest_max=r.choice((2**63 - 1, 2**20)),
            min_notional=r.choice((0, 2**64 - 1)),
            interest_lower=0,
            interest_upper=2**96 - 1,
            tiers=(Tier(0, 50_000, 30_000), Tier(2**90, 10**6, 5), Tier(2**96 - 1, 10**6, 7)),
        )
        for market in markets
    )


def _fees_and_sizes(r: Random) -> dict[str, object]:
    lots_max = r.choice((10**6, 40_000))
    return {
        "min_notional": r.choice((0, 0, 10**9 + 1)),
        "order_lots_max": lots_max,
        "position_max": r.choice((10**13, lots_max, lots_max + 7)),
        "open_interest_max": r.choice((10**15, 30_000, 10**6)),
        "band": r.choice((100_000, 33_333, 999_999)),
        "taker_fee": r.choice((0, 500, 100_000)) if r.random() < 0.5 else 333,
        "maker_fee": r.choice((0, 100, 777)),
    }


def _margin(r: Random) -> dict[str, object]:
    upper = r.choice((0, 10**11, 10**12, 3 * 10**12 + 7))
    tiers = r.choice(
        (
            (Tier(0, 50_000, 30_000),),
            (Tier(0, 20_001, 10_000), Tier(3 * 10**11 + 1, 100_003, 50_000)),
            (Tier(0, 33_333, 1), Tier(10**11, 50_000, 1), Tier(10**13, 999_999, 7)),
        )
    )
    interest = {"interest_lower": r.choice((0, upper // 3, upper)), "interest_upper": upper}
    return {**interest, "tiers": tiers}


def changed(r: Random, market: Listing) -> Listing:
    """Other parameters that are as sound, under whatever stands in the market."""
    ages = {
        "order_life_max": r.choice((*[2 * DAY] * 4, DAY, 3_000)),
        "price_age_max": r.choice((900, 3_600, 60)),
    }
    later = {"deviation": 10**6, "price_step": 7, "damp": 8, "funding_cap": 1, "close_out": 9}
    change = r.choice(
        (
            _margin(r),
            # Every lot paid for in full: who leaned on margin is unhealthy from now on.
            {"tiers": (Tier(0, 10**6, 1),)},
            _fees_and_sizes(r),
            ages,
            later,
            {"publishers": ((r.choice(PUBLISHERS), 1, 1),)},
            {"publishers": ((market.publishers[0][0], 2, 9),)},
        )
    )
    return replace(market, **change)


def unsound(r: Random, market: Listing) -> bytes:
    """A listing that says what no market may be, or bytes that are none."""
    payload = encode_listing(market)
    tiers = (
        (Tier(0, 10**6 + 1, 1),),
        (Tier(0, 50_000, 0),),
        (Tier(0, 50_000, 50_001),),
        (Tier(0, 1, 1), Tier(5, 1, 1), Tier(9, 0, 0)),
    )
    changes: tuple[dict[str, object], ...] = (
        {"kind": 7},
        {"symbol": r.choice((b"BTC\nUSD", b"BTC\x7f", b"\x00BTC", b"BTC\x00USD", b"BTC USD", b""))},
        *_each(("tick", "band", "order_lots_max", "price_age_max"), 0),
        *_each(("taker_fee", "maker_fee"), 10**5 + 1),
        *_each(("deviation", "price_step", "interest", "close_out"), 10**6 + 1),
        *_each(("funding_cap", "liquidation_fee"), 10**6 + 1),
        {"order_life_max": 0},
        {"band": 10**6},
        {"order_lots_max": market.position_max + 1},
        {"position_max": 2**48},
        {"interest_lower": market.interest_upper + 1},
        {"tiers": r.choice(tiers)},
        {"publishers": tuple(sorted({(address, 1, 1) for address in PUBLISHERS}))},
        {"publishers": ((bytes(20), 1, 1),)},
        {"publishers": ((PUBLISHERS[0], 1, 0),)},
        *_each(("quorum", "families", "expiry"), 2),
        {"open_interest_max": 0},
        {"open_interest_max": 2**63},
        {"interest_upper": 2**96},
    )
    bad = encode_listing(replace(market, **r.choice(changes)))
    return r.choice((*[bad] * 9, payload[:-1], payload + b"\0", b""))


def otherwise_fixed(r: Random, market: Listing) -> Listing:
    """What may not change changed."""
    changes = {"lot_exponent": 7, "symbol": b"ETH", "tick": market.tick - 1 or 2, "expiry": 1}
    name = r.choice(sorted(changes))
    return replace(market, **{name: changes[name]})


def near(r: Random, market: Market, side: int) -> int:
    """A price around the mark, now and then one at the ends of what there is."""
    if r.random() < 0.02:
        return r.choice((0, 1, 2**24 - 1, band_end(r, market, side)))
    mark = market.mark // market.terms.tick
    spread = max(2, mark // r.choice((8, 30, 100, 300, 2_000)))
    return max(1, mark + r.randint(-spread, spread))


def band_end(r: Random, market: Market, side: int) -> int:
    """The farthest price the band lets an order name, or one tick beyond."""
    beyond = r.choice((0, 0, 0, 1))
    lowest, highest = band_edges(market)
    end = highest + beyond if side == BUY else lowest - beyond
    return min(2**24 - 1, max(1, end))


def _each(names: tuple[str, ...], value: int) -> list[dict[str, object]]:
    return [{name: value} for name in names]
