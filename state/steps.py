"""The machine's steps: BOOT, inbox item, OPEN, transaction, order step, HALT.

Every step goes through `begin`, which takes it off the budget. What comes next is
read off the machine alone (`next_step`), so a step is a function of the state.
"""

from collections.abc import Callable
from enum import Enum

from msgspec.structs import replace

from state.authentication import Verifier
from state.batch import BatchHeader
from state.block import block_step
from state.cancelling import cancel_step
from state.crypto import ZERO_HASH
from state.inbox import InboxItem, apply_item
from state.limits import BATCH_STEPS_MAX
from state.machine import NO_BLOCK, Machine, Phase
from state.matching import order_step
from state.status import Status
from state.store import Changes, PreState
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    Header,
    NewOrder,
    RevokeKey,
    SignedPrice,
    Transaction,
    Transfer,
)
from state.transactions.add_key import apply_add_key
from state.transactions.amend import apply_amend
from state.transactions.block_trade import admit_block_trade
from state.transactions.cancel import apply_cancel
from state.transactions.cancel_all import apply_cancel_all
from state.transactions.header import apply_header
from state.transactions.order import admit_order
from state.transactions.price import apply_price
from state.transactions.revoke_key import apply_revoke_key
from state.transactions.transfer import apply_transfer
from state.transactions.withdraw import apply_withdraw


class Step(Enum):
    """What the machine does next."""

    BOOT = "boot"
    ORDER = "order"
    INBOX = "inbox"
    OPEN = "open"
    TRANSACTION = "transaction"
    HALT = "halt"


def next_step(machine: Machine) -> Step:
    """Read off the machine: the batch, the order, the budget, then the cursors in turn."""
    if machine.batch_hash == ZERO_HASH:
        return Step.BOOT
    if machine.order.phase != Phase.IDLE:
        return Step.ORDER
    if machine.steps_left == 1:
        return Step.HALT
    if machine.inbox < machine.inbox_end:
        return Step.INBOX
    if machine.chunk < machine.chunks:
        return Step.OPEN if machine.chunk_hash == ZERO_HASH else Step.TRANSACTION
    return Step.HALT


def begin(state: PreState) -> Changes:
    """A layer for one step, which is taken off the budget."""
    changes = Changes(state)
    machine = changes.machine
    assert machine.steps_left > 0, "a step past the budget"
    machine.step += 1
    machine.steps_left -= 1
    return changes


def boot(state: PreState, header: BatchHeader, batch_hash: bytes, *, void: bool) -> Changes:
    """BOOT: the batch's hash, bounds, inbox range and chunks; a void batch has none.

    The clock moves up to the batch's earliest time.
    """
    changes = Changes(state)
    machine = changes.machine
    assert machine.batch_hash == ZERO_HASH and header.number == machine.batch + 1
    assert header.inbox_from == machine.inbox <= header.inbox_to
    machine.batch, machine.batch_hash = header.number, batch_hash
    machine.step, machine.steps_left, machine.status = 1, BATCH_STEPS_MAX - 1, Status.OK
    machine.time_min, machine.time_max = header.time_min, header.time_max
    # L1 holds time_min near its own time: a batch without a header cannot freeze the clock.
    machine.time = max(machine.time, header.time_min)
    machine.inbox_end = header.inbox_to
    machine.chunks = 0 if void else len(header.chunks)
    return changes


def take_item(state: PreState, item: InboxItem) -> Changes:
    """The inbox item at the cursor."""
    changes = begin(state)
    assert item.index == changes.machine.inbox
    changes.machine.inbox += 1
    changes.machine.status = apply_item(changes, item)
    return changes


def open_chunk(state: PreState, raw_hash: bytes) -> Changes:
    """OPEN: from here on transactions are read from the raw chunk of this hash."""
    changes = begin(state)
    changes.machine.chunk_hash = raw_hash
    changes.machine.row = 0
    return changes


def take_transaction(
    state: PreState, tx: Transaction, signature: bytes, verifier: Verifier, *, last: bool
) -> Changes:
    """The transaction at the cursor; `last` in its chunk. What takes more stays in registers."""
    steps_left = state.machine.steps_left
    changes = begin(state)
    machine = changes.machine
    if last:
        machine.chunk, machine.row, machine.chunk_hash = machine.chunk + 1, 0, ZERO_HASH
    else:
        machine.row += 1
    machine.status = _apply(changes, tx, signature, verifier, steps_left)
    return changes


def _apply(
    changes: Changes, tx: Transaction, signature: bytes, verifier: Verifier, steps_left: int
) -> Status:
    match tx:
        case NewOrder():
            return admit_order(changes, tx, signature, verifier, steps_left)
        case Cancel():
            return apply_cancel(changes, tx, signature, verifier)
        case CancelAll():
            return apply_cancel_all(changes, tx, signature, verifier, steps_left)
        case Amend():
            return apply_amend(changes, tx, signature, verifier, steps_left)
        case BlockTrade():
            return admit_block_trade(changes, tx, signature, verifier, steps_left)
        case AddKey():
            return apply_add_key(changes, tx, signature, verifier)
        case RevokeKey():
            return apply_revoke_key(changes, tx, signature, verifier)
        case SignedPrice():
            return apply_price(changes, tx, signature, verifier)
        case Header():
            return apply_header(changes, tx)
        case Transfer():
            return apply_transfer(changes, tx, signature, verifier)
        case _:
            return apply_withdraw(changes, tx, signature, verifier)


def advance_order(state: PreState) -> Changes:
    """The next step of the transaction in progress."""
    changes = begin(state)
    _PHASES[changes.machine.order.phase](changes)
    return changes


def _save(changes: Changes) -> None:
    """SAVE: keep what stands; a FOK goes on to its fronts, a block trade to its legs."""
    machine = changes.machine
    changes.save()
    phase = Phase.LEG if machine.block.count > 0 else Phase.MATCH
    machine.order = replace(machine.order, phase=phase)


_PHASES: dict[int, Callable[[Changes], None]] = {
    Phase.SAVE: _save,
    Phase.MATCH: order_step,
    Phase.CANCEL: cancel_step,
    Phase.LEG: block_step,
}


def halt(state: PreState) -> Changes:
    """HALT: conservation holds, and what belonged to the batch alone becomes zero."""
    changes = begin(state)
    machine = changes.machine
    assert machine.is_conserved, "money was made or lost"
    assert machine.order.phase == Phase.IDLE
    assert machine.block == NO_BLOCK and machine.saved is None
    assert machine.inbox == machine.inbox_end
    machine.batch_hash = ZERO_HASH
    machine.steps_left = machine.status = 0
    machine.time_min = machine.time_max = machine.inbox_end = 0
    machine.chunk = machine.chunks = machine.row = 0
    machine.chunk_hash = ZERO_HASH
    return changes
