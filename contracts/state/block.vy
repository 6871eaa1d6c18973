# pragma version 0.4.3
"""
@title A block trade after its ADMIT and SAVE: LEG once per leg, then SETTLE
@notice As state/block.py. Limits are asked leg by leg, but margin only at the end; the first
        refusal ends in RESTORE.
"""

from . import accounts
from . import exchange
from . import legs
from . import limits
from . import machine
from . import margin
from . import markets
from . import orders
from . import packing
from . import resting
from . import status
from . import store
from . import units
from . import witness
from .transactions import block_trade
from .transactions import order


@internal
@pure
def _block_step(
    m: machine.Machine, leaves: Bytes[limits.LEAVES_BYTES_MAX]
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice The next LEG of the block trade in progress, or its SETTLE.
    """
    places: witness.Places = witness._places(leaves)
    if m.block_trade.leg == m.block_trade.count:
        return self._finish(m, self._settled(m, leaves, places))
    return self._take_leg(m, leaves, places, m.block_trade.legs[m.block_trade.leg])


@internal
@pure
def _take_leg(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    leg: legs.Leg,
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice LEG: its terms, a slot for either, then the limits of what would stand.
    """
    market: markets.Market = store._market(leaves, places, leg.market)
    row: markets.MarginRow = store._margin_row(leaves, places, leg.market)
    found: uint256 = self._terms_status(market, row, leg, m.time)
    if found != status.OK:
        return self._finish(m, found)
    # exchange.vy relies on two accounts and two sides.
    assert (
        m.order.account != m.block_trade.maker and leg.taker_side <= orders.SELL
    ), "block: no ADMIT leads here"
    row_leaf: Bytes[packing.LEAF_BYTES_MAX] = store._row_leaf(leaves, places, leg.market)
    traded: exchange.Exchange = exchange._move(
        exchange._exchange(market, markets._decode_sides(row_leaf), leg.taker_side, leg.ticks),
        leg.lots,
    )
    has_slots: bool = True
    entries: Bytes[store.ACCOUNT_ENTRIES_BYTES_MAX] = b""
    for party: uint256 in range(exchange.PARTIES):
        number: uint256 = m.order.account if party == exchange.TAKER else m.block_trade.maker
        account: accounts.Account = store._account(leaves, places, number)
        assert account.head.owner != 0, "block: no ADMIT leads here"
        has_slots = has_slots and self._has_slot(account, leg.market)
        if has_slots:
            lots: int256 = resting._lots_of(account, market.market)
            traded.sides_after, account = exchange._moved(traded, account, party)
            if found == status.OK:
                found = exchange._size_status(
                    market, lots, resting._lots_of(account, market.market), account.head.cash
                )
            if found == status.OK:
                entries = block_trade._ascending(
                    entries,
                    store._account_entry(places, number, account),
                    m.order.account < m.block_trade.maker,
                )
    # In this order; what is asked of the sizes above is said last.
    if not has_slots:
        found = status.TOO_MANY_POSITIONS
    elif exchange._interest_status(traded) != status.OK:
        found = status.OPEN_INTEREST_TOO_LARGE
    if found != status.OK:
        return self._finish(m, found)
    after: machine.Machine = exchange._write(m, traded)
    after.block_trade.leg += 1
    changed: store.Changed = empty(store.Changed)
    changed.row = store._row_entry(
        places, leg.market, markets._with_sides(row_leaf, traded.sides_after)
    )
    return after, store._changes(store.NO_REWIND, exchange.PARTIES, entries, changed)


@internal
@pure
def _terms_status(
    market: markets.Market, row: markets.MarginRow, leg: legs.Leg, now: uint256
) -> uint256:
    """
    @notice Whether anybody may trade these lots of this market at this price now.
    """
    if market.domain == 0 or row.domain == 0:
        return status.UNKNOWN_MARKET
    if not margin._is_fresh(row, now):
        return status.MARKET_CLOSED
    # One of the two sells: a band without a price for either takes no trade.
    lowest: uint256 = order._band_edge(market, row, orders.SELL)
    highest: uint256 = order._band_edge(market, row, orders.BUY)
    if lowest == 0 or leg.ticks < lowest or leg.ticks > highest:
        return status.PRICE_OUT_OF_BAND
    if leg.lots == 0:
        return status.LOTS_OUT_OF_RANGE
    if units._notional(leg.lots, leg.ticks * market.tick) < market.min_notional:
        return status.NOTIONAL_TOO_SMALL
    return status.OK


@internal
@pure
def _has_slot(account: accounts.Account, market: uint256) -> bool:
    """
    @notice Whether the account stands in `market`, or has room for one more.
    """
    return (
        account.position_count < limits.ACCOUNT_POSITIONS_MAX
        or accounts._has_position(account, market)
    )


@internal
@pure
def _settled(
    m: machine.Machine, leaves: Bytes[limits.LEAVES_BYTES_MAX], places: witness.Places
) -> uint256:
    """
    @notice SETTLE: with every leg traded, both must be sound; the taker is asked first.
    """
    rows: store.Rows = store._rows(leaves, places)
    if not self._is_sound(m.time, leaves, places, rows, m.order.account):
        return status.TAKER_MARGIN_TOO_LOW
    if not self._is_sound(m.time, leaves, places, rows, m.block_trade.maker):
        return status.MAKER_MARGIN_TOO_LOW
    return status.OK


@internal
@pure
def _is_sound(
    now: uint256,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    rows: store.Rows,
    number: uint256,
) -> bool:
    """
    @notice Healthy at the worse of mark and slow mark, none of them stale.
    """
    account: accounts.Account = store._account(leaves, places, number)
    if not margin._has_fresh_marks(rows, account, now):
        return False
    return margin._is_healthy(margin._cautious_health(rows, account))


@internal
@pure
def _finish(
    m: machine.Machine, found: uint256
) -> (machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice The last step: KEEP every leg, or RESTORE what SAVE found.
    """
    after: machine.Machine = store._keep(m)
    rewind: uint256 = store.REWIND_KEEP
    if found != status.OK:
        after = store._restore(m)
        rewind = store.REWIND_RESTORE
    after.order = empty(machine.OrderInProgress)
    after.block_trade = empty(machine.BlockInProgress)
    after.status = found
    return after, store._changes(rewind, 0, b"", empty(store.Changed))
