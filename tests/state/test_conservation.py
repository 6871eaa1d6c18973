"""Money: nothing minted, nothing lost, longs equal shorts, whatever is sent."""

import os

import pytest
from builders import VERIFIER, Venue, key, sign_transaction
from histories import History
from hypothesis import given, settings
from hypothesis import strategies as st

from state.execution import run_transaction
from state.invariants import check_invariants
from state.status import Status, is_identity
from state.steps import Step
from state.store import Changes
from state.transactions import Header, decode_transaction
from state.transactions.kinds import ROW_WIDTHS, Kind

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else [1, 2, 3]


@pytest.mark.parametrize("seed", SEEDS)
def test_two_thousand_random_transactions_conserve_after_every_step(seed: int) -> None:
    history = History(seed)

    def check(step: Step, _: Changes) -> None:
        assert history.venue.state.machine.is_conserved, f"seed {seed}, after {step}"
        check_invariants(history.venue.state)

    history.venue.on_step = check
    history.run(2_000)
    history.venue.halt()
    assert len(history.venue.fills) > 100, f"seed {seed}: too little traded to mean anything"
    for expected in (Status.OK, Status.BAD_SIGNATURE, Status.SEQUENCE_USED, Status.MARGIN_TOO_LOW):
        assert history.statuses[expected] > 0, f"seed {seed} never reached {expected.name}"


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_row_under_any_signature_is_a_status_code(data: st.DataObject) -> None:
    venue = Venue()
    venue.open("alice", 1_000)
    kind = data.draw(st.sampled_from(Kind))
    row = data.draw(st.binary(min_size=ROW_WIDTHS[kind], max_size=ROW_WIDTHS[kind]))
    tx = decode_transaction(kind, row)
    signature = data.draw(st.one_of(st.binary(max_size=70), st.just(None)))
    if signature is None:
        signature = sign_transaction(tx, key("alice"))
    receipt = run_transaction(venue.state, tx, signature, VERIFIER)
    assert receipt.status in Status
    check_invariants(venue.state)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_not_authenticated_changes_nothing_but_the_cursor(data: st.DataObject) -> None:
    venue = Venue()
    venue.open("alice", 1_000)
    venue.buy("alice", 10, 500_000)
    before = venue.committer.commit()
    kind = data.draw(st.sampled_from(sorted(set(Kind) - {Kind.HEADER, Kind.PRICE})))
    row = data.draw(st.binary(min_size=ROW_WIDTHS[kind], max_size=ROW_WIDTHS[kind]))
    signature = data.draw(st.binary(min_size=64, max_size=64))
    receipt = venue.run(decode_transaction(kind, row), signature)
    after = venue.committer.commit()
    assert is_identity(receipt.status)
    assert (after.accounts.root, after.markets.root, after.board.root) == (
        before.accounts.root,
        before.markets.root,
        before.board.root,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_undoing_a_history_brings_the_first_root_back(seed: int) -> None:
    history = History(seed)
    history.venue.halt()
    history.venue.state.cut()
    first = history.venue.committer.commit().state_root
    history.venue.boot()
    history.run(300)
    history.venue.halt()
    last = history.venue.committer.commit().state_root
    log = history.venue.state.cut()
    history.venue.state.undo(log)
    assert history.venue.committer.commit().state_root == first != last, f"seed {seed}"


def test_the_clock_moves_only_forward() -> None:
    venue = Venue()
    now = venue.state.machine.time
    assert venue.run(Header(now - 1)).status == Status.TIME_BACKWARDS
    assert venue.run(Header(now + 5)).status == Status.OK
    assert venue.state.machine.time == now + 5
