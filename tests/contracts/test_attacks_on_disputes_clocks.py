"""Attacks with time: last seconds, clocks, silence and censorship, and what nobody ever ends.

Games are of the toy machine. The number of an id is the case of the table in docs/testing.md.
"""

import pytest
from dispute_ends import both, check_won, won
from dispute_world import HONEST, INSURANCE, LIAR, OTHER, WATCHER, DisputeWorld, Entry
from evm_engines import Engine, Reverted
from toy_machine import HEIGHT, ToyBatch, later, lying
from toy_rollup import PENDING, REJECTED

from contracts.dispute_views import DisputeResult, EntryStatus, MatchStatus, ResultStatus

LIE = lying({5: later(1)})
NOBODY = DisputeResult(ResultStatus.NOBODY_WON, bytes(32), bytes(32))
OPEN = DisputeResult(ResultStatus.OPEN, bytes(32), bytes(32))


@pytest.fixture
def world(engine: Engine) -> DisputeWorld:
    return DisputeWorld(engine)


def paired(world: DisputeWorld, *, honest_first: bool) -> tuple[Entry, Entry, bytes]:
    """The right entry, the liar's and their match, when their clocks begin."""
    right, wrong, match = both(world, LIE, honest_first=honest_first)
    world.begin_clocks()
    return right, wrong, match


def spend(world: DisputeWorld, match: bytes, seconds: int) -> None:
    """The mover takes its time and moves."""
    world.wait(seconds)
    world.advance(match)


def turn(world: DisputeWorld, match: bytes) -> int:
    """Seconds of the turn that begins now."""
    found = world.match(match)
    clock = found.clock_one if found.mover == 1 else found.clock_two
    return max(clock, world.terms.move_time)


# --- the last second ---


@pytest.mark.parametrize("moves", range(HEIGHT), ids=lambda moves: f"43 after {moves} moves")
def test_the_last_second_belongs_to_the_mover_and_the_next_one_to_whoever_calls_time(
    world: DisputeWorld, moves: int
) -> None:
    """Case 43: one boundary for both, so no second belongs to neither side or to both."""
    right, wrong, match = paired(world, honest_first=True)
    for _ in range(moves):
        spend(world, match, 7)
    begun, seconds = world.engine.time, turn(world, match)
    world.wait(seconds)
    with pytest.raises(Reverted, match="matches: turn is not over"):
        world.time_out(match)
    world.wait(1)
    with pytest.raises(Reverted, match="matches: turn is over"):
        world.advance(match)
    world.engine.time = begun + seconds
    world.advance(match)
    assert world.match(match).turn_at == begun + seconds
    world.descend(match)
    world.settle(match, right)
    check_won(world, right, wrong)


@pytest.mark.parametrize("honest_first", [True, False], ids=["43 liar second", "43 liar first"])
def test_a_last_second_move_leaves_the_other_its_move_time(
    world: DisputeWorld, honest_first: bool
) -> None:
    """Case 43: the liar moves at its last second each time, the honest side has no clock left."""
    right, wrong, match = paired(world, honest_first=honest_first)
    while world.match(match).height > 0:
        spend(world, match, turn(world, match))
    found = world.match(match)
    assert found.clock_one == found.clock_two == 0
    world.wait(world.terms.move_time)
    world.settle(match, right)
    check_won(world, right, wrong)


def test_a_clock_runs_down_by_what_a_move_took_and_never_up(world: DisputeWorld) -> None:
    """Case 43: the other side's clock stands still, and a move within MOVE_TIME gives none back."""
    _, _, match = paired(world, honest_first=True)
    spend(world, match, 950)
    spend(world, match, 3)
    found = world.match(match)
    assert (found.clock_one, found.clock_two) == (50, 997)
    spend(world, match, 90)
    found = world.match(match)
    assert (found.clock_one, found.clock_two) == (0, 997)
    spend(world, match, 0)
    found = world.match(match)
    assert (found.height, found.clock_one, found.clock_two) == (0, 0, 997)


def test_no_time_is_inherited_from_a_match_before(world: DisputeWorld) -> None:
    """Case 43: whoever wins begins the next with a whole clock, and so does who comes to it."""
    right, _, match = both(world, LIE, honest_first=True)
    waiting = world.enter(lying({3: later(1)}), OTHER)
    assert world.entry(waiting.id).status == EntryStatus.WAITING
    world.begin_clocks()
    spend(world, match, 900)
    spend(world, match, 1)
    world.wait(world.terms.move_time)
    spend(world, match, 0)
    world.descend(match)
    world.settle(match, right)
    found = world.match(world.match_of(right))
    assert (found.clock_one, found.clock_two) == (world.terms.clock, world.terms.clock)
    assert (found.turn_at, found.mover) == (world.engine.time, 1)
    assert world.mover(world.match_of(right)) == waiting


# --- before clocks begin ---


@pytest.mark.parametrize("moves", range(HEIGHT + 1), ids=lambda moves: f"57 after {moves} moves")
def test_who_enters_the_right_trace_early_cannot_lose_it_for_those_who_come_in_time(
    world: DisputeWorld, moves: int
) -> None:
    """Case 57: a liar enters it against a lie, plays both sides and falls silent."""
    right = world.enter(world.honest(), LIAR)
    wrong, second = world.enter(LIE), world.enter(lying({5: later(2)}), OTHER)
    match = world.match_of(right)
    for _ in range(moves):
        world.advance(match, LIAR)
    world.begin_clocks()
    with pytest.raises(Reverted, match="matches: turn is not over"):
        world.time_out(match, LIAR)
    while world.match(match).height > 0:
        spend(world, match, turn(world, match) if world.mover(match) == right else 0)
    world.wait(world.terms.move_time)
    world.settle(match, right)
    world.fight(world.match_of(right), right)
    check_won(world, right, wrong, second)


def test_no_time_is_taken_from_a_clock_while_entries_come(world: DisputeWorld) -> None:
    """Case 57: moves count, and the turn behind each of them begins when entries end."""
    _, _, match = both(world, LIE, honest_first=True)
    spend(world, match, 2 * world.terms.clock)
    ends_at = world.match(match).turn_at
    world.begin_clocks()
    assert ends_at == world.engine.time
    spend(world, match, 1)
    found = world.match(match)
    assert (found.clock_one, found.clock_two) == (world.terms.clock, world.terms.clock - 1)


# --- a match that is down to one step ---


def test_a_step_can_be_shown_until_somebody_calls_time(world: DisputeWorld) -> None:
    """Case 43: MOVE_TIME is guaranteed; what comes after it counts until the match is ended."""
    right, wrong, match = paired(world, honest_first=True)
    world.descend(match)
    world.wait(world.terms.move_time)
    with pytest.raises(Reverted, match="matches: turn is not over"):
        world.time_out(match)
    world.wait(1_000_000)
    world.settle(match, right)
    check_won(world, right, wrong)


def test_a_match_that_nobody_settles_is_lost_by_both(world: DisputeWorld) -> None:
    """Case 43: the second after MOVE_TIME; so silence at the end is no way to win."""
    right, _, match = paired(world, honest_first=True)
    world.descend(match)
    world.wait(world.terms.move_time + 1)
    world.time_out(match, WATCHER)
    assert world.match(match).status == MatchStatus.BOTH_LOST
    with pytest.raises(Reverted, match="matches: not an open match"):
        world.settle(match, right)
    assert world.alive() == []
    world.end_entries()
    assert world.result() == NOBODY


# --- the window ---


def test_entries_are_taken_up_to_the_last_second_and_decided_from_the_next(
    world: DisputeWorld,
) -> None:
    """Case 43: there is no second in which the result stands and an entry is still taken."""
    world.wait(world.terms.entry_window)
    right = world.enter(world.honest(), HONEST)
    assert world.result() == OPEN
    world.wait(1)
    assert world.result() == won(right)
    with pytest.raises(Reverted, match="entries: window is over"):
        world.enter(LIE)


def test_a_rival_of_the_last_second_delays_by_one_match_and_no_more(world: DisputeWorld) -> None:
    """Case 43: the result waits for a match that is open when the window ends."""
    right = world.enter(world.honest(), HONEST)
    world.wait(world.terms.entry_window)
    wrong = world.enter(LIE)
    match = world.match_of(right)
    world.wait(world.terms.clock)
    assert world.result() == OPEN
    world.advance(match)
    world.wait(world.terms.clock + 1)
    world.time_out(match)
    assert world.entry(wrong.id).status == EntryStatus.LOST
    assert world.result() == won(right)


# --- censorship ---


@pytest.mark.parametrize("honest_first", [True, False], ids=["46 first", "46 second"])
def test_a_censor_who_holds_back_every_move_for_its_whole_time_gains_nothing(
    world: DisputeWorld, honest_first: bool
) -> None:
    """Case 46: each of the right side's moves, and its proof, lands on its last second only."""
    right, wrong, match = paired(world, honest_first=honest_first)
    while world.match(match).height > 0:
        is_censored = world.mover(match) == right
        spend(world, match, turn(world, match) if is_censored else 0)
    world.wait(world.terms.move_time)
    world.settle(match, right)
    check_won(world, right, wrong)


def test_a_match_ends_within_its_bound_however_slow_both_sides_are(world: DisputeWorld) -> None:
    """Case 46: 2 clock + (height + 1) move_time."""
    right, _, match = paired(world, honest_first=True)
    begun = world.engine.time
    while world.match(match).height > 0:
        spend(world, match, turn(world, match))
    world.wait(world.terms.move_time)
    world.settle(match, right)
    terms = world.terms
    bound = 2 * terms.clock + (terms.height + 1) * terms.move_time
    assert 2 * terms.clock < world.engine.time - begun <= bound


# --- what nobody plays ---


@pytest.mark.parametrize("moves", range(HEIGHT), ids=lambda moves: f"52 after {moves} moves")
def test_a_match_that_nobody_plays_is_ended_by_anybody(world: DisputeWorld, moves: int) -> None:
    """Case 52: by time, against whose turn it is; who ends it need not have entered."""
    _, _, match = paired(world, honest_first=True)
    for _ in range(moves):
        spend(world, match, 1)
    late = world.mover(match)
    world.wait(world.terms.clock + 1)
    world.time_out(match, WATCHER)
    assert world.entry(late.id).status == EntryStatus.LOST
    assert [entry for entry in world.alive() if entry != late] == world.alive()
    assert len(world.alive()) == 1


def test_a_dispute_that_nobody_enters_or_wins_can_be_opened_again(world: DisputeWorld) -> None:
    """Case 52: nobody won, so the parent is contested anew, and the same traces enter again."""
    assert world.result() == OPEN
    world.end_entries()
    assert world.result() == NOBODY
    world.contest()
    assert world.result() == OPEN
    first = world.enter(LIE)
    world.enter(lying({5: later(2)}), OTHER)
    world.fight(world.match_of(first), first)
    assert world.alive() == []
    world.end_entries()
    assert world.result() == NOBODY
    world.contest()
    right, wrong, match = paired(world, honest_first=True)
    world.fight(match, right)
    check_won(world, right, wrong)


def test_an_entry_that_waits_under_a_parent_that_is_passed_over_is_cleared_away(
    world: DisputeWorld,
) -> None:
    """Case 52: nothing of it can confirm any more; its bond goes to the insurance fund."""
    parent = lying({2: later(1)})
    genesis = world.parent
    world.open(ToyBatch(2, 8), parent, genesis, PENDING)
    entry = world.enter(lying({}, ToyBatch(2, 8), parent.last), LIAR)
    with pytest.raises(Reverted, match="disputes: batch is not settled"):
        world.redeem(entry)
    world.end_entries()
    head = b"\x07" * 32
    world.set_head(2, head)
    before = world.credits(INSURANCE)
    world.redeem(entry, WATCHER)
    assert world.credits(INSURANCE) - before == world.terms.entry_bond
    assert world.entry(entry.id).status == EntryStatus.REDEEMED
    world.claim(entry.trace, REJECTED)
    with pytest.raises(Reverted, match="disputes: entry is not waiting"):
        world.redeem(entry, WATCHER)
