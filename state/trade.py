"""One match: a taker and a maker exchange lots for cash at the maker's price.

Nothing rounds but the fees. Both sides must be able to stand after it; the maker is
asked first, because a maker who cannot is only in the way.
"""

from msgspec.structs import replace

from state.accounts import Account, Position, with_position, without_order
from state.limits import CASH_MAX
from state.machine import OrderInProgress
from state.margin import health, may_stand
from state.markets import BoardRow, Side
from state.orders import BUY, Flags, RestingOrder, key_ticks
from state.resting import lots_of, reducible_lots, with_resting_lots
from state.status import Status
from state.store import Changes, Fill
from state.units import INDEX_ONE, notional, share_up


class Trade:
    """What would stand if the order in progress met this front order."""

    def __init__(
        self,
        changes: Changes,
        order: OrderInProgress,
        flags: Flags,
        key: int,
        resting: RestingOrder,
    ) -> None:
        market, row = changes.market(order.market), changes.row(order.market)
        assert market is not None and row is not None
        self.changes, self.order, self.key, self.resting = changes, order, key, resting
        self.market, self.row = market, row
        self.taker_side, self.maker_side = flags.side, 1 - flags.side
        self.ticks = key_ticks(self.maker_side, key)
        self.price = self.ticks * market.tick
        self.taker = changes.account(order.account)
        self.maker = changes.account(resting.account)
        self.taker_reducible = self._reducible(self.taker, self.taker_side, flags.reduce_only)
        self.maker_reducible = self._reducible(self.maker, self.maker_side, resting.reduce_only)
        self.lots = min(order.lots, resting.lots, self.taker_reducible, self.maker_reducible)
        value = notional(self.lots, self.price)
        self.taker_fee = share_up(value, market.taker_fee)
        self.maker_fee = share_up(value, market.maker_fee)
        self.row_after = row
        self.taker_after = self._filled(self.taker, self.taker_side, value, self.taker_fee)
        self.maker_after = self._maker_filled(value)

    def _reducible(self, account: Account, side: int, reduce_only: bool) -> int:
        if not reduce_only:
            return self.order.lots
        return reducible_lots(lots_of(account, self.order.market), side)

    def _filled(self, account: Account, side: int, value: int, fee: int) -> Account:
        """Lots one way, cash the other, the fee on top; the board row follows."""
        signed = 1 if side == BUY else -1
        position = account.position(self.order.market) or Position(self.order.market)
        after = position.lots + signed * self.lots
        self.row_after = row_with_lots(self.row_after, position.lots, after)
        cash = account.cash - signed * value - fee
        return with_position(account, with_lots(position, self.row_after, after), cash)

    def _maker_filled(self, value: int) -> Account:
        account = self._filled(self.maker, self.maker_side, value, self.maker_fee)
        account = with_resting_lots(account, self.order.market, self.maker_side, -self.lots)
        if self.lots == self.resting.lots:
            account = without_order(account, self.resting.epoch, self.resting.sequence)
        return account

    def maker_stands(self) -> bool:
        """Whether the maker may be left as the fill would leave it."""
        return self._standing(self.maker, self.maker_after) == Status.OK

    def taker_status(self) -> Status:
        """Why the taker could not stand, or OK. Open interest is the taker's to answer for."""
        longs = self.row_after.long.lots
        if longs > self.row.long.lots and longs > self.market.open_interest_max:
            return Status.OPEN_INTEREST_TOO_LARGE
        return self._standing(self.taker, self.taker_after)

    def _standing(self, before: Account, after: Account) -> Status:
        lots_before = lots_of(before, self.order.market)
        lots_after = lots_of(after, self.order.market)
        grows = abs(lots_after) > abs(lots_before)
        if (grows and abs(lots_after) > self.market.position_max) or abs(after.cash) > CASH_MAX:
            return Status.POSITION_TOO_LARGE
        healths = health(self.changes, before), health(self.changes, after, self.row_after)
        if may_stand(*healths, lots_before, lots_after):
            return Status.OK
        return Status.TAKER_MARGIN_TOO_LOW

    def write(self) -> None:
        """MATCH: both accounts, the board row, the front order, the fees, the registers."""
        changes, order, resting = self.changes, self.order, self.resting
        changes.write_account(order.account, self.taker_after)
        changes.write_account(resting.account, self.maker_after)
        changes.write_row(self.row_after)
        left = resting.lots - self.lots
        remaining = replace(resting, lots=left) if left else None
        changes.write_order(order.market, self.maker_side, self.key, remaining)
        changes.machine.sums.fees += self.taker_fee + self.maker_fee
        changes.machine.order = replace(
            order,
            lots=order.lots - self.lots,
            filled=order.filled + self.lots,
            fronts=order.fronts - 1,
        )
        changes.events.append(self._fill())

    def _fill(self) -> Fill:
        return Fill(
            market=self.order.market,
            taker_side=self.taker_side,
            ticks=self.ticks,
            price=self.price,
            lots=self.lots,
            taker=self.order.account,
            maker=self.resting.account,
            taker_order=(self.order.epoch, self.order.sequence),
            maker_order=(self.resting.epoch, self.resting.sequence),
            taker_fee=self.taker_fee,
            maker_fee=self.maker_fee,
        )


def with_lots(position: Position, row: BoardRow, lots: int) -> Position:
    """`position` holding `lots`; its index snapshots are its side's, and none when flat."""
    if lots == 0:
        return replace(position, lots=0, a=INDEX_ONE, k=0, f=0)
    side = row.long if lots > 0 else row.short
    return replace(position, lots=lots, a=side.a, k=side.k, f=side.f)


def row_with_lots(row: BoardRow, before: int, after: int) -> BoardRow:
    """`row` after one holder went from `before` to `after` lots."""
    return replace(
        row,
        long=_moved(row.long, max(before, 0), max(after, 0)),
        short=_moved(row.short, max(-before, 0), max(-after, 0)),
    )


def _moved(side: Side, before: int, after: int) -> Side:
    if before == after:
        return side
    legs = side.legs + (after > 0) - (before > 0)
    return replace(side, lots=side.lots + after - before, legs=legs)
