"""Who plays: an honest challenger that remembers nothing, and liars of every manner."""

from collections.abc import Iterator, Sequence
from enum import Enum

from msgspec import Struct

from prover.dispute.moves import (
    Advance,
    Defence,
    Enter,
    Move,
    Redeem,
    Refute,
    Settle,
    TimeOut,
    next_moves,
)
from prover.dispute.seen import standing_of
from prover.dispute.settlement import (
    MakeClaim,
    RightClaim,
    SettlementMove,
    SettlementStanding,
    VoidBatch,
    next_settlement_moves,
)
from prover.dispute.standing import Standing
from prover.dispute.views import MatchStatus
from prover.games.chain import Chain, Transaction
from prover.games.lies import Draw, Trace
from prover.games.machine import VOID_STEPS, after
from prover.games.rollup import BATCH, CLAIM_REJECTED, PARENT, output_of

HONEST = b"honest".rjust(20, b"\0")

URGENT = (VoidBatch, MakeClaim)
"""What comes before an entry."""


class Manner(Enum):
    """How a liar plays its matches."""

    FAST = "moves at once"
    LAST_SECOND = "moves in the last second of its turn"
    SLOW_TOGETHER = "moves at once against who is honest, else in the last second"
    MUTE = "never moves"
    TIRED = "moves a few times only"
    NOISY = "moves at once, and sends whatever could not possibly be taken"
    BURNER = "plays itself down to one step at once and lets that pass, to lose the right trace"


class Entrance(Struct, frozen=True):
    """A trace that a liar claims and enters, so many seconds after the parent is contested.
    `is_entered` is false where nothing but the claim is made.
    """

    trace: Trace
    claimed_after: int
    entered_after: int
    is_entered: bool


class Liar(Struct, frozen=True):
    """`moves` is how many a tired one makes; `begins` when it claims its first trace,
    which a burner contests at once.
    """

    name: bytes
    manner: Manner
    entrances: Sequence[Entrance]
    moves: int
    begins: int | None


def honest_moves(chain: Chain, right: Trace, now: int) -> list[Move | SettlementMove]:
    """Voiding and claiming before all else, then the dispute, then what is left to settle."""
    rollup = chain.rollup
    settling = next_settlement_moves(_settlement(chain, right, now), now)
    urgent = [move for move in settling if isinstance(move, URGENT)]
    if urgent or rollup.rivals_since == 0:
        return [*(urgent or settling)]
    standing = standing_of(chain.game, PARENT, rollup.rivals_since, HONEST)
    claim = output_of(right.end).claim
    defence = Defence(claim, right.tree, rollup.is_malformed)
    return [*next_moves(standing, defence, now), *settling]


def _settlement(chain: Chain, right: Trace, now: int) -> SettlementStanding:
    """What the honest one reads off L1 about claims."""
    rollup, claim = chain.rollup, output_of(right.end).claim
    made = rollup.made.get(claim)
    result, winner, _ = chain.result(now)
    batch = RightClaim(
        batch=BATCH,
        parent=PARENT,
        claim=claim,
        claimed_at=made[0] if made else None,
        rivals=min(len(rollup.made), 2),
        first_at=rollup.first_at,
        contested_at=rollup.rivals_since,
        result=result if rollup.rivals_since else result.OPEN,
        winner=winner,
    )
    is_settled = rollup.confirmed_batch() >= BATCH
    others = [other for other in rollup.made if other != rollup.confirmed]
    wrong = [other for other in others if rollup.records[other].status != CLAIM_REJECTED]
    return SettlementStanding(
        claim_window=rollup.claim_window,
        confirmed=rollup.confirmed_batch(),
        right=() if is_settled else (batch,),
        malformed={BATCH: 0} if rollup.is_malformed and not rollup.is_void else {},
        rejectable=wrong if is_settled else (),
        credits=chain.game.ledger.credits.get(HONEST, 0),
        bonds=0,
    )


def liar_moves(
    chain: Chain, liar: Liar, standing: Standing | None, now: int, draw: Draw
) -> Iterator[Transaction]:
    """Everything that a liar sends, with the second in which it wants it mined."""
    if standing is None:
        if liar.begins is not None:
            begun = liar.entrances if liar.manner == Manner.BURNER else liar.entrances[:1]
            for entrance in begun:
                yield Transaction(liar.name, MakeClaim(BATCH), entrance.trace, liar.begins)
        return
    for entrance in liar.entrances:
        trace, since = entrance.trace, standing.contested_at
        claim = output_of(trace.end).claim
        if claim not in chain.rollup.made:
            at = since + entrance.claimed_after
            yield Transaction(liar.name, MakeClaim(BATCH), trace, at)
        for move in next_moves(standing, Defence(claim, trace.tree, chain.rollup.is_void), now):
            if isinstance(move, Enter):
                if entrance.is_entered:
                    yield Transaction(liar.name, move, trace, since + entrance.entered_after)
            elif not _hurts(chain, move, trace):
                due = _due(standing, liar, move, now, draw)
                if due is not None:
                    yield Transaction(liar.name, move, trace, due)
        if liar.manner == Manner.NOISY:
            yield from _noise(standing, liar, trace, now)


def _hurts(chain: Chain, move: Move, trace: Trace) -> bool:
    """Whether a proof would show nothing but the lie of whoever brings it."""
    if isinstance(move, Settle | Refute):
        witness = trace.witness(move.index)
        if witness is None:
            return True
        steps = VOID_STEPS if chain.rollup.is_void else chain.rollup.steps
        is_padding = witness.is_at_rest and move.index > 0
        true = witness if is_padding else after(witness, steps)
        return true.root != trace.tree.leaf(move.index)
    return False


def _due(standing: Standing, liar: Liar, move: Move, now: int, draw: Draw) -> int | None:
    """When a liar of this manner makes the move, if it does."""
    if not isinstance(move, Advance | Settle):
        return now + draw(4)
    paired = standing.matches[move.match]
    owners = {standing.entries[side].owner for side in (paired.one, paired.two)}
    plays_itself = liar.manner == Manner.BURNER and owners == {liar.name}
    if isinstance(move, Settle):
        return None if plays_itself else now + draw(4)
    last = standing.turn_ends_at(paired)
    match liar.manner:
        case Manner.BURNER:
            return now if plays_itself else None
        case Manner.MUTE:
            return None
        case Manner.LAST_SECOND:
            return last
        case Manner.SLOW_TOGETHER:
            return now + draw(4) if HONEST in owners else last
        case Manner.TIRED:
            played = (standing.terms.height - paired.height) // 2
            return min(now + draw(30), last) if played < liar.moves else None
    return now + draw(4)


def _noise(standing: Standing, liar: Liar, trace: Trace, now: int) -> Iterator[Transaction]:
    """What L1 must refuse: another's children, turns that are not over, leaves that are right,
    and bonds that are nobody's yet.
    """
    zero, moves = bytes(32), list[Move]()
    for match, paired in standing.matches.items():
        if paired.status == MatchStatus.OPEN:
            left, right = paired.left, paired.right
            moves.append(
                Advance(match=match, left=left, right=right, next_left=zero, next_right=zero)
            )
            moves.append(TimeOut(match=match, left=left, right=right))
            moves.append(
                Settle(
                    match=match,
                    index=paired.index,
                    previous_branch=tuple(trace.tree.branch(0)),
                    left=left,
                    right=right,
                )
            )
    for entry, shown in standing.entered.items():
        moves.append(
            Refute(
                entry=entry,
                index=0,
                leaf=shown.first,
                leaf_branch=shown.first_branch,
                previous_branch=(),
                left=shown.left,
                right=shown.right,
            )
        )
        moves.append(Redeem(entry))
    for move in moves:
        yield Transaction(liar.name, move, trace, now)
