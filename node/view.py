"""What a running node shows: the seam between the services and their JSON-RPC.

The sequencer and the follower both offer a `VenueView`; the sequencer also takes
transactions. Nothing here does any work.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

from node.conservation import Figures
from state.book_changes import BookChange
from state.commitment import Commitment
from state.eip712 import Domain
from state.execution import Receipt
from state.inbox import InboxItem
from state.memory import MemoryState
from state.store import Fill
from state.transactions import Transaction
from state.undo import Place

if TYPE_CHECKING:
    from node.tape.tape import Tape


class Heads(Struct, frozen=True):
    """The last batch at each degree of certainty, and the L1 block this was seen at.

    `unsafe`: the node executed it. `safe`: it is on L1. `finalized`: that L1 block is final.
    `confirmed`: its claim is settled, so withdrawals in it are paid.
    """

    unsafe: int = 0
    safe: int = 0
    finalized: int = 0
    confirmed: int = 0
    l1_block: int = 0


class BatchRecord(Struct, frozen=True, kw_only=True):
    """One sealed or derived batch, for readers."""

    number: int
    state_root: bytes
    withdrawals_root: bytes
    steps: int
    transactions: int
    orders: int
    fills: int
    items: int
    raw_bytes: int
    time_min: int
    time_max: int
    compressed_bytes: int = 0
    batch_hash: bytes = b""
    void: str = ""
    posted_block: int = 0
    posted_transaction: bytes = b""
    withdrawals: int = 0
    """How many withdrawals there are in all after this batch."""
    figures: Figures | None = None
    """What it left of money and lots; None in a record that an older version kept."""


class ClaimRecord(Struct, frozen=True, kw_only=True):
    """A claim on L1 that agrees with this node's own output of `batch`.

    `output` is its encoding: with `parent` what L1 asks for to pay a withdrawal.
    `claimed_at` and `confirmable_at` are seconds of L1; the blocks are zero until they exist.
    """

    batch: int
    claim: bytes
    parent: bytes = b""
    output: bytes = b""
    claimed_block: int = 0
    claimed_at: int = 0
    confirmable_at: int = 0
    confirmed_block: int = 0


class MadeClaim(Struct, frozen=True, kw_only=True):
    """Any claim on L1, right or wrong, beside what this node executed.

    `status` is pending, confirmed or rejected; `differences` are (field, claimed, executed), none
    where the claim is right. `claimed_at` is in seconds of L1.
    """

    claim: bytes
    parent: bytes
    claimant: bytes
    claimed_block: int
    claimed_at: int
    status: str
    figures: Figures
    differences: tuple[tuple[str, str, str], ...] = ()


class PaymentRecord(Struct, frozen=True, kw_only=True):
    """A withdrawal that L1 has paid."""

    index: int
    block: int
    transaction: bytes = b""


class SequencedReceipt(Receipt, frozen=True, kw_only=True):
    """A receipt that knows the batch its transaction went into, and what it left behind there.

    `resting_lots` of the order, which is of `market`, are in the book; `withdrawal` is an index,
    `key_epoch` that of a new session key. A `resubmission` was executed before and has the
    answer it had then.
    """

    batch: int
    client_order_id: str = ""
    market: int | None = None
    resting_lots: int = 0
    withdrawal: int | None = None
    key_epoch: int | None = None
    resubmission: bool = False


class SignedTransaction(Struct, frozen=True):
    """What a trader hands in; the client order id beside it is not signed."""

    tx: Transaction
    signature: bytes
    client_order_id: str = ""


Stops = Callable[[Transaction, Receipt | Exception], bool]
"""Whether what became of a transaction ends its batch."""


class NotAttempted(Exception):
    """Nothing was done: a transaction before it in its batch was refused."""


class Executed(Struct, frozen=True, gc=False, kw_only=True):
    """One transaction or inbox item that ran, in the place where it ran.

    Exactly one of `tx` and `item` is there. What was refused but consumed a sequence number is
    told too; resubmissions and what left no trace are not. `book` is what it did to resting
    orders, its own and those it met.
    """

    batch: int
    time: int
    receipt: Receipt
    tx: Transaction | None = None
    item: InboxItem | None = None
    book: tuple[BookChange, ...] = ()


class Update(Struct, frozen=True, kw_only=True):
    """What became visible at once: a group that the sequencer has on disk, or a follower's batch.

    `number` counts updates of this run of the node from 1 without gaps. `places` are all leaves
    that may differ from what the update before it left. `rewound` is the batch that the venue
    went back to before `executed` ran: what was told of later batches is void, so read anew.
    """

    number: int
    executed: tuple[Executed, ...] = ()
    places: frozenset[Place] = frozenset()
    rewound: int | None = None


class FeedEvent(Struct, frozen=True):
    """A fill with its place. `number` counts all fills of the venue, the same on every node."""

    number: int
    batch: int
    time: int
    fill: Fill


class FillFeed:
    """Fills of the venue as they are told; slow readers lose their queue, not ours.

    After a rewind they go on behind the number that the venue went back to.
    """

    def __init__(self, depth: int = 10_000) -> None:
        self._depth = depth
        self._readers: set[asyncio.Queue[FeedEvent | None]] = set()
        self.last = 0

    def publish(self, batch: int, time: int, fill: Fill, number: int | None = None) -> None:
        """Hand a fill to every reader; a full reader gets None and is dropped.

        `number` is its place among all fills of the venue; without one, the next.
        """
        self.last = self.last + 1 if number is None else number
        event = FeedEvent(self.last, batch, time, fill)
        for queue in list(self._readers):
            if queue.full():
                queue.get_nowait()
                queue.put_nowait(None)
                self._readers.discard(queue)
            else:
                queue.put_nowait(event)

    def subscribe(self) -> asyncio.Queue[FeedEvent | None]:
        """A queue of what comes from now on; None says that this reader was too slow."""
        queue: asyncio.Queue[FeedEvent | None] = asyncio.Queue(self._depth)
        self._readers.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[FeedEvent | None]) -> None:
        self._readers.discard(queue)


class UpdateFeed:
    """Updates for everybody who watches: slow readers lose their queue, not ours.

    `is_behind` says whether the state has gone further than what was told; it has not while
    an update is published, so who listens reads exactly what is told.
    """

    def __init__(self, depth: int = 4_096, is_behind: Callable[[], bool] = lambda: False) -> None:
        self._depth = depth
        self._readers: set[asyncio.Queue[Update | None]] = set()
        self._listeners: list[Callable[[Update], None]] = []
        self.is_behind = is_behind
        self.last = 0

    def listen(self, listener: Callable[[Update], None]) -> None:
        """Call `listener`, which does not raise, with each update while it is published."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[Update], None]) -> None:
        self._listeners.remove(listener)

    def publish(
        self,
        executed: Sequence[Executed] = (),
        places: Iterable[Place] = (),
        rewound: int | None = None,
    ) -> None:
        """Number an update and hand it to every reader; a full reader gets None and is dropped."""
        self.last += 1
        update = Update(
            number=self.last, executed=tuple(executed), places=frozenset(places), rewound=rewound
        )
        for listener in list(self._listeners):
            listener(update)
        for queue in list(self._readers):
            if queue.full():
                queue.get_nowait()
                queue.put_nowait(None)
                self._readers.discard(queue)
            else:
                queue.put_nowait(update)

    def subscribe(self) -> asyncio.Queue[Update | None]:
        """A queue of what comes from now on; None says that this reader was too slow."""
        queue: asyncio.Queue[Update | None] = asyncio.Queue(self._depth)
        self._readers.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Update | None]) -> None:
        self._readers.discard(queue)


class VenueView(Protocol):
    """A node as its readers see it. `state` is read, never written; `proof_system` may be empty."""

    role: str
    domain: Domain
    token: bytes
    proof_system: str
    fills: FillFeed
    updates: UpdateFeed

    @property
    def state(self) -> MemoryState: ...

    @property
    def heads(self) -> Heads: ...

    @property
    def tape(self) -> "Tape":
        """Trades, candles, orders and profit, as far back as they are kept."""
        ...

    def commitment(self) -> Commitment:
        """Trees and root of `state` as it stands; cheap when nothing changed since."""
        ...

    def batch(self, number: int) -> BatchRecord | None: ...

    def problems(self) -> list[str]:
        """What keeps this node from working as it should, each with its mend; empty when well."""
        ...


@runtime_checkable
class SettlementView(Protocol):
    """What a view may offer on top: claims and payments on L1, for who waits for a withdrawal."""

    def claim(self, batch: int) -> ClaimRecord | None:
        """The claim on `batch` that this node holds to be right, None before there is one."""
        ...

    def payment(self, index: int) -> PaymentRecord | None:
        """The payment of withdrawal `index`, None before it is paid."""
        ...

    def claims_on(self, batch: int) -> Sequence[MadeClaim]:
        """Every claim on `batch`, in L1's order."""
        ...

    def paid(self, withdrawals: int) -> int:
        """What L1 has paid so far of the first `withdrawals`, in micro-USDC."""
        ...


class VenueWriter(VenueView, Protocol):
    """The sequencer."""

    async def submit(self, tx: Transaction, signature: bytes, client_order_id: str = "") -> Receipt:
        """The receipt, after the transaction is on disk. A refused one has an identity status.

        A `SequencedReceipt` where the batch is known. `node.errors.Retry` while the node
        cannot take transactions, `node.errors.Halt` when it never will again, ClientOrderIdUsed.
        """
        ...

    def hand_in(
        self, batch: Sequence[SignedTransaction], *, stops: Stops | None = None
    ) -> Sequence[asyncio.Future[Receipt]]:
        """As `submit_batch`, queued when this returns; the last is answered when all are.

        Whoever hands in first is executed first.
        """
        ...

    async def submit_batch(
        self, batch: Sequence[SignedTransaction], *, stops: Stops | None = None
    ) -> list[Receipt | Exception]:
        """Executed in order with nothing between them, one sync: each one's receipt or error.

        After the first that `stops` says yes to the others are `NotAttempted`. Raises what
        `submit` raises where nothing of it was done.
        """
        ...
