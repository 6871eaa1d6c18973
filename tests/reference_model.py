"""A second venue, written from docs/protocol.md alone: slow, plain, and an oracle.

It shares with the rooms under test the decoded transactions, the status numbers and
nothing else. It is told who signed, and how many steps its batch has left.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from reference_margin import BUY, ONE, Holder, Ledger, Market, Markets, Resting, spare
from reference_matching import FOK, IOC, Fill, Taker, execute, fee, room

from state.status import Status
from state.transactions import (
    Cancel,
    Header,
    NewOrder,
    SignedPrice,
    Transaction,
    Transfer,
    Withdraw,
)
from state.transactions.list_market import Listing

ZERO = bytes(20)
ORDER_STEPS = 1 + 1 + 256 + 1
TICKS_MAX = 2**24 - 1
ORDERS_MAX, POSITIONS_MAX = 64, 16
SLOW = 600
NANO = 1_000


@dataclass
class Model:
    """The whole venue. `run` answers with a status and the fills."""

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

    def list_market(self, listing: Listing) -> None:
        names = set(Market.__dataclass_fields__) & set(Listing.__struct_fields__)
        terms = {name: getattr(listing, name) for name in names}
        self.markets[listing.market] = Market(**terms, publisher=listing.publishers[0][0])

    def deposit(self, account: int, owner: bytes, micro: int) -> None:
        holder = self.ledger.holders.setdefault(account, Holder(owner))
        holder.cash += micro * NANO
        self.deposited += micro * NANO

    # --- sequenced ---

    def run(
        self, tx: Transaction, signer: bytes, steps_left: int = 2**16
    ) -> tuple[Status, list[Fill]]:
        match tx:
            case NewOrder():
                return self._order(tx, signer, steps_left)
            case Header():
                return self._header(tx), []
            case SignedPrice():
                return self._price(tx, signer), []
            case Cancel():
                return self._cancel(tx, signer), []
            case Withdraw():
                return self._withdraw(tx, signer), []
            case Transfer():
                return self._transfer(tx, signer), []

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
        if signer == ZERO or signer != market.publisher:
            return Status.UNKNOWN_PUBLISHER
        if tx.time <= market.time:
            return Status.PRICE_NOT_NEWER
        if tx.time > self.time:
            return Status.PRICE_FROM_FUTURE
        if self.time - tx.time > market.price_age_max:
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
        return Status.OK

    def _authenticate(self, tx: NewOrder | Cancel | Withdraw | Transfer, signer: bytes) -> Status:
        """OK and the sequence number consumed, or nobody's; then permission and expiry."""
        epoch = tx.epoch if isinstance(tx, NewOrder | Cancel) else 0
        holder = self.ledger.holders.get(tx.account)
        if holder is None:
            return Status.UNKNOWN_ACCOUNT
        if epoch != 0 and epoch not in holder.keys:
            return Status.UNKNOWN_KEY
        address, until, permissions = holder.keys[epoch] if epoch else (holder.owner, self.time, 1)
        if signer == ZERO or signer != address:
            return Status.BAD_SIGNATURE
        if tx.sequence <= max(holder.last[epoch], holder.floor):
            return Status.SEQUENCE_USED
        holder.last[epoch] = tx.sequence
        if self.time > until or not permissions & 1:
            return Status.NOT_PERMITTED
        return Status.EXPIRED if tx.expiry < self.time else Status.OK

    def _is_fresh(self, market: Market) -> bool:
        return market.mark > 0 and self.time - market.time <= market.price_age_max

    def _cancel(self, tx: Cancel, signer: bytes) -> Status:
        status = self._authenticate(tx, signer)
        if status != Status.OK:
            return status
        for order in self.ledger.orders_of(tx.account):
            if (order.epoch, order.sequence) == (tx.order_epoch, tx.order_sequence):
                self.ledger.resting.remove(order)
                return Status.OK
        return Status.UNKNOWN_ORDER

    def _release(self, account: int, nano: int) -> Status:
        """Whether `nano` may leave the account."""
        stands_in = self.ledger.markets_of(account)
        # The page names no status for a stale market here; the venue's is margin's.
        if not all(self._is_fresh(self.markets[market]) for market in stands_in):
            return Status.MARGIN_TOO_LOW
        if nano > spare(self.ledger, self.markets, account):
            return Status.MARGIN_TOO_LOW
        return Status.OK

    def _withdraw(self, tx: Withdraw, signer: bytes) -> Status:
        status = self._authenticate(tx, signer) or self._release(tx.account, tx.amount * NANO)
        if status != Status.OK:
            return status
        if tx.amount == 0:
            return Status.AMOUNT_OUT_OF_RANGE
        if tx.recipient == ZERO:
            return Status.NO_RECIPIENT
        self.ledger.holders[tx.account].cash -= tx.amount * NANO
        self.withdrawals.append((tx.account, tx.recipient, tx.amount))
        return Status.OK

    def _transfer(self, tx: Transfer, signer: bytes) -> Status:
        status = self._authenticate(tx, signer) or self._release(tx.account, tx.amount)
        if status != Status.OK:
            return status
        if tx.to_account == tx.account:
            return Status.SAME_ACCOUNT
        if tx.to_account >> 8 != tx.account >> 8:
            return Status.NOT_OWN_ACCOUNT
        if tx.amount == 0:
            return Status.AMOUNT_OUT_OF_RANGE
        holders = self.ledger.holders
        holders[tx.account].cash -= tx.amount
        holders.setdefault(tx.to_account, Holder(holders[tx.account].owner)).cash += tx.amount
        return Status.OK

    # --- orders ---

    def _order(self, tx: NewOrder, signer: bytes, steps_left: int) -> tuple[Status, list[Fill]]:
        if steps_left - 1 < ORDER_STEPS:
            return Status.OUT_OF_STEPS, []
        taker = _taken_apart(tx)
        if taker is None:
            return Status.MALFORMED, []
        status = self._authenticate(tx, signer) or self._place(tx, taker)
        status = status or self._size(taker) or self._places(taker) or self._room(taker)
        if status != Status.OK:
            return status, []
        self.ledger, status, fills = execute(self.ledger, self.markets, taker, self.time)
        return status, fills

    def _place(self, tx: NewOrder, taker: Taker) -> Status:
        """Market, life and band; the limit of a market order becomes the band's edge."""
        market = self.markets.get(taker.market)
        if market is None:
            return Status.UNKNOWN_MARKET
        if taker.expiry > self.time + market.order_life_max:
            return Status.EXPIRY_TOO_FAR
        if not self._is_fresh(market):
            return Status.MARKET_CLOSED
        band = Fraction(market.band, ONE)
        if taker.side == BUY:
            edge = min(floor(market.mark * (1 + band) / market.tick), TICKS_MAX)
            beyond = taker.limit > edge
        else:
            edge = ceil(market.mark * (1 - band) / market.tick)
            beyond = taker.limit < edge
        # The page is silent on a band that holds no price of this market; the venue refuses.
        if not 0 < edge <= TICKS_MAX:
            return Status.PRICE_OUT_OF_BAND
        if tx.ticks == 0:
            taker.limit = edge
        elif beyond:
            return Status.PRICE_OUT_OF_BAND
        return Status.OK

    def _counted(self, taker: Taker) -> int:
        if not taker.reduce_only:
            return taker.lots
        can_give = self.ledger.reducible(taker.account, taker.market, taker.side)
        return min(taker.lots, can_give)

    def _size(self, taker: Taker) -> Status:
        market = self.markets[taker.market]
        if not 1 <= taker.lots <= market.order_lots_max:
            return Status.LOTS_OUT_OF_RANGE
        counted = self._counted(taker)
        closes = taker.reduce_only and 0 < counted == abs(
            self.ledger.lots(taker.account, taker.market)
        )
        small = counted * taker.limit * market.tick < market.min_notional
        # The page's order of numbers would call nothing at all too small; the venue does not.
        if counted and small and not (closes and not taker.may_rest):
            return Status.NOTIONAL_TOO_SMALL
        return Status.OK

    def _places(self, taker: Taker) -> Status:
        ledger, account = self.ledger, taker.account
        if taker.may_rest and len(ledger.orders_of(account)) >= ORDERS_MAX:
            return Status.TOO_MANY_ORDERS
        stands_in = ledger.markets_of(account)
        if taker.market not in stands_in and len(stands_in) >= POSITIONS_MAX:
            return Status.TOO_MANY_POSITIONS
        if self._counted(taker) == 0:
            return Status.NOTHING_TO_REDUCE
        return Status.OK

    def _room(self, taker: Taker) -> Status:
        market, lots = self.markets[taker.market], self._counted(taker)
        order = Resting(
            *(taker.account, taker.epoch, taker.sequence, taker.market, taker.side),
            *(taker.limit, 0, lots, taker.expiry, taker.flags),
        )
        cost = fee(lots * taker.limit * market.tick, market.dearer_fee)
        covered, within = room(self.ledger, self.markets, order, cost)
        if not covered:
            return Status.MARGIN_TOO_LOW
        return Status.OK if within else Status.POSITION_LIMIT


def _taken_apart(tx: NewOrder) -> Taker | None:
    """The order with its flags read bit by bit, or None if it says nothing sensible."""
    flags = tx.flags
    is_market, life, self_trade = flags >> 1 & 1, flags >> 2 & 3, flags >> 5 & 3
    if flags >> 7 or self_trade == 3 or is_market != (tx.ticks == 0):
        return None
    if is_market and life not in (IOC, FOK):
        return None
    return Taker(
        *(tx.account, tx.epoch, tx.sequence, tx.market, flags & 1, life, bool(flags >> 4 & 1)),
        *(self_trade, tx.ticks, tx.lots, tx.expiry, flags),
    )
