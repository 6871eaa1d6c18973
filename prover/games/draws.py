"""What a game begins with, drawn: a batch, its right trace, and liars with theirs."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct

from prover.dispute import payments
from prover.dispute.terms import DisputeTerms, SettlementTerms
from prover.games.lies import Draw, Lie, Trace, is_possible, lie, truth
from prover.games.machine import GENESIS, VOID_STEPS, ToyState, run
from prover.games.players import Entrance, Liar, Manner
from prover.games.rollup import ToyRollup

LIARS_MAX = 16
MOVE_TIME = 40
CLAIM_WINDOW = 50
ENTRY_WINDOW = CLAIM_WINDOW + MOVE_TIME
BASE_FEE_CAP = 10

LATE_MAX = ENTRY_WINDOW - MOVE_TIME
"""Somebody who comes now may still enter."""
URGENT_LATE_MAX = LATE_MAX - MOVE_TIME
"""Somebody who comes now may still claim, or prove the batch void, and then enter."""

DEEP_HEIGHT = 16
DEEP_STEPS_MAX = 300

T = TypeVar("T")


class Beginning(Struct, frozen=True):
    """Before anybody has claimed anything. `late` is how many seconds after the parent is contested
    the honest one comes.
    """

    terms: SettlementTerms
    rollup: ToyRollup
    right: Trace
    liars: Sequence[Liar]
    late: int = 0


def pick(draw: Draw, choices: Sequence[T]) -> T:
    """One of several."""
    return choices[draw(len(choices))]


def begin(draw: Draw) -> Beginning:
    """Heights of 1 to 6, one game in sixteen of 16; one batch in eight is malformed, one
    deployment in eight publishes traces; one game in four begins with a burner.
    """
    height = DEEP_HEIGHT if draw(16) == 0 else 1 + draw(6)
    size = DEEP_STEPS_MAX if height == DEEP_HEIGHT else 1 << height
    steps = 2 + draw(size - 1)
    rollup = ToyRollup(steps=steps, claim_window=CLAIM_WINDOW, is_malformed=draw(8) == 0)
    drawn = terms_of(height, MOVE_TIME + draw(2 * MOVE_TIME), size if draw(8) == 0 else 0)
    as_posted = run(GENESIS, steps)
    truly = run(GENESIS, VOID_STEPS) if rollup.is_malformed else as_posted
    liars = [_liar(draw, number, as_posted, truly, drawn) for number in range(1 + draw(LIARS_MAX))]
    if draw(4) == 0:
        liars[0] = _burner(draw, 0, as_posted, truly, height)
    late = pick(draw, (0, 0, LATE_MAX, draw(LATE_MAX)))
    return Beginning(drawn, rollup, truth(truly, height), _somebody_begins(draw, liars), late)


def terms_of(height: int, clock: int, published_steps: int = 0) -> SettlementTerms:
    """Bonds are the least that a deployment takes."""
    return SettlementTerms(
        claim_window=CLAIM_WINDOW,
        claim_bond=(payments.ENTER_GAS + payments.REJECT_GAS) * BASE_FEE_CAP
        + payments.LEAF_GAS * published_steps * BASE_FEE_CAP,
        dispute=DisputeTerms(
            height=height,
            clock=clock,
            move_time=MOVE_TIME,
            entry_window=ENTRY_WINDOW,
            entry_bond=payments.dearest_match(height, BASE_FEE_CAP),
            base_fee_cap=BASE_FEE_CAP,
            published_steps=published_steps,
        ),
        retention=1 << 32,
    )


def _liar(
    draw: Draw,
    number: int,
    as_posted: Sequence[ToyState],
    truly: Sequence[ToyState],
    terms: SettlementTerms,
) -> Liar:
    """Most enter one trace; some come again and again."""
    manner = pick(draw, list(Manner))
    if manner == Manner.BURNER:
        return _burner(draw, number, as_posted, truly, terms.dispute.height)
    entrances = []
    for again in range(1 + (draw(3) if draw(4) == 0 else 0)):
        salt = pick(draw, (7, 64 * number + again))
        trace = _trace(draw, salt, pick(draw, (as_posted, truly)), truly, terms.dispute)
        after = pick(draw, (0, ENTRY_WINDOW, draw(ENTRY_WINDOW)))
        claimed = pick(draw, (0, CLAIM_WINDOW, draw(CLAIM_WINDOW)))
        is_entered = draw(8) > 0
        entrances.append(Entrance(trace, min(claimed, after), after, is_entered))
    return Liar(_name(number), manner, entrances, draw(4), None)


def _name(number: int) -> bytes:
    return b"liar" + number.to_bytes(16)


def _burner(
    draw: Draw,
    number: int,
    as_posted: Sequence[ToyState],
    truly: Sequence[ToyState],
    height: int,
) -> Liar:
    """The right trace and a wrong one to lose it against, at once; and one that is to win. Where
    the batch is malformed the second is what L1 believes until it knows that.
    """
    against = lie(Lie.STEP, len(as_posted) - 1, 64 * number, as_posted, height)
    winner = lie(Lie.STEP, len(truly) - 1, 64 * number + 1, truly, height)
    later = pick(draw, (1, ENTRY_WINDOW, draw(ENTRY_WINDOW)))
    entrances = [
        Entrance(truth(truly, height), 0, 0, True),
        Entrance(against, 0, 0, True),
        Entrance(winner, 0, later, True),
    ]
    return Liar(_name(number), Manner.BURNER, entrances, 0, None)


def _trace(
    draw: Draw,
    salt: int,
    base: Sequence[ToyState],
    truly: Sequence[ToyState],
    terms: DisputeTerms,
) -> Trace:
    """A lie, or a copy of the right trace. Two liars with one salt may tell the same."""
    height = terms.height
    if draw(10) == 0:
        return truth(truly, height)
    kind, at = pick(draw, list(Lie)), draw(len(base))
    if not is_possible(kind, at, base, height):
        kind, at = Lie.STEP, len(base) - 1
    if kind in (Lie.PADDING, Lie.AFTERLIFE) and draw(2):
        at = len(base) + draw(4)
        if not is_possible(kind, at, base, height):
            at = 0
    told = lie(kind, at, salt, base, height)
    if terms.published_steps and told.tree.size != told.end.step:
        # One root a step is all that can be published.
        return lie(Lie.STEP, len(base) - 1, salt, base, height)
    return told


def _somebody_begins(draw: Draw, liars: Sequence[Liar]) -> list[Liar]:
    """One liar claims before anybody else has."""
    first, *others = liars
    begun = Liar(first.name, first.manner, first.entrances, first.moves, draw(10))
    return [begun, *others]
