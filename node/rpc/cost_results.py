"""What `venue_fees` and `venue_funding` give."""

from node.rpc.results import Result


class MarketFees(Result, frozen=True):
    """What a fill in this market costs: ceil(notional x rate), for each side its own.

    `taker_rate` and `maker_rate` are `taker_ppm` and `maker_ppm` as decimals. A block trade
    costs its taker and its maker the same rates, at the prices of its legs. An order worth
    less than `min_notional` is refused. `least_fee` is what the smallest fill costs.
    """

    market: int
    symbol: str
    taker_ppm: int
    maker_ppm: int
    taker_rate: str
    maker_rate: str
    block_trade_taker_ppm: int
    block_trade_maker_ppm: int
    min_notional: str
    least_fee: str


class FeeSchedule(Result, frozen=True):
    """The fees of every market, or of the one asked for; `collected` by the venue so far.

    Cancels, amends that trade nothing, transfers, withdrawals and session keys cost nothing.
    """

    markets: list[MarketFees]
    rounding: str
    paid_to: str
    collected: str


class FundingSummary(Result, frozen=True):
    """What holding a position costs. `active` is false: no rule moves money between longs and
    shorts yet, and `rule` says what it will be. The indices are those of the market's board row.
    """

    market: int
    symbol: str
    active: bool
    rate: str
    rate_ppm: int
    interval: int | None
    next_time: int | None
    long_index: str
    short_index: str
    rule: str
