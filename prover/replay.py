"""Replay: derived batches, executed one after the other from genesis."""

from collections import deque

from msgspec import Struct

from prover.derivation import Derived
from state.authentication import Verifier
from state.batch import Output, claim_id, output_after
from state.book_changes import BookChange, BookWatch
from state.chunks import chunk_size
from state.commitment import Commitment, Committer, genesis_root
from state.crypto import ZERO_HASH
from state.execution import Receipt, run_batch
from state.inbox import InboxItem
from state.invariants import check_invariants
from state.limits import WITHDRAWALS_DEPTH
from state.machine import Machine
from state.memory import MemoryState
from state.status import Status
from state.store import Fill
from state.transactions import Transaction
from state.transactions.kinds import Kind
from state.tree import empty_root
from state.undo import Place, Undo, places_of

UNDO_BATCHES_MAX = 64
"""Batches that can be taken back without replaying from genesis."""


class Ran(Struct, frozen=True, gc=False, kw_only=True):
    """A transaction or an inbox item, what became of it, and the venue's time then.

    `book` is what it did to resting orders.
    """

    time: int
    receipt: Receipt
    tx: Transaction | None = None
    item: InboxItem | None = None
    book: tuple[BookChange, ...] = ()


class Replayed(Struct, frozen=True, kw_only=True):
    """What a batch came to: all that ran, in order, and the `places` that it wrote."""

    output: Output
    transactions: int
    orders: int
    items: int
    raw_bytes: int
    statuses: dict[Status, int]
    ran: tuple[Ran, ...]
    places: frozenset[Place]

    @property
    def fills(self) -> tuple[tuple[int, Fill], ...]:
        """Its fills, with the time of the venue at which they happened."""
        return tuple((ran.time, fill) for ran in self.ran for fill in ran.receipt.fills)


def genesis_output() -> Output:
    """The output of batch 0, the same for every deployment: its batch hash is zero.

    A deployment is told its hash before it has an address, so it cannot name one.
    """
    return output_after(Machine(), ZERO_HASH, genesis_root(), empty_root(WITHDRAWALS_DEPTH))


def genesis_claim() -> bytes:
    """The claim that every claim descends from."""
    return claim_id(ZERO_HASH, genesis_output())


class Version(Struct, frozen=True):
    """The venue after a batch, and how to take the batch back."""

    commitment: Commitment
    undo: list[Undo]


class Replayer:
    """The venue as batches leave it. `check` recomputes every sum from all leaves after each."""

    def __init__(self, verifier: Verifier, *, check: bool = True) -> None:
        self.verifier = verifier
        self.check = check
        self.state = MemoryState()
        self._committer = Committer(self.state)
        self._commitment = self._committer.commit()
        self._versions: deque[Version] = deque(maxlen=UNDO_BATCHES_MAX)
        self.places: set[Place] = set()
        """Everything that was written since `forget_places`."""

    @property
    def number(self) -> int:
        """The last batch."""
        return self.state.machine.batch

    def commitment(self) -> Commitment:
        """Trees and root after the last batch."""
        return self._commitment

    def apply(self, derived: Derived) -> Replayed:
        """Execute the next batch. AssertionError where the rules broke their own invariants:
        what stands then is not a state of the venue, and this replayer is done for."""
        ran: list[Ran] = []
        books = BookWatch(self.state)

        def keep(tx: Transaction, _: bytes, receipt: Receipt) -> None:
            time, book = self.state.machine.time, books.take()
            ran.append(Ran(time=time, receipt=receipt, tx=tx, book=book))

        def keep_item(item: InboxItem, receipt: Receipt) -> None:
            ran.append(Ran(time=self.state.machine.time, receipt=receipt, item=item))

        receipts = run_batch(
            self.state, derived.batch, self.verifier, on_receipt=keep, on_item=keep_item
        )
        machine = self.state.machine
        assert machine.is_conserved, f"batch {machine.batch} made or lost money"
        if self.check:
            check_invariants(self.state)
        self._commitment = commitment = self._committer.commit()
        version = Version(commitment, self.state.cut())
        self._versions.append(version)
        places = places_of(version.undo)
        self.places |= places
        output = output_after(
            machine, derived.batch_hash, commitment.state_root, commitment.withdrawals.root
        )
        return _summary(derived, output, receipts, ran, places)

    def resume(self, state: MemoryState) -> None:
        """Go on from a state that was kept, as if its batches had just been executed."""
        assert self.number == 0, "something was executed already"
        self.state, self._committer = state, Committer(state)
        self._commitment = self._committer.commit()

    @property
    def oldest(self) -> int:
        """The first batch whose commitment is still known."""
        return self.number - len(self._versions) + 1

    def version(self, number: int) -> Commitment:
        """Trees and root after a batch from `oldest` on."""
        return self._versions[number - self.oldest].commitment

    def forget_places(self, number: int) -> None:
        """What was written up to batch `number` was seen to; of later batches it stays."""
        self.places = self.written_after(number)

    def written_after(self, number: int) -> set[Place]:
        """What the batches after `number` wrote, as far back as they are known."""
        kept = list(self._versions)[max(0, number + 1 - self.oldest) :]
        return set().union(*(places_of(version.undo) for version in kept))

    def state_after(self, number: int) -> MemoryState | None:
        """A copy of the state behind a batch that is still known, or that `oldest` followed."""
        if not self.oldest - 1 <= number <= self.number:
            return None
        state = self.state.snapshot()
        for version in list(self._versions)[::-1][: self.number - number]:
            # What undoes a batch is used up by it.
            state.undo(list(version.undo))
        return state

    def rewind(self, number: int) -> bool:
        """Take back every batch after `number`; False, and nothing done, where that is too many."""
        if self.number - number > len(self._versions):
            return False
        while self.number > number:
            self.state.undo(self._versions.pop().undo)
        self._commitment = self._committer.commit()
        return True


def _summary(
    derived: Derived,
    output: Output,
    receipts: list[Receipt],
    ran: list[Ran],
    places: set[Place],
) -> Replayed:
    statuses: dict[Status, int] = {}
    for receipt in receipts:
        statuses[receipt.status] = statuses.get(receipt.status, 0) + 1
    chunks = derived.batch.chunks
    return Replayed(
        output=output,
        transactions=len(receipts),
        orders=sum(row.kind == Kind.ORDER for rows in chunks for row in rows),
        items=len(derived.batch.items),
        raw_bytes=sum(chunk_size(row.kind for row in rows) for rows in chunks),
        statuses=statuses,
        ran=tuple(ran),
        places=frozenset(places),
    )
