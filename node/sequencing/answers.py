"""What became of the last transactions: one that comes again gets the answer it had.

The window is the last `WINDOW` that were included in a batch, or fewer where they had more
than `FILLS_MAX` fills together; prices are not among them, since they consume no sequence
number. What a rewind took out of its batch is forgotten until its retry, and then has the
newer answer. Everything here follows from what the journal holds.
"""

import sys
from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import msgspec
from msgspec import Struct

from node.view import SequencedReceipt
from sequencer.sequencer import Submission, row_of
from state.chunks import Row
from state.execution import Receipt
from state.memory import MemoryState
from state.status import Status
from state.transactions import (
    AddKey,
    Amend,
    Header,
    NewOrder,
    SignedPrice,
    Transaction,
    Withdraw,
    decode_transaction,
)
from state.transactions.block_trade import BlockTrade

WINDOW = 65_536
FILLS_MAX = 262_144

OrderName = tuple[int, int, int]
"""Account, key epoch, sequence number."""


class Answer(Struct, frozen=True, gc=False):
    """An included transaction: `body` is its kind byte and its row."""

    body: bytes
    signature: bytes
    receipt: SequencedReceipt

    @property
    def tx(self) -> Transaction:
        return decode_transaction(self.body[0], self.body[1:])


class Progress(Struct, gc=False):
    """How many lots of an order were filled since it was placed, and how many are still open."""

    filled: int = 0
    open: int = 0


@runtime_checkable
class RemembersAnswers(Protocol):
    """What a view offers on top where it takes transactions."""

    @property
    def answers(self) -> "Answers": ...


class ClientOrderIdUsed(Exception):
    """The id names another transaction of the same account, `answer`."""

    def __init__(self, client_order_id: str, answer: Answer) -> None:
        super().__init__(f"client order id {client_order_id!r} names another transaction")
        self.client_order_id = client_order_id
        self.answer = answer


class Answers:
    """Answers by body, by order name and by client order id; the oldest go first."""

    def __init__(self, window: int = WINDOW, fills_max: int = FILLS_MAX) -> None:
        self._window = window
        self._fills_max = fills_max
        self._undone: dict[bytes, str] = {}
        self._unsynced: set[bytes] = set()
        self._clear()

    def __len__(self) -> int:
        return len(self._by_body)

    # --- asking ---

    def find(
        self, tx: Transaction, signature: bytes, client_order_id: str = "", row: Row | None = None
    ) -> SequencedReceipt | None:
        """The answer that this very transaction had, under this signature.

        ClientOrderIdUsed where the id names another one. `row` is that of `tx`, if it is known.
        """
        body = body_of(tx, row)
        if client_order_id:
            holder = self.by_client_order_id(account_of(tx), client_order_id)
            if holder is not None and holder.body != body:
                raise ClientOrderIdUsed(client_order_id, holder)
        answer = None if body is None else self._by_body.get(body)
        return _again(answer) if answer is not None and answer.signature == signature else None

    def repeated(self, tx: Transaction) -> SequencedReceipt | None:
        """The answer that `tx` had under any signature: ask once the rules have verified one."""
        body = body_of(tx)
        answer = None if body is None else self._by_body.get(body)
        return None if answer is None else _again(answer)

    def by_name(self, name: OrderName) -> Answer | None:
        """What consumed this sequence number."""
        return self._by_name.get(name)

    def by_client_order_id(self, account: int, client_order_id: str) -> Answer | None:
        return self._by_client.get((account, client_order_id))

    def progress(self, name: OrderName) -> Progress | None:
        """How far an order of the window has come."""
        return self._progress.get(name)

    def is_journaled(self, answer: Answer) -> bool:
        """Whether the answer is on disk, so that no crash can take it back."""
        return answer.body not in self._unsynced

    # --- what happens ---

    def remember(
        self,
        tx: Transaction,
        signature: bytes,
        receipt: SequencedReceipt,
        row: Row | None = None,
    ) -> None:
        """`tx` was included. A retry keeps the client order id it was first sent with."""
        if isinstance(tx, Header | SignedPrice):
            return
        body = body_of(tx, row)
        assert body is not None, "what was included fits its row"
        self._undone.pop(body, None)
        self._unsynced.add(body)
        self._add(Answer(body, signature, receipt), tx)
        self._trim()

    def client_order_id(self, tx: Transaction) -> str:
        """The id under which `tx` was sent before it was undone; empty where there was none."""
        body = body_of(tx) if self._undone else None
        return "" if body is None else self._undone.get(body, "")

    def synced(self) -> None:
        """All that is remembered is on disk."""
        self._unsynced.clear()

    def undo(self, submissions: Iterable[Submission]) -> None:
        """A rewind took these out of their batches; they are owed a retry."""
        before = len(self._by_body)
        for tx, _ in submissions:
            body = body_of(tx)
            answer = None if body is None else self._by_body.pop(body, None)
            if answer is not None and answer.receipt.client_order_id:
                self._undone[answer.body] = answer.receipt.client_order_id
        if len(self._by_body) == before:
            return
        kept = list(self._by_body.values())
        self._clear()
        for answer in kept:
            self._add(answer, answer.tx)

    def settled(self) -> None:
        """Everything that was undone has had its retry; what was refused then is forgotten."""
        self._undone.clear()

    # --- snapshots ---

    @property
    def oldest(self) -> int:
        """The batch of the oldest answer; beyond every batch where there is none."""
        first = next(iter(self._by_body.values()), None)
        return sys.maxsize if first is None else first.receipt.batch

    @property
    def undone(self) -> dict[bytes, str]:
        """Client order ids of what was undone and not yet retried, by body."""
        return dict(self._undone)

    def of_batches(self, first: int, last: int) -> dict[int, list[Answer]]:
        """The answers to what went into batches `first` to `last`, in order."""
        found: dict[int, list[Answer]] = {}
        for answer in self._by_body.values():
            if first <= answer.receipt.batch <= last:
                found.setdefault(answer.receipt.batch, []).append(answer)
        return found

    def load(self, answers: Iterable[Answer], undone: dict[bytes, str]) -> None:
        """What a snapshot kept, in order, in the place of what is here."""
        self._clear()
        self._unsynced.clear()
        self._undone = dict(undone)
        for answer in answers:
            self._add(answer, answer.tx)
            self._trim()

    # --- parts ---

    def _clear(self) -> None:
        self._fills = 0
        # A dict looks for its oldest entry behind the gaps of all that were dropped before.
        self._by_body: OrderedDict[bytes, Answer] = OrderedDict()
        self._by_name: dict[OrderName, Answer] = {}
        self._by_client: dict[tuple[int, str], Answer] = {}
        self._progress: dict[OrderName, Progress] = {}

    def _trim(self) -> None:
        while len(self._by_body) > self._window or self._fills > self._fills_max:
            self._drop(next(iter(self._by_body.values())))

    def _add(self, answer: Answer, tx: Transaction) -> None:
        receipt = answer.receipt
        self._by_body[answer.body] = answer
        for name in names_of(tx):
            self._by_name[name] = answer
        if receipt.client_order_id:
            self._by_client[account_of(tx), receipt.client_order_id] = answer
        self._fills += len(receipt.fills)
        self._trace(tx, receipt)

    def _trace(self, tx: Transaction, receipt: SequencedReceipt) -> None:
        """Follow the orders of the window: what this transaction left open, what it filled."""
        if isinstance(tx, NewOrder):
            name = (tx.account, tx.epoch, tx.sequence)
            self._progress[name] = Progress(open=receipt.resting_lots)
        elif isinstance(tx, Amend) and not is_refused(receipt.status):
            amended = self._progress.get((tx.account, tx.order_epoch, tx.order_sequence))
            filled = sum(fill.lots for fill in receipt.fills)
            if amended is not None:
                is_ok = receipt.status == Status.OK
                amended.open = receipt.resting_lots if is_ok else tx.lots - filled
        for fill in receipt.fills:
            taker = self._progress.get((fill.taker, *fill.taker_order))
            maker = self._progress.get((fill.maker, *fill.maker_order))
            if taker is not None:
                taker.filled += fill.lots
            if maker is not None:
                maker.filled += fill.lots
                maker.open -= fill.lots

    def _drop(self, answer: Answer) -> None:
        tx, receipt = answer.tx, answer.receipt
        del self._by_body[answer.body]
        self._unsynced.discard(answer.body)
        for name in names_of(tx):
            if self._by_name.get(name) is answer:
                del self._by_name[name]
            if isinstance(tx, NewOrder):
                self._progress.pop(name, None)
        if receipt.client_order_id:
            self._by_client.pop((account_of(tx), receipt.client_order_id), None)
        self._fills -= len(receipt.fills)


def is_refused(status: Status) -> bool:
    """Whether the rules turned an order or an amend away before it met the book."""
    return Status.OK < status < Status.REMAINDER_DROPPED


def body_of(tx: Transaction, row: Row | None = None) -> bytes | None:
    """Kind byte and row: two transactions of one body are the same. None where it fits no row."""
    row = row or row_of(tx, b"")
    return None if row is None else bytes((row.kind,)) + row.row


def account_of(tx: Transaction) -> int:
    """The account that sends `tx`: of a block trade, the maker."""
    assert not isinstance(tx, Header | SignedPrice)
    return tx.maker if isinstance(tx, BlockTrade) else tx.account


def names_of(tx: Transaction) -> tuple[OrderName, ...]:
    """The sequence numbers that `tx` consumes, each with its account and key."""
    match tx:
        case Header() | SignedPrice():
            return ()
        case BlockTrade():
            maker = (tx.maker, tx.maker_epoch, tx.maker_sequence)
            return maker, (tx.taker, tx.taker_epoch, tx.taker_sequence)
    return ((tx.account, getattr(tx, "epoch", 0), tx.sequence),)


def sequenced(
    state: MemoryState,
    tx: Transaction,
    receipt: Receipt,
    *,
    batch: int,
    client_order_id: str = "",
    market: int | None = None,
) -> SequencedReceipt:
    """The receipt of what was just executed, and what the state says of it right now.

    `market` is that of the order which an amend found.
    """
    is_ok = receipt.status == Status.OK
    return SequencedReceipt(
        receipt.status,
        receipt.fills,
        receipt.steps,
        batch=batch,
        client_order_id=client_order_id,
        market=_market(state, tx, receipt) if market is None else market,
        resting_lots=_resting_lots(state, tx) if is_ok else 0,
        withdrawal=state.machine.withdrawals - 1 if is_ok and isinstance(tx, Withdraw) else None,
        key_epoch=state.account(tx.account).key_epoch if is_ok and isinstance(tx, AddKey) else None,
    )


def _market(state: MemoryState, tx: Transaction, receipt: Receipt) -> int | None:
    if isinstance(tx, NewOrder):
        return tx.market
    is_traded = isinstance(tx, Amend) and bool(receipt.fills)
    return receipt.fills[0].market if is_traded else market_of(state, tx)


def market_of(state: MemoryState, tx: Transaction) -> int | None:
    """The market of the order that an amend is about, while it rests."""
    if not isinstance(tx, Amend):
        return None
    place = state.account(tx.account).order(tx.order_epoch, tx.order_sequence)
    return None if place is None else place.market


def _resting_lots(state: MemoryState, tx: Transaction) -> int:
    match tx:
        case NewOrder():
            name = (tx.epoch, tx.sequence)
        case Amend():
            name = (tx.order_epoch, tx.order_sequence)
        case _:
            return 0
    place = state.account(tx.account).order(*name)
    resting = None if place is None else state.order(place.market, place.side, place.key)
    return 0 if resting is None else resting.lots


def _again(answer: Answer) -> SequencedReceipt:
    return msgspec.structs.replace(answer.receipt, resubmission=True)
