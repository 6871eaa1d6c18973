"""A dispute of the twin as a player reads it off L1."""

from prover.dispute import entries, matches
from prover.dispute.ledger import CLAIM_CONFIRMED
from prover.dispute.rules import Game
from prover.dispute.standing import Standing
from prover.dispute.views import dispute_id
from state.crypto import ZERO_HASH as ZERO


def standing_of(game: Game, parent: bytes, contested_at: int, me: bytes) -> Standing:
    """The dispute over the children of `parent` that began at `contested_at`, as `me` sees it."""
    ledger, dispute = game.ledger, dispute_id(parent, contested_at)
    own = {key: view for key, view in ledger.entries.items() if view.dispute == dispute}
    played = {key: m for key, m in ledger.matches.items() if m.one in own}
    earned = {
        key: ledger.earned.get((key, matches.WON_BY[m.status], me), 0)
        for key, m in played.items()
        if m.status in matches.WON_BY
    }
    record = game.rollup.claim_record
    confirmed = (v.claim for v in own.values() if record(v.claim).status == CLAIM_CONFIRMED)
    return Standing(
        terms=game.terms,
        parent=parent,
        contested_at=contested_at,
        dispute_id=dispute,
        dispute=ledger.disputes.get(dispute, entries.NO_DISPUTE),
        entries=own,
        matches=played,
        entered={key: ledger.entered[key] for key in own},
        published={key: ledger.published[key] for key in own if key in ledger.published},
        earned=earned,
        me=me,
        confirmed=next(confirmed, ZERO),
    )
