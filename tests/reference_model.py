"""A second venue, written from docs/protocol.md alone: slow, plain, and an oracle.

It shares with the rooms under test the decoded transactions, the status numbers and
nothing else. It is told who signed, and how many steps its batch has left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

import reference_inbox as inbox
from reference_blocks import is_formed, trade_block
from reference_keys import add_key, may, revoke_key, stranger
from reference_ledger import BLOCK, CANCEL, TRADE, ZERO, Holder, Key, Ledger, Markets
from reference_margin import is_fresh, spare
from reference_matching import Outcome
from reference_orders import amend, place, says_something

from state.status import Status
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    Header,
    NewOrder,
    RevokeKey,
    SignedPrice,
    Transaction,
    Transfer,
    Withdraw,
)
from state.transactions.kinds import InboxKind

SLOW = 600
NANO = 1_000
STEPS: dict[type, int] = {NewOrder: 259, Amend: 259, CancelAll: 65, BlockTrade: 7}
"""The most a transaction can take; any other takes one."""

ANY_OF: dict[type, int] = {
    Cancel: TRADE | CANCEL,
    CancelAll: TRADE | CANCEL,
}
"""The permissions of which a session key needs one: to trade, for all but these."""

Signed = NewOrder | Cancel | Withdraw | Transfer | CancelAll | Amend | AddKey | RevokeKey


@dataclass
class Model:
    """The whole venue. `run` and `item` answer with what became of a transaction or item."""

    ledger: Ledger = field(default_factory=Ledger)
    markets: Markets = field(default_factory=dict)
    time: int = 0
    time_min: int = 0
    time_max: int = 2**40 - 1
    deposited: int = 0
    withdrawals: list[tuple[int, bytes, int]] = field(default_factory=list)

    # --- from L1 ---

    def boot(self, time_min: int, time_max: int) -> None:
        self.time_min, self.time_max = time_min, time_max
        self.time = max(self.time, time_min)

    def item(self, kind: int, sender: bytes, payload: bytes) -> Status:
        match kind:
            case InboxKind.DEPOSIT:
                taken = inbox.deposit(self.ledger, payload)
                self.deposited += taken or 0
                return Status.BAD_ITEM if taken is None else Status.OK
            case InboxKind.LIST_MARKET:
                return inbox.list_market(self.markets, payload)
            case InboxKind.REVOKE_KEY:
                return inbox.end_key(self.ledger, sender, payload)
            case InboxKind.ROTATE_OWNER:
                return inbox.rotate_owner(self.ledger, payload)
            case _:
                return inbox.set_parameters(self.markets, payload)

    # --- sequenced ---

    def run(self, tx: Transaction, signers: Sequence[bytes], steps_left: int = 2**16) -> Outcome:
        """One signer, or for a block trade the maker's and the taker's, or none for a header."""
        if steps_left - 1 < STEPS.get(type(tx), 1):
            return Outcome(Status.OUT_OF_STEPS, [])
        if not _is_expressible(tx):
            return Outcome(Status.MALFORMED, [])
        match tx:
            case Header():
                return Outcome(self._header(tx), [])
            case SignedPrice():
                return Outcome(self._price(tx, signers[0]), [])
            case BlockTrade():
                return self._block_trade(tx, signers)
        status = self._authenticate(tx, signers[0])
        if status != Status.OK:
            return Outcome(status, [])
        return self._authenticated(tx)

    def _authenticated(self, tx: Signed) -> Outcome:
        match tx:
            case NewOrder():
                self.ledger, outcome = place(self.ledger, self.markets, tx, self.time)
                return outcome
            case Amend():
                return self._amend(tx)
            case CancelAll():
                return Outcome(Status.OK, [], 1 + self._cancel_all(tx))
            case Cancel():
                status = self._cancel(tx)
            case Withdraw():
                status = self._withdraw(tx)
            case Transfer():
                status = self._transfer(tx)
            case AddKey():
                status = add_key(self.ledger.holders[tx.account], tx, self.time)
            case RevokeKey():
                status = revoke_key(self.ledger.holders[tx.account], tx.key_epoch)
        return Outcome(status, [])

    def _header(self, tx: Header) -> Status:
        if tx.time < self.time:
            return Status.TIME_BACKWARDS
        if not self.time_min <= tx.time <= self.time_max:
            return Status.TIME_OUT_OF_BOUNDS
        self.time = tx.time
        return Status.OK

    def _price(self, tx: SignedPrice, signer: bytes) -> Status:
        market = self.markets.get(tx.market)
        if market is None:
            return Status.UNKNOWN_MARKET
        if signer == ZERO or signer != market.terms.publisher:
            return Status.UNKNOWN_PUBLISHER
        if tx.time <= market.signed_time:
            return Status.PRICE_NOT_NEWER
        if tx.time > self.time:
            return Status.PRICE_FROM_FUTURE
        if self.time - tx.time > market.terms.price_age_max:
            return Status.PRICE_STALE
        if not 1 <= tx.price < 2**56:
            return Status.PRICE_OUT_OF_RANGE
        if market.mark == 0:
            market.slow_mark = tx.price
        else:
            dt, gap = tx.time - market.time, market.mark - market.slow_mark
            move = floor(Fraction(abs(gap) * dt, dt + SLOW))
            market.slow_mark += move if gap > 0 else -move
        market.mark, market.time = tx.price, tx.time
        market.signed_price, market.signed_time = tx.price, tx.time
        return Status.OK

    # --- who signs ---

    def _authenticate(self, tx: Signed, signer: bytes) -> Status:
        """OK and the sequence number consumed, or nobody's; then permission and expiry."""
        epoch = 0 if isinstance(tx, Withdraw | Transfer | AddKey | RevokeKey) else tx.epoch
        holder = self.ledger.holders.get(tx.account)
        status = stranger(holder, epoch, tx.sequence, signer)
        if holder is None or status != Status.OK:
            return status
        key = holder.keys[epoch]
        key.last = tx.sequence
        if not may(key, ANY_OF.get(type(tx), TRADE), self.time):
            return Status.NOT_PERMITTED
        return Status.EXPIRED if tx.expiry < self.time else Status.OK

    def _both(self, tx: BlockTrade, signers: Sequence[bytes]) -> Status:
        """The same for the maker and the taker; consumed only if both are themselves."""
        maker, taker = (self.ledger.holders.get(account) for account in (tx.maker, tx.taker))
        status = stranger(maker, tx.maker_epoch, tx.maker_sequence, signers[0])
        if status == Status.OK:
            status = stranger(taker, tx.taker_epoch, tx.taker_sequence, signers[1])
        if maker is None or taker is None or status != Status.OK:
            return status
        keys = maker.keys[tx.maker_epoch], taker.keys[tx.taker_epoch]
        if keys[0] is keys[1] and tx.taker_sequence <= tx.maker_sequence:
            return Status.SEQUENCE_USED
        keys[0].last, keys[1].last = tx.maker_sequence, tx.taker_sequence
        if not all(may(key, BLOCK, self.time) for key in keys):
            return Status.NOT_PERMITTED
        return Status.EXPIRED if tx.expiry < self.time else Status.OK

    # --- trading ---

    def _amend(self, tx: Amend) -> Outcome:
        old = self.ledger.named(tx.account, tx.order_epoch, tx.order_sequence)
        if old is None:
            return Outcome(Status.UNKNOWN_ORDER, [])
        self.ledger, outcome = amend(self.ledger, self.markets, tx, old, self.time)
        return outcome

    def _cancel(self, tx: Cancel) -> Status:
        order = self.ledger.named(tx.account, tx.order_epoch, tx.order_sequence)
        if order is None:
            return Status.UNKNOWN_ORDER
        self.ledger.resting.remove(order)
        return Status.OK

    def _cancel_all(self, tx: CancelAll) -> int:
        """How many went."""
        orders = [
            order
            for order in self.ledger.orders_of(tx.account)
            if tx.every_market or order.market == tx.market
        ]
        for order in orders:
            self.ledger.resting.remove(order)
        return len(orders)

    def _block_trade(self, tx: BlockTrade, signers: Sequence[bytes]) -> Outcome:
        status = self._both(tx, signers)
        if status != Status.OK:
            return Outcome(status, [])
        if tx.maker == tx.taker:
            return Outcome(Status.SAME_ACCOUNT, [])
        self.ledger, outcome = trade_block(self.ledger, self.markets, tx, self.time)
        return outcome

    # --- money ---

    def _release(self, account: int, nano: int) -> Status:
        """Whether `nano` may leave the account."""
        stands_in = self.ledger.markets_of(account)
        if not all(is_fresh(self.markets[market], self.time) for market in stands_in):
            return Status.MARGIN_TOO_LOW
        if nano > spare(self.ledger, self.markets, account):
            return Status.MARGIN_TOO_LOW
        return Status.OK

    def _withdraw(self, tx: Withdraw) -> Status:
        status = self._release(tx.account, tx.amount * NANO)
        if status != Status.OK:
            return status
        if tx.amount == 0:
            return Status.AMOUNT_OUT_OF_RANGE
        if tx.recipient == ZERO:
            return Status.NO_RECIPIENT
        self.ledger.holders[tx.account].cash -= tx.amount * NANO
        self.withdrawals.append((tx.account, tx.recipient, tx.amount))
        return Status.OK

    def _transfer(self, tx: Transfer) -> Status:
        status = self._release(tx.account, tx.amount)
        if status != Status.OK:
            return status
        if tx.to_account == tx.account:
            return Status.SAME_ACCOUNT
        if tx.to_account >> 8 != tx.account >> 8:
            return Status.NOT_OWN_ACCOUNT
        holders = self.ledger.holders
        opened = Holder({0: Key(holders[tx.account].owner)})
        if holders.get(tx.to_account, opened).owner != opened.owner:
            return Status.NOT_OWN_ACCOUNT
        if tx.amount == 0:
            return Status.AMOUNT_OUT_OF_RANGE
        holders[tx.account].cash -= tx.amount
        holders.setdefault(tx.to_account, opened).cash += tx.amount
        return Status.OK


def _is_expressible(tx: Transaction) -> bool:
    match tx:
        case NewOrder():
            return says_something(tx)
        case CancelAll():
            return tx.every_market in (0, 1)
        case Amend():
            # A limit order has at least one tick.
            return tx.ticks > 0
        case AddKey():
            return tx.permissions >> 3 == 0
        case BlockTrade():
            return is_formed(tx)
        case _:
            return True
