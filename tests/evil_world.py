"""A small venue in memory whose next batch gives every lie something to bite on."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from builders import DOMAIN, MICRO_DOLLAR, NOW, PUBLISHER, VERIFIER, key, listing, sign_transaction

from node.evil.kinds import Kind
from prover.derivation import Cursor, Derived, derive_batch, genesis_cursor
from prover.replay import Replayer
from state.batch import BatchHeader, ChunkCommitment, batch_hash, encode_header
from state.chunks import Row, encode_chunk
from state.crypto import ZERO_HASH, keccak
from state.inbox import InboxItem, accumulate
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.transactions import (
    Header,
    NewOrder,
    SignedPrice,
    Transaction,
    Withdraw,
    encode_transaction,
)
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

MARK = 50_000_000
TICKS = MARK // 100
LIAR = key("judy")
NUMBERS = {name: number << 8 for number, name in enumerate(("alice", "bob", "carol", "judy"), 1)}


@dataclass
class EvilWorld:
    """Three traders and a liar, each with 5,000 USD, a market at 50,000 USD, and the replayer."""

    cursor: Cursor = field(default_factory=lambda: genesis_cursor(DOMAIN))
    sequences: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.replayer = Replayer(VERIFIER)
        listed = (InboxKind.LIST_MARKET, encode_listing(listing()))
        self.take(self.batch([listed, *(deposit(name) for name in NUMBERS)], self.opening(NOW)))

    def take(self, derived: Derived) -> None:
        """Execute a batch honestly."""
        self.replayer.apply(derived)
        self.cursor = derived.cursor

    def bait(self, kind: Kind) -> Derived:
        """A batch that such a lie can bite on, as anybody derives it."""
        items = [deposit("bob")] if kind == Kind.INBOX else []
        rows = self.opening(NOW + 1) + self._bait(kind)
        return self.batch(items, rows, is_sound=kind != Kind.CHUNK)

    def _bait(self, kind: Kind) -> list[Row]:
        asks = [self.order("alice", SELL, TICKS + 1), self.order("carol", SELL, TICKS)]
        taker = self.order("bob", BUY, TICKS + 2, life=Life.IOC)
        if kind == Kind.MARGIN:
            return [self.withdraw("judy", 6_000)]
        return [*asks, taker, *([taker] if kind == Kind.SEQUENCE else [])]

    # --- transactions ---

    def opening(self, now: int) -> list[Row]:
        """The clock and a price."""
        return [
            Row(*encode_transaction(Header(now))),
            row(SignedPrice(0, MARK, now), PUBLISHER),
        ]

    def order(self, name: str, side: int, ticks: int, *, life: Life = Life.GTC) -> Row:
        flags = encode_flags(Flags(side, life=life))
        return row(
            NewOrder(NUMBERS[name], 0, next(self.sequences), 0, flags, ticks, 100, NOW + 600),
            key(name),
        )

    def withdraw(self, name: str, dollars: int) -> Row:
        place = (NUMBERS[name], next(self.sequences), key(name).address)
        return row(Withdraw(*place, dollars * MICRO_DOLLAR, NOW + 600), key(name))

    # --- batches ---

    def batch(
        self, items: list[tuple[int, bytes]], rows: list[Row], *, is_sound: bool = True
    ) -> Derived:
        """The next batch; unless it `is_sound` its header names another raw chunk."""
        compressed, raw = encode_chunk(rows)
        named = keccak(raw if is_sound else b"another chunk")
        taken = [
            InboxItem(kind, index, NOW, bytes(20), payload)
            for index, (kind, payload) in enumerate(items, self.cursor.inbox)
        ]
        accumulator = self.cursor.accumulator
        for item in taken:
            accumulator = accumulate(accumulator, item)
        header = BatchHeader(
            number=self.cursor.number + 1,
            parent=self.cursor.batch_hash,
            inbox_from=self.cursor.inbox,
            inbox_to=self.cursor.inbox + len(taken),
            inbox_accumulator=accumulator,
            origin_number=0,
            origin_hash=ZERO_HASH,
            time_min=NOW,
            time_max=NOW + 60,
            chunks=(ChunkCommitment(len(compressed), keccak(compressed), named),),
        )
        self.posted = encode_header(header), compressed, taken, batch_hash(header)
        return self.derived()

    def derived(self) -> Derived:
        """The batch that was made last, by the rules that are in force."""
        header, payload, items, digest = self.posted
        return derive_batch(header, payload, items, after=self.cursor, batch_hash=digest)


def row(tx: Transaction, signer: Any) -> Row:
    kind, encoded = encode_transaction(tx)
    return Row(kind, encoded, sign_transaction(tx, signer))


def deposit(name: str) -> tuple[int, bytes]:
    """An item as L1 makes it: 5,000 USDC of somebody."""
    item = Deposit(NUMBERS[name], key(name).address, 5_000 * MICRO_DOLLAR)
    return InboxKind.DEPOSIT, encode_deposit(item)
