"""Maintenance margin of what an account holds, and the mark at which equity meets it."""

from collections.abc import Callable

from msgspec.structs import replace

from node.rpc.preview_results import MaintenancePrice
from node.rpc.views.lookup import grid_of
from node.rpc.views.markets import market_price
from state.accounts import Account, Position
from state.limits import PRICE_MAX
from state.margin import health
from state.markets import BoardRow
from state.store import PreState
from state.units import notional, share_up


def maintenance_margin(row: BoardRow, exposure: int) -> int:
    """Sum over tiers of ceil(slice x maintenance rate), in nano-USD."""
    ends = [tier.start for tier in row.tiers[1:]] + [exposure]
    return sum(
        share_up(min(exposure, end) - tier.start, tier.maintenance)
        for tier, end in zip(row.tiers, ends, strict=True)
        if exposure > tier.start
    )


def account_maintenance(state: PreState, account: Account) -> int:
    """Of all positions at their marks, in nano-USD; open orders do not count."""
    return sum(_required(_row(state, held), held) for held in account.positions)


def maintenance_prices(state: PreState, account: Account) -> list[MaintenancePrice]:
    """One for every position that has lots."""
    return [_price(state, account, held) for held in account.positions if held.lots]


def _price(state: PreState, account: Account, position: Position) -> MaintenancePrice:
    market, row = state.market(position.market), _row(state, position)
    assert market is not None, "a position's market is there"
    others = account_maintenance(state, account) - _required(row, position)
    equity = health(state, account).equity - notional(position.lots, row.mark)

    def stands(mark: int) -> bool:
        required = others + _required(replace(row, mark=mark), position)
        return equity + notional(position.lots, mark) >= required

    mark = _last_standing(stands, is_long=position.lots > 0)
    return MaintenancePrice(
        market=market.market,
        symbol=market.name,
        size=grid_of(market).size(position.lots),
        lots=position.lots,
        price=None if mark is None else market_price(market, mark),
    )


def _last_standing(stands: Callable[[int], bool], *, is_long: bool) -> int | None:
    """The mark furthest against the position at which it stands; None where there is no edge.

    A nano-USD of price never costs a position more in margin than it brings in equity, so
    there is one edge, and halving the range finds it exactly.
    """
    best, worst = (PRICE_MAX, 0) if is_long else (0, PRICE_MAX)
    if stands(worst) or not stands(best):
        return None
    while abs(best - worst) > 1:
        middle = (best + worst) // 2
        if stands(middle):
            best = middle
        else:
            worst = middle
    return best


def _required(row: BoardRow, position: Position) -> int:
    return maintenance_margin(row, notional(abs(position.lots), row.mark))


def _row(state: PreState, position: Position) -> BoardRow:
    row = state.row(position.market)
    assert row is not None, "a position's market has a row"
    return row
