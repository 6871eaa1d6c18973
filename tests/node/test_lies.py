"""Every lie bites where it should, and is sound in everything that a claim is checked for."""

import pytest
from builders import VERIFIER
from evil_world import LIAR, NUMBERS, EvilWorld

from node.evil.kinds import IN_WORDS, Kind
from node.evil.lying import Executed, executed, lying_trace
from node.evil.patching import in_force
from node.evil.rules import LOOT, account_of, lying_rules
from node.parity.kinds import Pair, StepKind
from node.proving.steps import pair_in
from prover.derivation import Derived
from prover.trace import trace_batch
from state.batch import encode_output
from state.commitment import state_root
from state.crypto import keccak
from state.invariants import check_invariants
from state.machine import decode_machine
from state.status import Status
from state.steps import Step
from state.store import Changes
from state.units import NANO_PER_MICRO
from state.withdrawals import Withdrawal

FIRST_WRONG: dict[Kind, Pair] = {
    Kind.ROOT: (StepKind.HALT, Status.OK),
    Kind.STEP: (StepKind.MATCH, None),
    Kind.PRIORITY: (StepKind.MATCH, None),
    Kind.MARGIN: (StepKind.WITHDRAW, Status.MARGIN_TOO_LOW),
    Kind.SEQUENCE: (StepKind.ORDER, Status.SEQUENCE_USED),
    Kind.CHUNK: (StepKind.BOOT, Status.OK),
    Kind.WITHDRAWAL: (StepKind.ORDER, Status.OK),
    Kind.INBOX: (StepKind.ITEM_DEPOSIT, Status.OK),
    Kind.STALL: (StepKind.MATCH, None),
}
"""What the first step really is that a liar has otherwise."""


def lie(world: EvilWorld, kind: Kind) -> tuple[Derived, Executed]:
    """The batch as anybody derives it, and as the liar executes it."""
    true = world.bait(kind)
    with in_force(lying_rules(kind, LIAR.address)):
        derived = world.derived()
    place = (world.replayer.state, world.replayer.commitment(), derived.batch)
    return true, lying_trace(kind, *place, VERIFIER, LIAR.address)


def truth(world: EvilWorld, derived: Derived) -> Executed:
    return executed(world.replayer.state, world.replayer.commitment(), derived.batch, VERIFIER)


def pairs_of(world: EvilWorld, derived: Derived) -> list[Pair]:
    """Every step of a batch by kind and status."""
    state, found = world.replayer.state.snapshot(), []
    machine = state.machine

    def keep(_: Step, changes: Changes) -> None:
        nonlocal machine
        found.append(pair_in(derived.batch, machine, changes))
        machine = changes.machine

    trace_batch(state, world.replayer.commitment(), derived.batch, VERIFIER, keep)
    return found


@pytest.mark.parametrize("kind", Kind)
def test_a_lie_bites_at_the_step_that_it_is_about(kind: Kind) -> None:
    world = EvilWorld()
    derived, false = lie(world, kind)
    true = truth(world, derived)
    assert false.output != true.output
    first = next(
        at
        for at, (one, other) in enumerate(zip(true.roots, false.roots, strict=False))
        if one != other
    )
    assert pairs_of(world, derived)[first] == FIRST_WRONG[kind]


@pytest.mark.parametrize("kind", Kind)
def test_a_lie_passes_every_check_of_a_claim(kind: Kind) -> None:
    world = EvilWorld()
    derived, false = lie(world, kind)
    output, header = false.output, derived.batch.header
    assert output.is_conserved
    assert output.batch_hash == derived.batch_hash and output.batch == header.number
    assert output.inbox == header.inbox_to and output.steps == len(false.roots)
    assert output.deposited == truth(world, derived).output.deposited
    assert output.state_root == state_root(*false.parts, keccak(false.machine)) == false.roots[-1]
    machine, withdrawals_root, _ = decode_machine(false.machine)
    assert machine.batch_hash == bytes(32) and machine.step == output.steps
    assert withdrawals_root == output.withdrawals_root
    # What the contract compares byte for byte.
    assert encode_output(output)[118:] in false.machine


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.ROOT])
def test_a_liar_can_go_on_from_the_lie(kind: Kind) -> None:
    """The state it leads to is sound in itself, and the next batch runs over it."""
    world = EvilWorld()
    world.bait(kind)
    with in_force(lying_rules(kind, LIAR.address)):
        world.take(world.derived())
    check_invariants(world.replayer.state)
    world.take(world.bait(Kind.STEP))
    check_invariants(world.replayer.state)


@pytest.mark.parametrize(
    ("kind", "loot"),
    [(Kind.STEP, LOOT), (Kind.STALL, LOOT), (Kind.INBOX, 5_000 * 10**6)],
)
def test_money_goes_to_the_liar(kind: Kind, loot: int) -> None:
    world = EvilWorld()
    before = world.replayer.state.account(NUMBERS["judy"]).cash
    world.bait(kind)
    with in_force(lying_rules(kind, LIAR.address)):
        world.take(world.derived())
    after = world.replayer.state.account(NUMBERS["judy"]).cash
    assert after - before == loot * NANO_PER_MICRO


@pytest.mark.parametrize(
    ("kind", "amount"), [(Kind.WITHDRAWAL, LOOT), (Kind.MARGIN, 6_000 * 10**6)]
)
def test_a_withdrawal_to_the_liar_stands_in_the_tree(kind: Kind, amount: int) -> None:
    world = EvilWorld()
    world.bait(kind)
    with in_force(lying_rules(kind, LIAR.address)):
        world.take(world.derived())
    (found,) = world.replayer.state.withdrawals
    assert isinstance(found, Withdrawal)
    assert (found.recipient, found.amount) == (LIAR.address, amount)


def test_the_worst_price_trades_first() -> None:
    world = EvilWorld()
    world.bait(Kind.PRIORITY)
    with in_force(lying_rules(Kind.PRIORITY, LIAR.address)):
        replayed = world.replayer.apply(world.derived())
    ((_, fill),) = replayed.fills
    assert fill.maker == NUMBERS["alice"]


def test_a_replayed_order_trades_twice() -> None:
    world = EvilWorld()
    world.bait(Kind.SEQUENCE)
    with in_force(lying_rules(Kind.SEQUENCE, LIAR.address)):
        replayed = world.replayer.apply(world.derived())
    names = [fill.taker_order for _, fill in replayed.fills]
    assert len(names) == 2 and names[0] == names[1]


@pytest.mark.parametrize("kind", Kind)
def test_after_a_lie_the_rules_are_the_true_ones_again(kind: Kind) -> None:
    world = EvilWorld()
    before = truth(world, world.bait(kind))
    with in_force(lying_rules(kind, LIAR.address)):
        world.derived()
    assert truth(world, world.derived()) == before


@pytest.mark.parametrize("kind", Kind)
def test_rules_come_back_where_what_runs_by_them_breaks(kind: Kind) -> None:
    world = EvilWorld()
    before = truth(world, world.bait(kind))
    rules = lying_rules(kind, LIAR.address)
    with pytest.raises(ZeroDivisionError), in_force(rules):
        raise ZeroDivisionError
    assert truth(world, world.derived()) == before


@pytest.mark.parametrize("kind", [Kind.STEP, Kind.INBOX, Kind.STALL])
def test_a_liar_without_an_account_has_nothing_to_gain(kind: Kind) -> None:
    world = EvilWorld()
    derived = world.bait(kind)
    nobody = bytes(20)
    assert account_of(world.replayer.state, nobody) is None
    place = (world.replayer.state, world.replayer.commitment(), derived.batch)
    assert lying_trace(kind, *place, VERIFIER, nobody) == truth(world, derived)


def test_every_kind_is_told_in_words() -> None:
    assert list(IN_WORDS) == list(Kind)
