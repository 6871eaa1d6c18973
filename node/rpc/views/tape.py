"""What happened: trades and candles of a market, fills and orders of an account."""

from node.rpc.amounts import Grid, usd
from node.rpc.errors import InvalidParams
from node.rpc.results import OrderId
from node.rpc.tape_params import (
    PAGE_DEFAULT,
    PAGE_MAX,
    CandlesParams,
    FillsParams,
    OrdersParams,
    TradesParams,
)
from node.rpc.tape_results import (
    AccountFill,
    Candle,
    CandlePage,
    FillPage,
    OrderPage,
    OrderRecord,
    Trade,
    TradePage,
)
from node.rpc.views.fills import order_id
from node.rpc.views.lookup import find_account, find_market, grid_of
from node.rpc.wire import U64
from node.tape import records
from node.view import VenueView
from state.eip712 import LIVES, SIDES
from state.orders import BUY, decode_flags
from state.units import ratio_down, ratio_up


def trades(view: VenueView, params: TradesParams) -> TradePage:
    market, _ = find_market(view, params.market)
    found = view.tape.trades(market.market, params.before, _count(params.count))
    return TradePage(
        market=market.market,
        symbol=market.name,
        since_batch=view.tape.since_batch,
        trades=[trade(grid_of(market), one) for one in found],
    )


def trade(grid: Grid, one: records.Trade) -> Trade:
    fill = one.fill
    return Trade(
        number=one.number,
        batch=one.batch,
        time=one.time,
        side=SIDES[fill.taker_side],
        price=grid.price(fill.ticks),
        size=grid.size(fill.lots),
        ticks=fill.ticks,
        lots=fill.lots,
        block=fill.block,
    )


def candles(view: VenueView, params: CandlesParams) -> CandlePage:
    market, _ = find_market(view, params.market)
    found = view.tape.candles(market.market, params.interval, params.before, _count(params.count))
    return CandlePage(
        market=market.market,
        symbol=market.name,
        interval=params.interval,
        since_batch=view.tape.since_batch,
        candles=[candle(grid_of(market), one) for one in found],
    )


def candle(grid: Grid, one: records.Candle) -> Candle:
    def price(ticks: int | None) -> str | None:
        return None if ticks is None else grid.price(ticks)

    return Candle(
        start=one.start,
        open=price(one.open),
        high=price(one.high),
        low=price(one.low),
        close=price(one.close),
        open_ticks=one.open,
        high_ticks=one.high,
        low_ticks=one.low,
        close_ticks=one.close,
        volume=grid.size(one.volume),
        lots=U64(one.volume),
        value=usd(one.value),
        trades=one.count,
    )


def fills(view: VenueView, params: FillsParams) -> FillPage:
    find_account(view, params.account)
    market = None if params.market is None else find_market(view, params.market)[0].market
    found = view.tape.fills_of(params.account, market, params.before, _count(params.count))
    return FillPage(
        account=params.account,
        since_batch=view.tape.since_batch,
        fills=[_fill(view, params.account, one) for one in found],
    )


def _fill(view: VenueView, account: int, one: records.Trade) -> AccountFill:
    fill = one.fill
    market = view.state.markets[fill.market]
    grid, is_taker = grid_of(market), fill.taker == account
    name = fill.taker_order if is_taker else fill.maker_order
    order = view.tape.order((account, *name))
    realised = one.taker_realised if is_taker else one.maker_realised
    return AccountFill(
        number=one.number,
        batch=one.batch,
        time=one.time,
        market=fill.market,
        symbol=market.name,
        role="taker" if is_taker else "maker",
        side=SIDES[fill.taker_side if is_taker else 1 - fill.taker_side],
        price=grid.price(fill.ticks),
        size=grid.size(fill.lots),
        ticks=fill.ticks,
        lots=fill.lots,
        fee=usd(fill.taker_fee if is_taker else fill.maker_fee),
        realised=None if realised is None else usd(realised),
        order=order_id(*name),
        client_order_id=(order.client_order_id or None) if order is not None else None,
        counterparty=fill.maker if is_taker else fill.taker,
        block=fill.block,
    )


def orders(view: VenueView, params: OrdersParams) -> OrderPage:
    find_account(view, params.account)
    market = None if params.market is None else find_market(view, params.market)[0].market
    found = view.tape.orders_of(
        params.account,
        market=market,
        status=params.status,
        before=params.before,
        count=_count(params.count),
    )
    return OrderPage(
        account=params.account,
        since_batch=view.tape.since_batch,
        orders=[order_record(view, one) for one in found],
    )


def order_record(view: VenueView, one: records.PlacedOrder) -> OrderRecord:
    # An order may have named a market that there is not, or flags that say nothing.
    market, flags = view.state.markets.get(one.market), decode_flags(one.flags)
    assert flags is not None, "ADMIT lets no other flags consume a number"
    grid = grid_of(market) if market is not None else None
    return OrderRecord(
        number=one.number,
        id=OrderId(epoch=one.epoch, sequence=U64(one.sequence)),
        client_order_id=one.client_order_id or None,
        market=one.market,
        symbol=market.name if market is not None else None,
        side=SIDES[flags.side],
        type="market" if flags.is_market else "limit",
        life=LIVES[flags.life],
        reduce_only=flags.reduce_only,
        price=grid.price(one.ticks) if grid is not None and not flags.is_market else None,
        ticks=one.ticks,
        size=grid.size(one.lots) if grid is not None else None,
        lots=one.lots,
        status=one.status,
        reason=one.reason or None,
        open_lots=one.open,
        filled_size=grid.size(one.filled) if grid is not None else None,
        filled_lots=one.filled,
        average_price=_average(grid, flags.side, one),
        fees=usd(one.fees),
        amended=one.amended,
        expiry=one.expiry,
        batch=one.batch,
        time=one.time,
        updated_batch=one.updated_batch,
        updated_time=one.updated,
    )


def _average(grid: Grid | None, side: int, one: records.PlacedOrder) -> str | None:
    if grid is None or not one.filled:
        return None
    rounded = ratio_up if side == BUY else ratio_down
    return grid.price_of_nano(rounded(one.value, 1, one.filled))


def _count(count: int | None) -> int:
    if count is None:
        return PAGE_DEFAULT
    if not 1 <= count <= PAGE_MAX:
        raise InvalidParams(
            "count_out_of_range",
            f"count {count} is not within 1 to {PAGE_MAX}",
            f"ask for 1 to {PAGE_MAX} at once, and page on with before",
            expected=f"1 to {PAGE_MAX}",
            got=count,
        )
    return count
