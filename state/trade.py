"""One match: a taker and a maker exchange lots for cash at the maker's price.

Both sides must be able to stand after it; the maker is asked first, because a maker who
cannot is only in the way.
"""

from msgspec.structs import replace

from state.accounts import Account, without_order
from state.exchange import Exchange, Party
from state.machine import OrderInProgress
from state.margin import health, may_stand
from state.orders import Flags, RestingOrder, key_ticks
from state.resting import lots_of, reducible_lots, with_resting_lots
from state.status import Status
from state.store import Changes


class Trade(Exchange):
    """What would stand if the order in progress met this front order."""

    def __init__(
        self,
        changes: Changes,
        order: OrderInProgress,
        flags: Flags,
        key: int,
        resting: RestingOrder,
    ) -> None:
        super().__init__(
            changes,
            order.market,
            taker=Party(order.account, order.epoch, order.sequence),
            maker=Party(resting.account, resting.epoch, resting.sequence),
            taker_side=flags.side,
            ticks=key_ticks(1 - flags.side, key),
        )
        self.order, self.key, self.resting = order, key, resting
        self.taker_reducible = self._reducible(self.taker, self.taker_side, flags.reduce_only)
        self.maker_reducible = self._reducible(self.maker, self.maker_side, resting.reduce_only)
        self.move(min(order.lots, resting.lots, self.taker_reducible, self.maker_reducible))
        self.maker_after = self._off_the_book(self.maker_after)

    def _reducible(self, account: Account, side: int, reduce_only: bool) -> int:
        if not reduce_only:
            return self.order.lots
        return reducible_lots(lots_of(account, self.order.market), side)

    def _off_the_book(self, account: Account) -> Account:
        account = with_resting_lots(account, self.order.market, self.maker_side, -self.lots)
        if self.lots == self.resting.lots:
            account = without_order(account, self.resting.epoch, self.resting.sequence)
        return account

    def maker_stands(self) -> bool:
        """Whether the maker may be left as the fill would leave it."""
        return self._standing(self.maker, self.maker_after) == Status.OK

    def taker_status(self) -> Status:
        """Why the taker could not stand, or OK. Open interest is the taker's to answer for."""
        return self.interest_status() or self._standing(self.taker, self.taker_after)

    def _standing(self, before: Account, after: Account) -> Status:
        if status := self.size_status(before, after):
            return status
        left = health(self.changes, after, self.row_after)
        if left.is_healthy:  # as nearly always; what it was before then says nothing
            return Status.OK
        lots = lots_of(before, self.order.market), lots_of(after, self.order.market)
        stands = may_stand(health(self.changes, before), left, *lots)
        return Status.OK if stands else Status.TAKER_MARGIN_TOO_LOW

    def match(self) -> None:
        """MATCH: what was exchanged, the front order and the registers."""
        order, resting = self.order, self.resting
        self.write(block=False)
        left = resting.lots - self.lots
        remaining = replace(resting, lots=left) if left else None
        self.changes.write_order(order.market, self.maker_side, self.key, remaining)
        self.changes.machine.order = replace(
            order,
            lots=order.lots - self.lots,
            filled=order.filled + self.lots,
            fronts=order.fronts - 1,
        )
