"""What a player does next: nothing is remembered, all is read off what stands."""

from msgspec.structs import replace
from staged_games import HEIGHT, batch, decoy, liar, played, table, told

from prover.dispute.moves import (
    Advance,
    Collect,
    Defence,
    Enter,
    Redeem,
    Refute,
    Settle,
    TimeOut,
    next_moves,
)
from prover.dispute.seen import standing_of
from prover.dispute.standing import Standing
from prover.dispute.trace_tree import root_of
from prover.dispute.views import EntryStatus, MatchStatus, MatchView, entry_id, second_entry_id
from prover.games.draws import ENTRY_WINDOW, MOVE_TIME
from prover.games.lies import Lie, Trace, truth
from prover.games.players import HONEST, Manner
from prover.games.rollup import PARENT, output_of

RIGHT = truth(batch(), HEIGHT)
DEFENCE = Defence(output_of(RIGHT.end).claim, RIGHT.tree)


def stopped(wrong: Trace, **settings: int) -> tuple[Standing, int]:
    """What stands once ours and the trace of a liar that never moves are paired."""
    staged = table(
        [decoy(), liar(wrong, manner=Manner.MUTE)],
        **settings,  # type: ignore[arg-type]
    )
    while not staged.chain.game.ledger.matches:
        staged._ask_liars()
        staged._ask_honest()
        staged._next_block()
    since = staged.chain.rollup.rivals_since
    return standing_of(staged.chain.game, PARENT, since, HONEST), staged.now


def open_match(standing: Standing) -> tuple[bytes, MatchView]:
    ((key, found),) = standing.matches.items()
    return key, found


def ours_to_move(standing: Standing) -> Standing:
    """The same where it is our turn, whatever the side."""
    key, found = open_match(standing)
    ours = entry_id(standing.dispute_id, RIGHT.tree.root)
    side = 1 if found.one == ours else 2
    return replace(standing, matches={key: replace(found, mover=side)})


def test_a_trace_is_entered_once_up_to_the_last_second() -> None:
    standing, _ = stopped(told(Lie.STEP, 9))
    empty = replace(standing, entries={}, matches={}, entered={})
    last = standing.contested_at + ENTRY_WINDOW
    assert next_moves(empty, DEFENCE, last) == [Enter()]
    assert next_moves(empty, DEFENCE, last + 1) == []
    assert Enter() not in next_moves(standing, DEFENCE, standing.contested_at)


def test_a_trace_that_lost_is_entered_again_only_where_the_batch_is_void() -> None:
    standing, _ = stopped(told(Lie.STEP, 9))
    first = entry_id(standing.dispute_id, RIGHT.tree.root)
    lost = replace(standing.entries[first], status=EntryStatus.LOST)
    after = replace(standing, entries={first: lost}, matches={})
    void = replace(DEFENCE, is_void=True)
    assert next_moves(after, DEFENCE, standing.contested_at) == []
    assert next_moves(after, void, standing.contested_at) == [Enter()]
    again = replace(lost, status=EntryStatus.WAITING)
    second = second_entry_id(first, standing.dispute_id)
    entered = replace(after.entered[first], entry=second)
    stands = replace(
        after, entries={first: lost, second: again}, entered={**after.entered, second: entered}
    )
    assert next_moves(stands, void, standing.contested_at) == []


def test_the_same_is_done_however_often_one_asks() -> None:
    standing, now = stopped(told(Lie.STEP, 9))
    assert next_moves(standing, DEFENCE, now) == next_moves(standing, DEFENCE, now)


def test_no_move_is_made_when_the_turn_is_over() -> None:
    standing, _ = stopped(told(Lie.STEP, 9))
    standing = ours_to_move(standing)
    _, found = open_match(standing)
    last = standing.turn_ends_at(found)
    kinds = [type(move) for move in next_moves(standing, DEFENCE, last)]
    assert kinds == [Advance]
    assert next_moves(standing, DEFENCE, last + 1) == [], "nor is our own match timed out"


def test_who_can_be_refuted_is_moved_against_once_no_more_than_the_move_time_is_left() -> None:
    standing, _ = stopped(told(Lie.STEP, 0))
    standing = ours_to_move(standing)
    _, found = open_match(standing)
    last = standing.turn_ends_at(found)
    early = next_moves(standing, DEFENCE, last - MOVE_TIME - 1)
    pressing = next_moves(standing, DEFENCE, last - MOVE_TIME)
    assert [type(move) for move in early] == [Refute]
    assert [type(move) for move in pressing] == [Advance, Refute]


def test_a_refutation_shows_both_leaves_under_the_trace_it_refutes() -> None:
    wrong = told(Lie.STEP, 9)
    standing, now = stopped(wrong, published_steps=16)
    (move,) = [move for move in next_moves(standing, DEFENCE, now) if isinstance(move, Refute)]
    assert move.index == 9 and move.leaf == wrong.tree.leaf(9)
    assert root_of(9, move.leaf, move.leaf_branch) == wrong.tree.root
    assert root_of(8, RIGHT.tree.leaf(8), move.previous_branch) == wrong.tree.root


def test_a_sealed_match_is_settled_by_a_branch_of_our_own_trace() -> None:
    standing, now = stopped(told(Lie.STEP, 9))
    key, found = open_match(standing)
    sealed = replace(standing, matches={key: replace(found, height=0, index=9, mover=0)})
    (move,) = next_moves(sealed, DEFENCE, now)
    assert isinstance(move, Settle) and move.index == 9
    assert root_of(8, RIGHT.tree.leaf(8), move.previous_branch) == RIGHT.tree.root
    assert (move.left, move.right) == RIGHT.tree.children(HEIGHT, 0)
    first = replace(sealed, matches={key: replace(found, height=0, index=0, mover=0)})
    (move,) = next_moves(first, DEFENCE, now)
    assert isinstance(move, Settle) and move.previous_branch == ()


def test_a_match_of_others_is_timed_out_for_whoever_wins_it() -> None:
    standing, _ = stopped(told(Lie.STEP, 9))
    key, found = open_match(standing)
    other = Defence(DEFENCE.claim, told(Lie.STEP, 2).tree)
    for mover, winner in ((1, found.two), (2, found.one)):
        seen = replace(standing, matches={key: replace(found, mover=mover)})
        last = standing.turn_ends_at(replace(found, mover=mover))
        late = [m for m in next_moves(seen, other, last + 1) if isinstance(m, TimeOut)]
        shown = standing.entered[winner]
        assert late == [TimeOut(match=key, left=shown.left, right=shown.right)]
        assert not [m for m in next_moves(seen, other, last) if isinstance(m, TimeOut)]


def test_money_is_collected_once_and_a_bond_once_its_claim_confirmed() -> None:
    staged, outcome = played([decoy(), liar(told(Lie.STEP, 9))])
    assert outcome.broken == []
    since = staged.chain.rollup.rivals_since
    done = standing_of(staged.chain.game, PARENT, since, HONEST)
    assert next_moves(done, DEFENCE, staged.now) == []
    key, _ = open_match(done)
    winner = done.dispute.waiting
    entry = replace(done.entries[winner], status=EntryStatus.WAITING)
    owed = replace(done, earned={key: 5}, entries={**done.entries, winner: entry})
    assert next_moves(owed, DEFENCE, staged.now) == [Collect(key), Redeem(winner)]
    unconfirmed = replace(owed, confirmed=bytes(32))
    assert next_moves(unconfirmed, DEFENCE, staged.now) == [Collect(key)]
    elses = replace(owed, me=PARENT[:20])
    assert next_moves(elses, DEFENCE, staged.now) == [Collect(key)]


def test_an_entry_has_an_opponent_while_its_match_is_open() -> None:
    standing, _ = stopped(told(Lie.STEP, 9))
    key, found = open_match(standing)
    assert standing.opponent(found.one) == found.two
    assert standing.opponent(found.two) == found.one
    over = replace(found, status=MatchStatus.ONE_WON)
    assert replace(standing, matches={key: over}).opponent(found.one) is None
