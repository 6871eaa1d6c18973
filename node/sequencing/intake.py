"""What traders hand in, waiting for its turn: a bounded queue, and why it may be closed."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum

from node.errors import Retry
from node.signers.frames import Known
from node.signers.process import Request
from node.view import SignedTransaction, Stops
from sequencer.sequencer import row_of
from state.chunks import Row
from state.execution import Receipt
from state.transactions import Transaction

Ask = Callable[[Sequence[Row]], Request | None]
"""Has the signers of rows recovered ahead of the rules: `SignerPool.ask`."""


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

    __slots__ = ("answer", "client_order_id", "row", "signature", "tx")

    def __init__(self, tx: Transaction, signature: bytes, client_order_id: str = "") -> None:
        self.tx = tx
        self.signature = signature
        self.row = row_of(tx, signature)
        self.client_order_id = client_order_id
        self.answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()

    def receive(self, receipt: Receipt) -> None:
        # Whoever asked may have left.
        if not self.answer.done():
            self.answer.set_result(receipt)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def outcomes(answers: Sequence[asyncio.Future[Receipt]]) -> list[Receipt | Exception]:
    """What became of each, once all are answered."""
    found: list[Receipt | Exception] = []
    for answer in answers:
        try:
            found.append(await answer)
        except Exception as error:
            found.append(error)
    return found


class Parcel:
    """Transactions that stay together; after one that `stops` says yes to, the rest is left.

    `signers` is what was asked about their signatures, None where nobody works ahead.
    """

    __slots__ = ("pendings", "signers", "stops")

    def __init__(
        self,
        pendings: Sequence[Pending],
        stops: Stops | None = None,
        signers: Request | None = None,
    ) -> None:
        self.pendings = pendings
        self.stops = stops
        self.signers = signers

    @property
    def is_ready(self) -> bool:
        """Whether nothing more is found out about its signatures by waiting."""
        return self.signers is None or self.signers.is_done

    @property
    def known(self) -> Known:
        """What was found out ahead."""
        return self.signers.known if self.signers is not None else {}

    def fail(self, error: Exception) -> None:
        for pending in self.pendings:
            pending.fail(error)


class Intake:
    """First in, first out; at most `depth` transactions wait.

    With `ask` the signatures of what comes in are looked at while it waits.
    """

    def __init__(self, depth: int, ask: Ask | None = None) -> None:
        self.depth = depth
        self._ask = ask
        self._parcels: deque[Parcel] = deque()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    @property
    def is_ready(self) -> bool:
        """Whether there is something to take."""
        return bool(self._parcels) and self._parcels[0].is_ready

    def fills(self, count: int) -> bool:
        """Whether as many as `count` transactions may be taken now."""
        for parcel in self._parcels:
            if count <= 0 or not parcel.is_ready:
                break
            count -= len(parcel.pendings)
        return count <= 0

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
        signers = None
        if self._ask is not None:
            # What fits no row is malformed, whoever signed it.
            signers = self._ask([one.row for one in pendings if one.row is not None])
        self._parcels.append(Parcel(pendings, stops, signers))
        self._waiting += len(pendings)
        return pendings

    def take(self, count: int) -> list[Parcel]:
        """The next parcels of at most `count` transactions together; the first however large.

        None where `count` is zero, and none behind the first that is not ready.
        """
        taken: list[Parcel] = []
        while self.is_ready and count > 0:
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
