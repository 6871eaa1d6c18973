"""Whose turn it is, and until which second."""

import pytest
from staged_games import HEIGHT, STEPS, batch, calm, told

from prover.dispute.ledger import Call, Refused
from prover.dispute.moves import Advance, Defence, Enter, Move, Settle, TimeOut, next_moves
from prover.dispute.rules import Game
from prover.dispute.seen import standing_of
from prover.dispute.settlement import MakeClaim
from prover.dispute.terms import match_seconds
from prover.dispute.views import MatchStatus, MatchView, ResultStatus
from prover.games.chain import INSURANCE, Chain, Transaction
from prover.games.draws import CLAIM_WINDOW, ENTRY_WINDOW, MOVE_TIME, terms_of
from prover.games.lies import Lie, Trace, truth
from prover.games.rollup import BATCH, PARENT, ToyRollup, output_of

CLOCK = 2 * MOVE_TIME
CONTESTED = 10
BEGUN = CONTESTED + ENTRY_WINDOW
"""When entries end and clocks begin."""
RIGHT = truth(batch(), HEIGHT)
WRONG = told(Lie.STEP, 9)
ONE, TWO = b"one".rjust(20, b"\0"), b"two".rjust(20, b"\0")
SIDES = {ONE: RIGHT, TWO: WRONG}
NOBODY = b"nobody".rjust(20, b"\0")


class Board:
    """The right trace waited, a wrong one came to it, and the right side is to move."""

    def __init__(self) -> None:
        self.chain = Chain(terms_of(HEIGHT, CLOCK), ToyRollup(steps=STEPS, claim_window=50))
        assert self.send(TWO, MakeClaim(BATCH), 0) is None
        assert self.send(ONE, MakeClaim(BATCH), CONTESTED) is None
        assert self.send(ONE, Enter(), CONTESTED + 10) is None
        assert self.send(TWO, Enter(), CONTESTED + 20) is None

    def send(self, sender: bytes, move: object, now: int) -> str | None:
        trace = SIDES.get(sender, RIGHT)
        return self.chain.mine(Transaction(sender, move, trace, now), now, calm(10))  # type: ignore[arg-type]

    @property
    def match(self) -> MatchView:
        (found,) = self.chain.game.ledger.matches.values()
        return found

    def move_of(self, sender: bytes, kind: type) -> Move:
        """What the side would do in time; for somebody else what it would do much later."""
        late = 0 if sender in SIDES else 10**6
        trace: Trace = SIDES.get(sender, truth(batch(), HEIGHT))
        if sender == NOBODY:
            trace = told(Lie.STEP, 2)
        standing = standing_of(self.chain.game, PARENT, CONTESTED, sender)
        defence = Defence(output_of(trace.end).claim, trace.tree)
        moves = next_moves(standing, defence, self.match.turn_at + late)
        return next(move for move in moves if isinstance(move, kind))

    def advance(self, sender: bytes, after: int) -> str | None:
        """The side moves so many seconds into its turn."""
        return self.send(sender, self.move_of(sender, Advance), self.match.turn_at + after)

    def seal(self) -> None:
        for side in (ONE, TWO, ONE, TWO):
            assert self.advance(side, 1) is None
        assert self.match.height == 0


@pytest.mark.parametrize(
    ("after", "refused"),
    [(0, None), (CLOCK, None), (CLOCK + 1, "matches: turn is over")],
)
def test_a_move_is_in_time_up_to_and_with_the_last_second(after: int, refused: str | None) -> None:
    assert Board().advance(ONE, after) == refused


@pytest.mark.parametrize(
    ("after", "refused"),
    [(0, "matches: turn is not over"), (CLOCK, "matches: turn is not over"), (CLOCK + 1, None)],
)
def test_a_late_mover_loses_from_the_second_after(after: int, refused: str | None) -> None:
    board = Board()
    late = board.move_of(NOBODY, TimeOut)
    assert board.send(NOBODY, late, BEGUN + after) == refused
    assert board.match.status == (MatchStatus.OPEN if refused else MatchStatus.TWO_WON)


@pytest.mark.parametrize(("took", "left"), [(0, CLOCK), (1, CLOCK - 1), (CLOCK - 1, 1), (CLOCK, 0)])
def test_what_a_turn_took_is_taken_from_the_movers_clock_alone(took: int, left: int) -> None:
    board = Board()
    assert board.advance(ONE, took) is None
    assert (board.match.clock_one, board.match.clock_two) == (left, CLOCK)


@pytest.mark.parametrize(
    ("took", "turn"),
    [(0, CLOCK), (MOVE_TIME - 1, MOVE_TIME + 1), (MOVE_TIME, MOVE_TIME), (CLOCK, MOVE_TIME)],
)
def test_however_little_is_left_of_a_clock_a_turn_has_its_move_time(took: int, turn: int) -> None:
    board = Board()
    assert board.advance(ONE, took) is None
    assert board.advance(TWO, 1) is None
    assert board.advance(ONE, turn + 1) == "matches: turn is over"
    assert board.advance(ONE, turn) is None


def test_a_last_second_move_leaves_the_other_its_move_time() -> None:
    """Both use all they have, and the match ends within its bound."""
    board = Board()
    for side, turn in ((ONE, CLOCK), (TWO, CLOCK), (ONE, MOVE_TIME), (TWO, MOVE_TIME)):
        assert board.advance(side, turn) is None
    settle = board.move_of(ONE, Settle)
    assert board.send(ONE, settle, board.match.turn_at + MOVE_TIME) is None
    assert board.match.turn_at + MOVE_TIME - BEGUN < match_seconds(board.chain.terms.dispute)
    assert board.match.status == MatchStatus.ONE_WON


@pytest.mark.parametrize("after", [0, MOVE_TIME, MOVE_TIME + 1, 10 * MOVE_TIME])
def test_a_proof_is_taken_until_somebody_times_its_match_out(after: int) -> None:
    board = Board()
    board.seal()
    settle = board.move_of(ONE, Settle)
    assert board.send(ONE, settle, board.match.turn_at + after) is None
    assert board.match.status == MatchStatus.ONE_WON


@pytest.mark.parametrize(
    ("after", "refused"), [(MOVE_TIME, "matches: turn is not over"), (MOVE_TIME + 1, None)]
)
def test_a_sealed_match_that_nobody_settles_is_lost_by_both(
    after: int, refused: str | None
) -> None:
    board = Board()
    board.seal()
    late = board.move_of(NOBODY, TimeOut)
    assert board.send(NOBODY, late, board.match.turn_at + after) == refused
    assert board.match.status == (MatchStatus.OPEN if refused else MatchStatus.BOTH_LOST)
    if not refused:
        settle = Settle(
            match=board.chain.game.ledger.entries[board.match.one].match,
            index=9,
            previous_branch=tuple(RIGHT.tree.branch(8)),
            left=bytes(32),
            right=bytes(32),
        )
        assert board.send(ONE, settle, board.match.turn_at + after) == "matches: not an open match"
        assert board.chain.result(10**6)[0] == ResultStatus.NOBODY_WON


@pytest.mark.parametrize(
    ("after", "refused"), [(ENTRY_WINDOW, None), (ENTRY_WINDOW + 1, "entries: window is over")]
)
def test_entries_are_taken_up_to_and_with_the_last_second(after: int, refused: str | None) -> None:
    chain = Chain(terms_of(HEIGHT, CLOCK), ToyRollup(steps=STEPS, claim_window=CLAIM_WINDOW))
    for sender, trace in SIDES.items():
        made = Transaction(sender, MakeClaim(BATCH), trace, CONTESTED)
        assert chain.mine(made, CONTESTED, 1) is None
    now = CONTESTED + after
    assert chain.mine(Transaction(ONE, Enter(), RIGHT, now), now, 1) == refused
    assert chain.result(CONTESTED + ENTRY_WINDOW)[0] == ResultStatus.OPEN
    decided = ResultStatus.NOBODY_WON if refused else ResultStatus.WON
    assert chain.result(CONTESTED + ENTRY_WINDOW + 1)[0] == decided


def test_a_call_that_is_refused_changes_nothing() -> None:
    """Also where it is refused at its very end: the winner's children are checked last."""
    board = Board()
    before = board.chain.game.ledger.copied()
    match = board.chain.game.ledger.entries[board.match.one].match
    wrong = TimeOut(match=match, left=bytes(32), right=bytes(32))
    refused = board.send(NOBODY, wrong, BEGUN + CLOCK + 1)
    assert refused == "matches: not the children of the winner's root"
    assert board.chain.game.ledger == before


def test_a_bond_below_the_dearest_match_is_not_deployed() -> None:
    terms = terms_of(HEIGHT, CLOCK).dispute
    short = type(terms)(
        **{name: getattr(terms, name) for name in terms.__struct_fields__}
        | {"entry_bond": terms.entry_bond - 1}
    )
    rollup = ToyRollup(steps=STEPS, claim_window=50)
    with pytest.raises(Refused, match="disputes: bond is below the dearest match"):
        Game(short, rollup, INSURANCE)
    assert Game(terms, rollup, INSURANCE).ledger.balance == 0


def test_there_is_nothing_to_withdraw_twice() -> None:
    board = Board()
    late = board.move_of(NOBODY, TimeOut)
    now = BEGUN + CLOCK + 1
    assert board.send(NOBODY, late, now) is None
    game = board.chain.game
    assert game.withdraw(Call(sender=NOBODY, now=now)) > 0
    with pytest.raises(Refused, match="payments: nothing to withdraw"):
        game.withdraw(Call(sender=NOBODY, now=now))
