"""Attacks on the game itself: whatever a liar commits to and shows, the right trace is left.

Games are of the toy machine. The number of an id is the case of the table in docs/testing.md.
"""

from collections.abc import Mapping

import pytest
from dispute_ends import both, check_won, won
from dispute_world import HONEST, LIAR, OTHER, WATCHER, DisputeWorld
from evm_engines import Engine, Reverted
from toy_machine import LEAVES, Lie, earlier, later, lying

from contracts.abi import keccak
from contracts.dispute_views import EntryStatus, MatchStatus

STEPS = 10
"""Of the batch: leaf 9 is HALT, leaves 10 to 15 are padding."""

JUNK = keccak(b"no state")


@pytest.fixture
def world(engine: Engine) -> DisputeWorld:
    return DisputeWorld(engine)


# --- what is lied about ---


@pytest.mark.parametrize("honest_first", [True, False], ids=["honest waits", "liar waits"])
@pytest.mark.parametrize("at", range(LEAVES), ids=lambda at: f"39 leaf {at}")
def test_a_lie_at_any_step_or_padding_loses(
    world: DisputeWorld, at: int, honest_first: bool
) -> None:
    """Case 39: BOOT, a step in the middle, HALT, and every leaf of the padding."""
    lie = lying({at: later(7)})
    right, wrong, match = both(world, lie, honest_first=honest_first)
    assert world.descend(match) == at
    world.settle(match, right)
    assert world.match(match).status == (
        MatchStatus.ONE_WON if honest_first else MatchStatus.TWO_WON
    )
    check_won(world, right, wrong)


@pytest.mark.parametrize("at", [0, 1, 4, 8, 9, 10, 13], ids=lambda at: f"39 leaves {at} {at + 1}")
def test_a_lie_about_two_states_in_a_row_loses(world: DisputeWorld, at: int) -> None:
    """Case 39: neither is a state of anything, and the second hides nothing of the first."""
    lie = lying({}, junk={at: JUNK, at + 1: keccak(JUNK)})
    right, wrong, match = both(world, lie, honest_first=True)
    assert world.descend(match) == at
    world.settle(match, right)
    check_won(world, right, wrong)


RIGHT_ENDS: dict[str, Mapping[int, Lie]] = {
    "38 another way from step 3 to 6": {3: later(9), 6: earlier(9)},
    "38 another BOOT": {0: later(9), 9: earlier(9)},
    "38 another padding": {11: later(9), 12: earlier(9)},
}


@pytest.mark.parametrize("lies", RIGHT_ENDS.values(), ids=RIGHT_ENDS.keys())
def test_a_wrong_way_to_the_right_end_cannot_make_the_right_claim_lose(
    world: DisputeWorld, lies: Mapping[int, Lie]
) -> None:
    """Case 38: the liar's entry is for the right claim, so that it loses with it."""
    right, wrong, match = both(world, lying(lies), honest_first=False)
    assert right.claim == wrong.claim
    world.fight(match, right)
    check_won(world, right, wrong)
    world.confirm(right.claim)
    world.redeem(right)
    assert world.credits(HONEST) >= world.terms.entry_bond
    with pytest.raises(Reverted, match="disputes: entry is not waiting"):
        world.redeem(wrong)


def test_pure_spam_with_the_right_root_is_one_entry_that_wins_for_everybody(
    world: DisputeWorld,
) -> None:
    """Case 38: whoever owns the right entry, the right claim confirms, and it is entered once."""
    spam = world.enter(world.honest(), LIAR)
    with pytest.raises(Reverted, match="entries: entered already"):
        world.enter(world.honest(), HONEST)
    rival = world.enter(lying({5: later(1)}), OTHER)
    world.fight(world.match_of(spam), spam, HONEST)
    check_won(world, spam, rival)


# --- many at once ---


def test_two_liars_who_play_each_other_save_nobody(world: DisputeWorld) -> None:
    """Case 40: their match ends with one or none of them, and the rest meets the right entry."""
    first = world.enter(lying({2: later(1)}), LIAR)
    second = world.enter(lying({6: later(1)}), OTHER)
    right = world.enter(world.honest(), HONEST)
    between = world.match_of(first)
    assert between == world.match_of(second)
    assert world.descend(between) == 2
    world.settle(between, second)
    assert world.entry(first.id).status == EntryStatus.LOST
    world.fight(world.match_of(right), right)
    check_won(world, right, second)


def test_two_liars_who_agree_on_a_lie_both_lose_where_neither_can_show_the_step(
    world: DisputeWorld,
) -> None:
    """Case 40: what they agree on before is no state, so nothing can be shown to follow from it."""
    first = world.enter(lying({}, junk={2: JUNK, 3: JUNK}), LIAR)
    world.enter(lying({}, junk={2: JUNK, 3: keccak(JUNK)}), OTHER)
    right = world.enter(world.honest(), HONEST)
    match = world.match_of(first)
    assert world.descend(match) == 3
    with pytest.raises(Reverted, match="traces: machine of another state"):
        world.settle(match, first)
    world.begin_clocks()
    world.wait(world.terms.move_time + 1)
    world.time_out(match)
    assert world.match(match).status == MatchStatus.BOTH_LOST
    check_won(world, right, first)


def test_two_liars_of_whom_neither_holds_the_right_step_both_lose(world: DisputeWorld) -> None:
    """Case 40: L1 takes the step itself, whatever either of them says of it."""
    first, second = world.enter(lying({2: later(1)})), world.enter(lying({2: later(2)}), OTHER)
    match = world.match_of(first)
    assert world.descend(match) == 2
    world.settle(match, first, WATCHER)
    assert world.match(match).status == MatchStatus.BOTH_LOST
    assert [world.entry(one.id).status for one in (first, second)] == [EntryStatus.LOST] * 2
    assert world.entry(first.id).status == EntryStatus.LOST
    right = world.enter(world.honest(), HONEST)
    check_won(world, right, second)


def test_a_liar_who_enters_again_pays_again_until_the_window_is_over(world: DisputeWorld) -> None:
    """Case 40: a new trace each time; each costs a bond, and the window ends it."""
    right = world.enter(world.honest(), HONEST)
    before, entered = world.engine.balance(LIAR), 0
    for again in range(20):
        liar = world.enter(lying({again % STEPS: later(1 + again)}))
        entered += 1
        world.refute(liar, again % STEPS)
        assert world.entry(liar.id).status == EntryStatus.LOST
        world.wait(world.terms.entry_window // 20)
    assert before - world.engine.balance(LIAR) == entered * world.terms.entry_bond
    world.wait(1)
    with pytest.raises(Reverted, match="entries: window is over"):
        world.enter(lying({1: later(99)}))
    assert world.result() == won(right)
