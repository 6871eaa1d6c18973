"""An order after its ADMIT and SAVE: one front order a step, then REST, DROP, KEEP or RESTORE."""

from msgspec.structs import replace

from state.accounts import OrderReference, with_order
from state.limits import ORDER_NUMBER_MAX
from state.machine import NO_ORDER, OrderInProgress
from state.orders import (
    Flags,
    Life,
    RestingOrder,
    SelfTrade,
    crosses,
    decode_flags,
    key_ticks,
    order_key,
)
from state.resting import (
    dearer_fee,
    distance_cost,
    lots_of,
    reducible_lots,
    room_status,
    with_resting_lots,
    without_resting,
)
from state.status import Status
from state.store import Changes
from state.trade import Trade


def order_step(changes: Changes) -> None:
    """The next step of the order in progress."""
    order = changes.machine.order
    flags = decode_flags(order.flags)
    assert flags is not None, "ADMIT lets no other flags in"
    if order.lots == 0:
        _finish(changes, flags, Status.OK)
        return
    front = changes.front(order.market, 1 - flags.side)
    if front is None or not crosses(flags.side, order.ticks, key_ticks(1 - flags.side, front[0])):
        _rest_or_drop(changes, order, flags)
    elif order.fronts == 0:
        _finish(changes, flags, Status.FRONTS_EXHAUSTED)
    else:
        _meet_front(changes, order, flags, *front)


def _meet_front(
    changes: Changes, order: OrderInProgress, flags: Flags, key: int, resting: RestingOrder
) -> None:
    """Sweep the front order or match it, or end the order that may not trade with it."""
    if changes.machine.time > resting.expiry:
        _sweep(changes, order, flags, key, resting)
    elif resting.account == order.account:
        _meet_own(changes, order, flags, key, resting)
    else:
        trade = Trade(changes, order, flags, key, resting)
        if trade.maker_reducible == 0:
            _sweep(changes, order, flags, key, resting)
        elif trade.taker_reducible == 0:
            _finish(changes, flags, Status.NOTHING_LEFT_TO_REDUCE)
        elif not trade.maker_stands():
            _sweep(changes, order, flags, key, resting)
        elif flags.life == Life.POST_ONLY:
            _finish(changes, flags, Status.WOULD_TRADE)
        elif status := trade.taker_status():
            _finish(changes, flags, status)
        else:
            trade.match()


def _meet_own(
    changes: Changes, order: OrderInProgress, flags: Flags, key: int, resting: RestingOrder
) -> None:
    """Self-trade prevention: the resting order, the taking one, or both give way."""
    if flags.self_trade == SelfTrade.CANCEL_RESTING:
        _sweep(changes, order, flags, key, resting)
        return
    # RESTORE would bring the resting order back, so a FOK leaves it where it is.
    if flags.self_trade == SelfTrade.CANCEL_BOTH and flags.life != Life.FOK:
        remove_order(changes, order.market, 1 - flags.side, key, resting)
    _finish(changes, flags, Status.SELF_TRADE)


def _sweep(
    changes: Changes, order: OrderInProgress, flags: Flags, key: int, resting: RestingOrder
) -> None:
    """Remove the front order, which may not trade."""
    remove_order(changes, order.market, 1 - flags.side, key, resting)
    changes.machine.order = replace(order, fronts=order.fronts - 1)


def remove_order(changes: Changes, market: int, side: int, key: int, resting: RestingOrder) -> None:
    """Take a resting order off the book, with its reference and its resting lots."""
    account = changes.account(resting.account)
    changes.write_account(resting.account, without_resting(account, market, side, resting))
    changes.write_order(market, side, key, None)


def _rest_or_drop(changes: Changes, order: OrderInProgress, flags: Flags) -> None:
    """Nothing on the other side is within the limit: what is left rests, if it may."""
    if flags.may_rest:
        _finish(changes, flags, _rest(changes, order, flags))
    else:
        _finish(changes, flags, Status.REMAINDER_DROPPED)


def _rest(changes: Changes, order: OrderInProgress, flags: Flags) -> Status:
    """REST: the order joins the end of the queue at its price, if there is margin for it."""
    market, row = changes.market(order.market), changes.row(order.market)
    account, lots = changes.account(order.account), order.lots
    assert market is not None and row is not None
    if flags.reduce_only:
        lots = min(lots, reducible_lots(lots_of(account, order.market), flags.side))
        if lots == 0:
            return Status.NOTHING_LEFT_TO_REDUCE
    # Who meets it there takes it at its price: a quote must be good for its whole size.
    cost = dearer_fee(market, lots, order.ticks)
    cost += distance_cost(market, row, flags.side, lots, order.ticks)
    if room_status(changes, account, market, side=flags.side, lots=lots, cost=cost):
        return Status.REST_MARGIN_TOO_LOW
    if market.next_order > ORDER_NUMBER_MAX:
        return Status.BOOK_FULL
    key = order_key(flags.side, order.ticks, market.next_order)
    resting = RestingOrder(
        order.account, order.epoch, order.sequence, lots, order.expiry, order.flags
    )
    reference = OrderReference(order.epoch, order.sequence, order.market, flags.side, key)
    account = with_order(account, reference)
    account = with_resting_lots(account, order.market, flags.side, lots)
    changes.write_account(order.account, account)
    changes.write_order(order.market, flags.side, key, resting)
    changes.write_market(replace(market, next_order=market.next_order + 1))
    return Status.OK


def _finish(changes: Changes, flags: Flags, status: Status) -> None:
    """The last step: OK when nothing is left over; a FOK keeps all or nothing."""
    if flags.life == Life.FOK:
        if status == Status.OK:
            changes.keep()
        else:
            changes.restore()
            status = Status.KILLED
    changes.machine.order = NO_ORDER
    changes.machine.status = status
