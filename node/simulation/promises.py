"""What clients were told, and whether it came true."""

from collections import Counter
from typing import Any

from msgspec import Struct

from node.simulation.referee import Rows
from node.simulation.trace import Trace, Violation
from state.execution import Receipt
from state.transactions import SignedPrice, Transaction


class Acknowledged(Struct, frozen=True):
    """A transaction that its sender was told is in. `retries` counts those before it asked:
    an answer on its way may be overtaken by one."""

    tx: Transaction
    receipt: Receipt
    retries: int


class Promises:
    """Every acknowledgement, by the transaction's signature."""

    def __init__(self, trace: Trace) -> None:
        self.acknowledged: dict[bytes, Acknowledged] = {}
        self.refused: dict[str, str] = {}
        """Why a retry was refused, by signature in hex."""
        self.outcomes: Counter[str] = Counter()
        self._trace = trace
        trace.listeners["retry_refused"] = self._refuse

    @property
    def retries(self) -> int:
        """How often batches were undone so far: after that a receipt may be outdated."""
        counts = self._trace.counts
        return sum(
            counts[name] for name in ("batches_undone", "batch_adopted", "batches_resequenced")
        )

    def told(self, tx: Transaction, signature: bytes, receipt: Receipt, asked_after: int) -> None:
        """A client was answered. Violation where it was answered otherwise before.

        `asked_after` so many `retries` it had asked.
        """
        if not receipt.steps:
            self._trace.add("client", "refused", status=receipt.status.name, tx=signature)
            return
        self._trace.add("client", "told", status=receipt.status.name, tx=signature)
        before = self.acknowledged.get(signature)
        if before is None:
            self.acknowledged[signature] = Acknowledged(tx, receipt, asked_after)
        elif before.retries == self.retries and not _same(before.receipt, receipt):
            raise Violation("one answer", f"{tx} was told {before.receipt}, and then {receipt}")

    def check_recovered(self, service: Any, on_l1: list[Rows]) -> None:
        """After a restart the sequencer knows everything that was acknowledged."""
        history = service.engine.history
        sequencer = history.sequencer
        known = {row.signature for rows in on_l1 for row in rows}
        known |= {row.signature for batch in sequencer.batches.values() for row in batch.rows}
        known |= {row.signature for row in (sequencer.open.rows if sequencer.open else [])}
        known |= {signature for _, signature in history.owed}
        for signature, promise in self.acknowledged.items():
            if signature not in known and signature.hex() not in self.refused:
                raise Violation("acknowledged is on disk", f"{promise.tx} is gone after a restart")

    def check_kept(self, on_l1: list[Rows], receipts: dict[bytes, Receipt]) -> None:
        """At the end: everything acknowledged ran once, or was refused for a reason told."""
        times = Counter(row.signature for rows in on_l1 for row in rows)
        for signature, promise in self.acknowledged.items():
            ran = times[signature]
            if ran > 1 and not isinstance(promise.tx, SignedPrice):
                raise Violation("runs once", f"{promise.tx} ran {ran} times")
            if ran == 0:
                if signature.hex() not in self.refused:
                    raise Violation("acknowledged is kept", f"{promise.tx} is in no batch")
                self.outcomes[f"dropped {self.refused[signature.hex()]}"] += 1
                continue
            final = receipts[signature]
            if _same(final, promise.receipt):
                self.outcomes["as told"] += 1
            elif promise.retries == self.retries:
                raise Violation(
                    "fills are as told", f"{promise.tx} was told {promise.receipt}, got {final}"
                )
            else:
                self.outcomes[f"retried {final.status.name}"] += 1

    def _refuse(self, *, signature: str, reason: str, **_: Any) -> None:
        # A retry that is cut short begins again, and finds what it had done already.
        if reason != "SEQUENCE_USED":
            self.refused[signature] = reason


def _same(one: Receipt, other: Receipt) -> bool:
    return (one.status, one.fills) == (other.status, other.fills)
