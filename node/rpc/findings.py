"""What a refused transaction should have been and what it was, status by status."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from node.rpc.amounts import usd, usdc
from node.rpc.case import Case
from node.rpc.messages import digest_of, flags_of
from node.rpc.views.lookup import grid_of
from node.rpc.views.margin import margin_terms, withdrawable_micro
from node.rpc.views.markets import price_age
from state.accounts import OWNER_KEY, last_sequence
from state.authentication import key_address
from state.crypto import ZERO_ADDRESS
from state.eip712 import SIDES
from state.limits import ACCOUNT_ORDERS_MAX, ACCOUNT_POSITIONS_MAX, PRICE_MAX, WITHDRAWALS_MAX
from state.margin import worst_lots
from state.markets import Mode
from state.orders import BUY
from state.resting import dearer_fee, lots_of, reducible_lots, with_resting_lots
from state.status import Status
from state.transactions import Cancel, NewOrder, SignedPrice, Transfer, Withdraw
from state.transactions.order import band_edge
from state.units import nano, notional, ratio_up

Finding = tuple[Any, Any]
"""What was expected, and what came."""

# --- who signed ---


def _unknown_account(case: Case) -> Finding:
    return "the number of an account that has had a deposit or a transfer", case.number


def _unknown_key(case: Case) -> Finding:
    return [OWNER_KEY, *(key.epoch for key in case.account.keys)], case.epoch


def _bad_signature(case: Case) -> Finding:
    signer = key_address(case.account, case.epoch)
    expected = {
        "signer": "0x" + (signer or ZERO_ADDRESS).hex(),
        "owner": "0x" + case.account.owner.hex(),
    }
    return expected, _recovered(case)


def _unknown_publisher(case: Case) -> Finding:
    expected = {"publishers": ["0x" + p.address.hex() for p in case.market.publishers]}
    return expected, _recovered(case)


def _recovered(case: Case) -> dict[str, Any]:
    """Who the signature is of, and over what: a wrong domain shows in the digest."""
    signer = case.recovered
    domain = case.view.domain
    return {
        "recovered": None if signer == ZERO_ADDRESS else "0x" + signer.hex(),
        "digest": "0x" + digest_of(domain, case.tx).hex(),
        "chainId": domain.chain_id,
        "verifyingContract": "0x" + domain.rollup.hex(),
    }


def _sequence_used(case: Case) -> Finding:
    assert not isinstance(case.tx, SignedPrice)
    last = last_sequence(case.account, case.epoch)
    return {"lastSequence": str(last)}, str(case.tx.sequence)


def _not_permitted(case: Case) -> Finding:
    key = case.account.key(case.epoch)
    assert key is not None, "the owner's key may always trade"
    got = {"expiry": key.expiry, "permissions": key.permissions, "now": case.now}
    return {"expiry": f"at least {case.now}", "permissions": "bit 0 set"}, got


# --- time ---


def _expired(case: Case) -> Finding:
    assert not isinstance(case.tx, SignedPrice)
    return f"an expiry of at least {case.now}, the venue's time", case.tx.expiry


def _expiry_too_far(case: Case) -> Finding:
    latest = case.now + case.market.order_life_max
    return f"an expiry of at most {latest}", case.order.expiry


# --- markets and sizes ---


def _unknown_market(case: Case) -> Finding:
    assert isinstance(case.tx, NewOrder | SignedPrice)
    listed = sorted(case.view.state.markets.items())
    return [f"{number} {market.name}" for number, market in listed], case.tx.market


def _market_closed(case: Case) -> Finding:
    row = case.row
    got = {"mode": Mode(row.mode).name.lower(), "priceAge": price_age(case.view, row)}
    return {"mode": "live", "ageMax": row.price_age_max}, got


def _price_out_of_band(case: Case) -> Finding:
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


def _lots_out_of_range(case: Case) -> Finding:
    market, grid = case.market, grid_of(case.market)
    most = market.order_lots_max
    expected = {"lots": f"1 to {most}", "size": f"{grid.lot_size} to {grid.size(most)}"}
    return expected, {"lots": case.order.lots, "size": grid.size(case.order.lots)}


def _notional_too_small(case: Case) -> Finding:
    market, order, grid = case.market, case.order, grid_of(case.market)
    row = case.row
    ticks = order.ticks or band_edge(market, row, flags_of(order).side)
    least = ratio_up(market.min_notional, 1, ticks * market.tick)
    expected = {"notional": usd(market.min_notional), "size": f"at least {grid.size(least)}"}
    value = notional(order.lots, ticks * market.tick)
    return expected, {"notional": usd(value), "size": grid.size(order.lots)}


def _too_many_orders(case: Case) -> Finding:
    return f"fewer than {ACCOUNT_ORDERS_MAX} open orders", len(case.account.orders)


def _too_many_positions(case: Case) -> Finding:
    markets = [position.market for position in case.account.positions]
    return f"at most {ACCOUNT_POSITIONS_MAX} markets", {
        "inUse": markets,
        "asked": case.order.market,
    }


def _nothing_to_reduce(case: Case) -> Finding:
    side = flags_of(case.order).side
    position = case.account.position(case.order.market)
    wanted = "short" if side == BUY else "long"
    got = {"lots": position.lots if position else 0, "side": SIDES[side]}
    return f"a {wanted} position in market {case.order.market}", got


# --- margin ---


def _margin_too_low(case: Case) -> Finding:
    if isinstance(case.tx, NewOrder):
        return _order_margin(case, case.tx)
    assert isinstance(case.tx, Withdraw | Transfer)
    amount = nano(case.tx.amount) if isinstance(case.tx, Withdraw) else case.tx.amount
    account = case.account
    after = replace(account, cash=account.cash - amount)
    expected = {
        "rule": "equity without the amount is at least the initial margin, both at the worse of "
        "mark and slow mark, and every mark is fresh",
        "withdrawable": usdc(withdrawable_micro(case.view, account)),
    }
    terms = margin_terms(case.view, after, cautious=True)
    return expected, {"amount": usd(amount), "without": terms}


def _order_margin(case: Case, order: NewOrder) -> Finding:
    """The account as it is, and with the order resting at its worst, and what filling it costs."""
    account, flags, market, row = case.account, flags_of(order), case.market, case.row
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
    got = {
        "cost": usd(dearer_fee(market, lots, ticks)),
        "before": margin_terms(case.view, account),
        "withOrder": margin_terms(case.view, resting),
    }
    return expected, got


# --- cancels, transfers ---


def _unknown_order(case: Case) -> Finding:
    assert isinstance(case.tx, Cancel)
    open_orders = [{"epoch": o.epoch, "sequence": str(o.sequence)} for o in case.account.orders]
    got = {"epoch": case.tx.order_epoch, "sequence": str(case.tx.order_sequence)}
    return open_orders, got


def _other_account(case: Case) -> Finding:
    assert isinstance(case.tx, Transfer)
    owner = case.tx.account >> 8
    expected = f"an account from {owner << 8} to {(owner << 8) + 255}, but not {case.tx.account}"
    return expected, case.tx.to_account


def _amount_out_of_range(case: Case) -> Finding:
    assert isinstance(case.tx, Withdraw | Transfer)
    return "an amount above zero", str(case.tx.amount)


def _position_limit(case: Case) -> Finding:
    order, account = case.order, case.account
    resting = with_resting_lots(account, order.market, flags_of(order).side, order.lots)
    position = resting.position(order.market)
    assert position is not None
    return f"at most {case.market.position_max} lots with open orders", str(worst_lots(position))


def _no_recipient(case: Case) -> Finding:
    assert isinstance(case.tx, Withdraw)
    return "an address that can be paid", "0x" + case.tx.recipient.hex()


def _withdrawals_full(case: Case) -> Finding:
    return f"fewer than {WITHDRAWALS_MAX} withdrawals", case.view.state.machine.withdrawals


# --- prices ---


def _publisher_time(case: Case) -> int:
    signer = case.recovered
    return next(p.time for p in case.market.publishers if p.address == signer)


def _price_not_newer(case: Case) -> Finding:
    return f"a time after {_publisher_time(case)}", case.price.time


def _price_from_future(case: Case) -> Finding:
    return f"a time of at most {case.now}, the venue's", case.price.time


def _price_stale(case: Case) -> Finding:
    return f"a time of at least {case.now - case.row.price_age_max}", case.price.time


def _price_out_of_range(case: Case) -> Finding:
    return f"1 to {PRICE_MAX} nano-USD per lot", str(case.price.price)


FINDINGS: dict[Status, Callable[[Case], Finding]] = {
    Status.UNKNOWN_ACCOUNT: _unknown_account,
    Status.UNKNOWN_KEY: _unknown_key,
    Status.BAD_SIGNATURE: _bad_signature,
    Status.SEQUENCE_USED: _sequence_used,
    Status.NOT_PERMITTED: _not_permitted,
    Status.EXPIRED: _expired,
    Status.EXPIRY_TOO_FAR: _expiry_too_far,
    Status.UNKNOWN_MARKET: _unknown_market,
    Status.MARKET_CLOSED: _market_closed,
    Status.PRICE_OUT_OF_BAND: _price_out_of_band,
    Status.LOTS_OUT_OF_RANGE: _lots_out_of_range,
    Status.NOTIONAL_TOO_SMALL: _notional_too_small,
    Status.TOO_MANY_ORDERS: _too_many_orders,
    Status.TOO_MANY_POSITIONS: _too_many_positions,
    Status.NOTHING_TO_REDUCE: _nothing_to_reduce,
    Status.MARGIN_TOO_LOW: _margin_too_low,
    Status.UNKNOWN_ORDER: _unknown_order,
    Status.SAME_ACCOUNT: _other_account,
    Status.NOT_OWN_ACCOUNT: _other_account,
    Status.AMOUNT_OUT_OF_RANGE: _amount_out_of_range,
    Status.WITHDRAWALS_FULL: _withdrawals_full,
    Status.POSITION_LIMIT: _position_limit,
    Status.NO_RECIPIENT: _no_recipient,
    Status.UNKNOWN_PUBLISHER: _unknown_publisher,
    Status.PRICE_NOT_NEWER: _price_not_newer,
    Status.PRICE_FROM_FUTURE: _price_from_future,
    Status.PRICE_STALE: _price_stale,
    Status.PRICE_OUT_OF_RANGE: _price_out_of_range,
}
