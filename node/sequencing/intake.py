"""What traders hand in, waiting for its turn: a bounded queue, and why it may be closed."""

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import StrEnum

from node.errors import Retry
from node.view import SignedTransaction, Stops
from state.execution import Receipt
from state.transactions import Transaction


class UnavailableReason(StrEnum):
    """Why the sequencer takes no transactions just now."""

    OVERLOADED = "overloaded"
    CATCHING_UP = "catching_up"
    BACKLOG = "backlog"
    L1_SILENT = "l1_silent"
    STOPPING = "stopping"


class Unavailable(Retry):
    """Nothing was done with the transaction: the same one may be sent again."""

    def __init__(self, reason: UnavailableReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


def stopping() -> Unavailable:
    """Whoever asks during a shutdown hears this."""
    detail = "the sequencer was stopped; send it again after its restart"
    return Unavailable(UnavailableReason.STOPPING, detail)


class Pending:
    """A transaction whose sender waits for the receipt."""

    __slots__ = ("answer", "client_order_id", "signature", "tx")

    def __init__(self, tx: Transaction, signature: bytes, client_order_id: str = "") -> None:
        self.tx = tx
        self.signature = signature
        self.client_order_id = client_order_id
        self.answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()

    def receive(self, receipt: Receipt) -> None:
        # Whoever asked may have left.
        if not self.answer.done():
            self.answer.set_result(receipt)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def outcomes(pendings: Sequence[Pending]) -> list[Receipt | Exception]:
    """What became of each, once all are answered."""
    found: list[Receipt | Exception] = []
    for pending in pendings:
        try:
            found.append(await pending.answer)
        except Exception as error:
            found.append(error)
    return found


class Parcel:
    """Transactions that stay together; after one that `stops` says yes to, the rest is left."""

    __slots__ = ("pendings", "stops")

    def __init__(self, pendings: Sequence[Pending], stops: Stops | None = None) -> None:
        self.pendings = pendings
        self.stops = stops

    def fail(self, error: Exception) -> None:
        for pending in self.pendings:
            pending.fail(error)


class Intake:
    """First in, first out; at most `depth` transactions wait."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._parcels: deque[Parcel] = deque()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def put(self, tx: Transaction, signature: bytes, client_order_id: str = "") -> Pending:
        """Unavailable (overloaded) where the queue is full."""
        (pending,) = self.put_batch([SignedTransaction(tx, signature, client_order_id)])
        return pending

    def put_batch(
        self, batch: Sequence[SignedTransaction], stops: Stops | None = None
    ) -> Sequence[Pending]:
        """All of them, one behind the other, or Unavailable (overloaded) and none."""
        if self._waiting + len(batch) > self.depth:
            raise Unavailable(
                UnavailableReason.OVERLOADED,
                f"{self._waiting} transactions wait already, and {len(batch)} more do not fit into "
                f"a queue of {self.depth}; send it again in a moment",
            )
        pendings = [Pending(one.tx, one.signature, one.client_order_id) for one in batch]
        self._parcels.append(Parcel(pendings, stops))
        self._waiting += len(pendings)
        return pendings

    def take(self, count: int) -> list[Parcel]:
        """The next parcels of at most `count` transactions together; one at least, however large.

        None where `count` is zero.
        """
        taken: list[Parcel] = []
        while self._parcels and count > 0:
            size = len(self._parcels[0].pendings)
            if taken and size > count:
                break
            taken.append(self._parcels.popleft())
            self._waiting -= size
            count -= size
        return taken

    def fail(self, error: Exception) -> None:
        """Answer everything that waits with `error`."""
        for parcel in self._parcels:
            parcel.fail(error)
        self._parcels.clear()
        self._waiting = 0
