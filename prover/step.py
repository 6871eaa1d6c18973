"""One step, from the state and the one thing beside it that the machine points at."""

from msgspec import Struct
from msgspec.structs import replace

from prover.facts import Facts
from prover.refusal import WitnessFault, WitnessRefused
from state.authentication import Verifier
from state.batch import decode_header, encode_header
from state.chunks import pack_chunk, row_at, row_count
from state.crypto import keccak
from state.execution import Batch
from state.inbox import InboxItem, accumulate, decode_item, encode_item
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
    """What a step reads besides the state: a header (BOOT, OPEN), an item or a raw chunk."""

    header: bytes = b""
    item: InboxItem | None = None
    chunk: bytes = b""

    def encode(self) -> bytes:
        """The bytes that L1 is given; a step reads one of the three at most."""
        item = b"" if self.item is None else encode_item(self.item)
        parts = [part for part in (self.header, item, self.chunk) if part]
        assert len(parts) <= 1, "a step reads one thing"
        return parts[0] if parts else b""


NOTHING = StepInput()


def decode_input(machine: Machine, data: bytes) -> StepInput:
    """What the next step of `machine` is given by `data`. WitnessRefused (INPUT) where it
    reads something of another form, or nothing."""
    match next_step(machine):
        case Step.BOOT | Step.OPEN:
            return StepInput(header=data)
        case Step.INBOX:
            try:
                return StepInput(item=decode_item(data))
            except NotCanonical as error:
                raise _wrong(f"item {machine.inbox} of the inbox") from error
        case Step.TRANSACTION:
            return StepInput(chunk=data)
        case _:
            if data:
                raise _wrong("nothing")
            return NOTHING


def input_of(machine: Machine, batch: Batch) -> StepInput:
    """What the next step of `machine` reads of `batch`."""
    match next_step(machine):
        case Step.BOOT | Step.OPEN:
            return StepInput(header=encode_header(batch.header))
        case Step.INBOX:
            return StepInput(item=batch.items[machine.inbox - batch.header.inbox_from])
        case Step.TRANSACTION:
            return StepInput(chunk=pack_chunk(batch.chunks[machine.chunk]))
        case _:
            return NOTHING


def take_step(state: PreState, given: StepInput, facts: Facts, verifier: Verifier) -> Changes:
    """The machine's next step, its signatures checked for the deployment of the facts.

    WitnessRefused (INPUT) where `given` is not what the machine and the facts name.
    """
    machine = state.machine
    match next_step(machine):
        case Step.BOOT:
            return _boot(state, given, facts)
        case Step.OPEN:
            return _open(state, given)
        case Step.INBOX:
            return _item(state, given, facts)
        case Step.TRANSACTION:
            domain = replace(verifier.domain, separator=facts.separator)
            return _transaction(state, given, Verifier(domain, verifier.recover))
        case Step.ORDER:
            _check_only(given, NOTHING, "nothing")
            return advance_order(state)
        case Step.HALT:
            _check_only(given, NOTHING, "nothing")
            return halt(state)


def _boot(state: PreState, given: StepInput, facts: Facts) -> Changes:
    machine = state.machine
    expected = f"the header of batch {machine.batch + 1}, from item {machine.inbox}"
    _check_only(given, StepInput(header=given.header), expected)
    if keccak(given.header) != facts.batch_hash:
        raise _wrong(f"the header that hashes to {facts.batch_hash.hex()}")
    try:
        header = decode_header(given.header)
    except NotCanonical as error:
        raise _wrong(expected) from error
    if header.number != machine.batch + 1 or header.inbox_from != machine.inbox:
        raise _wrong(expected)
    return boot(state, header, facts.batch_hash, void=facts.void)


def _open(state: PreState, given: StepInput) -> Changes:
    machine = state.machine
    expected = f"the header that hashes to {machine.batch_hash.hex()}"
    _check_only(given, StepInput(header=given.header), expected)
    if keccak(given.header) != machine.batch_hash:
        raise _wrong(expected)
    try:
        chunks = decode_header(given.header).chunks
    except NotCanonical as error:
        raise _wrong(expected) from error
    if machine.chunk >= len(chunks):
        raise _wrong(f"a header with a chunk {machine.chunk}")
    return open_chunk(state, chunks[machine.chunk].raw_hash)


def _item(state: PreState, given: StepInput, facts: Facts) -> Changes:
    expected = f"item {state.machine.inbox} of the inbox"
    item = given.item
    if item is None or given != StepInput(item=item) or item.index != state.machine.inbox:
        raise _wrong(expected)
    if accumulate(facts.accumulator, item) != facts.next_accumulator:
        raise _wrong(f"{expected}, which makes {facts.next_accumulator.hex()}")
    return take_item(state, item)


def _transaction(state: PreState, given: StepInput, verifier: Verifier) -> Changes:
    machine = state.machine
    expected = f"the raw chunk that hashes to {machine.chunk_hash.hex()}"
    _check_only(given, StepInput(chunk=given.chunk), expected)
    if keccak(given.chunk) != machine.chunk_hash:
        raise _wrong(expected)
    try:
        row = row_at(given.chunk, machine.row)
    except CodecError as error:
        raise _wrong(f"a chunk with a row {machine.row}") from error
    last = machine.row + 1 == row_count(given.chunk)
    tx = decode_transaction(row.kind, row.row)
    return take_transaction(state, tx, row.signature, verifier, last=last)


def _check_only(given: StepInput, read: StepInput, expected: str) -> None:
    """Nothing beside what the step reads is handed in with it."""
    if given != read:
        raise _wrong(expected)


def _wrong(expected: str) -> WitnessRefused:
    return WitnessRefused(WitnessFault.INPUT, f"the step reads {expected}, and was given another")
