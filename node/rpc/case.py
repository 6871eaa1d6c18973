"""A refused transaction, and the state that refused it."""

from msgspec import Struct

from node.rpc.messages import Signed, digest_of
from node.signatures import recover
from node.view import VenueView
from state.accounts import OWNER_KEY, Account
from state.markets import BoardRow, Market
from state.transactions import Cancel, NewOrder, SignedPrice


class Case(Struct, frozen=True):
    """A refused transaction before the state that refused it."""

    view: VenueView
    tx: Signed
    signature: bytes

    @property
    def now(self) -> int:
        return self.view.state.machine.time

    @property
    def number(self) -> int:
        assert not isinstance(self.tx, SignedPrice)
        return self.tx.account

    @property
    def account(self) -> Account:
        return self.view.state.account(self.number)

    @property
    def epoch(self) -> int:
        return self.tx.epoch if isinstance(self.tx, NewOrder | Cancel) else OWNER_KEY

    @property
    def order(self) -> NewOrder:
        assert isinstance(self.tx, NewOrder)
        return self.tx

    @property
    def price(self) -> SignedPrice:
        assert isinstance(self.tx, SignedPrice)
        return self.tx

    @property
    def market(self) -> Market:
        assert isinstance(self.tx, NewOrder | SignedPrice)
        return self.view.state.markets[self.tx.market]

    @property
    def row(self) -> BoardRow:
        row = self.view.state.row(self.market.market)
        assert row is not None, "a listed market has a row"
        return row

    @property
    def recovered(self) -> bytes:
        return recover(digest_of(self.view.domain, self.tx), self.signature)
