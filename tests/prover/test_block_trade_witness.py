"""Every step of a block trade from its witness alone: the root, the writes, and what it needs."""

from collections.abc import Callable, Iterator

import pytest
from block_world import AROUND, block, block_venue, change_account, leg, signed
from builders import VERIFIER, Venue, key
from msgspec.structs import replace

from prover.post_state import root_after
from prover.recording import RecordingState
from prover.refusal import WitnessFault, WitnessRefused
from prover.witness import Witness
from prover.witness_reader import decode_witness
from prover.witness_state import WitnessState
from state.invariants import check_invariants
from state.legs import Leg
from state.machine import Phase
from state.orders import SELL
from state.status import Status
from state.steps import advance_order, take_transaction
from state.store import Changes, PreState
from state.transactions import BlockTrade

Run = Callable[[PreState], Changes]


class Proven:
    """One step: what runs it, its witness, and the roots around it as memory has them."""

    def __init__(self, venue: Venue, run: Run) -> None:
        commitment = venue.committer.commit()
        self.run, self.phase = run, Phase(venue.state.machine.order.phase)
        recording = RecordingState(venue.state, commitment)
        self.changes = run(recording)
        self.witness = recording.witness(self.changes)
        self.root_before = commitment.state_root
        venue.state.apply(self.changes)
        self.root_after = venue.committer.commit().state_root
        check_invariants(venue.state)

    def again(self, witness: Witness) -> tuple[bytes, Changes]:
        """The root that `witness` leads to, and what the step wrote over it."""
        state = WitnessState(decode_witness(witness.encode()), self.root_before)
        changes = self.run(state)
        return root_after(state, changes), changes


def steps_of(venue: Venue, tx: BlockTrade, signature: bytes) -> Iterator[Proven]:
    yield Proven(venue, lambda state: take_transaction(state, tx, signature, VERIFIER, last=False))
    while venue.state.machine.order.phase != Phase.IDLE:
        yield Proven(venue, advance_order)


LEGS = (leg(), leg(SELL, 4, AROUND + 9, 1), leg(lots=1, market=2), leg(SELL, 2, market=3))

TRADES: list[tuple[str, tuple[Leg, ...], Status, int]] = [
    ("one leg", LEGS[:1], Status.OK, 4),
    ("four legs", LEGS, Status.OK, 7),
    ("the first leg refused", (leg(lots=0), *LEGS[1:]), Status.LOTS_OUT_OF_RANGE, 3),
    ("the last leg refused", (*LEGS[:3], leg(lots=0, market=3)), Status.LOTS_OUT_OF_RANGE, 6),
    ("a market that is not there", (*LEGS[:2], leg(market=70)), Status.UNKNOWN_MARKET, 5),
    ("a market of a row that is taken", (leg(market=64),), Status.UNKNOWN_MARKET, 3),
    ("too little margin in the end", (leg(lots=10**8),), Status.TAKER_MARGIN_TOO_LOW, 4),
    ("a side there is not", (leg(2),), Status.MALFORMED, 1),
]


@pytest.mark.parametrize(
    ("legs", "status", "steps"), [row[1:] for row in TRADES], ids=[row[0] for row in TRADES]
)
def test_every_step_runs_alike_from_its_witness(
    legs: tuple[Leg, ...], status: Status, steps: int
) -> None:
    venue = block_venue()
    tx = block(venue, *legs)
    proven = list(steps_of(venue, tx, signed(tx)))
    assert (venue.state.machine.status, len(proven)) == (status, steps)
    for step in proven:
        root, changes = step.again(step.witness)
        assert root == step.root_after, step.phase
        assert changes.machine == step.changes.machine
        assert changes.accounts == step.changes.accounts
        assert changes.events == step.changes.events


@pytest.mark.parametrize("stranger", ["maker", "taker"])
def test_a_trade_that_one_did_not_sign_is_proven_to_change_nothing(stranger: str) -> None:
    venue = block_venue()
    tx = block(venue, *LEGS)
    [admit] = steps_of(venue, tx, signed(tx, **{stranger: key("mallory")}))
    root, changes = admit.again(admit.witness)
    assert root == admit.root_after and not changes.accounts
    assert changes.machine.status == Status.BAD_SIGNATURE


def test_a_maker_with_its_own_reasons_is_proven_after_the_taker() -> None:
    venue = block_venue()
    change_account(venue, "alice", cash=0)
    tx = block(venue, *LEGS)
    *_, settle = steps_of(venue, tx, signed(tx))
    assert venue.state.machine.status == Status.MAKER_MARGIN_TOO_LOW
    assert (settle.phase, settle.changes.rewind) == (Phase.LEG, "restore")
    assert settle.again(settle.witness)[0] == settle.root_after


# The steps of two legs: ADMIT, SAVE, LEG, LEG, SETTLE.
NEEDED: list[tuple[str, int, Callable[[Witness], Witness], str]] = [
    ("ADMIT's maker", 0, lambda w: replace(w, accounts=w.accounts[1:]), "account 256"),
    ("ADMIT's taker", 0, lambda w: replace(w, accounts=w.accounts[:1]), "account 512"),
    ("a leg's maker", 2, lambda w: replace(w, accounts=w.accounts[1:]), "account 256"),
    ("a leg's taker", 3, lambda w: replace(w, accounts=w.accounts[:1]), "account 512"),
    ("a leg's market", 3, lambda w: replace(w, markets=()), "market 1"),
    ("a leg's row", 2, lambda w: replace(w, rows=type(w.rows)({}, ())), "row 0"),
    ("SETTLE's maker", 4, lambda w: replace(w, accounts=w.accounts[1:]), "account 256"),
    ("SETTLE's rows", 4, lambda w: replace(w, rows=type(w.rows)({}, ())), "row 0"),
]


@pytest.mark.parametrize(
    ("at", "drop", "missing"), [row[1:] for row in NEEDED], ids=[row[0] for row in NEEDED]
)
def test_a_step_without_one_of_its_proofs_is_refused(
    at: int, drop: Callable[[Witness], Witness], missing: str
) -> None:
    venue = block_venue()
    tx = block(venue, *LEGS[:2])
    step = list(steps_of(venue, tx, signed(tx)))[at]
    with pytest.raises(WitnessRefused, match=f"the step needs {missing}") as refused:
        step.again(drop(step.witness))
    assert refused.value.fault == WitnessFault.MISSING
