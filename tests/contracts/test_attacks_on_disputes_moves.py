"""Moves that are none: children of something else, moves out of turn, and moves after the end.

Games are of the toy machine. The number of an id is the case of the table in docs/testing.md.
"""

from collections.abc import Callable
from typing import Any

import pytest
import toy_calls
from dispute_ends import both, won
from dispute_world import HONEST, LIAR, DisputeWorld, Entry
from evm_engines import Engine, Reverted
from toy_machine import LEAVES, REST, ROOTS, later, lying
from toy_rollup import ZERO

from contracts import disputes
from contracts.abi import keccak

JUNK = keccak(b"no state")
LIE = lying({5: later(1)})


@pytest.fixture
def world(engine: Engine) -> DisputeWorld:
    return DisputeWorld(engine)


# --- wrong children ---


@pytest.mark.parametrize("moves", range(4), ids=lambda moves: f"42 after {moves} moves")
def test_children_that_do_not_hash_to_their_node_are_refused(
    world: DisputeWorld, moves: int
) -> None:
    """Case 42: of the node itself, and of the child that comes next; nothing changes."""
    right, wrong, match = both(world, lying({5: later(1)}), honest_first=True)
    for _ in range(moves):
        world.advance(match)
    found, before = world.match(match), world.mover(match)
    trace, other = before.trace, (wrong if before == right else right).trace
    left, right_child = trace.children(found.height, found.index)
    other_left, other_right = other.children(found.height, found.index)
    for one, two in (
        (ZERO, ZERO),
        (left, JUNK),
        (JUNK, right_child),
        (right_child, left),
        (other_left, other_right),
    ):
        with pytest.raises(Reverted, match="matches: not the children of the mover's node"):
            world.advance(match, left=one, right=two)
    if found.height > 1:
        child = 2 * found.index + (left == other_left)
        next_left, next_right = trace.children(found.height - 1, child)
        elsewhere = trace.children(found.height - 1, child ^ 1)
        theirs = other.children(found.height - 1, child)
        reason = "matches: not the children of the node that differs"
        for below in ((ZERO, ZERO), (next_right, next_left), elsewhere, theirs, (JUNK, next_right)):
            with pytest.raises(Reverted, match=reason):
                world.advance(match, next_left=below[0], next_right=below[1])
    else:
        for below in ((JUNK, ZERO), (ZERO, JUNK)):
            with pytest.raises(Reverted, match="matches: leaves have no children"):
                world.advance(match, next_left=below[0], next_right=below[1])
    assert world.match(match) == found
    world.descend(match)


def test_wrong_children_at_entry_are_refused(world: DisputeWorld) -> None:
    """Case 42: children, first leaf and last leaf must all be under the trace root."""
    trace = world.honest()
    left, right = trace.children(trace.height, 0)
    branch = trace.branch(0)
    first, last = "disputes: first leaf of", "disputes: last leaf of"
    for changes, reason in (
        ({"left": right, "right": left}, "disputes: children of another root"),
        ({"left": JUNK}, "disputes: children of another root"),
        ({"trace_root": JUNK}, "disputes: children of another root"),
        ({"first": trace.leaves[1]}, first),
        ({"first_branch": branch[::-1]}, first),
        ({"first_branch": branch[:-1]}, "traces: branch of another height"),
        ({"first_branch": [*branch, ZERO]}, "traces: branch of another height"),
        ({"first_branch": []}, "traces: branch of another height"),
        ({"last_branch": branch}, last),
        ({"last_branch": []}, "traces: branch of another height"),
        ({"last_branch": [*trace.branch(LEAVES - 1), ZERO]}, "traces: branch of another height"),
    ):
        with pytest.raises(Reverted, match=reason):
            world.enter(trace, HONEST, **changes)
    world.enter(trace, HONEST)


def test_the_winners_children_must_be_those_of_its_trace(world: DisputeWorld) -> None:
    """Case 42: whoever ends a match cannot pair the winner with children of something else."""
    right, wrong, match = both(world, lying({5: later(1)}), honest_first=True)
    world.descend(match)
    for trace in (wrong.trace, lying({1: later(1)})):
        left_right = trace.children(trace.height, 0)
        with pytest.raises(Reverted, match="matches: not the children of the winner's root"):
            world.settle(match, right, children=left_right)
    world.settle(match, right)


# --- after the end ---


def test_nothing_moves_in_a_match_that_is_over(world: DisputeWorld) -> None:
    """Case 44: neither move nor proof, refutation nor lateness counts a second time."""
    right, wrong, match = both(world, lying({5: later(1)}), honest_first=True)
    world.descend(match)
    world.settle(match, right)
    found = world.match(match)
    over = "matches: not an open match"
    again: list[tuple[Callable[[], object], str]] = [
        (lambda: world.settle(match, right), over),
        (lambda: world.settle(match, wrong), over),
        (lambda: world.advance(match), over),
        (lambda: world.time_out(match), over),
        (lambda: world.refute(wrong, 5), "disputes: entry is not alive"),
    ]
    for act, reason in again:
        with pytest.raises(Reverted, match=reason):
            act()
        world.wait(10 * world.terms.clock)
    assert world.match(match) == found
    world.end_entries()
    assert world.result() == won(right)


def test_a_match_cannot_be_settled_before_it_is_sealed(world: DisputeWorld) -> None:
    """Case 44: at no height above the leaves, whatever is shown."""
    right, _, match = both(world, lying({5: later(1)}), honest_first=True)
    while world.match(match).height > 0:
        with pytest.raises(Reverted, match="disputes: not down to one step"):
            world.settle(match, right)
        world.advance(match)
    with pytest.raises(Reverted, match="matches: sealed already"):
        world.advance(match)
    world.settle(match, right)


@pytest.mark.parametrize("honest_first", [True, False], ids=["42 one wins", "42 two wins"])
@pytest.mark.parametrize("own", [True, False], ids=["its own branch", "the other's branch"])
def test_either_side_shows_the_step_by_a_branch_of_its_own_trace(
    world: DisputeWorld, honest_first: bool, own: bool
) -> None:
    """Case 42: the roots before the step are those of both, and nobody needs the other's branch."""
    right, wrong, match = both(world, LIE, honest_first=honest_first)
    assert world.descend(match) == 5
    branches = [entry.trace.branch(4) for entry in (right, wrong)]
    assert branches[0] != branches[1]
    world.settle(match, right, previous_branch=tuple(branches[0 if own else 1]))
    assert world.alive() == [right]


WRONG_STEPS: dict[str, tuple[dict[str, Any], str]] = {
    "42 from another root": ({"previous": JUNK}, "disputes: step of another trace"),
    "42 without a branch": ({"previous_branch": ()}, "traces: branch of another height"),
    "42 of another machine": ({"machine": REST}, "traces: machine of another state"),
    "42 of no machine": ({"machine": b""}, "traces: wrong machine length"),
    "42 of other roots": ({"roots": ROOTS[::-1]}, "traces: machine of another state"),
    "42 with another input": ({"given": b"another"}, "toy_rollup: nothing to read"),
    "42 with other leaves": ({"leaves": b""}, "toy_rollup: not the leaves of the step"),
    "42 with other proofs": ({"proofs": b""}, "toy_rollup: not the leaves of the step"),
}


@pytest.mark.parametrize(("step", "reason"), WRONG_STEPS.values(), ids=WRONG_STEPS.keys())
def test_a_proof_that_is_none_ends_nothing(
    world: DisputeWorld, step: dict[str, Any], reason: str
) -> None:
    """Case 42: neither a match nor an entry."""
    right, wrong, match = both(world, lying({5: later(1)}), honest_first=True)
    for index, previous in ((5, right.trace.branch(3)), (4, right.trace.branch(5))):
        with pytest.raises(Reverted, match="disputes: step of another trace"):
            world.refute(wrong, index, previous_branch=tuple(previous))
    with pytest.raises(Reverted, match=reason):
        world.refute(wrong, 5, **step)
    world.descend(match)
    with pytest.raises(Reverted, match=reason):
        world.settle(match, right, **step)
    world.settle(match, right)


@pytest.mark.parametrize("part", ["leaves", "proofs", "given"])
def test_a_witness_beyond_its_bounds_is_refused(world: DisputeWorld, part: str) -> None:
    """Case 54: a byte more than a step may be shown; at the bound it is judged for what it is."""
    right, wrong, match = both(world, LIE, honest_first=True)
    size = {"leaves": 16_384, "proofs": 16_384, "given": 8_192}[part]
    world.descend(match)
    with pytest.raises(Reverted, match="toy_rollup: not"):
        world.settle(match, right, **{part: bytes(size)})
    with pytest.raises(Reverted, match="no reason"):
        world.settle(match, right, **{part: bytes(size + 1)})
    with pytest.raises(Reverted, match="no reason"):
        world.refute(wrong, 5, **{part: bytes(size + 1)})
    world.settle(match, right)


def test_what_is_right_cannot_be_refuted(world: DisputeWorld) -> None:
    """Case 42: no leaf of the right trace, padding or not; of a wrong one only the first lie."""
    right, wrong, _ = both(world, lying({5: later(1)}), honest_first=False)
    for index in range(LEAVES):
        with pytest.raises(Reverted, match="disputes: leaf is right"):
            world.refute(right, index)
        if index != 5:
            with pytest.raises(Reverted, match="disputes: leaf is right"):
                world.refute(wrong, index)
    beyond = disputes.refute(
        entry=right.id,
        index=LEAVES,
        leaf=right.trace.leaves[0],
        leaf_branch=right.trace.branch(0),
        step=toy_calls.step(right.trace, 1),
        left=ZERO,
        right=ZERO,
    )
    with pytest.raises(Reverted, match="traces: no such leaf"):
        world.send(beyond, LIAR)
    world.refute(wrong, 5)


def test_a_result_stands_once_its_claim_has_confirmed(world: DisputeWorld) -> None:
    """Case 44: no refutation takes back what money has left on."""
    wrong = world.enter(lying({5: later(1)}))
    world.end_entries()
    assert world.result() == won(wrong)
    world.confirm(wrong.claim)
    with pytest.raises(Reverted, match="disputes: batch is settled"):
        world.refute(wrong, 5)
    assert world.result() == won(wrong)


def test_what_is_no_entry_and_no_match_is_refused(world: DisputeWorld) -> None:
    """Case 44: ids of nothing, of a dispute, of an entry as a match and the other way round."""
    right, _, match = both(world, lying({5: later(1)}), honest_first=True)
    move = {"left": ZERO, "right": ZERO, "next_left": ZERO, "next_right": ZERO}
    for strange in (ZERO, JUNK, world.dispute, right.id):
        with pytest.raises(Reverted, match="matches: not an open match"):
            world.send(disputes.advance(match=strange, **move), LIAR)
        with pytest.raises(Reverted, match="matches: nobody won"):
            world.collect(strange)
    for strange in (ZERO, JUNK, world.dispute, match):
        with pytest.raises(Reverted, match="disputes: entry is not waiting"):
            world.redeem(Entry(strange, right.trace, right.claim))
