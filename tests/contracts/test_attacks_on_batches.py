"""What a liar says of the batch around its transactions: BOOT, OPEN, cursors, clock and budget.

The number of an id is the case of the table in docs/testing.md.
"""

from collections.abc import Callable
from typing import Any

import pytest
from attack_world import (
    CHUNK,
    Act,
    AttackedVenue,
    Lie,
    Table,
    answered,
    is_refused,
    listed,
    quoted,
    refute,
    with_machine,
)
from builders import NOW
from evm_engines import PyEvm
from msgspec.structs import replace

from node.parity.case import Case, Ran
from prover.step import StepInput
from state.batch import BatchHeader, encode_header
from state.crypto import keccak
from state.inbox import InboxItem
from state.limits import BATCH_CHUNKS_MAX, BATCH_STEPS_MAX, TIME_MAX
from state.machine import Machine, decode_machine
from state.status import Status
from state.steps import Step, boot, open_chunk
from state.store import Changes, PreState
from state.transactions import Header


def at_boot() -> AttackedVenue:
    """Between two batches."""
    venue = quoted()
    venue.halt()
    return venue


def booting(venue: AttackedVenue, *, void: bool = False, **changed: Any) -> None:
    header = encode_header(venue.header_of_next(**changed))
    venue.take(StepInput(header=header), batch_hash=keccak(header), void=void)


def otherwise(change: Callable[[Machine], None]) -> Lie:
    """BOOT, and then something that no header says."""

    def altered(state: PreState, header: BatchHeader, hashed: bytes, *, void: bool) -> Changes:
        changes = boot(state, header, hashed, void=void)
        change(changes.machine)
        return changes

    return {"prover.step.boot": altered}


def setting(**changed: Any) -> Callable[[Machine], None]:
    def change(machine: Machine) -> None:
        for name, value in changed.items():
            setattr(machine, name, value)

    return change


def real_boot(void: bool) -> Lie:
    return {"prover.step.boot": lambda s, header, hashed, **_: boot(s, header, hashed, void=void)}


BOOTS: Table = {
    "31 a void batch with its chunks": (lambda v: booting(v, void=True), real_boot(False)),
    "31 an honest batch without them": (booting, real_boot(True)),
    "31 a chunk fewer": (
        lambda v: booting(v, chunks=(CHUNK, CHUNK)),
        otherwise(setting(chunks=1)),
    ),
    "31 a chunk more": (booting, otherwise(setting(chunks=2))),
    "30 an item fewer": (
        lambda v: booting(v, inbox_to=v.machine.inbox + 3),
        otherwise(setting(inbox_end=7)),
    ),
    "30 an item more": (booting, otherwise(setting(inbox_end=99))),
    "30 items passed over": (
        lambda v: booting(v, inbox_to=v.machine.inbox + 3),
        otherwise(lambda machine: setattr(machine, "inbox", machine.inbox + 1)),
    ),
    "29 a later clock": (booting, otherwise(setting(time=NOW + 1))),
    "29 an earlier clock": (
        lambda v: booting(v, time_min=NOW + 60),
        otherwise(setting(time=NOW)),
    ),
    "29 a wider window": (
        lambda v: booting(v, time_max=NOW + 60),
        otherwise(setting(time_max=TIME_MAX)),
    ),
    "20 another number": (booting, otherwise(setting(batch=7))),
    "20 another batch": (booting, otherwise(setting(batch_hash=keccak(b"mine")))),
    "31 a larger budget": (booting, otherwise(setting(steps_left=BATCH_STEPS_MAX))),
}


@pytest.mark.parametrize(("act", "lie"), listed(BOOTS))
def test_the_beginning_of_a_batch_cannot_be_told_otherwise(act: Act, lie: Lie) -> None:
    """Cases 20, 29, 30 and 31."""
    refute(at_boot(), act, lie)


HEADERS: dict[str, dict[str, int]] = {
    "20 a number used already": {"number": 1},
    "20 a number to come": {"number": 3},
    "20 number 0": {"number": 0},
    "30 items taken twice": {"inbox_from": 0},
    "30 an item left out": {"inbox_from": 6},
    "30 items backwards": {"inbox_to": 0},
}


@pytest.mark.parametrize("changed", HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that_does_not_follow_boots_nothing(changed: dict[str, int]) -> None:
    """Cases 20 and 30: though L1 gave its hash for the next batch's."""
    venue = at_boot()
    booting(venue)
    case = venue.shown[-1].case
    assert answered(case) == venue.shown[-1].answer
    header = encode_header(replace(at_boot().header_of_next(), **changed))
    facts = replace(case.facts, batch_hash=keccak(header))
    assert is_refused(replace(case, given=header, facts=facts))


def test_another_header_than_l1_has_boots_and_opens_nothing() -> None:
    """Cases 13 and 20: not even one that differs in its parent, its origin or a chunk's hash."""
    venue = at_boot()
    first = len(venue.shown)
    venue.boot()
    own = replace(CHUNK, raw_hash=keccak(b"mine"))
    others: list[dict[str, Any]] = [
        {"parent": b"\1" * 32},
        {"origin_hash": b"\1" * 32},
        {"inbox_accumulator": b"\1" * 32},
        {"chunks": (own,)},
        {"chunks": (CHUNK, own)},
    ]
    for step in venue.shown[first:]:
        assert answered(step.case) == step.answer
        for changed in others:
            header = encode_header(replace(at_boot().header_of_next(), **changed))
            assert is_refused(replace(step.case, given=header))


def test_another_chunk_than_the_header_names_cannot_be_opened() -> None:
    """Case 13."""
    venue = at_boot()
    lie = {"prover.step.open_chunk": lambda state, _: open_chunk(state, keccak(b"mine"))}
    refute(venue, AttackedVenue.boot, lie)


# --- which step comes next ---


def nothing_else(*_: object) -> None:
    """What is given does not matter to a liar who reads nothing."""


def in_turn(step: Step) -> Lie:
    return {"prover.step.next_step": lambda _: step, "prover.step._check_only": nothing_else}


def test_a_batch_cannot_end_before_its_last_transaction() -> None:
    """Case 31: HALT in its place."""
    refute(quoted(), lambda v: v.run(Header(NOW + 1)), in_turn(Step.HALT))


def last(venue: AttackedVenue) -> Case:
    step = venue.shown[-1]
    assert answered(step.case) == step.answer
    return step.case


def test_an_item_that_is_due_comes_before_everything_else() -> None:
    """Case 30: neither HALT nor a transaction can be shown in its place."""
    venue = quoted()
    venue.run(Header(NOW + 1))
    case = with_machine(last(venue), inbox_end=decode_machine(last(venue).machine)[0].inbox + 1)
    assert is_refused(case) and is_refused(replace(case, given=b""))
    venue.halt()
    case = with_machine(last(venue), inbox_end=decode_machine(last(venue).machine)[0].inbox + 1)
    assert is_refused(case)


def test_an_item_cannot_be_skipped_doubled_or_changed() -> None:
    """Case 30: only the one at the cursor leads from L1's accumulator to the next."""
    venue = quoted()
    venue.open("bob", 5)
    case = last(venue)
    item = venue.shown[-1].given.item
    assert item is not None
    others: list[InboxItem] = [
        replace(item, index=item.index + 1),
        replace(item, index=item.index - 1),
        replace(item, time=item.time + 1),
        replace(item, sender=b"\1" * 20),
        replace(item, kind=3),
        replace(item, payload=item.payload[:-1] + b"\x99"),
        replace(item, payload=item.payload + b"\0"),
    ]
    for other in others:
        assert is_refused(replace(case, given=StepInput(item=other).encode()))
    skipped = replace(case.facts, accumulator=case.facts.next_accumulator)
    assert is_refused(replace(case, facts=skipped))


@pytest.mark.parametrize("void", [False, True])
@pytest.mark.parametrize("chunks", [0, 1, BATCH_CHUNKS_MAX])
@pytest.mark.parametrize("items", [0, 1])
def test_an_empty_a_void_and_a_forced_batch_are_provable(
    chunks: int, items: int, void: bool
) -> None:
    """Case 31: BOOT, its items, OPEN where a chunk counts, and HALT where none does."""
    venue = at_boot()
    first, inbox = len(venue.shown), venue.machine.inbox
    booting(venue, void=void, chunks=(CHUNK,) * chunks, inbox_to=inbox + items)
    if items:
        venue.open("bob", 5)
    if chunks and not void:
        venue.take(StepInput(header=venue.shown[first].given.header))
        assert venue.machine.chunk_hash == CHUNK.raw_hash
    else:
        venue.take()
        assert venue.machine.batch_hash == bytes(32)
    for step in venue.shown[first:]:
        assert answered(step.case) == step.answer


@pytest.mark.parametrize("steps_left", [0, 1, 2])
def test_a_budget_that_is_spent_leads_to_halt_and_nowhere_else(steps_left: int) -> None:
    """Case 31: with one step left no item or transaction is taken any more."""
    venue = quoted()
    venue.run(Header(NOW + 1))
    case = with_machine(last(venue), steps_left=steps_left)
    said = answered(case)
    assert isinstance(said, Ran) == (steps_left == 2)
    halted = answered(replace(case, given=b""), PyEvm)
    assert isinstance(halted, Ran) == (steps_left == 1)


@pytest.mark.parametrize(
    ("time", "status"),
    [
        (NOW - 1, Status.TIME_BACKWARDS),
        (0, Status.TIME_BACKWARDS),
        (NOW, Status.OK),
        (NOW + 60, Status.OK),
        (NOW + 61, Status.TIME_OUT_OF_BOUNDS),
        (TIME_MAX, Status.TIME_OUT_OF_BOUNDS),
    ],
)
def test_the_clock_stays_in_the_window_of_its_batch(time: int, status: Status) -> None:
    """Case 29: at either end of it and a second beyond."""
    venue = at_boot()
    booting(venue, time_min=NOW - 60, time_max=NOW + 60)
    assert venue.run(Header(time)).status == status
    last(venue)
