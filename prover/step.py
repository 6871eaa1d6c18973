"""One step, from the state and the one thing beside it that the machine points at."""

from msgspec import Struct

from prover.refusal import WitnessFault, WitnessRefused
from state.authentication import Verifier
from state.batch import decode_header, encode_header
from state.chunks import pack_chunk, row_at, row_count
from state.crypto import keccak
from state.execution import Batch
from state.inbox import InboxItem
from state.lz4_block import CodecError
from state.machine import Machine
from state.packing import NotCanonical
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
from state.store import Changes, PreState
from state.transactions import decode_transaction


class StepInput(Struct, frozen=True):
    """What a step reads besides the state: a header (BOOT, OPEN), an item or a raw chunk.

    `void` is what derivation found of the batch; only BOOT asks.
    """

    header: bytes = b""
    item: InboxItem | None = None
    chunk: bytes = b""
    void: bool = False


def input_of(machine: Machine, batch: Batch) -> StepInput:
    """What the next step of `machine` reads of `batch`."""
    match next_step(machine):
        case Step.BOOT:
            return StepInput(header=encode_header(batch.header), void=batch.void)
        case Step.OPEN:
            return StepInput(header=encode_header(batch.header))
        case Step.INBOX:
            return StepInput(item=batch.items[machine.inbox - batch.header.inbox_from])
        case Step.TRANSACTION:
            return StepInput(chunk=pack_chunk(batch.chunks[machine.chunk]))
        case _:
            return StepInput()


def take_step(state: PreState, given: StepInput, verifier: Verifier) -> Changes:
    """The machine's next step. WitnessRefused where `given` is not what the machine names.

    L1 knows the hash of a batch to BOOT and the accumulator under an item, so those two
    are checked there.
    """
    machine = state.machine
    match next_step(machine):
        case Step.BOOT:
            return _boot(state, given)
        case Step.OPEN:
            return _open(state, given)
        case Step.INBOX:
            if given.item is None or given.item.index != machine.inbox:
                raise _wrong(f"item {machine.inbox} of the inbox")
            return take_item(state, given.item)
        case Step.TRANSACTION:
            return _transaction(state, given, verifier)
        case Step.ORDER:
            return advance_order(state)
        case Step.HALT:
            return halt(state)


def _boot(state: PreState, given: StepInput) -> Changes:
    machine = state.machine
    try:
        header = decode_header(given.header)
    except NotCanonical as error:
        raise _wrong(f"the header of batch {machine.batch + 1}") from error
    if header.number != machine.batch + 1 or header.inbox_from != machine.inbox:
        raise _wrong(f"the header of batch {machine.batch + 1}, from item {machine.inbox}")
    return boot(state, header, keccak(given.header), void=given.void)


def _open(state: PreState, given: StepInput) -> Changes:
    if keccak(given.header) != state.machine.batch_hash:
        raise _wrong(f"the header that hashes to {state.machine.batch_hash.hex()}")
    header = decode_header(given.header)
    return open_chunk(state, header.chunks[state.machine.chunk].raw_hash)


def _transaction(state: PreState, given: StepInput, verifier: Verifier) -> Changes:
    machine = state.machine
    if keccak(given.chunk) != machine.chunk_hash:
        raise _wrong(f"the raw chunk that hashes to {machine.chunk_hash.hex()}")
    try:
        row = row_at(given.chunk, machine.row)
    except CodecError as error:
        raise _wrong(f"a chunk with a row {machine.row}") from error
    last = machine.row + 1 == row_count(given.chunk)
    tx = decode_transaction(row.kind, row.row)
    return take_transaction(state, tx, row.signature, verifier, last=last)


def _wrong(expected: str) -> WitnessRefused:
    return WitnessRefused(WitnessFault.INPUT, f"the step reads {expected}, and was given another")
