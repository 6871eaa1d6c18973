"""Attacks on one step: whatever is shown of it is judged by the router and by its twin in Python.

A liar runs the rules with one of them altered, and so comes to a root of its own from a sound
witness. It is refuted where neither side gives that root: not for the witness that the step
really has, and not for the liar's.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from builders import DOMAIN, NOW, VERIFIER, Venue, listing
from evm_engines import Engine, Pyrevm, Reverted
from msgspec import Struct
from msgspec.structs import replace
from step_world import StepContracts

from node.parity.case import Answer, Case, Ran, Refused, agree, answer_of, case_of, twin
from prover.facts import Facts
from prover.post_state import root_after
from prover.recording import RecordingState
from prover.step import NOTHING, StepInput, take_step
from prover.witness import Witness
from prover.witness_reader import decode_witness
from prover.witness_state import WitnessState
from state.batch import BatchHeader, ChunkCommitment, encode_header
from state.chunks import Row, pack_chunk
from state.commitment import Commitment
from state.crypto import ZERO_HASH, keccak
from state.execution import Receipt
from state.inbox import InboxItem, accumulate
from state.limits import TIME_MAX
from state.machine import Machine, Phase, decode_machine, encode_machine
from state.status import Status
from state.transactions import Transaction, encode_transaction

Lie = Mapping[str, object]
"""Names of `state/` or `prover/`, and what a liar runs in their place."""

Act = Callable[["AttackedVenue"], object]
Table = dict[str, tuple[Act, Lie]]
"""What happens, and what a liar says of it, by the number of the case and a name."""

MARK = 500_000
"""Ticks of the markets of the tests."""

CHUNK = ChunkCommitment(9, keccak(b"compressed"), keccak(b"raw"))


class Shown(Struct, frozen=True):
    """A step as it is shown, what it comes to, and the trees that it was taken over."""

    case: Case
    answer: Ran
    trees: Commitment
    witness: Witness
    given: StepInput


@cache
def contracts(engine: type[Engine] = Pyrevm) -> StepContracts:
    """One deployment for all: nothing that a test does to it stays."""
    return StepContracts(engine())


def answered(case: Case, engine: type[Engine] = Pyrevm) -> Answer:
    """What the router says of these bytes, and Python the same."""
    world = contracts(engine)
    try:
        said = answer_of(world.engine.call(world.router, case.calldata()))
    except Reverted as reverted:
        said = Refused(str(reverted))
    python = twin(case, VERIFIER)
    assert agree(said, python), f"L1 says {said}, Python {python}"
    return said


def is_refused(case: Case) -> bool:
    """Whether both refuse it."""
    return isinstance(answered(case), Refused)


def listed(table: Table) -> list[Any]:
    """The parameters of a test."""
    return [pytest.param(*row, id=name) for name, row in table.items()]


def always(value: object) -> Callable[..., Any]:
    """A function of anything that returns `value`."""
    return lambda *_, **__: value


@dataclass
class AttackedVenue(Venue):
    """A venue whose every step is kept as it would be shown, and as a liar would show it."""

    shown: list[Shown] = field(default_factory=list)
    lied: list[Shown] = field(default_factory=list)
    lie: Lie | None = None
    accumulator: bytes = ZERO_HASH

    @property
    def machine(self) -> Machine:
        return self.state.machine

    def boot(self) -> None:
        header = encode_header(self.header_of_next())
        self.take(StepInput(header=header), batch_hash=keccak(header))
        self.take(StepInput(header=header))

    def header_of_next(self, **changed: Any) -> BatchHeader:
        """The header of the batch to come: no item, and one chunk."""
        inbox = self.machine.inbox
        header = BatchHeader(
            number=self.machine.batch + 1,
            parent=ZERO_HASH,
            inbox_from=inbox,
            inbox_to=inbox,
            inbox_accumulator=self.accumulator,
            origin_number=0,
            origin_hash=ZERO_HASH,
            time_min=0,
            time_max=TIME_MAX,
            chunks=(CHUNK,),
        )
        return replace(header, **changed)

    def halt(self) -> None:
        self.machine.chunk, self.machine.chunks = 1, 1
        self.machine.inbox_end = self.machine.inbox
        self.take()

    def run(self, tx: Transaction, signature: bytes = b"") -> Receipt:
        return self.run_row(Row(*encode_transaction(tx), signature))

    def run_row(self, row: Row) -> Receipt:
        """Every step of a transaction that is a chunk of its own."""
        chunk, machine, first = pack_chunk([row]), self.machine, len(self.shown)
        machine.inbox_end, machine.chunk, machine.chunks = machine.inbox, 0, 1
        machine.row, machine.chunk_hash = 0, keccak(chunk)
        self.take(StepInput(chunk=chunk))
        while self.machine.order.phase != Phase.IDLE:
            self.take()
        return Receipt(Status(self.machine.status), (), len(self.shown) - first)

    def item(self, kind: int, payload: bytes, sender: bytes = bytes(20)) -> Status:
        item = InboxItem(kind, next(self.items), NOW, sender, payload)
        self.machine.inbox_end = item.index + 1
        before, self.accumulator = self.accumulator, accumulate(self.accumulator, item)
        self.take(StepInput(item=item), accumulator=before, next_accumulator=self.accumulator)
        return Status(self.machine.status)

    def take(self, given: StepInput = NOTHING, **facts: Any) -> None:
        told, trees = Facts(DOMAIN.separator, **facts), self.committer.commit()
        if self.lie is not None:
            self.lied.append(self._altered(self.lie, given, told, trees))
        recording = RecordingState(self.state, trees)
        changes = take_step(recording, given, told, VERIFIER)
        witness = recording.witness(changes)
        self.state.apply(changes)
        answer = Ran(self.committer.commit().state_root, self.machine.status)
        self.shown.append(Shown(case_of(witness, given, told), answer, trees, witness, given))

    def _altered(self, lie: Lie, given: StepInput, told: Facts, trees: Commitment) -> Shown:
        recording = RecordingState(self.state, trees)
        with ExitStack() as altered:
            for name, replacement in lie.items():
                altered.enter_context(patch(name, replacement))
            changes = take_step(recording, given, told, VERIFIER)
        witness = recording.witness(changes)
        root = root_after(WitnessState(witness, trees.state_root), changes)
        answer = Ran(root, changes.machine.status)
        return Shown(case_of(witness, given, told), answer, trees, witness, given)


def refute(venue: AttackedVenue, act: Act, lie: Lie) -> None:
    """`act` is what really happens; the first step of it that the liar has otherwise is shown."""
    first = len(venue.shown)
    venue.lie = lie
    act(venue)
    venue.lie = None
    pairs = zip(venue.shown[first:], venue.lied, strict=True)
    true, false = next((t, f) for t, f in pairs if t.answer != f.answer)
    venue.lied.clear()
    assert answered(true.case) == true.answer
    assert answered(false.case) != false.answer


def with_machine(case: Case, **changed: Any) -> Case:
    """The same step of a state that differs in its machine, whose root is right again."""
    machine, withdrawals_root, saved = decode_machine(case.machine)
    return with_machine_bytes(
        case, encode_machine(replace(machine, **changed), withdrawals_root, saved)
    )


def with_machine_bytes(case: Case, machine: bytes) -> Case:
    """As `with_machine`, of bytes that need not be a machine."""
    forged = replace(case, machine=machine)
    return replace(forged, root=witness_of(forged).state_root)


def witness_of(case: Case) -> Witness:
    return decode_witness(case.witness)


def quoted() -> AttackedVenue:
    """Alice sells ten at the mark, carol behind her and one tick above; dave has three dollars."""
    venue = AttackedVenue(markets=(listing(),))
    for name in ("alice", "bob", "carol"):
        venue.open(name, 10_000)
    venue.open("dave", 3)
    venue.sell("alice", 10, MARK)
    venue.sell("carol", 10, MARK)
    venue.sell("carol", 10, MARK + 1)
    return venue


def started(**changed: Any) -> AttackedVenue:
    """Alice and bob, with a market as `changed`; bob has a second subaccount."""
    venue = AttackedVenue(markets=(listing(**changed),))
    venue.open("alice", 10_000)
    venue.open("bob", 10_000)
    venue.open("bob", 1, subaccount=1)
    return venue


def checked(venue: AttackedVenue, first: int = 0) -> None:
    """Every step from `first` on comes to the root of the whole trees, on both sides."""
    for shown in venue.shown[first:]:
        assert answered(shown.case) == shown.answer
