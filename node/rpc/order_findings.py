"""What a refused order should have been and what it was; of an amend, the order it would make."""

from typing import Any

from node.rpc.amounts import usd
from node.rpc.case import Case, MovedOn
from node.rpc.messages import flags_of
from node.rpc.views.lookup import grid_of
from node.rpc.views.margin import margin_terms
from node.rpc.views.markets import price_age
from state.accounts import Account
from state.eip712 import SIDES
from state.limits import ACCOUNT_ORDERS_MAX, ACCOUNT_POSITIONS_MAX
from state.margin import health, worst_lots
from state.markets import BoardRow, Market, Mode
from state.orders import BUY
from state.resting import dearer_fee, lots_of, reducible_lots, with_resting_lots
from state.transactions import NewOrder, SignedPrice
from state.transactions.order import band_edge
from state.units import notional, ratio_up

Finding = tuple[Any, Any]
"""What was expected, and what came."""


def expiry_too_far(case: Case) -> Finding:
    latest = case.now + case.market.order_life_max
    return f"an expiry of at most {latest}", case.order.expiry


def unknown_market(case: Case) -> Finding:
    assert isinstance(case.tx, NewOrder | SignedPrice)
    return listed_markets(case), case.tx.market


def listed_markets(case: Case) -> list[str]:
    return [f"{number} {found.name}" for number, found in sorted(case.view.state.markets.items())]


def market_closed(case: Case) -> Finding:
    return closed_market(case, case.row)


def closed_market(case: Case, row: BoardRow) -> Finding:
    got = {"mode": Mode(row.mode).name.lower(), "priceAge": price_age(case.view, row)}
    return {"mode": "live", "ageMax": row.price_age_max}, got


def price_out_of_band(case: Case) -> Finding:
    market, flags = case.market, flags_of(case.order)
    row = case.row
    grid, edge = grid_of(market), band_edge(market, row, flags.side)
    bound = "at most" if flags.side == BUY else "at least"
    expected = {
        "price": f"{bound} {grid.price(edge)}" if edge else "none: no tick is within the band",
        "ticks": edge,
        "mark": grid.price_of_nano(row.mark),
        "bandPpm": market.band,
    }
    return expected, {"price": grid.price(case.order.ticks), "ticks": case.order.ticks}


def lots_out_of_range(case: Case) -> Finding:
    market, grid = case.market, grid_of(case.market)
    most = market.order_lots_max
    expected = {"lots": f"1 to {most}", "size": f"{grid.lot_size} to {grid.size(most)}"}
    return expected, {"lots": case.order.lots, "size": grid.size(case.order.lots)}


def notional_too_small(case: Case) -> Finding:
    order = case.order
    ticks = order.ticks or band_edge(case.market, case.row, flags_of(order).side)
    return small_notional(case.market, ticks, order.lots)


def small_notional(market: Market, ticks: int, lots: int) -> Finding:
    if ticks == 0:
        raise MovedOn
    grid, price = grid_of(market), ticks * market.tick
    least = grid.size(ratio_up(market.min_notional, 1, price))
    expected = {"notional": usd(market.min_notional), "size": f"at least {least}"}
    return expected, {"notional": usd(notional(lots, price)), "size": grid.size(lots)}


def too_many_orders(case: Case) -> Finding:
    return f"fewer than {ACCOUNT_ORDERS_MAX} open orders", len(case.standing.orders)


def too_many_positions(case: Case) -> Finding:
    return crowded_account(case.standing, case.order.market)


def crowded_account(account: Account, asked: int) -> Finding:
    in_use = [position.market for position in account.positions]
    return f"at most {ACCOUNT_POSITIONS_MAX} markets", {"inUse": in_use, "asked": asked}


def nothing_to_reduce(case: Case) -> Finding:
    side = flags_of(case.order).side
    position = case.standing.position(case.order.market)
    wanted = "short" if side == BUY else "long"
    got = {"lots": position.lots if position else 0, "side": SIDES[side]}
    return f"a {wanted} position in market {case.order.market}", got


def position_limit(case: Case) -> Finding:
    order, account = case.order, case.standing
    resting = with_resting_lots(account, order.market, flags_of(order).side, order.lots)
    position = resting.position(order.market)
    if position is None:
        raise MovedOn
    return f"at most {case.market.position_max} lots with open orders", str(worst_lots(position))


def order_margin(case: Case, order: NewOrder) -> Finding:
    """The account as it is, and with the order resting at its worst, and what filling it costs."""
    account, flags, market, row = case.standing, flags_of(order), case.market, case.row
    lots = order.lots
    if flags.reduce_only:
        lots = min(lots, reducible_lots(lots_of(account, order.market), flags.side))
    ticks = order.ticks or band_edge(market, row, flags.side)
    resting = with_resting_lots(account, order.market, flags.side, lots)
    expected = {
        "rule": "with the order resting, equity less the order's cost is at least the initial "
        "margin; or the initial margin does not rise",
        "cost": "the dearer fee on the whole order at its limit",
    }
    cost, after = dearer_fee(market, lots, ticks), health(case.view.state, resting)
    got = {
        "cost": usd(cost),
        "costTerms": {
            "notional": usd(notional(lots, ticks * market.tick)),
            "ratePpm": max(market.taker_fee, market.maker_fee),
        },
        "missing": usd(after.initial + cost - after.equity),
        "before": margin_terms(case.view, account),
        "withOrder": margin_terms(case.view, resting),
    }
    return expected, got
