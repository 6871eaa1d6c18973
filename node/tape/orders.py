"""Orders and what became of them, from what ran and what it did to the books.

    refused     turned away before it met the book; the reason is the rules' status
    resting     in the book, with `open` lots
    filled      nothing of it is left; a reduce-only order may be done with fewer lots
    dropped     what was left after its fills did not rest; the reason is the rules' status
    cancelled   by its account: `cancel` or `cancel_all`
    removed     a later order met it and took it away: `expired`, `self_trade` (an order of the
                same account), `nothing_to_reduce`, or `margin_too_low`

An amended order keeps its name; its lots are then what was filled plus what shall be open. An
amend that is refused leaves its order as it was.
"""

from collections import deque
from collections.abc import Callable, Iterator

from node.tape.records import Counts, Limits, OrderName, PlacedOrder
from node.tape.tables import Tables
from node.view import Executed
from state.book_changes import BookChange
from state.orders import BUY, RestingOrder
from state.status import Status
from state.store import Fill
from state.transactions import Amend, Cancel, CancelAll, NewOrder, Transaction
from state.units import notional

SLACK = 1_024
"""Numbers of orders that are gone, before they are looked for."""

LotsOf = Callable[[int, int], int]
"""The signed lots of an account in a market, as the last fill left them."""


def is_refused(status: Status) -> bool:
    """Whether the rules turned an order or an amend away before it met the book."""
    return Status.OK < status < Status.REMAINDER_DROPPED


class Orders:
    """The last ones, by number; an account's last ones among them."""

    def __init__(self, tables: Tables, limits: Limits, lots_of: LotsOf) -> None:
        self._tables = tables
        self._limits = limits
        self._lots_of = lots_of
        self.reindex()

    def reindex(self) -> None:
        """The rows are others now."""
        # What its account has too many of stays in `_all`, until it is its turn there.
        self._all: deque[int] = deque()
        self._by_account: dict[int, deque[int]] = {}
        self._count = 0
        self._by_name: dict[OrderName, int] = {}
        rows = self._tables.rows["orders"]
        for number in sorted(rows):
            self._index(rows[number])

    def _index(self, order: PlacedOrder) -> None:
        self._all.append(order.number)
        numbers = self._by_account.get(order.account)
        if numbers is None:
            numbers = self._by_account[order.account] = deque()
        numbers.append(order.number)
        self._by_name[order.name] = order.number
        self._count += 1

    # --- reading ---

    def find(self, name: OrderName) -> PlacedOrder | None:
        number = self._by_name.get(name)
        return None if number is None else self._tables.rows["orders"][number]

    def of(self, account: int) -> Iterator[PlacedOrder]:
        """The account's, the newest first."""
        rows = self._tables.rows["orders"]
        return (rows[number] for number in reversed(self._by_account.get(account, ())))

    # --- what happens ---

    def take(self, ran: Executed, client_order_id: str) -> None:
        """A transaction ran; the lots of its fills were counted already."""
        if isinstance(ran.tx, NewOrder):
            self._place(ran.tx, ran, client_order_id)
        elif isinstance(ran.tx, Amend) and not is_refused(ran.receipt.status):
            self._amend(ran.tx)
        filled = self._fill(ran)
        resting = {_name(change.after): change.after for change in ran.book if change.after}
        for change in ran.book:
            before = change.before
            if before is not None and (name := _name(before)) not in resting:
                self._end(ran, name, change, before, filled.get(name, 0))
        for name, rests in resting.items():
            self._rest(name, rests, ran)
        if isinstance(ran.tx, NewOrder | Amend) and not is_refused(ran.receipt.status):
            self._conclude(ran, resting)

    def _place(self, tx: NewOrder, ran: Executed, client_order_id: str) -> None:
        counts: Counts = self._tables.touch("counts", 0)
        counts.orders += 1
        order = PlacedOrder(
            *(counts.orders, tx.account, tx.epoch, tx.sequence, client_order_id, tx.market),
            *(tx.flags, tx.ticks, tx.lots, tx.expiry, ran.batch, ran.time),
        )
        if is_refused(ran.receipt.status):
            order.status, order.reason = "refused", _word(ran.receipt.status)
        order.updated_batch, order.updated = ran.batch, ran.time
        self._tables.put("orders", order.number, order)
        self._index(order)
        if len(self._by_account[order.account]) > self._limits.account_orders:
            self._evict(self._by_account[order.account][0])
        while self._count > self._limits.orders:
            oldest = self._all.popleft()
            if oldest in self._tables.rows["orders"]:
                self._evict(oldest)
        if len(self._all) > 2 * self._count + SLACK:
            # An account with too many orders leaves theirs behind, and might for ever.
            self._all = deque(n for n in self._all if n in self._tables.rows["orders"])

    def _evict(self, number: int) -> None:
        """The oldest of its account goes."""
        order: PlacedOrder = self._tables.rows["orders"][number]
        self._tables.put("orders", number, None)
        numbers = self._by_account[order.account]
        first = numbers.popleft()
        assert first == number
        if not numbers:
            del self._by_account[order.account]
        del self._by_name[order.name]
        self._count -= 1

    def _touch(self, name: OrderName, ran: Executed) -> PlacedOrder | None:
        number = self._by_name.get(name)
        if number is None:
            return None
        order: PlacedOrder = self._tables.touch("orders", number)
        order.updated_batch, order.updated = ran.batch, ran.time
        return order

    def _amend(self, tx: Amend) -> None:
        number = self._by_name.get((tx.account, tx.order_epoch, tx.order_sequence))
        if number is None:
            return
        order: PlacedOrder = self._tables.touch("orders", number)
        order.lots, order.ticks, order.expiry = order.filled + tx.lots, tx.ticks, tx.expiry
        order.amended += 1

    def _fill(self, ran: Executed) -> dict[OrderName, int]:
        """Count the fills of the orders that are known; the lots that each one got."""
        filled: dict[OrderName, int] = {}
        for fill in ran.receipt.fills:
            for name, fee in _sides(fill):
                filled[name] = filled.get(name, 0) + fill.lots
                order = self._touch(name, ran)
                if order is not None:
                    order.filled += fill.lots
                    order.value += notional(fill.lots, fill.price)
                    order.fees += fee
        return filled

    def _rest(self, name: OrderName, rests: RestingOrder, ran: Executed) -> None:
        order = self._touch(name, ran)
        if order is not None:
            order.status, order.reason, order.open = "resting", "", rests.lots

    def _end(
        self, ran: Executed, name: OrderName, change: BookChange, before: RestingOrder, filled: int
    ) -> None:
        """It left the book, and is in it no more under its name."""
        order = self._touch(name, ran)
        if order is None or name == _name_of(ran.tx):
            return
        order.open = 0
        if filled == before.lots:
            order.status, order.reason = "filled", ""
        elif isinstance(ran.tx, Cancel | CancelAll):
            is_one = isinstance(ran.tx, Cancel)
            order.status, order.reason = "cancelled", "cancel" if is_one else "cancel_all"
        else:
            order.status, order.reason = "removed", self._why_removed(ran, change, before)

    def _why_removed(self, ran: Executed, change: BookChange, before: RestingOrder) -> str:
        """In the order in which the rules ask."""
        if before.expiry < ran.time:
            return "expired"
        if isinstance(ran.tx, NewOrder | Amend) and ran.tx.account == before.account:
            return "self_trade"
        lots = self._lots_of(before.account, change.market)
        if before.reduce_only and (lots >= 0 if change.side == BUY else lots <= 0):
            return "nothing_to_reduce"
        return "margin_too_low"

    def _conclude(self, ran: Executed, resting: dict[OrderName, RestingOrder]) -> None:
        """The order that was placed or amended: what does not rest is filled or dropped."""
        name = _name_of(ran.tx)
        assert name is not None
        if name in resting:
            return
        order = self._touch(name, ran)
        if order is None:
            return
        order.open, status = 0, ran.receipt.status
        if status == Status.OK:
            order.status, order.reason = "filled", ""
        else:
            order.status, order.reason = "dropped", _word(status)


def _sides(fill: Fill) -> tuple[tuple[OrderName, int], tuple[OrderName, int]]:
    """Both orders with their fee; the consents to a block trade name no order."""
    return (
        ((fill.taker, *fill.taker_order), fill.taker_fee),
        ((fill.maker, *fill.maker_order), fill.maker_fee),
    )


def _name_of(tx: Transaction | None) -> OrderName | None:
    """The order that a transaction places or amends."""
    if isinstance(tx, NewOrder):
        return tx.account, tx.epoch, tx.sequence
    if isinstance(tx, Amend):
        return tx.account, tx.order_epoch, tx.order_sequence
    return None


def _name(order: RestingOrder) -> OrderName:
    return order.account, order.epoch, order.sequence


def _word(status: Status) -> str:
    return status.name.lower()
