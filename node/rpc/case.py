"""A refused transaction, the state that refused it, and whose part of it is at fault."""

from msgspec import Struct

from node.rpc.messages import Signed, digest_of
from node.signatures import recover
from node.view import VenueView
from state.accounts import OWNER_KEY, Account, OrderReference
from state.authentication import Recover, Verifier, may_block_trade, signer_status
from state.limits import SIGNATURE_BYTES
from state.markets import BoardRow, Market
from state.orders import RestingOrder
from state.resting import resting_at, without_resting
from state.status import IDENTITY_LAST, Status
from state.transactions import Amend, BlockTrade, NewOrder, SignedPrice
from state.transactions.amend import amended_order


class MovedOn(Exception):
    """The state is no longer the one that refused: it does not show the reason any more."""


class Signer(Struct, frozen=True):
    """Who signed; `party` is maker or taker where two did."""

    number: int
    epoch: int
    sequence: int
    signature: bytes
    party: str = ""


class Case(Struct, frozen=True):
    """A refused transaction before the state that refused it with `status`."""

    view: VenueView
    tx: Signed
    signature: bytes
    status: Status
    recover: Recover = recover

    @property
    def now(self) -> int:
        return self.view.state.machine.time

    @property
    def signers(self) -> tuple[Signer, ...]:
        """The one who signed, or maker and taker; none of a price, which no account signs."""
        tx, signature = self.tx, self.signature
        match tx:
            case SignedPrice():
                return ()
            case BlockTrade():
                maker = (tx.maker, tx.maker_epoch, tx.maker_sequence)
                taker = (tx.taker, tx.taker_epoch, tx.taker_sequence)
                return (
                    Signer(*maker, signature[:SIGNATURE_BYTES], "maker"),
                    Signer(*taker, signature[SIGNATURE_BYTES:], "taker"),
                )
        return (Signer(tx.account, getattr(tx, "epoch", OWNER_KEY), tx.sequence, signature),)

    @property
    def signer(self) -> Signer:
        """The one who is refused. MovedOn where neither of two is any more."""
        signers = self.signers
        if len(signers) == 1:
            return signers[0]
        for signer in signers:
            if self._is_refused(signer):
                return signer
        raise MovedOn

    def _is_refused(self, signer: Signer) -> bool:
        """Of the two of a block trade."""
        account = self.view.state.account(signer.number)
        if self.status == Status.NOT_PERMITTED:
            return not may_block_trade(account, signer.epoch, self.now)
        verifier = Verifier(self.view.domain, self.recover)
        status = signer_status(
            account,
            verifier,
            epoch=signer.epoch,
            sequence=signer.sequence,
            digest=digest_of(self.view.domain, self.tx),
            signature=signer.signature,
        )
        # Of one account on both sides, the second number must exceed the first.
        same = isinstance(self.tx, BlockTrade) and self.tx.maker == self.tx.taker
        is_second = same and signer.party == "taker" and self.status == Status.SEQUENCE_USED
        return self.status <= IDENTITY_LAST and (status == self.status or is_second)

    @property
    def number(self) -> int:
        return self.signer.number

    @property
    def account(self) -> Account:
        return self.view.state.account(self.number)

    @property
    def standing(self) -> Account:
        """The account an order is checked against: of an amend, without the old order."""
        if not isinstance(self.tx, Amend):
            return self.account
        place, resting = self._amended(self.tx)
        return without_resting(self.account, place.market, place.side, resting)

    @property
    def order(self) -> NewOrder:
        """The order, or what an amend would make of the one that rests."""
        if isinstance(self.tx, NewOrder):
            return self.tx
        assert isinstance(self.tx, Amend)
        return amended_order(self.tx, *self._amended(self.tx))

    def _amended(self, tx: Amend) -> tuple[OrderReference, RestingOrder]:
        place = self.account.order(tx.order_epoch, tx.order_sequence)
        if place is None:
            raise MovedOn
        return place, resting_at(self.view.state, tx.account, place)

    @property
    def price(self) -> SignedPrice:
        assert isinstance(self.tx, SignedPrice)
        return self.tx

    @property
    def market(self) -> Market:
        number = self.tx.market if isinstance(self.tx, SignedPrice) else self.order.market
        market = self.view.state.markets.get(number)
        if market is None:
            raise MovedOn
        return market

    @property
    def row(self) -> BoardRow:
        row = self.view.state.row(self.market.market)
        if row is None:
            raise MovedOn
        return row

    @property
    def recovered(self) -> bytes:
        signature = self.signer.signature if self.signers else self.signature
        return self.recover(digest_of(self.view.domain, self.tx), signature)
