"""Positions as their holder sees them: entry price, profit, fees, and the margin they take.

The state has no entry price; what is here follows from the fills by the average-cost method
(node/tape/holdings.py), so that, to the nano,

    equity = cash + sum(lots x mark) = paid in + realised + unrealised - fees
"""

from node.rpc.amounts import usd
from node.rpc.tape_params import PositionsParams
from node.rpc.tape_results import PositionPage, PositionSummary
from node.rpc.views.lookup import find_account, grid_of
from node.rpc.views.markets import market_price
from node.tape.holdings import entry_price, unrealised
from node.tape.records import Holding
from node.view import VenueView
from state.accounts import Account, Position
from state.margin import health, initial_margin, is_fresh, worst_lots
from state.units import notional


def positions(view: VenueView, params: PositionsParams) -> PositionPage:
    account, tape = find_account(view, params.account), view.tape
    held, now = tape.holdings(params.account), health(view.state, account)
    markets = sorted({*held, *(position.market for position in account.positions)})
    realised = sum(holding.realised for holding in held.values())
    fees = sum(holding.fees for holding in held.values())
    gained = _gained(view, held)
    paid_in = None
    if tape.since_batch == 1 and gained is not None:
        paid_in = now.equity - realised - gained + fees
    machine = view.state.machine
    return PositionPage(
        account=params.account,
        batch=machine.batch,
        time=machine.time,
        since_batch=tape.since_batch,
        cash=usd(account.cash),
        equity=usd(now.equity),
        paid_in=_usd(paid_in),
        realised=usd(realised),
        unrealised=_usd(gained),
        fees=usd(fees),
        initial_margin=usd(now.initial),
        positions=[
            _position(view, account, market, held.get(market, Holding())) for market in markets
        ],
    )


def _gained(view: VenueView, held: dict[int, Holding]) -> int | None:
    total = 0
    for market, holding in held.items():
        row = view.state.row(market)
        assert row is not None, "what was traded is listed"
        gained = unrealised(holding, row.mark)
        if gained is None:
            return None
        total += gained
    return total


def _position(view: VenueView, account: Account, number: int, holding: Holding) -> PositionSummary:
    market, row = view.state.markets[number], view.state.row(number)
    assert row is not None, "a market has a row"
    stands = account.position(number) or Position(number)
    entry = entry_price(holding)
    return PositionSummary(
        market=number,
        symbol=market.name,
        size=grid_of(market).size(stands.lots),
        lots=stands.lots,
        entry_price=None if entry is None else market_price(market, entry),
        cost=_usd(holding.cost),
        mark=market_price(market, row.mark),
        value=usd(notional(stands.lots, row.mark)),
        unrealised=_usd(unrealised(holding, row.mark)),
        realised=usd(holding.realised),
        fees=usd(holding.fees),
        since=holding.since or None,
        initial_margin=usd(initial_margin(row, notional(worst_lots(stands), row.mark))),
        fresh=is_fresh(row, view.state.machine.time),
    )


def _usd(nano: int | None) -> str | None:
    return None if nano is None else usd(nano)
