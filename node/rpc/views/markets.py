"""Markets: parameters, prices, open interest."""

from node.rpc.amounts import usd
from node.rpc.params import MarketParams, NoParams
from node.rpc.results import (
    Band,
    MarginTier,
    MarketPrice,
    MarketSummary,
    OpenInterest,
    PriceAge,
)
from node.rpc.views.lookup import find_market, grid_of
from node.rpc.wire import U64, Address
from node.view import VenueView
from state.margin import is_fresh
from state.markets import BoardRow, Market, Mode, Tier
from state.orders import BUY, SELL
from state.transactions.order import band_edge
from state.units import notional


def markets(view: VenueView, _: NoParams) -> list[MarketSummary]:
    """Every market, by number."""
    return [summary(view, *find_market(view, number)) for number in sorted(view.state.markets)]


def market(view: VenueView, params: MarketParams) -> MarketSummary:
    return summary(view, *find_market(view, params.market))


def summary(view: VenueView, market: Market, row: BoardRow) -> MarketSummary:
    grid = grid_of(market)
    return MarketSummary(
        market=market.market,
        symbol=market.name,
        mode=Mode(row.mode).name.lower(),
        lot_exponent=market.lot_exponent,
        lot_size=grid.lot_size,
        tick=market.tick,
        tick_size=grid.tick_size,
        mark=market_price(market, row.mark),
        index=market_price(market, row.index),
        slow_mark=market_price(market, row.slow_mark),
        price_age=price_age(view, row),
        open_interest=_open_interest(market, row),
        band=_band(market, row),
        taker_fee_ppm=market.taker_fee,
        maker_fee_ppm=market.maker_fee,
        min_notional=usd(market.min_notional),
        order_lots_max=U64(market.order_lots_max),
        position_lots_max=U64(market.position_max),
        order_life_max=market.order_life_max,
        tiers=[
            MarginTier(start=usd(t.start), initial_ppm=t.initial, maintenance_ppm=t.maintenance)
            for t in row.tiers
        ],
        interest_lower=usd(row.interest_lower),
        interest_upper=usd(row.interest_upper),
        publishers=[Address(publisher.address) for publisher in market.publishers],
    )


def _tier(tier: Tier) -> MarginTier:
    return MarginTier(
        start=usd(tier.start), initial_ppm=tier.initial, maintenance_ppm=tier.maintenance
    )


def market_price(market: Market, nano: int) -> MarketPrice:
    """A price in nano-USD per lot, both ways."""
    return MarketPrice(usd=grid_of(market).price_of_nano(nano), nano=U64(nano))


def price_age(view: VenueView, row: BoardRow) -> PriceAge:
    now = view.state.machine.time
    return PriceAge(
        time=row.time, age=now - row.time, age_max=row.price_age_max, fresh=is_fresh(row, now)
    )


def _open_interest(market: Market, row: BoardRow) -> OpenInterest:
    lots = row.long.lots
    return OpenInterest(
        size=grid_of(market).size(lots),
        lots=U64(lots),
        lots_max=U64(market.open_interest_max),
        notional=usd(notional(lots, row.mark)),
    )


def _band(market: Market, row: BoardRow) -> Band:
    highest, lowest = band_edge(market, row, BUY), band_edge(market, row, SELL)
    grid = grid_of(market)
    return Band(
        ppm=market.band,
        lowest=grid.price(lowest) if lowest else None,
        highest=grid.price(highest) if highest else None,
    )
