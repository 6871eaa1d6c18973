"""What a refused block trade should have been: which leg, or whose margin.

The rules run once more over a layer that is thrown away, so nothing of them is said twice.
"""

from typing import Any

from msgspec import Struct

from node.rpc.amounts import usd
from node.rpc.case import Case, MovedOn
from node.rpc.order_findings import (
    Finding,
    closed_market,
    crowded_account,
    listed_markets,
    small_notional,
)
from node.rpc.views.lookup import grid_of
from node.rpc.views.margin import margin_terms
from node.rpc.views.markets import price_age
from state.accounts import Account
from state.block import block_step
from state.legs import Leg
from state.limits import ACCOUNT_POSITIONS_MAX
from state.machine import BlockInProgress, OrderInProgress, Phase
from state.margin import is_fresh
from state.markets import BoardRow, Market, Mode
from state.orders import BUY, SELL
from state.resting import lots_of
from state.status import Status
from state.store import Changes
from state.transactions import BlockTrade
from state.transactions.order import band_edge


class Stop(Struct, frozen=True):
    """Where a block trade ends: `state` before the step that refuses it, `leg` None at SETTLE."""

    state: Changes
    leg: int | None


def stop_of(case: Case) -> Stop:
    """The step that refuses with the status of `case`. MovedOn where none does any more."""
    tx = case.tx
    assert isinstance(tx, BlockTrade)
    layer = Changes(case.view.state)
    layer.machine.order = OrderInProgress(
        phase=Phase.LEG, account=tx.taker, epoch=tx.taker_epoch, sequence=tx.taker_sequence
    )
    layer.machine.block = BlockInProgress(
        *(tx.maker, tx.maker_epoch, tx.maker_sequence, 0, tx.count, tx.legs)
    )
    layer.machine.saved = layer.machine.copied().sums
    while layer.machine.order.phase == Phase.LEG:
        before, layer = layer, Changes(layer)
        block_step(layer)
    at = before.machine.block.leg
    if layer.machine.status != case.status:
        raise MovedOn
    return Stop(before, at if at < tx.count else None)


def block_finding(case: Case, stop: Stop) -> Finding:
    """What was expected of that leg, or of that account, and what came."""
    tx = case.tx
    assert isinstance(tx, BlockTrade)
    if stop.leg is None:
        is_taker = case.status == Status.TAKER_MARGIN_TOO_LOW
        return _margin(case, stop, tx.taker if is_taker else tx.maker)
    leg = tx.legs[stop.leg]
    market, row = stop.state.market(leg.market), stop.state.row(leg.market)
    if market is None or row is None:
        return listed_markets(case), leg.market
    match case.status:
        case Status.MARKET_CLOSED:
            return closed_market(case, row)
        case Status.PRICE_OUT_OF_BAND:
            return _band(market, row, leg)
        case Status.LOTS_OUT_OF_RANGE:
            return {"lots": "at least 1", "size": f"at least {grid_of(market).lot_size}"}, leg.lots
        case Status.NOTIONAL_TOO_SMALL:
            return small_notional(market, leg.ticks, leg.lots)
        case Status.TOO_MANY_POSITIONS:
            return crowded_account(_crowded(stop, tx, leg.market), leg.market)
        case Status.OPEN_INTEREST_TOO_LARGE:
            got = {"lots": leg.lots, "openInterestLots": row.long.lots}
            return f"at most {market.open_interest_max} lots held long in this market", got
    return _position(stop, tx, leg, market)


def _margin(case: Case, stop: Stop, number: int) -> Finding:
    """The account before the trade and after every leg of it, and the markets that fail it."""
    rule = (
        "with every leg traded, equity is at least the initial margin, open orders included, both "
        "at the worse of mark and slow mark, and every mark is fresh"
    )
    before, after = case.view.state.account(number), stop.state.account(number)
    got = {
        "account": number,
        "before": margin_terms(case.view, before, cautious=True),
        "withTrade": margin_terms(case.view, after, cautious=True, state=stop.state),
        "stale": _stale(case, stop, after),
    }
    return {"rule": rule, "stale": []}, got


def _stale(case: Case, stop: Stop, account: Account) -> list[dict[str, Any]]:
    """The markets of `account` that are closed, as they are; no leg is in any of them."""
    rows = [stop.state.row(position.market) for position in account.positions]
    return [
        {
            "market": row.market,
            "mode": Mode(row.mode).name.lower(),
            "priceAge": price_age(case.view, row),
        }
        for row in rows
        if row is not None and not is_fresh(row, case.now)
    ]


def _band(market: Market, row: BoardRow, leg: Leg) -> Finding:
    grid, lowest, highest = grid_of(market), *_edges(market, row)
    expected = {
        "price": f"{grid.price(lowest)} to {grid.price(highest)}" if lowest else "none",
        "ticks": f"{lowest} to {highest}" if lowest else "none",
        "mark": grid.price_of_nano(row.mark),
        "bandPpm": market.band,
    }
    return expected, {"price": grid.price(leg.ticks), "ticks": leg.ticks}


def _edges(market: Market, row: BoardRow) -> tuple[int, int]:
    return band_edge(market, row, SELL), band_edge(market, row, BUY)


def _crowded(stop: Stop, tx: BlockTrade, market: int) -> Account:
    for number in (tx.taker, tx.maker):
        account = stop.state.account(number)
        if len(account.positions) == ACCOUNT_POSITIONS_MAX and account.position(market) is None:
            return account
    raise MovedOn


def _position(stop: Stop, tx: BlockTrade, leg: Leg, market: Market) -> Finding:
    """Either could be the one: both are shown, as they would stand."""
    signed = leg.lots if leg.taker_side == BUY else -leg.lots
    sides = ((tx.taker, signed), (tx.maker, -signed))
    got = {
        str(number): {
            "lots": str(lots_of(stop.state.account(number), leg.market)),
            "after": str(lots_of(stop.state.account(number), leg.market) + change),
            "cash": usd(stop.state.account(number).cash),
        }
        for number, change in sides
    }
    return f"at most {market.position_max} lots either way, for both", got
