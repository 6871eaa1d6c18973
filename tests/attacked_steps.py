"""Four steps for attacks on proofs: what each touches, and the same step over other trees."""

from functools import cache

from attack_world import (
    MARK,
    AttackedVenue,
    Shown,
    quoted,
)
from msgspec.structs import replace

from node.parity.case import Case, case_of
from prover.recording import RecordingState
from state.commitment import Commitment
from state.memory import MemoryState
from state.store import Changes

ALICE, BOB = 1 << 8, 2 << 8


@cache
def venue() -> AttackedVenue:
    """Its last steps: a match of bob with alice, the end of his order, a price, a withdrawal."""
    venue = quoted()
    venue.add_key("alice", "bot")
    venue.buy("bob", 5, MARK)
    venue.price(50_000_100)
    venue.withdraw("bob", 1)
    venue.withdraw("bob", 2)
    return venue


@cache
def shown(name: str) -> Shown:
    """The step that touches: two accounts and an order, one market alone, or one account."""
    places = {"match": -6, "end": -5, "price": -3, "withdrawal": -1}
    return venue().shown[places[name]]


def over(step: Shown, trees: Commitment) -> Case:
    """The same step over other trees, with the proofs that they give."""
    w, recording = step.witness, RecordingState(MemoryState(), trees)
    recording.accounts = {p.key for p in w.accounts}
    recording.markets = {p.key for p in w.markets}
    recording.rows = set(w.rows.leaves)
    recording.orders = {(p.market, p.side, p.key) for p in w.orders}
    witness = recording.witness(Changes(recording))
    return case_of(replace(witness, withdrawals=w.withdrawals), step.given, step.case.facts)
