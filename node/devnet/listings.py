"""The markets of a devnet: margins by how far the coin moves on its worst days.

Initial margin 5 %, 6.67 % and 12.5 %, maintenance 3 %, 4 % and 8 %, below which the
worst five minutes of a stressed day have not reached. A lot is worth a few cents.
"""

from dataclasses import dataclass

from state.markets import Tier
from state.transactions.list_market import Listing

DOLLAR = 10**9
"""Nano-USD."""

TICK = 100
"""Nano-USD per lot, in every market: $0.1, $0.01 and $0.001 a coin."""

TAKER_FEE, MAKER_FEE = 500, 100
"""Five basis points and one."""

CLOSE_OUT = 600_000
ORDER_LIFE_MAX = 30 * 86_400
MIN_NOTIONAL = 5 * DOLLAR


@dataclass(frozen=True, slots=True)
class Coin:
    """What differs between markets. `start` is dollars a coin where no history says more."""

    symbol: str
    lot_exponent: int
    initial: int
    maintenance: int
    band: int
    price_step: int
    liquidation_fee: int
    order_dollars_max: int
    open_interest_dollars: int
    start: int


COINS = (
    Coin("BTC", 6, 50_000, 30_000, 100_000, 5_000, 5_000, 5_000_000, 400_000_000, 60_000),
    Coin("ETH", 5, 66_667, 40_000, 120_000, 5_000, 6_000, 3_000_000, 200_000_000, 3_000),
    Coin("SOL", 4, 125_000, 80_000, 200_000, 7_000, 10_000, 1_000_000, 50_000_000, 150),
)


def lot_price(coin: Coin, dollars: int) -> int:
    """Nano-USD per lot of a price in whole dollars a coin."""
    lots_per_coin: int = 10**coin.lot_exponent
    return dollars * DOLLAR // lots_per_coin


def listing(market: int, coin: Coin, publisher: bytes, price_age_max: int) -> Listing:
    """The listing of `coin` as market number `market`. Sizes are bounded in dollars at `start`.

    Margin begins to rise at half of the open interest that the market may carry.
    """
    price = lot_price(coin, coin.start)
    interest = coin.open_interest_dollars * DOLLAR
    order_lots_max = coin.order_dollars_max * DOLLAR // price
    return Listing(
        market=market,
        symbol=f"{coin.symbol}-USD-PERP".encode(),
        lot_exponent=coin.lot_exponent,
        tick=TICK,
        min_notional=MIN_NOTIONAL,
        order_lots_max=order_lots_max,
        band=coin.band,
        taker_fee=TAKER_FEE,
        maker_fee=MAKER_FEE,
        order_life_max=ORDER_LIFE_MAX,
        open_interest_max=interest // price,
        position_max=10 * order_lots_max,
        price_age_max=price_age_max,
        price_step=coin.price_step,
        liquidation_fee=coin.liquidation_fee,
        close_out=CLOSE_OUT,
        interest_lower=interest // 2,
        interest_upper=interest,
        tiers=(Tier(0, coin.initial, coin.maintenance),),
        publishers=((publisher, 1, 1),),
    )


def listings(publisher: bytes, price_age_max: int) -> tuple[Listing, ...]:
    """Every market of a devnet, numbered from 0."""
    return tuple(
        listing(number, coin, publisher, price_age_max) for number, coin in enumerate(COINS)
    )
