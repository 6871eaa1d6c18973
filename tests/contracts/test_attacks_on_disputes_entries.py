"""Attacks on what may be entered: dead parents, other batches, outputs that lie, another beginning.

Games are of the toy machine. The number of an id is the case of the table in docs/testing.md.
"""

from typing import Any

import pytest
import toy_calls
from dispute_ends import both, check_won
from dispute_world import HONEST, LIAR, OTHER, DisputeWorld
from evm_engines import Engine, Reverted
from toy_machine import (
    BATCH,
    LEAVES,
    ROOTS,
    WITHDRAWALS,
    ToyBatch,
    ToyTrace,
    honest,
    later,
    lying,
    root_of_state,
    written,
)
from toy_rollup import CONFIRMED, PENDING, REJECTED, SET_CLAIM, ZERO

from contracts.abi import keccak
from contracts.dispute_events import PublishedLog

LIE = lying({5: later(1)})
SECOND = ToyBatch(2, 8)


@pytest.fixture
def world(engine: Engine) -> DisputeWorld:
    return DisputeWorld(engine)


# --- before L1 knows that a batch is void ---


def test_the_right_trace_of_a_void_batch_cannot_be_lost_before_l1_knows(
    world: DisputeWorld,
) -> None:
    """Case 47: a liar enters it early and refutes it; a lie behind the right BOOT waits."""
    void = ToyBatch(is_void=True)
    early = world.enter(honest(void), LIAR)
    world.send(toy_calls.refute(early.id, early.trace, 0, None), LIAR)
    wrong = world.enter(lying({1: later(1)}, void), LIAR)
    with pytest.raises(Reverted, match="entries: entered already"):
        world.enter(honest(void), HONEST)
    world.post(void)
    right = world.enter(honest(void), HONEST)
    assert right.id == keccak(early.id + world.dispute)
    with pytest.raises(Reverted, match="entries: entered already"):
        world.enter(honest(void), OTHER)
    world.fight(world.match_of(right), right)
    check_won(world, right, early, wrong)
    with pytest.raises(Reverted, match="entries: window is over"):
        world.enter(honest(void), LIAR)


# --- claims that are dead, or that never stood ---


def test_a_claim_on_a_rejected_parent_cannot_be_entered(world: DisputeWorld) -> None:
    """Case 47: a parent that was rejected takes its children with it."""
    genesis = world.parent
    world.open(SECOND, LIE, genesis, REJECTED)
    world.set_head(1, world.honest().claim(genesis))
    with pytest.raises(Reverted, match="entries: parent is rejected"):
        world.enter(honest(SECOND, LIE.last))


def test_a_grandchild_of_a_wrong_claim_dies_when_its_parent_is_passed_over(
    world: DisputeWorld,
) -> None:
    """Case 47: it may be entered while its parent may still confirm, and no longer."""
    genesis = world.parent
    world.open(SECOND, LIE, genesis, PENDING)
    grandchild, rival = honest(SECOND, LIE.last), lying({2: later(5)}, SECOND, LIE.last)
    entry = world.enter(grandchild)
    world.set_head(1, world.honest().claim(genesis))
    with pytest.raises(Reverted, match="entries: parent is rejected"):
        world.enter(rival, OTHER)
    world.set_head(2, keccak(b"the right claim on batch 2"))
    world.redeem(entry)
    assert world.credits(LIAR) == 0


def test_every_parent_has_its_own_dispute(world: DisputeWorld) -> None:
    """Case 47: the same trace under another parent is another entry, and meets nobody here."""
    first = world.enter(world.honest(), HONEST)
    world.open(ToyBatch(), ToyTrace((world.before,), ToyBatch(0), changes={"fees": 1}))
    second = world.enter(world.honest(), HONEST)
    assert first.trace.root == second.trace.root
    assert first.id != second.id
    assert world.alive() == [first, second]
    assert not world.matches


def test_a_claim_that_nobody_made_or_that_is_settled_cannot_be_entered(
    world: DisputeWorld,
) -> None:
    """Case 48: not before it is claimed, nor once it is confirmed or rejected."""
    trace = world.honest()
    for status in (0, CONFIRMED, REJECTED):
        claim = trace.claim(world.parent)
        world.tell(SET_CLAIM, claim, 1, status, OTHER)
        with pytest.raises(Reverted, match="entries: not a pending claim"):
            world.send_entry(trace, HONEST)
    world.enter(trace, HONEST)


@pytest.mark.parametrize("change", ["grandparent", "parent_output"])
def test_a_parent_that_is_not_contested_has_no_entries(world: DisputeWorld, change: str) -> None:
    """Cases 48 and 50: nor one that was made up, whose state is another beginning."""
    output = ToyTrace((world.before,), ToyBatch(0), changes={"fees": 1}).output
    strange: dict[str, Any] = {"grandparent": keccak(b"strange"), "parent_output": output}
    with pytest.raises(Reverted, match="entries: parent is not contested"):
        world.enter(world.honest(), HONEST, **{change: strange[change]})


# --- outputs that are not of their state ---


OTHER_OUTPUTS: dict[str, dict[str, int | bytes]] = {
    "48 of another batch": {"batch": 2},
    "49 with more steps": {"steps": 11},
    "49 with fewer steps": {"steps": 9},
    "49 with all steps": {"steps": 65_536},
    "49 with another inbox": {"inbox": 1},
    "49 with more deposited": {"deposited": 1},
    "49 with more withdrawn": {"withdrawn": 1},
    "49 with more cash": {"cash": 1},
    "49 with less dust": {"dust": -1},
    "49 with lots": {"long_lots": 1, "short_lots": 1},
    "49 with other withdrawals": {"withdrawals_root": keccak(b"other")},
}


@pytest.mark.parametrize("changes", OTHER_OUTPUTS.values(), ids=OTHER_OUTPUTS.keys())
def test_an_output_that_is_not_of_its_state_root_cannot_be_entered(
    world: DisputeWorld, changes: dict[str, int | bytes]
) -> None:
    """Cases 48 and 49: it can be claimed, and nobody can defend it."""
    with pytest.raises(Reverted, match="traces: output of another machine"):
        world.enter(lying({}, changes=changes))


def test_the_state_behind_an_output_must_be_shown_whole(world: DisputeWorld) -> None:
    """Case 49: another machine, other roots, a machine cut or drawn out."""
    trace = world.honest()
    another = written(trace.last, WITHDRAWALS, keccak(b"other"))
    for changes in ({"machine": another}, {"roots": ROOTS[::-1]}):
        with pytest.raises(Reverted, match="traces: machine of another state"):
            world.enter(trace, HONEST, **changes)
    with pytest.raises(Reverted, match="traces: wrong machine length"):
        world.enter(trace, HONEST, machine=trace.last[:-1])
    with pytest.raises(Reverted):
        world.enter(trace, HONEST, machine=trace.last + b"\0")


def test_a_trace_that_ends_in_the_middle_of_its_batch_cannot_be_entered(
    world: DisputeWorld,
) -> None:
    """Case 49: its machine is not at rest, so it is the state of no output."""
    endless = lying({}, ToyBatch(steps=LEAVES + 1))
    with pytest.raises(Reverted, match="traces: machine is not at rest"):
        world.enter(endless)


def test_a_trace_that_is_padded_with_something_else_cannot_be_entered(
    world: DisputeWorld,
) -> None:
    """Case 49: the last leaf is the output's state root, or it is no trace of it."""
    with pytest.raises(Reverted, match="disputes: last leaf of another trace"):
        world.enter(lying({}, junk={LEAVES - 1: keccak(b"padding")}))
    with pytest.raises(Reverted, match="traces: output of another machine"):
        world.enter(lying({}, changes={"steps": LEAVES}))


@pytest.mark.parametrize("steps", [2, 9, 11, LEAVES], ids=lambda steps: f"49 {steps} steps")
def test_a_trace_that_ends_too_early_or_too_late_loses(world: DisputeWorld, steps: int) -> None:
    """Case 49: its steps agree with its output, but not with the batch."""
    lie = lying({}, ToyBatch(steps=steps))
    right, wrong, match = both(world, lie, honest_first=True)
    assert world.descend(match) == min(steps, 10) - 1
    world.settle(match, right)
    check_won(world, right, wrong)


def test_the_trace_of_another_batch_loses(world: DisputeWorld) -> None:
    """Case 48: the steps of batch 2, said to be those of batch 1, differ from the first on."""
    shifted = honest(ToyBatch(2, 8))
    machines = tuple(written(machine, BATCH, 1) for machine in shifted.machines)
    with pytest.raises(Reverted, match="traces: output of another machine"):
        world.enter(ToyTrace(shifted.machines, ToyBatch(), changes={"batch": 1}))
    right, wrong, _ = both(world, ToyTrace(machines, ToyBatch()), honest_first=True)
    world.refute(wrong, 0)
    check_won(world, right, wrong)


# --- the beginning ---


def test_a_trace_that_begins_elsewhere_than_at_genesis_loses(world: DisputeWorld) -> None:
    """Case 50: leaf 0 follows from the state root of the parent's output and from nothing else."""
    elsewhere = later(3)(world.before)
    right, wrong, match = both(world, honest(before=elsewhere), honest_first=True)
    with pytest.raises(Reverted, match="disputes: not the parent's state"):
        world.refute(wrong, 0)
    with pytest.raises(Reverted, match="disputes: not the parent's state"):
        world.refute(right, 0, previous=root_of_state(elsewhere), machine=elsewhere)
    assert world.descend(match) == 0
    world.settle(match, right)
    check_won(world, right, wrong)


def test_a_batch_that_was_voided_takes_every_entry_that_executed_it(world: DisputeWorld) -> None:
    """Case 47: matched or waiting, each ends by its leaf 0 in one call, as late as it is known."""
    executed = [lying({at: later(at)}) for at in range(3, 6)]
    wrong = [world.enter(trace, LIAR) for trace in executed]
    void = ToyBatch(1, 10, is_void=True)
    world.batch = void
    world.post(void)
    right = world.enter(world.honest(), HONEST)
    assert len(world.matches) == 2
    for entry in wrong:
        world.refute(entry, 0, previous=root_of_state(world.before), machine=world.before)
    with pytest.raises(Reverted, match="disputes: leaf is right"):
        world.refute(right, 0)
    check_won(world, right, *wrong)


# --- published traces ---


@pytest.fixture
def published(engine: Engine) -> DisputeWorld:
    """A deployment that takes entries of batches of up to ten steps only with all their roots."""
    return DisputeWorld(engine, published_steps=10)


def test_a_short_trace_cannot_be_hidden(published: DisputeWorld) -> None:
    """Case 39: what is published is refuted in one call, at whichever step it lies."""
    with pytest.raises(Reverted, match="disputes: roots must be published"):
        published.enter(LIE)
    right = published.enter_published(published.honest(), HONEST)
    for at in range(10):
        lie = published.enter_published(lying({at: later(1)}))
        published.refute(lie, at)
        assert published.alive() == [right]
    longer = published.enter(lying({}, ToyBatch(steps=11)))
    published.fight(published.match_of(longer), right)
    check_won(published, right, longer)


@pytest.mark.parametrize("steps", range(2, LEAVES + 1))
def test_published_roots_are_logged_and_make_the_same_tree(engine: Engine, steps: int) -> None:
    """Case 49: padding included; entered again without its roots it is the same entry."""
    world = DisputeWorld(engine, ToyBatch(steps=steps))
    entry = world.enter_published(world.honest(), HONEST)
    assert world.entry(entry.id).trace_root == entry.trace.root
    (log,) = (log for log in world.log if isinstance(log, PublishedLog))
    assert log.leaves == b"".join(entry.trace.leaves[:steps])
    with pytest.raises(Reverted, match="entries: entered already"):
        world.enter(world.honest())


def test_published_roots_are_one_a_step_and_end_in_the_output(published: DisputeWorld) -> None:
    """Case 49: not one root more or less, whatever the output says."""
    trace = published.honest()
    attempts: list[tuple[list[bytes], str]] = [
        (trace.leaves[:9], "disputes: not one root a step"),
        (trace.leaves[:11], "disputes: not one root a step"),
        ([], "disputes: not one root a step"),
        ([*trace.leaves[1:10], ZERO], "disputes: last leaf of another trace"),
    ]
    for leaves, reason in attempts:
        with pytest.raises(Reverted, match=reason):
            published.enter_published(trace, HONEST, leaves=leaves)
    beyond = lying({}, ToyBatch(steps=LEAVES + 1), size=2 * LEAVES)
    with pytest.raises(Reverted, match="disputes: not one root a step"):
        published.enter_published(beyond)
