"""The tape: what a reader wants to know of the past that the state does not hold.

Everything in it follows from what ran, in order, so it says the same on the sequencer and on
every follower that knows the same batches; only client order ids, which are on no L1, differ.
It is bounded (`Limits`), and goes back with the venue batch by batch.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec import structs

from node.tape.candles import Candles
from node.tape.holdings import after_fill
from node.tape.orders import Orders
from node.tape.records import Candle, Counts, Holding, Limits, OrderName, PlacedOrder, Trade
from node.tape.tables import TABLES, RowPlace, Tables
from node.view import Executed, SequencedReceipt
from state.memory import MemoryState
from state.orders import BUY
from state.store import Fill
from state.transactions import NewOrder


class Tape:
    """Takes what ran, batch after batch.

    `since_batch` is the first batch it knows: 1 where it knows everything that ever happened.
    `problem` says why it does not, where that is nobody's wish. `is_stored` says whether the
    last snapshot has an earlier stand of this tape.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.problem = ""
        self.clear()

    def clear(self) -> None:
        """Know nothing, before batch 1."""
        self.tables = Tables()
        self.since_batch = 1
        self.is_stored = False
        self.tables.begin(0)
        self.tables.put("counts", 0, Counts())
        self._candles = Candles(self.tables, self.limits.candles)
        self._orders = Orders(self.tables, self.limits, self._lots_of)
        self.reindex()

    def begin_late(self, state: MemoryState, fills: int) -> None:
        """Know nothing of what led to `state`, but who holds how much, and the `fills` before."""
        self.clear()
        self.since_batch = state.machine.batch + 1
        self.tables.put("counts", 0, Counts(fills))
        for number, account in state.accounts.items():
            for position in account.positions:
                if position.lots:
                    holding = Holding(lots=position.lots, cost=None)
                    self.tables.put("holdings", (number, position.market), holding)
        self.reindex()

    def load(self, number: int, since_batch: int, rows: Iterable[tuple[RowPlace, Any]]) -> None:
        """What a snapshot of batch `number` kept, in the place of everything."""
        self.clear()
        self.tables.load(number, rows)
        self.since_batch, self.is_stored = since_batch, True
        self.reindex()

    def reindex(self) -> None:
        """The rows are others now."""
        self._by_market: dict[int, deque[int]] = {}
        self._by_account: dict[int, deque[int]] = {}
        self._markets_of: dict[int, set[int]] = {}
        self._numbers = deque(sorted(self.tables.rows["trades"]))
        for number in self._numbers:
            self._index(self.tables.rows["trades"][number])
        for account, market in self.tables.rows["holdings"]:
            self._markets_of.setdefault(account, set()).add(market)
        self._candles.reindex()
        self._orders.reindex()

    # --- what happens ---

    def take(self, ran: Executed) -> None:
        """The next thing that ran."""
        if not (ran.receipt.fills or ran.book or isinstance(ran.tx, NewOrder)):
            return
        self.tables.begin(ran.batch)
        for fill in ran.receipt.fills:
            self._fill(fill, ran.batch, ran.time)
        receipt = ran.receipt
        known = receipt.client_order_id if isinstance(receipt, SequencedReceipt) else ""
        self._orders.take(ran, known)

    def rewind(self, number: int) -> None:
        """Everything after batch `number` is void."""
        self.settle()
        if self.tables.rewind(number):
            self.reindex()

    def settle(self) -> None:
        """Put all that was gathered into the rows: before anybody looks at them."""
        self._candles.settle()

    def forget(self, number: int) -> None:
        """Nothing up to batch `number` is ever taken back."""
        self.settle()
        self.tables.forget(number)

    def kept(self, number: int) -> None:
        """A snapshot has the tape as of batch `number`, or is being written."""
        self.tables.saved(number)
        self.is_stored = True

    def not_kept(self, places: Iterable[RowPlace], *, whole: bool) -> None:
        """It could not be written; `whole` where it was to replace all rows."""
        self.tables.not_saved(places)
        self.is_stored = not whole

    def _fill(self, fill: Fill, batch: int, time: int) -> None:
        counts: Counts = self.tables.touch("counts", 0)
        counts.fills += 1
        lots = fill.lots if fill.taker_side == BUY else -fill.lots
        # The block trade of an account with itself is refused: the sides are two accounts.
        taker = self._hold(fill.taker, fill, lots, fill.taker_fee, time)
        maker = self._hold(fill.maker, fill, -lots, fill.maker_fee, time)
        trade = Trade(counts.fills, batch, time, fill, taker, maker)
        self.tables.put("trades", trade.number, trade)
        self._numbers.append(trade.number)
        self._index(trade)
        if len(self._numbers) > self.limits.trades:
            self._drop(self._numbers.popleft())
        self._candles.add(fill, batch, time)

    def _hold(self, account: int, fill: Fill, lots: int, fee: int, time: int) -> int | None:
        place = (account, fill.market)
        before = self.tables.rows["holdings"].get(place) or Holding()
        after, realised = after_fill(before, signed_lots=lots, price=fill.price, fee=fee, time=time)
        self.tables.put("holdings", place, after)
        self._markets_of.setdefault(account, set()).add(fill.market)
        return realised

    def _index(self, trade: Trade) -> None:
        fill = trade.fill
        self._by_market.setdefault(fill.market, deque()).append(trade.number)
        for account in (fill.taker, fill.maker):
            self._by_account.setdefault(account, deque()).append(trade.number)

    def _drop(self, number: int) -> None:
        """The oldest trade goes, which is the oldest of its market and of both accounts."""
        fill = self.tables.rows["trades"][number].fill
        self.tables.put("trades", number, None)
        self._by_market[fill.market].popleft()
        for account in (fill.taker, fill.maker):
            self._by_account[account].popleft()
            if not self._by_account[account]:
                del self._by_account[account]

    def _lots_of(self, account: int, market: int) -> int:
        return self.holding(account, market).lots

    # --- reading: pages have the newest first ---

    @property
    def fills(self) -> int:
        """How many fills the venue has had."""
        counts: Counts = self.tables.rows["counts"][0]
        return counts.fills

    def trades(self, market: int, before: int | None, count: int) -> list[Trade]:
        """At most `count` trades of a market with numbers under `before`."""
        return list(islice(self._page(self._by_market.get(market, ()), before), count))

    def candles(self, market: int, interval: str, before: int | None, count: int) -> list[Candle]:
        """At most `count` candles that start before the time `before`."""
        return self._candles.page(market, interval, before, count)

    def fills_of(
        self, account: int, market: int | None, before: int | None, count: int
    ) -> list[Trade]:
        """At most `count` trades that the account had a side in."""
        found = self._page(self._by_account.get(account, ()), before)
        mine = (trade for trade in found if market is None or trade.fill.market == market)
        return list(islice(mine, count))

    def orders_of(
        self,
        account: int,
        *,
        market: int | None = None,
        status: str | None = None,
        before: int | None = None,
        count: int,
    ) -> list[PlacedOrder]:
        """At most `count` orders that the account sent, with numbers under `before`."""
        found = (
            order
            for order in self._orders.of(account)
            if (before is None or order.number < before)
            and (market is None or order.market == market)
            and (status is None or order.status == status)
        )
        return list(islice(found, count))

    def order(self, name: OrderName) -> PlacedOrder | None:
        """The order of that name, while it is remembered."""
        return self._orders.find(name)

    def shared(self) -> dict[str, dict[Any, Any]]:
        """Every row, as every node has it that knows the same batches: no client order ids."""
        self.settle()
        rows = {table: dict(self.tables.rows[table]) for table in TABLES}
        for number, order in rows["orders"].items():
            rows["orders"][number] = structs.replace(order, client_order_id="")
        return rows

    def holding(self, account: int, market: int) -> Holding:
        """What an account has, and has made, in a market."""
        found: Holding | None = self.tables.rows["holdings"].get((account, market))
        return found or Holding()

    def holdings(self, account: int) -> dict[int, Holding]:
        """By market: every one that the account ever traded in."""
        return {
            market: self.holding(account, market)
            for market in sorted(self._markets_of.get(account, ()))
        }

    def _page(self, numbers: Sequence[int], before: int | None) -> Iterator[Trade]:
        rows = self.tables.rows["trades"]
        later = 0 if before is None else len(numbers) - bisect_left(numbers, before)
        return (rows[number] for number in islice(reversed(numbers), later, None))
