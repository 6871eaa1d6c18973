"""Two accounts exchange lots for cash at a price: what would stand, and writing it.

An order that meets a resting one and a leg of a block trade move the same things: lots
one way, cash the other, a fee from each side, the board row along with them. Nothing
rounds but the fees.
"""

from msgspec import Struct
from msgspec.structs import replace

from state.accounts import Account, Position, with_position
from state.limits import CASH_MAX
from state.markets import BoardRow, Side
from state.orders import BUY
from state.resting import lots_of
from state.status import Status
from state.store import Changes, Fill
from state.units import INDEX_ONE, notional, share_up


class Party(Struct, frozen=True, gc=False):
    """One side of an exchange: its account, and the name its order or consent is known by."""

    account: int
    epoch: int
    sequence: int


class Exchange:
    """What would stand if `taker` and `maker` exchanged lots at `ticks`, once `move` said how many.

    Limits are asked of it before anything is written.
    """

    def __init__(
        self,
        changes: Changes,
        number: int,
        *,
        taker: Party,
        maker: Party,
        taker_side: int,
        ticks: int,
    ) -> None:
        market, row = changes.market(number), changes.row(number)
        assert market is not None and row is not None
        self.changes, self.market, self.row = changes, market, row
        self.taker_party, self.maker_party = taker, maker
        self.taker_side, self.maker_side = taker_side, 1 - taker_side
        self.ticks, self.price = ticks, ticks * market.tick
        self.taker = changes.account(taker.account)
        self.maker = changes.account(maker.account)

    def move(self, lots: int) -> None:
        """Lots, cash and fees of both sides as they would be after it."""
        value = notional(lots, self.price)
        self.lots = lots
        self.taker_fee = share_up(value, self.market.taker_fee)
        self.maker_fee = share_up(value, self.market.maker_fee)
        self.row_after = self.row
        self.taker_after = self._moved(self.taker, self.taker_side, value, self.taker_fee)
        self.maker_after = self._moved(self.maker, self.maker_side, value, self.maker_fee)

    def _moved(self, account: Account, side: int, value: int, fee: int) -> Account:
        """Lots one way, cash the other, the fee on top; the board row follows."""
        signed = 1 if side == BUY else -1
        position = account.position(self.market.market) or Position(self.market.market)
        after = position.lots + signed * self.lots
        self.row_after = row_with_lots(self.row_after, position.lots, after)
        cash = account.cash - signed * value - fee
        return with_position(account, with_lots(position, self.row_after, after), cash)

    def interest_status(self) -> Status:
        """OK, or OPEN_INTEREST_TOO_LARGE where it grew past the market's maximum."""
        longs = self.row_after.long.lots
        if longs > self.row.long.lots and longs > self.market.open_interest_max:
            return Status.OPEN_INTEREST_TOO_LARGE
        return Status.OK

    def size_status(self, before: Account, after: Account) -> Status:
        """OK, or POSITION_TOO_LARGE where a position grew past its maximum or cash past its own."""
        number, most = self.market.market, self.market.position_max
        lots = abs(lots_of(after, number))
        if (lots > most and lots > abs(lots_of(before, number))) or abs(after.cash) > CASH_MAX:
            return Status.POSITION_TOO_LARGE
        return Status.OK

    def write(self, *, block: bool) -> None:
        """Both accounts, the board row and the fees; the fill is for readers."""
        changes = self.changes
        changes.write_account(self.taker_party.account, self.taker_after)
        changes.write_account(self.maker_party.account, self.maker_after)
        changes.write_row(self.row_after)
        changes.machine.sums.fees += self.taker_fee + self.maker_fee
        changes.events.append(self._fill(block))

    def _fill(self, block: bool) -> Fill:
        taker, maker = self.taker_party, self.maker_party
        return Fill(
            market=self.market.market,
            taker_side=self.taker_side,
            ticks=self.ticks,
            price=self.price,
            lots=self.lots,
            taker=taker.account,
            maker=maker.account,
            taker_order=(taker.epoch, taker.sequence),
            maker_order=(maker.epoch, maker.sequence),
            taker_fee=self.taker_fee,
            maker_fee=self.maker_fee,
            block=block,
        )


def with_lots(position: Position, row: BoardRow, lots: int) -> Position:
    """`position` holding `lots`; its index snapshots are its side's, and none when flat."""
    if lots == 0:
        return replace(position, lots=0, a=INDEX_ONE, k=0, f=0)
    side = row.long if lots > 0 else row.short
    return replace(position, lots=lots, a=side.a, k=side.k, f=side.f)


def row_with_lots(row: BoardRow, before: int, after: int) -> BoardRow:
    """`row` after one holder went from `before` to `after` lots."""
    long, short = row.long, row.short
    if before > 0 or after > 0:
        long = _with_holder(long, max(before, 0), max(after, 0))
    if before < 0 or after < 0:
        short = _with_holder(short, max(-before, 0), max(-after, 0))
    return replace(row, long=long, short=short)


def _with_holder(side: Side, before: int, after: int) -> Side:
    legs = side.legs + (after > 0) - (before > 0)
    return replace(side, lots=side.lots + after - before, legs=legs)
