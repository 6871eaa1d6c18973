# pragma version 0.4.3
"""
@title Matching: an order after its ADMIT and SAVE, one front order a step, then how it ends
@notice As state/matching.py. Every function answers with the machine and the changes after it.
"""

from . import accounts
from . import limits
from . import machine
from . import markets
from . import orders
from . import packing
from . import resting
from . import status
from . import store
from . import trade
from . import witness


# The place of the only market that a witness may hold.
ONLY_MARKET: constant(uint256) = 0

# The changes of a step that writes no leaf, after their first byte: five empty lists.
EMPTY_LISTS: constant(Bytes[5]) = x"0000000000"


@internal
@pure
def _order_step(
    m: machine.Machine, leaves: Bytes[limits.LEAVES_BYTES_MAX], fronts: uint256
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice The next step of the order in progress.
    """
    is_sensible: bool = False
    flags: orders.Flags = empty(orders.Flags)
    is_sensible, flags = orders._decode_flags(m.order.flags)
    assert is_sensible  # ADMIT lets no other flags in
    ending: uint256 = status.OK
    after: machine.Machine = m
    changes: Bytes[limits.CHANGES_BYTES_MAX] = b""
    if m.order.lots > 0:
        places: witness.Places = witness._places(leaves)
        market: markets.Market = store._market(leaves, places, m.order.market)
        front: store.Front = store._front(
            leaves, places, fronts, market, m.order.market, 1 - flags.side
        )
        ticks: uint256 = orders._key_ticks(1 - flags.side, front.key)
        if not front.exists or not orders._crosses(flags.side, m.order.ticks, ticks):
            # Nothing on the other side is within the limit: what is left rests, if it may.
            ending = status.REMAINDER_DROPPED
            if flags.may_rest:
                ending, changes = self._rest(m.order, leaves, places, market, flags)
        elif m.order.fronts == 0:
            ending = status.FRONTS_EXHAUSTED
        else:
            ending, after, changes = self._meet_front(
                m, leaves, places, market, flags, front
            )
            if ending == trade.GOES_ON:
                return after, changes
    return self._finish(after, flags, ending, changes)


@internal
@pure
def _meet_front(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    market: markets.Market,
    flags: orders.Flags,
    front: store.Front,
) -> (uint256, machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice Sweep the front order or match it, or end the order that may not trade with it.
    """
    after: machine.Machine = m
    changes: Bytes[limits.CHANGES_BYTES_MAX] = b""
    ending: uint256 = trade.SWEPT
    if m.time <= front.resting.expiry:
        if front.resting.account == m.order.account:
            # Self-trade prevention: the resting order, the taking one, or both give way.
            if flags.self_trade != orders.CANCEL_RESTING:
                ending = status.SELF_TRADE
        else:
            ending, after, changes = trade._trade(m, leaves, places, market, flags, front)
    # RESTORE would bring the resting order back, so a FOK leaves it where it is.
    gives_way: bool = flags.self_trade == orders.CANCEL_BOTH and flags.life != orders.FOK
    if ending == trade.SWEPT or (ending == status.SELF_TRADE and gives_way):
        # `remove_order` of Python: off the book, with its reference and its resting lots.
        number: uint256 = front.resting.account
        account: accounts.Account = resting._without_resting(
            store._account(leaves, places, number),
            m.order.market,
            1 - flags.side,
            front.resting,
        )
        changes = self._of_one_account(places, number, account, front.place, b"", b"")
    if ending == trade.SWEPT:
        ending = trade.GOES_ON
        after.order.fronts -= 1
    return ending, after, changes


@internal
@pure
def _rest(
    order: machine.OrderInProgress,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    market: markets.Market,
    flags: orders.Flags,
) -> (uint256, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice REST: the order joins the end of the queue at its price, if there is margin for it.
            Who meets it there takes it at its price: a quote must be good for its whole size.
    """
    rows: store.Rows = store._rows(leaves, places)
    row: markets.MarginRow = rows.rows[rows.places[markets._board_key(order.market)]]
    # The market of an admitted order.
    assert market.domain > 0 and row.market == order.market and row.domain > 0
    account: accounts.Account = store._account(leaves, places, order.account)
    lots: uint256 = order.lots
    if flags.reduce_only:
        held: int256 = resting._lots_of(account, order.market)
        lots = min(lots, resting._reducible_lots(held, flags.side))
        if lots == 0:
            return status.NOTHING_LEFT_TO_REDUCE, b""
    cost: uint256 = resting._dearer_fee(market, lots, order.ticks)
    cost += resting._distance_cost(market, row, flags.side, lots, order.ticks)
    if resting._room_status(rows, account, market, flags.side, lots, cost) != status.OK:
        return status.REST_MARGIN_TOO_LOW, b""
    if market.next_order > limits.ORDER_NUMBER_MAX:
        return status.BOOK_FULL, b""
    key: uint256 = orders._order_key(flags.side, order.ticks, market.next_order)
    account = accounts._with_order(
        account,
        accounts.OrderReference(
            epoch=order.epoch,
            sequence=order.sequence,
            market=order.market,
            side=flags.side,
            key=key,
        ),
    )
    account = resting._with_resting_lots(
        account, order.market, flags.side, convert(lots, int256)
    )
    joined: orders.RestingOrder = orders.RestingOrder(
        domain=orders.DOMAIN,
        account=order.account,
        epoch=order.epoch,
        sequence=order.sequence,
        lots=lots,
        expiry=order.expiry,
        flags=order.flags,
    )
    numbered: markets.Market = market
    numbered.next_order += 1
    return status.OK, self._of_one_account(
        places,
        order.account,
        account,
        store._order_place(places, order.market, flags.side, key),
        orders._encode_order(joined),
        store._other_entry(
            ONLY_MARKET,
            markets._encode_market(
                numbered,
                markets._publishers(store._market_leaf(leaves, places, order.market)),
            ),
        ),
    )


@internal
@pure
def _of_one_account(
    places: witness.Places,
    number: uint256,
    account: accounts.Account,
    order_place: uint256,
    order_leaf: Bytes[packing.PACKED_BYTES_MAX],
    market_entry: Bytes[store.OTHER_ENTRY_BYTES_MAX],
) -> Bytes[limits.CHANGES_BYTES_MAX]:
    """
    @notice The changes where an order joins or leaves a book, and with it one account is written.
    """
    changed: store.Changed = empty(store.Changed)
    changed.market = market_entry
    changed.order = store._other_entry(order_place, order_leaf)
    entry: Bytes[store.ENTRY_BYTES_MAX] = store._entry(
        store._account_place(places, number), accounts._encode_account(account)
    )
    return store._changes(store.NO_REWIND, 1, entry, changed)


@internal
@pure
def _finish(
    m: machine.Machine,
    flags: orders.Flags,
    ending: uint256,
    changes: Bytes[limits.CHANGES_BYTES_MAX],
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice The last step: OK when nothing is left over; a FOK keeps all or nothing.
    @param changes Empty where the step writes no leaf, as a FOK does not here.
    """
    finished: machine.Machine = m
    finished.status = ending
    rewind: uint256 = store.NO_REWIND
    if flags.life == orders.FOK:
        if ending == status.OK:
            finished = store._keep(finished)
            rewind = store.REWIND_KEEP
        else:
            finished = store._restore(finished)
            finished.status = status.KILLED
            rewind = store.REWIND_RESTORE
    finished.order = empty(machine.OrderInProgress)
    if len(changes) > 0:
        return finished, changes
    return finished, concat(convert(convert(rewind, uint8), bytes1), EMPTY_LISTS)
