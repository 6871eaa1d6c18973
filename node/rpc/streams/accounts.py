"""The channels `account` and `orders`."""

from collections.abc import Iterable

from node.rpc.results import AccountSummary
from node.rpc.streams.results import ForgottenOrder, OrdersTold
from node.rpc.streams.topic import Told, Topic
from node.rpc.tape_results import OrderRecord
from node.rpc.views.accounts import open_order, revalued, summary
from node.rpc.views.fills import order_id
from node.rpc.views.lookup import find_account
from node.rpc.views.tape import order_record
from node.tape.records import OrderName
from state.markets import board_key


class AccountTopic(Topic):
    """The account, told anew when its own leaf changed or one that its margin is made of.

    However many marks moved in one update, it is told once.
    """

    def begin(self) -> None:
        assert self.wanted.account is not None
        self._number = self.wanted.account
        self._last = self._now()

    def image(self) -> AccountSummary:
        return self._last

    def take(self, told: Told) -> AccountSummary | None:
        if told.update.places.isdisjoint(self._inputs):
            return None
        if ("accounts", self._number) in told.update.places:
            self._last = self._now()
        else:
            # A mark moves thousands of accounts at once, and nobody's orders.
            account = find_account(self.view, self._number)
            self._last = revalued(self.view, self._last, account)
        return self._last

    def _now(self) -> AccountSummary:
        account = find_account(self.view, self._number)
        self._inputs = {("accounts", self._number)}
        for position in account.positions:
            self._inputs |= {("markets", position.market), ("rows", board_key(position.market))}
        return summary(self.view, self._number, account)


class OrdersTopic(Topic):
    """What becomes of an account's orders, each as it stands after an update."""

    def begin(self) -> None:
        assert self.wanted.account is not None
        self._number = self.wanted.account
        account = find_account(self.view, self._number)
        names = [(self._number, held.epoch, held.sequence) for held in account.orders]
        self._resting = {name: self._order(name) for name in names}

    def image(self) -> OrdersTold:
        return self._told(self._resting.values())

    def take(self, told: Told) -> OrdersTold | None:
        names = told.names.get(self._number)
        if not names:
            return None
        changed = {name: self._order(name) for name in names}
        account = self.view.state.account(self._number)
        for name, order in changed.items():
            if account.order(*name[1:]) is not None:
                self._resting[name] = order
            else:
                self._resting.pop(name, None)
        return self._told(changed.values())

    def _order(self, name: OrderName) -> OrderRecord | ForgottenOrder:
        placed = self.view.tape.order(name)
        if placed is not None:
            return order_record(self.view, placed)
        number, epoch, sequence = name
        reference = self.view.state.account(number).order(epoch, sequence)
        return ForgottenOrder(
            id=order_id(epoch, sequence),
            resting=open_order(self.view, number, reference) if reference is not None else None,
        )

    def _told(self, orders: Iterable[OrderRecord | ForgottenOrder]) -> OrdersTold:
        told = list(orders)
        return OrdersTold(
            account=self._number,
            orders=[order for order in told if isinstance(order, OrderRecord)],
            forgotten=[order for order in told if isinstance(order, ForgottenOrder)],
        )
