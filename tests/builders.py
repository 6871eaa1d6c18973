"""Small worlds for tests: a venue in memory, traders with keys, one call per action."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from node.signatures import address_of, recover, sign
from state.accounts import PERMIT_TRADE
from state.authentication import Verifier
from state.batch import BatchHeader
from state.book_changes import BookChange, BookWatch
from state.commitment import Committer
from state.crypto import keccak
from state.eip712 import Domain, domain
from state.execution import OnStep, Receipt, run_transaction
from state.inbox import InboxItem
from state.markets import Tier
from state.memory import MemoryState
from state.orders import BUY, SELL, Flags, Life, SelfTrade, decode_flags, encode_flags
from state.status import Status
from state.steps import Step, boot, halt, open_chunk, take_item
from state.store import Changes
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
from state.transactions.add_key import add_key_digest
from state.transactions.amend import amend_digest
from state.transactions.block_trade import block_trade_digest
from state.transactions.cancel import cancel_digest
from state.transactions.cancel_all import cancel_all_digest
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import Listing, encode_listing
from state.transactions.order import order_digest
from state.transactions.price import price_digest
from state.transactions.revoke_key import revoke_key_digest
from state.transactions.transfer import transfer_digest
from state.transactions.withdraw import withdraw_digest

DOLLAR = 10**9
"""Nano-USD."""

MICRO_DOLLAR = 10**6
"""Micro-USDC in a dollar."""

NOW = 1_700_000_000
FAR = NOW + 86_400
DOMAIN = domain(31337, bytes(19) + b"\x99")
VERIFIER = Verifier(DOMAIN, recover)


@dataclass(frozen=True)
class Key:
    """A private key and its address, made from a name."""

    private: bytes
    address: bytes


def key(name: str) -> Key:
    private = keccak(name.encode())
    return Key(private, address_of(private))


PUBLISHER = key("publisher")


def listing(market: int = 0, **changed: object) -> Listing:
    """BTC: a lot is 10^-6 coin, a tick 100 nano-USD per lot, 5 % initial margin."""
    fields: dict[str, object] = {
        "market": market,
        "symbol": b"BTC-USD-PERP",
        "lot_exponent": 6,
        "tick": 100,
        "min_notional": 0,
        "order_lots_max": 10**12,
        "band": 100_000,
        "taker_fee": 500,
        "maker_fee": 100,
        "order_life_max": 90 * 86_400,
        "open_interest_max": 10**15,
        "position_max": 10**13,
        "price_age_max": 3_600,
        "tiers": (Tier(0, 50_000, 30_000),),
        "publishers": ((PUBLISHER.address, 1, 1),),
    }
    return Listing(**(fields | changed))  # type: ignore[arg-type]


def sign_transaction(
    tx: Transaction, signer: Key, on: Domain = DOMAIN, *, taker: Key | None = None
) -> bytes:
    """The signature of `tx`, or of a header, which has none.

    A block trade is signed twice: by `signer` for the maker, and by `taker`.
    """
    match tx:
        case BlockTrade():
            digest = block_trade_digest(on, tx)
            return sign(digest, signer.private) + sign(digest, (taker or signer).private)
        case NewOrder():
            flags = decode_flags(tx.flags) or Flags(BUY)
            digest = order_digest(on, tx, flags)
        case Cancel():
            digest = cancel_digest(on, tx)
        case Withdraw():
            digest = withdraw_digest(on, tx)
        case Transfer():
            digest = transfer_digest(on, tx)
        case CancelAll():
            digest = cancel_all_digest(on, tx)
        case Amend():
            digest = amend_digest(on, tx)
        case AddKey():
            digest = add_key_digest(on, tx)
        case RevokeKey():
            digest = revoke_key_digest(on, tx)
        case SignedPrice():
            digest = price_digest(on, tx)
        case Header():
            return b""
    return sign(digest, signer.private)


@dataclass
class Venue:
    """A venue in the middle of a batch, its clock at NOW and its market priced."""

    mark: int = 50_000_000
    markets: tuple[Listing, ...] = field(default_factory=lambda: (listing(),))
    on_step: OnStep | None = None
    on_run: Callable[[Transaction, Receipt, tuple[BookChange, ...]], None] | None = None

    def __post_init__(self) -> None:
        self.state = MemoryState()
        self.committer = Committer(self.state)
        self.sequences = count(1)
        self.numbers: dict[str, int] = {}
        self.items = count()
        self.fills: list[object] = []
        self.boot()
        for market in self.markets:
            assert self.item(InboxKind.LIST_MARKET, encode_listing(market)) == Status.OK
        self.run(Header(NOW))
        for market in self.markets:
            self.price(self.mark, market.market)

    # --- batches ---

    def boot(self) -> None:
        number = self.state.machine.batch + 1
        header = BatchHeader(
            number=number,
            parent=bytes(32),
            inbox_from=self.state.machine.inbox,
            inbox_to=self.state.machine.inbox,
            inbox_accumulator=bytes(32),
            origin_number=0,
            origin_hash=bytes(32),
            time_min=0,
            time_max=2**40 - 1,
        )
        self._apply(Step.BOOT, boot(self.state, header, keccak(bytes([number])), void=False))
        self._apply(Step.OPEN, open_chunk(self.state, keccak(b"chunk")))

    def halt(self) -> None:
        self._apply(Step.HALT, halt(self.state))

    def item(self, kind: int, payload: bytes, sender: bytes = bytes(20)) -> Status:
        index = next(self.items)
        self.state.machine.inbox_end = index + 1
        item = InboxItem(kind, index, NOW, sender, payload)
        self._apply(Step.INBOX, take_item(self.state, item))
        return Status(self.state.machine.status)

    # --- actions ---

    def run(self, tx: Transaction, signature: bytes = b"") -> Receipt:
        books = BookWatch(self.state)
        receipt = run_transaction(self.state, tx, signature, VERIFIER, on_step=self.on_step)
        self.fills += receipt.fills
        if self.on_run is not None:
            self.on_run(tx, receipt, books.take())
        return receipt

    def send(self, name: str, tx: Transaction) -> Receipt:
        """Signed by the key of that name."""
        return self.run(tx, sign_transaction(tx, key(name)))

    def open(self, name: str, dollars: int, subaccount: int = 0) -> int:
        """Deposit whole dollars; returns the account number."""
        return self.open_with(name, dollars * MICRO_DOLLAR, subaccount)

    def open_with(self, name: str, micro: int, subaccount: int = 0) -> int:
        """Deposit micro-USDC; returns the account number."""
        owner = self.numbers.setdefault(name, len(self.numbers) + 1)
        number = owner << 8 | subaccount
        deposit = Deposit(number, key(name).address, micro)
        assert self.item(InboxKind.DEPOSIT, encode_deposit(deposit)) == Status.OK
        return number

    def price(self, mark: int, market: int = 0) -> Status:
        row = self.state.row(market)
        time = self.state.machine.time
        if row is not None and row.time == time:
            time += 1
            self.run(Header(time))
        tx = SignedPrice(market, mark, time)
        return self.run(tx, sign_transaction(tx, PUBLISHER)).status

    def order(
        self,
        name: str,
        side: int,
        lots: int,
        ticks: int,
        *,
        life: Life = Life.GTC,
        reduce_only: bool = False,
        self_trade: SelfTrade = SelfTrade.CANCEL_RESTING,
        market: int = 0,
        expiry: int = FAR,
        subaccount: int = 0,
    ) -> Receipt:
        """A limit order, or a market order when `ticks` is zero."""
        flags = Flags(side, ticks == 0, life, reduce_only, self_trade)
        number = self.numbers[name] << 8 | subaccount
        tx = NewOrder(
            *(number, 0, next(self.sequences), market),
            *(encode_flags(flags), ticks, lots, expiry),
        )
        return self.run(tx, sign_transaction(tx, key(name)))

    def buy(self, name: str, lots: int, ticks: int, **options: object) -> Receipt:
        return self.order(name, BUY, lots, ticks, **options)  # type: ignore[arg-type]

    def sell(self, name: str, lots: int, ticks: int, **options: object) -> Receipt:
        return self.order(name, SELL, lots, ticks, **options)  # type: ignore[arg-type]

    def cancel(self, name: str, order_sequence: int) -> Receipt:
        number = self.numbers[name] << 8
        tx = Cancel(number, 0, next(self.sequences), 0, order_sequence, FAR)
        return self.run(tx, sign_transaction(tx, key(name)))

    def cancel_all(self, name: str, market: int | None = None) -> Receipt:
        """Of one market, or of every one."""
        number = self.numbers[name] << 8
        places = (1, 0) if market is None else (0, market)
        return self.send(name, CancelAll(number, 0, next(self.sequences), *places, FAR))

    def amend(
        self, name: str, order_sequence: int, ticks: int, lots: int, expiry: int = FAR
    ) -> Receipt:
        number = self.numbers[name] << 8
        sequence = next(self.sequences)
        return self.send(name, Amend(number, 0, sequence, 0, order_sequence, ticks, lots, expiry))

    def add_key(
        self, name: str, bot: str, permissions: int = PERMIT_TRADE, until: int = FAR
    ) -> Receipt:
        """A session key that may trade until `until`, unless told otherwise."""
        number, address = self.numbers[name] << 8, key(bot).address
        tx = AddKey(number, next(self.sequences), address, until, permissions, FAR)
        return self.send(name, tx)

    def revoke_key(self, name: str, epoch: int) -> Receipt:
        number = self.numbers[name] << 8
        return self.send(name, RevokeKey(number, next(self.sequences), epoch, FAR))

    def withdraw(self, name: str, micro: int) -> Receipt:
        number = self.numbers[name] << 8
        tx = Withdraw(number, next(self.sequences), key(name).address, micro, FAR)
        return self.run(tx, sign_transaction(tx, key(name)))

    def transfer(self, name: str, to: int, nano: int) -> Receipt:
        number = self.numbers[name] << 8
        tx = Transfer(number, next(self.sequences), to, nano, FAR)
        return self.run(tx, sign_transaction(tx, key(name)))

    # --- reads ---

    def cash(self, name: str) -> int:
        return self.state.account(self.numbers[name] << 8).cash

    def lots(self, name: str, market: int = 0) -> int:
        position = self.state.account(self.numbers[name] << 8).position(market)
        return position.lots if position else 0

    def _apply(self, step: Step, changes: Changes) -> None:
        self.state.apply(changes)
        if self.on_step is not None:
            self.on_step(step, changes)
