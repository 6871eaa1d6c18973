"""A venue that is sequenced here and followed there: traders, L1's part, and a follower."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from builders import DOMAIN, FAR, NOW, PUBLISHER, VERIFIER, key, listing, sign_transaction

from prover.derivation import Cursor, Derived, derive_batch, genesis_cursor
from prover.replay import Replayer
from sequencer.batches import SealedBatch
from sequencer.sequencer import Sequencer, Submission
from state.batch import BatchHeader, ChunkCommitment, encode_header
from state.crypto import keccak
from state.execution import Receipt
from state.inbox import InboxItem
from state.legs import Leg, legs_of
from state.orders import BUY, Flags, Life, SelfTrade, encode_flags
from state.status import Status
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    NewOrder,
    RevokeKey,
    SignedPrice,
    Transaction,
    Transfer,
    Withdraw,
)
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

NAMES = ("alice", "bob", "carol", "dave")
MARK = 50_000_000
TICK = 100
AROUND = MARK // TICK


def inbox(dollars: int = 100_000, names: tuple[str, ...] = NAMES) -> list[InboxItem]:
    """A market, and a deposit for each of `names`, who are owners 1, 2, 3, ..."""
    payloads = [(InboxKind.LIST_MARKET, encode_listing(listing()))]
    for number, name in enumerate(names, 1):
        deposit = Deposit(number << 8, key(name).address, dollars * 10**6)
        payloads.append((InboxKind.DEPOSIT, encode_deposit(deposit)))
    return [
        InboxItem(kind, index, NOW, bytes(19) + b"\x01", payload)
        for index, (kind, payload) in enumerate(payloads)
    ]


def owner_of(account: int) -> str:
    return dict(enumerate(NAMES, 1)).get(account >> 8, "nobody")


def deposit_item(index: int, name: str, dollars: int = 5) -> InboxItem:
    number = NAMES.index(name) + 1 << 8
    deposit = Deposit(number, key(name).address, dollars * 10**6)
    return InboxItem(InboxKind.DEPOSIT, index, NOW, bytes(20), encode_deposit(deposit))


def flipped(payload: bytes, sizes: tuple[ChunkCommitment, ...]) -> bytes:
    """`payload` with the last byte of its first chunk changed: a literal, so its raw chunk too."""
    at = sizes[0].size - 1
    return payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]


def header_of(batch: SealedBatch, payload: bytes, parent: bytes) -> BatchHeader:
    """The header that the contract writes: it hashes the compressed chunks itself."""
    content, chunks, at = batch.content, [], 0
    for chunk in content.chunks:
        compressed = payload[at : at + chunk.size]
        chunks.append(ChunkCommitment(chunk.size, keccak(compressed), chunk.raw_hash))
        at += chunk.size
    return BatchHeader(
        number=content.number,
        parent=parent,
        inbox_from=content.inbox_from,
        inbox_to=content.inbox_to,
        inbox_accumulator=content.accumulator,
        origin_number=1,
        origin_hash=bytes(32),
        time_min=content.time_min,
        time_max=content.time_max,
        chunks=tuple(chunks),
    )


class Follower:
    """Derives each batch from what L1 would log of it, and runs it from genesis on."""

    def __init__(self) -> None:
        self.replayer = Replayer(VERIFIER)
        self.cursor: Cursor = genesis_cursor(DOMAIN)

    def derive(self, batch: SealedBatch, *, flip: bool = False) -> Derived:
        payload = b"".join(batch.payload)
        if flip:
            payload = flipped(payload, batch.content.chunks)
        header = encode_header(header_of(batch, payload, self.cursor.batch_hash))
        return derive_batch(
            header, payload, batch.items, after=self.cursor, batch_hash=keccak(header)
        )

    def follow(self, batch: SealedBatch, *, flip: bool = False) -> Derived:
        """Run the batch; the root is `root` from here on."""
        derived = self.derive(batch, flip=flip)
        self.run(derived)
        return derived

    def run(self, derived: Derived) -> None:
        self.output = self.replayer.apply(derived).output
        self.cursor = derived.cursor

    @property
    def root(self) -> bytes:
        return self.replayer.commitment().state_root


@dataclass
class Traders:
    """Signed transactions, sensible and otherwise, from one seed and the venue's state."""

    seed: int
    sequencer: Sequencer
    sent: list[Submission] = field(default_factory=list)
    statuses: Counter[Status] = field(default_factory=Counter)
    sequence: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311  (a seed must reproduce a failure)

    def next(self) -> Submission:
        """One more transaction; one in nine or so is nobody's."""
        r = self.random
        others = [self.cancel, self.price, self.withdraw, self.transfer, self.block_trade]
        others += [self.amend, self.amend, self.cancel_all, self.add_key, self.revoke_key]
        tx, signer = r.choice([self.order] * 12 + others)()
        first = key(signer if r.random() < 0.95 else "mallory")
        taker = key(owner_of(tx.taker)) if isinstance(tx, BlockTrade) else None
        submission = (tx, sign_transaction(tx, first, taker=taker))
        if self.sent and r.random() < 0.05:
            submission = r.choice(self.sent)
        self.sent.append(submission)
        return submission

    def count(self, receipt: Receipt) -> None:
        self.statuses[receipt.status] += 1

    def order(self) -> tuple[Transaction, str]:
        r = self.random
        name, number = self._trader()
        is_market = r.random() < 0.1
        life = r.choice((Life.IOC, Life.FOK)) if is_market else r.choice(tuple(Life))
        flags = Flags(r.randrange(2), is_market, life, r.random() < 0.1, r.choice(tuple(SelfTrade)))
        ticks = 0 if is_market else AROUND + r.randint(-AROUND // 300, AROUND // 300)
        lots = r.randint(1, r.choice((5, 500, 20_000)))
        expiry = r.choice((FAR, FAR, FAR, FAR, self.sequencer.time + 20, NOW - 1))
        epoch = self._epoch(number) if r.random() < 0.2 else 0
        tx = NewOrder(number, epoch, self._next(), 0, encode_flags(flags), ticks, lots, expiry)
        return tx, "bot" if epoch else name

    def block_trade(self) -> tuple[Transaction, str]:
        """Near the mark, or now and then beyond the band, when the numbers alone are consumed."""
        r = self.random
        (maker, one), (_, other) = self._trader(), self._trader()
        ticks = AROUND * r.choice((998, 1_000, 1_001, 1_200)) // 1_000
        legs = legs_of(Leg(0, r.randrange(2), ticks, r.randint(1, 5_000)))
        numbers = (one, 0, self._next(), other, 0, self._next())
        return BlockTrade(*numbers, FAR, 1, legs), maker

    def cancel(self) -> tuple[Transaction, str]:
        name, number = self._trader()
        return Cancel(number, 0, self._next(), *self._order_of(number), FAR), name

    def cancel_all(self) -> tuple[Transaction, str]:
        name, number = self._trader()
        return CancelAll(number, 0, self._next(), self.random.randrange(3), 0, FAR), name

    def amend(self) -> tuple[Transaction, str]:
        """To any price around and any size: most lose their place, many trade."""
        r = self.random
        name, number = self._trader()
        ticks = AROUND + r.randint(-AROUND // 300, AROUND // 300)
        target = self._order_of(number)
        return Amend(number, 0, self._next(), *target, ticks, r.randint(0, 500), FAR), name

    def add_key(self) -> tuple[Transaction, str]:
        name, number = self._trader()
        until = self.random.choice((FAR, FAR, NOW - 1))
        permissions = self.random.randrange(9)
        return AddKey(number, self._next(), key("bot").address, until, permissions, FAR), name

    def revoke_key(self) -> tuple[Transaction, str]:
        name, number = self._trader()
        return RevokeKey(number, self._next(), self._epoch(number), FAR), name

    def price(self) -> tuple[Transaction, str]:
        price = MARK + self.random.randint(-MARK // 200, MARK // 200)
        return SignedPrice(0, price, self.sequencer.time - self.random.randrange(3)), "publisher"

    def withdraw(self) -> tuple[Transaction, str]:
        name, number = self._trader()
        amount = self.random.choice((0, 1, 5 * 10**6, 2**63))
        return Withdraw(number, self._next(), key(name).address, amount, FAR), name

    def transfer(self) -> tuple[Transaction, str]:
        name, number = self._trader()
        to = self.random.choice((number + 1, number, 99 << 8))
        return Transfer(number, self._next(), to, self.random.choice((0, 10**9, 2**79)), FAR), name

    def _order_of(self, number: int) -> tuple[int, int]:
        """(epoch, sequence) of one that rests, or of none."""
        orders = self.sequencer.state.account(number).orders
        order = self.random.choice(orders) if orders else None
        return (order.epoch, order.sequence) if order else (0, 12_345)

    def _epoch(self, number: int) -> int:
        return self.random.choice(
            [k.epoch for k in self.sequencer.state.account(number).keys] or [9]
        )

    def _trader(self) -> tuple[str, int]:
        name = self.random.choice(NAMES)
        number = NAMES.index(name) + 1 << 8
        return name, number if self.random.random() < 0.98 else 77 << 8

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence


def started(time: int = NOW) -> Sequencer:
    """A venue with a market, four traders and a price, in its first batch."""
    sequencer = Sequencer(VERIFIER)
    sequencer.advance_clock(time)
    sequencer.take_items(inbox())
    assert price(sequencer).status == Status.OK
    return sequencer


def price(sequencer: Sequencer, mark: int = MARK) -> Receipt:
    """The publisher's price, as of the venue's clock."""
    tx = SignedPrice(0, mark, sequencer.time)
    return sequencer.submit(tx, sign_transaction(tx, PUBLISHER))


def order(
    name: str,
    sequence: int,
    *,
    side: int = BUY,
    ticks: int = AROUND,
    lots: int = 10,
    life: Life = Life.GTC,
) -> Submission:
    """An order of one of the traders, signed."""
    number = NAMES.index(name) + 1 << 8
    flags = encode_flags(Flags(side, life=life))
    tx = NewOrder(number, 0, sequence, 0, flags, ticks, lots, FAR)
    return tx, sign_transaction(tx, key(name))
