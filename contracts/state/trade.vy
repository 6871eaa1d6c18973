# pragma version 0.4.3
"""
@title Trade: one match, a taker and a maker exchange lots for cash at the maker's price
@notice As state/trade.py. Both sides must be able to stand after it; the maker is asked first,
        because a maker who cannot is only in the way.
"""

from . import accounts
from . import exchange
from . import limits
from . import machine
from . import margin
from . import markets
from . import orders
from . import packing
from . import resting
from . import status
from . import store
from . import witness


# What comes of it, beside the statuses that end the order in progress: it goes on to its next step,
# or it does once the front order, which may not trade, is swept.
GOES_ON: constant(uint256) = 2**16
SWEPT: constant(uint256) = 2**16 + 1


@internal
@pure
def _trade(
    m: machine.Machine,
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    places: witness.Places,
    market: markets.Market,
    flags: orders.Flags,
    front: store.Front,
) -> (uint256, machine.Machine, Bytes[limits.CHANGES_BYTES_MAX]):
    """
    @notice What comes of the order in progress and this front order of another account: GOES_ON,
            with the machine and the changes; SWEPT, where the maker may not trade; or the status
            that ends the order.
    """
    rows: store.Rows = store._rows(leaves, places)
    # The row of an admitted order: as in Python it is asked for whatever comes of the two.
    row: markets.MarginRow = rows.rows[rows.places[markets._board_key(m.order.market)]]
    assert row.market == m.order.market and row.domain > 0
    maker_side: uint256 = 1 - flags.side
    numbers: uint256[exchange.PARTIES] = [m.order.account, front.resting.account]
    before: accounts.Account[exchange.PARTIES] = empty(accounts.Account[exchange.PARTIES])
    held: int256[exchange.PARTIES] = [0, 0]
    for party: uint256 in range(exchange.PARTIES):
        before[party] = store._account(leaves, places, numbers[party])
        held[party] = resting._lots_of(before[party], m.order.market)
    lots: uint256 = min(m.order.lots, front.resting.lots)
    if (front.resting.flags & orders.REDUCE_ONLY_BIT) != 0:
        lots = min(lots, resting._reducible_lots(held[exchange.MAKER], maker_side))
        if lots == 0:
            return SWEPT, m, b""
    if flags.reduce_only:
        lots = min(lots, resting._reducible_lots(held[exchange.TAKER], flags.side))
        if lots == 0:
            return status.NOTHING_LEFT_TO_REDUCE, m, b""
    row_leaf: Bytes[packing.LEAF_BYTES_MAX] = store._row_leaf(leaves, places, m.order.market)
    met: exchange.Exchange = exchange._move(
        exchange._exchange(
            market,
            markets._decode_sides(row_leaf),
            flags.side,
            orders._key_ticks(maker_side, front.key),
        ),
        lots,
    )
    for party: uint256 in range(exchange.PARTIES):
        signed: int256 = exchange._signed_lots(met, party)
        met.sides_after = exchange._sides_with_lots(
            met.sides_after, held[party], held[party] + signed
        )
    # From here on the row as it is after the trade.
    row.long_lots = met.sides_after.long.lots
    row.short_lots = met.sides_after.short.lots

    entries: Bytes[store.ACCOUNT_ENTRIES_BYTES_MAX] = b""
    for party: uint256 in [exchange.MAKER, exchange.TAKER]:
        if party == exchange.TAKER:
            if flags.life == orders.POST_ONLY:
                return status.WOULD_TRADE, m, b""
            # Open interest is the taker's to answer for.
            if exchange._interest_status(met) != status.OK:
                return status.OPEN_INTEREST_TOO_LARGE, m, b""
        after: accounts.Account = exchange._account_moved(met, before[party], party)
        if party == exchange.MAKER:
            after = self._off_the_book(after, m.order.market, maker_side, front.resting, lots)
        # `_standing` of Python in line: a call would copy all rows and both accounts. Nearly always
        # a party is healthy after it; what it was before then says nothing, and is not asked.
        lots_after: int256 = resting._lots_of(after, m.order.market)
        standing: uint256 = exchange._size_status(
            market, held[party], lots_after, after.head.cash
        )
        if standing == status.OK:
            left: margin.Health = margin._health(rows, after, row)
            if not margin._is_healthy(left):
                found: margin.Health = margin._health(
                    rows, before[party], empty(markets.MarginRow)
                )
                if not margin._may_stand(found, left, held[party], lots_after):
                    standing = status.TAKER_MARGIN_TOO_LOW
        if standing != status.OK:
            return (SWEPT if party == exchange.MAKER else standing), m, b""
        entry: Bytes[store.ENTRY_BYTES_MAX] = store._entry(
            store._account_place(places, numbers[party]), accounts._encode_account(after)
        )
        # Ascending by their places in the witness, which are those of their numbers.
        if numbers[party] < numbers[1 - party]:
            entries = convert(concat(entry, entries), Bytes[store.ACCOUNT_ENTRIES_BYTES_MAX])
        else:
            entries = convert(concat(entries, entry), Bytes[store.ACCOUNT_ENTRIES_BYTES_MAX])

    changed: store.Changed = empty(store.Changed)
    changed.row = store._row_entry(
        places, m.order.market, markets._with_sides(row_leaf, met.sides_after)
    )
    remaining: orders.RestingOrder = front.resting
    remaining.lots -= lots
    leaf: Bytes[packing.PACKED_BYTES_MAX] = b""
    if remaining.lots > 0:
        leaf = orders._encode_order(remaining)
    changed.order = store._other_entry(front.place, leaf)
    return (
        GOES_ON,
        self._match(m, met),
        store._changes(store.NO_REWIND, exchange.PARTIES, entries, changed),
    )


@internal
@pure
def _off_the_book(
    account: accounts.Account,
    market: uint256,
    side: uint256,
    front: orders.RestingOrder,
    lots: uint256,
) -> accounts.Account:
    """
    @notice The maker without the resting lots that were met, and without an order that is spent.
    """
    after: accounts.Account = resting._with_resting_lots(
        account, market, side, -convert(lots, int256)
    )
    if lots == front.lots:
        after = accounts._without_order(after, front.epoch, front.sequence)
    return after


@internal
@pure
def _match(m: machine.Machine, met: exchange.Exchange) -> machine.Machine:
    """
    @notice MATCH: the sums and the registers.
    """
    matched: machine.Machine = exchange._write(m, met)
    matched.order.lots -= met.lots
    matched.order.filled += met.lots
    matched.order.fronts -= 1
    return matched
