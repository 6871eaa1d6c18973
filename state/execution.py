"""Running steps over a state: a transaction at a time, or a whole batch."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from state.authentication import Verifier
from state.batch import BatchHeader, batch_hash
from state.chunks import Row
from state.inbox import InboxItem
from state.machine import Phase
from state.status import STATUSES, Status
from state.steps import (
    Step,
    advance_order,
    boot,
    halt,
    next_step,
    open_chunk,
    take_item,
    take_transaction,
)
from state.store import Changes, Fill, PreState
from state.transactions import Transaction, decode_transaction

OnStep = Callable[[Step, Changes], None]


class AppliedState(PreState, Protocol):
    """A state that what steps write is written into."""

    def apply(self, changes: Changes) -> None: ...


class Receipt(Struct, frozen=True, gc=False):
    """What became of one transaction or item: its status, its fills, its steps."""

    status: Status
    fills: tuple[Fill, ...]
    steps: int


OnReceipt = Callable[[Transaction, bytes, Receipt], None]
"""Told of a transaction and its signature once it has run."""

OnItem = Callable[[InboxItem, Receipt], None]
"""Told of an inbox item once it has run."""


class Batch(Struct, frozen=True):
    """A batch as derived from L1. A void one has no chunks, whatever its header says."""

    header: BatchHeader
    items: Sequence[InboxItem]
    chunks: Sequence[Sequence[Row]]
    void: bool = False


def run_transaction(
    state: AppliedState,
    tx: Transaction,
    signature: bytes,
    verifier: Verifier,
    *,
    last: bool = False,
    on_step: OnStep | None = None,
) -> Receipt:
    """Every step of one transaction, applied."""
    changes = take_transaction(state, tx, signature, verifier, last=last)
    _apply(state, Step.TRANSACTION, changes, on_step)
    fills, steps = finish_order(state, on_step)
    return Receipt(STATUSES[state.machine.status], fills, 1 + steps)


def finish_order(
    state: AppliedState, on_step: OnStep | None = None
) -> tuple[tuple[Fill, ...], int]:
    """Every step of the order in progress, if there is one: its fills, and their number."""
    fills: list[Fill] = []
    steps = 0
    while state.machine.order.phase != Phase.IDLE:
        changes = advance_order(state)
        _apply(state, Step.ORDER, changes, on_step)
        # What a killed order traded before RESTORE did not happen.
        fills = [] if changes.rewind == "restore" else fills + changes.events
        steps += 1
    return tuple(fills), steps


def run_batch(
    state: AppliedState,
    batch: Batch,
    verifier: Verifier,
    on_step: OnStep | None = None,
    on_receipt: OnReceipt | None = None,
    on_item: OnItem | None = None,
) -> list[Receipt]:
    """BOOT to HALT, in the order `next_step` reads off the machine.

    A receipt for every transaction that ran; where the budget ends early, the rest did not.
    """
    header = batch.header
    booted = boot(state, header, batch_hash(header), void=batch.void)
    _apply(state, Step.BOOT, booted, on_step)
    receipts: list[Receipt] = []
    while (step := next_step(state.machine)) != Step.BOOT:
        machine = state.machine
        if step == Step.INBOX:
            item = batch.items[machine.inbox - header.inbox_from]
            _apply(state, step, take_item(state, item), on_step)
            if on_item is not None:
                on_item(item, Receipt(STATUSES[state.machine.status], (), 1))
        elif step == Step.OPEN:
            raw_hash = header.chunks[machine.chunk].raw_hash
            _apply(state, step, open_chunk(state, raw_hash), on_step)
        elif step == Step.TRANSACTION:
            rows = batch.chunks[machine.chunk]
            row, last = rows[machine.row], machine.row + 1 == len(rows)
            tx = decode_transaction(row.kind, row.row)
            receipts.append(
                run_transaction(state, tx, row.signature, verifier, last=last, on_step=on_step)
            )
            if on_receipt is not None:
                on_receipt(tx, row.signature, receipts[-1])
        else:
            assert step == Step.HALT, "a transaction runs to its last step"
            _apply(state, step, halt(state), on_step)
    return receipts


def _apply(state: AppliedState, step: Step, changes: Changes, on_step: OnStep | None) -> None:
    state.apply(changes)
    if on_step is not None:
        on_step(step, changes)
