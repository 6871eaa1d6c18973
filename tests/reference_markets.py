"""Markets by chance: tiers, caps, bands, fees and ages that press on every rule."""

from random import Random

from builders import listing
from reference_margin import BUY, Market

from state.markets import Tier
from state.transactions.list_market import Listing

MANY = 18
"""More markets than an account has places for."""


def listings(random: Random) -> tuple[Listing, ...]:
    """Two to four markets, sometimes more than an account has places for, all unlike."""
    count = random.choice((2, 3, 4, 18))
    return tuple(_listing(random, market) for market in range(count))


def _listing(r: Random, market: int) -> Listing:
    tiers = r.choice(
        (
            (Tier(0, 50_000, 30_000),),
            (Tier(0, 20_001, 10_000), Tier(3 * 10**11 + 1, 100_003, 50_000)),
            (Tier(0, 33_333, 1), Tier(10**11, 50_000, 1), Tier(10**13, 999_999, 7)),
        )
    )
    upper = r.choice((0, 10**11, 10**12, 3 * 10**12 + 7))
    lots_max = r.choice((10**6, 40_000))
    return listing(
        market,
        symbol=b"M%d-USD-PERP" % market,
        # One of the last two leaves no price within the band of one side.
        tick=r.choice((1_000, 999, 50_000, 700_000) * 4 + (1, 10**8)),
        min_notional=r.choice((0, 0, 10**9 + 1)),
        order_lots_max=lots_max,
        band=r.choice((100_000, 33_333, 999_999)),
        taker_fee=r.choice((0, 500, 100_000)) if r.random() < 0.5 else 333,
        maker_fee=r.choice((0, 100, 777)),
        order_life_max=2 * 86_400,
        open_interest_max=r.choice((10**15, 30_000, 10**6)),
        position_max=r.choice((10**13, lots_max, lots_max + 7)),
        price_age_max=r.choice((900, 3_600)),
        interest_lower=r.choice((0, upper // 3, upper)),
        interest_upper=upper,
        tiers=tiers,
    )


def near(r: Random, terms: Market, side: int) -> int:
    """A price around the mark, now and then one at the ends of what there is."""
    if r.random() < 0.02:
        return r.choice((0, 1, 2**24 - 1, band_end(r, terms, side)))
    mark = terms.mark // terms.tick
    spread = max(2, mark // r.choice((8, 30, 100, 300, 2_000)))
    return max(1, mark + r.randint(-spread, spread))


def band_end(r: Random, terms: Market, side: int) -> int:
    """The farthest price the band lets an order name, or one tick beyond."""
    beyond = r.choice((0, 0, 0, 1))
    if side == BUY:
        end = terms.mark * (10**6 + terms.band) // (terms.tick * 10**6) + beyond
    else:
        end = -(-terms.mark * (10**6 - terms.band) // (terms.tick * 10**6)) - beyond
    return min(2**24 - 1, max(1, end))
