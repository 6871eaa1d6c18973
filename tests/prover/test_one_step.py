"""A step from bytes: what it is given, what L1 knows, and states that no steps lead to."""

from functools import cache

import pytest
from builders import DOMAIN, VERIFIER
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from recorded_steps import RecordedStep, recorded_steps

from prover.facts import Facts
from prover.one_step import prove_step
from prover.refusal import WitnessFault, WitnessRefused
from prover.step import StepInput, decode_input
from prover.witness import Witness
from state.batch import decode_header, encode_header
from state.crypto import keccak
from state.inbox import InboxItem, decode_item, encode_item, item_hash
from state.machine import Machine, decode_machine, encode_machine
from state.packing import NotCanonical
from state.status import Status
from state.steps import Step


@cache
def first(kind: Step) -> RecordedStep:
    return next(r for r in recorded_steps(1, 150) if r.step == kind)


def run(
    recorded: RecordedStep, *, data: bytes | None = None, facts: Facts | None = None
) -> tuple[bytes, int]:
    read = recorded.given.encode() if data is None else data
    encoded = recorded.witness.encode()
    return prove_step(recorded.root_before, encoded, read, facts or recorded.facts, VERIFIER)


@pytest.mark.parametrize("kind", list(Step))
def test_an_input_goes_to_l1_and_back(kind: Step) -> None:
    recorded = first(kind)
    machine, _, _ = decode_machine(recorded.witness.machine)
    assert decode_input(machine, recorded.given.encode()) == recorded.given
    assert run(recorded)[0] == recorded.root_after


@pytest.mark.parametrize("kind", [Step.ORDER, Step.HALT])
def test_a_step_that_reads_nothing_takes_nothing(kind: Step) -> None:
    """INP-1."""
    for data in (b"\0", first(Step.BOOT).given.encode()):
        with pytest.raises(WitnessRefused, match=r"^INPUT: the step reads nothing"):
            run(first(kind), data=data)


@pytest.mark.parametrize("kind", [Step.BOOT, Step.OPEN, Step.INBOX, Step.TRANSACTION])
def test_a_step_that_reads_takes_nothing_else(kind: Step) -> None:
    """INP-1."""
    recorded = first(kind)
    data = recorded.given.encode()
    for other in (b"", data + b"\0", data[:-1], data[:30], b"\1" + data):
        with pytest.raises(WitnessRefused, match=r"^INPUT: the step reads"):
            run(recorded, data=other)


@pytest.mark.parametrize(
    ("kind", "changed", "expected"),
    [
        (Step.BOOT, {"batch_hash": bytes(31) + b"\1"}, "the header that hashes to 00"),
        (Step.INBOX, {"accumulator": bytes(31) + b"\1"}, "item 0 of the inbox, which makes"),
        (Step.INBOX, {"next_accumulator": bytes(32)}, "item 0 of the inbox, which makes 00"),
    ],
)
def test_what_l1_knows_decides_what_is_read(
    kind: Step, changed: dict[str, bytes], expected: str
) -> None:
    recorded = first(kind)
    with pytest.raises(WitnessRefused, match=f"^INPUT: the step reads {expected}"):
        run(recorded, facts=replace(recorded.facts, **changed))


@pytest.mark.parametrize("changed", [{"number": 2}, {"number": 0}, {"inbox_from": 1}])
def test_a_header_of_another_place_is_refused(changed: dict[str, int]) -> None:
    """L1 gives the hash of one batch; the machine says which batch and item are next."""
    recorded = first(Step.BOOT)
    header = encode_header(replace(decode_header(recorded.given.header), **changed))
    with pytest.raises(WitnessRefused, match=r"^INPUT: the step reads the header of batch 1, from"):
        run(recorded, data=header, facts=Facts(DOMAIN.separator, batch_hash=keccak(header)))


def test_a_void_batch_boots_without_its_chunks() -> None:
    recorded = next(r for r in recorded_steps(1, 60) if r.step == Step.BOOT and r.changes)
    root, status = run(recorded, facts=replace(recorded.facts, void=True))
    assert decode_header(recorded.given.header).chunks
    assert root != recorded.root_after and status == Status.OK


def test_a_signature_holds_for_the_deployment_of_the_facts() -> None:
    recorded = next(
        r
        for r in recorded_steps(1, 60)
        if r.step == Step.TRANSACTION and r.changes.accounts and not r.changes.machine.status
    )
    root, status = run(recorded, facts=Facts(bytes(32)))
    assert status == Status.BAD_SIGNATURE and root != recorded.root_after


def test_items_are_the_bytes_that_l1_hashes() -> None:
    item = InboxItem(3, 70_000, 1_700_000_000, bytes(range(20)), b"payload")
    assert keccak(encode_item(item)) == item_hash(item)
    assert decode_item(encode_item(item)) == item
    with pytest.raises(NotCanonical):
        decode_item(encode_item(replace(item, payload=b""))[:-1])


def of_machine(w: Witness, machine: Machine) -> Witness:
    """The witness of a state that differs in its machine."""
    _, withdrawals_root, saved = decode_machine(w.machine)
    return replace(w, machine=encode_machine(machine, withdrawals_root, saved))


def with_sums(machine: Machine, **changed: int) -> Machine:
    return replace(machine, sums=replace(machine.sums, **changed))


class Forged(Struct, frozen=True):
    """A state that somebody claims: the step that it stands before, and its machine."""

    kind: Step
    detail: str
    machine: Machine


def forged_states() -> list[Forged]:
    halt = decode_machine(first(Step.HALT).witness.machine)[0]
    order = decode_machine(first(Step.ORDER).witness.machine)[0]
    item = decode_machine(first(Step.INBOX).witness.machine)[0]
    boot = decode_machine(first(Step.BOOT).witness.machine)[0]
    return [
        Forged(Step.HALT, "money was made", replace(halt, deposited=halt.deposited + 1)),
        Forged(Step.HALT, "money was made", with_sums(halt, long_lots=halt.sums.long_lots + 1)),
        Forged(Step.HALT, "past the budget", replace(halt, steps_left=0)),
        Forged(Step.HALT, "no steps lead", replace(halt, inbox=halt.inbox + 1, inbox_end=0)),
        Forged(Step.ORDER, "past the budget", replace(order, steps_left=0)),
        Forged(Step.ORDER, "too big", replace(order, step=2**32 - 1)),
        Forged(Step.INBOX, "too big", replace(item, deposited=2**128 - 1)),
        Forged(Step.INBOX, "too big", with_sums(item, cash=2**127 - 1)),
        Forged(Step.BOOT, "no steps lead", replace(boot, inbox=2**40)),
    ]


@pytest.mark.parametrize("forged", forged_states(), ids=lambda one: f"{one.kind} {one.detail}")
def test_a_state_that_no_steps_lead_to_is_refused_not_stepped(forged: Forged) -> None:
    recorded = first(forged.kind)
    given, facts = recorded.given, recorded.facts
    if forged.kind == Step.INBOX:
        deposits = (r for r in recorded_steps(1, 150) if r.given.item and r.given.item.kind == 1)
        recorded = next(deposits)
        assert recorded.given.item is not None
        given = StepInput(item=replace(recorded.given.item, index=forged.machine.inbox))
        facts = replace(recorded.facts, next_accumulator=after(recorded.facts, given))
    if forged.kind == Step.BOOT:
        header = decode_header(given.header)
        backwards = encode_header(replace(header, inbox_from=forged.machine.inbox, inbox_to=3))
        given = StepInput(header=backwards)
        facts = replace(facts, batch_hash=keccak(backwards))
    witness = of_machine(recorded.witness, forged.machine)
    with pytest.raises(WitnessRefused, match=f"^STATE: .*{forged.detail}") as refused:
        prove_step(witness.state_root, witness.encode(), given.encode(), facts, VERIFIER)
    assert refused.value.fault == WitnessFault.STATE


def after(facts: Facts, given: StepInput) -> bytes:
    assert given.item is not None
    return keccak(facts.accumulator + item_hash(given.item))


@cache
def shapes() -> list[RecordedStep]:
    return list(recorded_steps(5, 60))


@given(data=st.data())
def test_any_machine_is_stepped_or_refused(data: st.DataObject) -> None:
    """Whatever somebody claims: a root and a status, or a refusal, and nothing else."""
    recorded = data.draw(st.sampled_from(shapes()))
    machine = bytearray(recorded.witness.machine)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(machine) - 1))
        machine[at] = data.draw(st.sampled_from([0, 1, 2, 127, 255]))
    witness = replace(recorded.witness, machine=bytes(machine))
    encoded, read = witness.encode(), recorded.given.encode()
    try:
        root, status = prove_step(witness.state_root, encoded, read, recorded.facts, VERIFIER)
    except WitnessRefused:
        return
    assert len(root) == 32 and Status(status) is not None
