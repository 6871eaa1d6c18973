"""An honest player against every dishonest one, on a machine whose traces have 16 leaves."""

from collections import Counter

import pytest
from staged_games import HEIGHT, STEPS, batch, burner, decoy, liar, lies, played, table, told

from prover.dispute.ledger import Call
from prover.dispute.moves import Advance, Enter, Move, Refute
from prover.dispute.payments import ADVANCE_GAS, ENTER_GAS, REJECT_GAS, TIME_OUT_GAS
from prover.dispute.settlement import Reopen, SettlementMove, VoidBatch
from prover.dispute.terms import match_seconds
from prover.dispute.views import EntryStatus, MatchStatus
from prover.games import play
from prover.games.chain import INSURANCE, Chain, Transaction
from prover.games.draws import (
    CLAIM_WINDOW,
    ENTRY_WINDOW,
    LATE_MAX,
    MOVE_TIME,
    URGENT_LATE_MAX,
)
from prover.games.lies import Lie, Trace, lie, truth
from prover.games.machine import GENESIS, VOID_STEPS, run
from prover.games.play import Table, judge
from prover.games.players import HONEST, Manner, honest_moves
from prover.games.rollup import PARENT


@pytest.fixture
def mined(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Transaction, str | None]]:
    """Everything that is mined, when, and why it was refused."""
    taken: list[tuple[int, Transaction, str | None]] = []
    mine = Chain.mine

    def kept(chain: Chain, sent: Transaction, now: int, base_fee: int) -> str | None:
        reason = mine(chain, sent, now, base_fee)
        taken.append((now, sent, reason))
        return reason

    monkeypatch.setattr(Chain, "mine", kept)
    return taken


@pytest.mark.parametrize("manner", Manner)
@pytest.mark.parametrize("steps", [STEPS, 11, 2])
def test_no_lie_at_any_step_wins_in_any_manner(manner: Manner, steps: int) -> None:
    found = lies(batch(steps))
    assert {kind for kind, _ in found} >= {Lie.STEP, Lie.NONSENSE}
    for kind, at in found:
        for entered_after in (0, ENTRY_WINDOW):
            trace = told(kind, at, steps=steps)
            who = liar(trace, manner=manner, entered_after=entered_after)
            _, outcome = played([decoy(), who], steps=steps)
            assert outcome.broken == [], (kind, at, entered_after)
            assert outcome.entries == 2, "it was entered"


@pytest.mark.parametrize("kind", [Lie.PADDING, Lie.AFTERLIFE])
def test_padding_is_a_step_that_changes_nothing(kind: Lie) -> None:
    """Wherever behind the end a machine at rest is said to move."""
    for at in range(5, 16 if kind == Lie.AFTERLIFE else 15):
        staged, outcome = played([decoy(), liar(told(kind, at, steps=5))], steps=5)
        assert outcome.broken == []
        (match,) = staged.chain.game.ledger.matches.values()
        assert match.index == at, "the match came down to the lie"


def test_a_right_end_by_a_wrong_way_loses_though_its_claim_is_right() -> None:
    staged, outcome = played([liar(told(Lie.WAY, 6)), liar(told(Lie.STEP, 3), name="other")])
    assert outcome.broken == [] and outcome.entries == 3
    claims = Counter(entry.claim for entry in staged.chain.game.ledger.entries.values())
    assert claims[staged.chain.rollup.confirmed] == 2, "a liar entered the right claim too"


def test_sixteen_at_once_lose() -> None:
    """All in the last second, each with a claim of their own, slow among themselves."""
    many = [
        liar(
            told(Lie.STEP, at, salt=at),
            manner=Manner.SLOW_TOGETHER,
            name=f"liar {at}",
            begins=0 if at == 0 else None,
            claimed_after=CLAIM_WINDOW,
            entered_after=ENTRY_WINDOW,
        )
        for at in range(STEPS)
    ]
    _, outcome = played(many)
    assert outcome.broken == [] and outcome.entries == STEPS + 1
    assert outcome.delay > ENTRY_WINDOW + match_seconds(table(many).beginning.terms.dispute) // 4


def test_a_liar_who_comes_again_with_new_traces_pays_for_each() -> None:
    traces = [told(Lie.NONSENSE, 2, salt=salt) for salt in range(5)]
    staged, outcome = played([liar(*traces)])
    assert outcome.broken == [] and outcome.entries == 6
    lost = [e for e in staged.chain.game.ledger.entries.values() if e.status == EntryStatus.LOST]
    assert len(lost) == 5


def test_the_right_claim_may_be_made_and_entered_by_a_liar() -> None:
    """The copier gets the bond back that is theirs; whoever moved is paid for that."""
    copier = liar(truth(batch(), HEIGHT), name="copier", manner=Manner.MUTE)
    wrong = liar(told(Lie.STEP, 7), begins=1, entered_after=4)
    staged, outcome = played([copier, wrong])
    assert outcome.broken == []
    (entry,) = [
        entry
        for entry in staged.chain.game.ledger.entries.values()
        if entry.status != EntryStatus.LOST
    ]
    assert entry.owner == copier.name
    assert staged.chain.received[HONEST] >= staged.chain.owed[HONEST] > 0


@pytest.mark.parametrize("late", [0, LATE_MAX])
@pytest.mark.parametrize("manner", [Manner.MUTE, Manner.LAST_SECOND])
def test_a_liar_that_owns_the_right_entry_cannot_lose_it(manner: Manner, late: int) -> None:
    """It never moves, or always in its last second: others do, and are paid for it."""
    owner = liar(truth(batch(), HEIGHT), name="owner", manner=manner)
    wrong = liar(told(Lie.STEP, 7), begins=1, entered_after=1)
    staged, outcome = played([owner, wrong], late=late)
    assert outcome.broken == [] and outcome.entries == 2
    assert staged.chain.received[HONEST] >= staged.chain.owed[HONEST] > 0


@pytest.mark.parametrize("late", [0, 1, MOVE_TIME, LATE_MAX])
@pytest.mark.parametrize("entered_after", [1, ENTRY_WINDOW])
def test_nobody_loses_the_right_trace_by_playing_itself(late: int, entered_after: int) -> None:
    """The match is down to one step at once, and yet nothing is lost before entries end."""
    traces = [truth(batch(), HEIGHT), told(Lie.STEP, 15), told(Lie.STEP, 15, salt=2)]
    staged, outcome = played([burner(*traces, later=entered_after)], late=late)
    assert outcome.broken == [] and outcome.entries == 3
    assert min(m.turn_at for m in staged.chain.game.ledger.matches.values()) >= ENTRY_WINDOW


@pytest.mark.parametrize("late", [URGENT_LATE_MAX, LATE_MAX])
def test_a_right_trace_that_was_refuted_before_its_batch_was_void_is_entered_again(
    late: int, mined: list[tuple[int, Transaction, str | None]]
) -> None:
    """L1 believed the chunk that is none, so the liar's own proof was good; the lie behind the
    right BOOT would have won alone.
    """
    truly = run(GENESIS, VOID_STEPS)
    traces = [truth(truly, HEIGHT), told(Lie.STEP, 15), lie(Lie.STEP, 1, 2, truly, HEIGHT)]
    staged, outcome = played([burner(*traces, later=5)], is_malformed=True, late=late)
    assert outcome.broken == []
    done = [type(sent.move) for _, sent, reason in mined if not reason]
    assert done.index(Refute) < done.index(VoidBatch), "the right trace was lost"
    roots = [entry.trace_root for entry in staged.chain.game.ledger.entries.values()]
    assert Counter(roots)[traces[0].tree.root] == 2


def test_a_batch_is_void_on_l1_before_anybody_honest_enters(
    mined: list[tuple[int, Transaction, str | None]],
) -> None:
    """Who executed the chunk that is none is refuted by its first leaf, in one call."""
    executed = liar(truth(batch(), HEIGHT), claimed_after=0, entered_after=0, name="executed")
    _, outcome = played([executed], is_malformed=True)
    assert outcome.broken == [] and outcome.matches <= 1
    honest = [type(sent.move) for _, sent, reason in mined if sent.sender == HONEST and not reason]
    assert honest.index(VoidBatch) < honest.index(Enter)


def test_a_trace_that_is_published_is_refuted_in_one_call() -> None:
    lied = liar(told(Lie.STEP, 9), manner=Manner.MUTE)
    staged, outcome = played([lied], published_steps=STEPS)
    assert outcome.broken == []
    (match,) = staged.chain.game.ledger.matches.values()
    assert match.height >= HEIGHT - 1, "nobody had to descend"


def test_where_nobody_wins_the_parent_is_contested_anew_and_the_right_claim_wins(
    mined: list[tuple[int, Transaction, str | None]],
) -> None:
    """Two liars differ first in a step of which both are wrong, and nobody honest is awake."""
    one = liar(told(Lie.STEP, 4, salt=1), name="one")
    two = liar(told(Lie.STEP, 4, salt=2), name="two", begins=3)
    staged = table([one, two])
    staged.awake_at = 400
    judge(staged)
    statuses = [m.status for m in staged.chain.game.ledger.matches.values()]
    assert MatchStatus.BOTH_LOST in statuses
    assert [type(sent.move) for _, sent, reason in mined if not reason].count(Reopen) == 1
    assert staged.chain.rollup.confirmed != PARENT
    (alive,) = [
        entry
        for entry in staged.chain.game.ledger.entries.values()
        if entry.status != EntryStatus.LOST
    ]
    assert alive.trace_root == staged.beginning.right.tree.root


@pytest.mark.parametrize("height", range(1, 7))
def test_nobody_moves_more_than_half_the_height_rounded_up(
    height: int, mined: list[tuple[int, Transaction, str | None]]
) -> None:
    steps = 1 << height
    _, outcome = played(
        [liar(told(Lie.STEP, steps - 1, steps=steps, height=height))], steps=steps, height=height
    )
    assert outcome.broken == []
    moves = Counter(
        sent.sender for _, sent, reason in mined if isinstance(sent.move, Advance) and not reason
    )
    assert sum(moves.values()) == height
    assert max(moves.values()) == (height + 1) // 2


def test_what_the_bonds_came_to_is_all_there_is() -> None:
    """When everybody has taken theirs, nothing is left and nothing was missing."""
    liars = [liar(told(Lie.STEP, at), name=f"liar {at}", begins=at) for at in range(4)]
    staged, outcome = played(liars)
    assert outcome.broken == []
    game, ledger = staged.chain.game, staged.chain.game.ledger
    for match, side, mover in list(ledger.earned):
        m = ledger.matches[match]
        won = {1: MatchStatus.ONE_WON, 2: MatchStatus.TWO_WON}[side] == m.status
        if won and ledger.earned[match, side, mover]:
            game.collect(Call(sender=mover, now=staged.now), match)
    left = {account: wei for account, wei in game.ledger.credits.items() if wei}
    assert INSURANCE in left
    for account in left:
        game.withdraw(Call(sender=account, now=staged.now))
    assert game.ledger.balance == 0


def test_the_winner_is_paid_for_claim_and_entry_by_the_first_claim_that_is_rejected() -> None:
    staged, _ = played([liar(told(Lie.STEP, 3), manner=Manner.MUTE)])
    terms = staged.beginning.terms.dispute
    gas = TIME_OUT_GAS + REJECT_GAS + ENTER_GAS
    assert staged.chain.received[HONEST] == terms.entry_bond + gas * terms.base_fee_cap


@pytest.mark.parametrize(
    ("left_out", "kept"),
    [(Advance, "another"), (Enter, "another"), (VoidBatch, "another")],
)
def test_an_honest_player_that_leaves_something_out_is_caught_by_the_referee(
    monkeypatch: pytest.MonkeyPatch, left_out: type, kept: str
) -> None:
    """So a game that breaks no promise says something."""

    def without(chain: Chain, right: Trace, now: int) -> list[Move | SettlementMove]:
        found = honest_moves(chain, right, now)
        return [move for move in found if not isinstance(move, left_out)]

    monkeypatch.setattr(play, "honest_moves", without)
    monkeypatch.setattr(play, "BLOCKS_MAX", 200)
    is_void = left_out is VoidBatch
    trace = truth(batch(), HEIGHT) if is_void else told(Lie.STEP, 15)
    staged: Table = table([liar(trace)], is_malformed=is_void)
    assert any(kept in broken for broken in judge(staged).broken)


def test_the_table_pays_a_move_what_the_honest_one_is_owed() -> None:
    staged, _ = played([liar(told(Lie.STEP, 15))])
    owed, cap = staged.chain.owed[HONEST], staged.beginning.terms.dispute.base_fee_cap
    assert owed % (ADVANCE_GAS * cap) == 0, "advance, settle, refute and time out are multiples"
