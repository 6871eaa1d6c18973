"""Fills, in receipts and in subscriptions."""

from node.rpc.amounts import usd
from node.rpc.results import FillSummary, OrderId
from node.rpc.views.lookup import grid_of
from node.rpc.wire import U64
from node.view import VenueView
from state.eip712 import SIDES
from state.store import Fill


def fill_summary(view: VenueView, fill: Fill) -> FillSummary:
    market = view.state.markets[fill.market]
    grid = grid_of(market)
    return FillSummary(
        market=fill.market,
        symbol=market.name,
        side=SIDES[fill.taker_side],
        price=grid.price(fill.ticks),
        size=grid.size(fill.lots),
        ticks=fill.ticks,
        lots=fill.lots,
        taker=fill.taker,
        maker=fill.maker,
        taker_order=order_id(*fill.taker_order),
        maker_order=order_id(*fill.maker_order),
        taker_fee=usd(fill.taker_fee),
        maker_fee=usd(fill.maker_fee),
        block=fill.block,
    )


def order_id(epoch: int, sequence: int) -> OrderId:
    return OrderId(epoch=epoch, sequence=U64(sequence))
