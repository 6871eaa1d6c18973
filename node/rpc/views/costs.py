"""What trading and holding costs: fees, and funding where there will be some."""

from node.rpc.amounts import decimal_text, usd
from node.rpc.cost_results import FeeSchedule, FundingSummary, MarketFees
from node.rpc.params import FeesParams, FundingParams
from node.rpc.views.lookup import find_market
from node.view import VenueView
from state.markets import Market

RATE_PLACES = 6
ROUNDING = "up to a nano-USD, for each fill and each side"
PAID_TO = "the venue's fee balance, part of the state root; no rule pays it out yet"
FUNDING_RULE = (
    "no rule of this version moves money between longs and shorts: samples of the premium over "
    "the index, clamped and applied through the market's two indices, are to come with risk"
)


def fees(view: VenueView, params: FeesParams) -> FeeSchedule:
    """Of one market, or of all by number."""
    wanted = sorted(view.state.markets) if params.market is None else [params.market]
    return FeeSchedule(
        markets=[_fees(find_market(view, name)[0]) for name in wanted],
        rounding=ROUNDING,
        paid_to=PAID_TO,
        collected=usd(view.state.machine.sums.fees),
    )


def _fees(market: Market) -> MarketFees:
    taker, maker = market.taker_fee, market.maker_fee
    return MarketFees(
        market=market.market,
        symbol=market.name,
        taker_ppm=taker,
        maker_ppm=maker,
        taker_rate=decimal_text(taker, RATE_PLACES),
        maker_rate=decimal_text(maker, RATE_PLACES),
        block_trade_taker_ppm=taker,
        block_trade_maker_ppm=maker,
        min_notional=usd(market.min_notional),
        least_fee=usd(1 if taker or maker else 0),
    )


def funding(view: VenueView, params: FundingParams) -> FundingSummary:
    """Nothing yet, and it says so."""
    market, row = find_market(view, params.market)
    return FundingSummary(
        market=market.market,
        symbol=market.name,
        active=False,
        rate="0",
        rate_ppm=0,
        interval=None,
        next_time=None,
        long_index=str(row.long.f),
        short_index=str(row.short.f),
        rule=FUNDING_RULE,
    )
