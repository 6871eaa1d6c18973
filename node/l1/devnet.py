"""The devnet itself: admits, mines, answers calls, and can go back in time.

Not safe for several threads; the server runs everything on one worker thread.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from node.errors import Halt
from node.l1 import rules
from node.l1.block_file import Mined, Record, Rewound, Shifted, Store
from node.l1.blocks import Block, Transaction
from node.l1.chain_time import ChainTime, Shift
from node.l1.envelopes import NotATransaction, decode
from node.l1.evm import DoesNotFit, Draft, Evm, View
from node.l1.jsonrpc import RpcError
from node.l1.ledger import Ledger
from node.l1.pool import Pool
from node.l1.recent import Recent

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Genesis:
    """`balances` are wei by address."""

    balances: Mapping[bytes, int]
    gas_limit: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything `revert` brings back."""

    number: int
    pool: Pool
    shift: Shift


class Devnet:
    """A chain of one node.

    `automine` gives each transaction a block of its own at once. Every `interval` seconds,
    unless it is 0, whoever runs the devnet has it mine one.
    """

    def __init__(
        self,
        evm: Evm,
        store: Store,
        history: Iterable[Record],
        *,
        genesis: Genesis,
        now: Callable[[], float],
        interval: float,
    ) -> None:
        """Continue `history`, or begin at `genesis` where there is none.

        `interval` seconds lie between blocks; with 0 each transaction gets its own at once.
        """
        self.evm = evm
        self.pool = Pool()
        self.arrivals: Recent[bytes] = Recent()
        """Hashes of the transactions that were admitted."""
        self.time = ChainTime(now)
        self.automine = interval == 0
        self.interval = interval
        self._store = store
        self._snapshots: dict[int, Snapshot] = {}
        self._next_snapshot = 1
        ledger = self._replay(history)
        if ledger is None:
            block = evm.genesis(
                balances=genesis.balances, timestamp=int(now()), gas_limit=genesis.gas_limit
            )
            store.append(Mined(block))
            ledger = Ledger(block)
        self.ledger = ledger

    @property
    def head(self) -> Block:
        return self.ledger.head

    def view(self, block: Block) -> View:
        """The state after `block`, in which calls see that block's number and time."""
        return self.evm.view(block.header, self.ledger.ancestors(block.number))

    def pending(self) -> Draft:
        """The next block as it would be mined now, waiting transactions included."""
        draft = self._draft()
        self._fill(draft)
        return draft

    def pending_nonce(self, sender: bytes) -> int:
        return self.pool.next_nonce(sender, self.view(self.head).nonce(sender))

    def submit(self, raw: bytes) -> bytes:
        """Admit a signed transaction to the pool and return its hash. Raises `RpcError`."""
        rules.check_size(raw)
        try:
            transaction = decode(raw)
        except NotATransaction as refusal:
            raise RpcError(rules.INVALID_INPUT, str(refusal)) from None
        if self.ledger.transaction(transaction.hash):
            raise RpcError(rules.ALREADY_KNOWN, "already known")
        self._admit(transaction)
        self.arrivals.append(transaction.hash)
        if self.automine:
            self._mine_if_any()
        return transaction.hash

    def mine(self) -> Block:
        """Seal the next block, empty if nothing waits or fits."""
        return self._seal(self.pending())

    def decree(self, change: Callable[[Draft], None]) -> Block:
        """Seal a block of no transactions whose state `change` made."""
        draft = self._draft()
        change(draft)
        return self._seal(draft)

    def roll_back(self, depth: int) -> None:
        """Forget the last `depth` blocks, and every snapshot of what came after the new head."""
        number = self.head.number - depth
        if depth:
            self._store.append(Rewound(number))
            self.ledger.rewind(number)
        self._snapshots = {n: kept for n, kept in self._snapshots.items() if kept.number <= number}

    def set_automine(self, automine: bool) -> None:
        self.automine = automine
        if automine:
            self._mine_if_any()

    def increase_time(self, seconds: int) -> int:
        offset = self.time.increase(seconds, self.head.header.timestamp)
        self._store.append(Shifted(offset))
        return offset

    def promise_timestamp(self, timestamp: int) -> None:
        if timestamp <= self.head.header.timestamp:
            raise RpcError(
                rules.INVALID_INPUT,
                f"timestamp {timestamp} is not after the head block's {self.head.header.timestamp}",
            )
        self.time.promise(timestamp)

    def snapshot(self) -> int:
        """Remember chain, pool and time; returns the snapshot's number."""
        identity = self._next_snapshot
        self._next_snapshot += 1
        self._snapshots[identity] = Snapshot(self.head.number, self.pool.copy(), self.time.shift)
        return identity

    def revert(self, identity: int) -> bool:
        """Bring a snapshot back and forget it and all later ones; False if it is unknown."""
        snapshot = self._snapshots.get(identity)
        if snapshot is None:
            return False
        self._snapshots = {n: kept for n, kept in self._snapshots.items() if n < identity}
        if snapshot.number < self.head.number:
            self._store.append(Rewound(snapshot.number))
        if snapshot.shift.offset != self.time.shift.offset:
            self._store.append(Shifted(snapshot.shift.offset))
        self.ledger.rewind(snapshot.number)
        self.pool = snapshot.pool
        self.time.shift = snapshot.shift
        return True

    def _replay(self, history: Iterable[Record]) -> Ledger | None:
        ledger: Ledger | None = None
        for record in history:
            match record:
                case Mined(block):
                    self._restore(block)
                    if ledger is None:
                        ledger = Ledger(block)
                    elif block.header.parent_hash == ledger.head.hash:
                        ledger.append(block)
                    else:
                        raise Halt(f"stored block {block.number} does not follow its parent")
                case Rewound(number):
                    if ledger is None or number > ledger.head.number:
                        raise Halt(f"stored rewind to block {number}, which is not there")
                    ledger.rewind(number)
                case Shifted(offset):
                    self.time.shift = Shift(offset)
        return ledger

    def _restore(self, block: Block) -> None:
        try:
            self.evm.restore(block)
        except ValueError as error:
            raise Halt(f"stored block {block.number}: {error}") from error

    def _admit(self, transaction: Transaction) -> None:
        rules.check_chain(transaction, self.evm.chain_id)
        rules.check_limits(transaction, self.head.header.gas_limit)
        rules.check_form(transaction)
        rules.check_floor(transaction)
        view = self.view(self.head)
        mined = view.nonce(transaction.sender)
        rules.check_nonce(
            transaction, mined=mined, pending=self.pool.next_nonce(transaction.sender, mined)
        )
        rules.check_balance(
            transaction,
            balance=view.balance(transaction.sender),
            promised=self.pool.promised(transaction),
        )
        self.pool.add(transaction)

    def _draft(self) -> Draft:
        head = self.head
        return self.evm.draft(
            head.header,
            timestamp=self.time.next(head.header.timestamp),
            ancestors=self.ledger.ancestors(head.number + 1),
        )

    def _fill(self, draft: Draft) -> None:
        """Add what waits, in order of arrival; a sender who does not fit waits with the rest."""
        stopped: set[bytes] = set()
        for transaction in self.pool:
            if transaction.sender in stopped:
                continue
            try:
                draft.apply(transaction)
            except DoesNotFit as reason:
                log.debug("transaction 0x%s waits: %s", transaction.hash.hex(), reason)
                stopped.add(transaction.sender)
            except Exception:
                # It would fail again in every block to come, and no other would be mined.
                self.pool.remove(transaction)
                raise

    def _mine_if_any(self) -> None:
        draft = self.pending()
        if not draft.is_empty:
            self._seal(draft)

    def _seal(self, draft: Draft) -> Block:
        block = draft.seal()
        self._store.append(Mined(block))
        self.ledger.append(block)
        for transaction in block.transactions:
            self.pool.remove(transaction)
        offset = self.time.shift.offset
        self.time.mined(block.header.timestamp)
        if self.time.shift.offset != offset:
            self._store.append(Shifted(self.time.shift.offset))
        return block
