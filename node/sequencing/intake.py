"""What traders hand in, waiting for its turn: a bounded queue, and why it may be closed."""

import asyncio
from collections import deque
from enum import StrEnum

from node.errors import Retry
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


class Pending:
    """A transaction whose sender waits for the receipt."""

    __slots__ = ("answer", "signature", "tx")

    def __init__(self, tx: Transaction, signature: bytes) -> None:
        self.tx = tx
        self.signature = signature
        self.answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()

    def receive(self, receipt: Receipt) -> None:
        # Whoever asked may have left.
        if not self.answer.done():
            self.answer.set_result(receipt)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Intake:
    """First in, first out; at most `depth` wait."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._queue: deque[Pending] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, tx: Transaction, signature: bytes) -> Pending:
        """Unavailable (overloaded) where the queue is full."""
        if len(self._queue) >= self.depth:
            raise Unavailable(
                UnavailableReason.OVERLOADED,
                f"{self.depth} transactions wait already; send it again in a moment",
            )
        pending = Pending(tx, signature)
        self._queue.append(pending)
        return pending

    def take(self, count: int) -> list[Pending]:
        """The next `count`, or what there is."""
        return [self._queue.popleft() for _ in range(min(count, len(self._queue)))]

    def fail(self, error: Exception) -> None:
        """Answer everything that waits with `error`."""
        while self._queue:
            self._queue.popleft().fail(error)
