"""The sequencer: what it executes in real time is what a follower derives from L1."""

import os

import pytest
from builders import FAR, NOW, VERIFIER, key, sign_transaction
from sequenced_world import (
    NAMES,
    Follower,
    Traders,
    deposit_item,
    inbox,
    order,
    price,
    started,
)

from sequencer.sequencer import Sequencer, Submission
from state.commitment import genesis_root
from state.invariants import check_invariants
from state.limits import (
    BATCH_PAYLOAD_MAX,
    CANCEL_ALL_STEPS_MAX,
    INBOX_STEPS_MAX,
    ORDER_STEPS_MAX,
)
from state.orders import BUY, SELL, Life
from state.status import Status
from state.transactions import (
    Amend,
    Cancel,
    CancelAll,
    Header,
    SignedPrice,
    Transaction,
    Withdraw,
)
from state.transactions.header import decode_header
from state.transactions.kinds import SIGNED_KINDS, Kind

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else [1, 2, 3, 4]
ALICE = 1 << 8


@pytest.mark.parametrize("seed", SEEDS)
def test_a_follower_of_every_sealed_batch_reaches_the_same_root(seed: int) -> None:
    sequencer, follower = started(), Follower()
    traders = Traders(seed, sequencer)
    r = traders.random
    for _ in range(16):
        for _ in range(r.randint(0, 40)):
            if r.random() < 0.2:
                sequencer.advance_clock(sequencer.time + r.randrange(4))
            traders.count(sequencer.submit(*traders.next()))
        if sequencer.open is not None and r.random() < 0.8:
            batch = sequencer.seal()
            derived = follower.follow(batch)
            assert not derived.void_reason, f"seed {seed}, batch {batch.number}"
            assert follower.root == batch.commitment.state_root, f"seed {seed}, {batch.number}"
            assert follower.output.steps == batch.steps, f"seed {seed}, batch {batch.number}"
        if sequencer.open is None and r.random() < 0.5:
            index = sequencer.state.machine.inbox
            sequencer.take_items([deposit_item(index, "alice"), deposit_item(index + 1, "bob")])
    check_invariants(sequencer.state)
    for status in (Status.OK, Status.BAD_SIGNATURE, Status.SEQUENCE_USED, Status.EXPIRED):
        assert traders.statuses[status], f"seed {seed} never reached {status.name}"


def test_orders_over_several_chunks_are_one_batch() -> None:
    sequencer, follower = started(), Follower()
    for at in range(1, 151):
        assert sequencer.submit(*order("alice", at, side=BUY)).status == Status.OK
        assert sequencer.submit(*order("bob", at, side=SELL)).status == Status.OK
    batch = sequencer.seal()
    assert len(batch.content.chunks) == 4
    assert (batch.orders, batch.fills) == (300, 150)
    follower.follow(batch)
    assert follower.root == sequencer.commitment().state_root
    assert follower.output.steps == batch.steps


def test_a_batch_filled_to_the_brim_still_fits_on_l1() -> None:
    sequencer, follower = started(), Follower()
    sequence = 0
    while sequencer.can_take(Kind.CANCEL):
        sequence += 1
        tx = Cancel(ALICE, 0, sequence, 0, 12_345, FAR)
        receipt = sequencer.submit(tx, sign_transaction(tx, key("alice")))
        assert receipt.status == Status.UNKNOWN_ORDER
    assert sequencer.is_full
    with pytest.raises(AssertionError, match="seal the batch first"):
        sequencer.submit(*order("alice", sequence + 1))
    batch = sequencer.seal()
    assert len(batch.rows) > 1_200
    assert BATCH_PAYLOAD_MAX - 10_000 < batch.compressed_bytes <= BATCH_PAYLOAD_MAX
    follower.follow(batch)
    assert follower.root == sequencer.commitment().state_root
    assert sequencer.submit(*order("alice", sequence + 1)).status == Status.OK


def test_a_batch_ends_before_an_order_could_run_out_of_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget = ORDER_STEPS_MAX + 100
    monkeypatch.setattr("state.steps.BATCH_STEPS_MAX", budget)
    monkeypatch.setattr("sequencer.sequencer.BATCH_STEPS_MAX", budget)
    sequencer, follower = started(), Follower()
    for at in range(1, 200):
        if not sequencer.can_take(Kind.ORDER):
            assert sequencer.is_full and sequencer.can_take(Kind.CANCEL)
            follower.follow(sequencer.seal())
            assert follower.root == sequencer.commitment().state_root
        assert sequencer.submit(*order("alice", at)).status in (Status.OK, Status.TOO_MANY_ORDERS)
    assert follower.replayer.number > 1


def amended(name: str, sequence: int) -> Submission:
    """Their order of that number, to another price and back: a whole order each time."""
    number = NAMES.index(name) + 1 << 8
    tx = Amend(number, 0, sequence + 1, 0, 1, 499_990 + sequence % 2, 10, FAR)
    return tx, sign_transaction(tx, key(name))


@pytest.mark.parametrize(
    ("kind", "most"), [(Kind.AMEND, ORDER_STEPS_MAX), (Kind.CANCEL_ALL, CANCEL_ALL_STEPS_MAX)]
)
def test_a_batch_ends_before_an_amend_or_a_cancel_of_all_could_run_out_of_steps(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, most: int
) -> None:
    budget = ORDER_STEPS_MAX + 100
    monkeypatch.setattr("state.steps.BATCH_STEPS_MAX", budget)
    monkeypatch.setattr("sequencer.sequencer.BATCH_STEPS_MAX", budget)
    sequencer, follower = started(), Follower()
    assert sequencer.submit(*order("alice", 1, ticks=499_990)).status == Status.OK
    at = 1
    while sequencer.can_take(kind):
        at += 1
        tx = CancelAll(ALICE, 0, at + 1, 0, 7, FAR)
        sent = amended("alice", at) if kind == Kind.AMEND else signed(tx)
        assert sequencer.submit(*sent).status == Status.OK
    assert at > 10 and sequencer.is_full
    # These take two steps at most; another might take all, an OPEN before it and HALT after it.
    assert most - 1 <= sequencer.state.machine.steps_left <= most + 1
    follower.follow(sequencer.seal())
    assert follower.root == sequencer.commitment().state_root


@pytest.mark.parametrize("seed", [8])
def test_a_batch_that_is_not_full_takes_every_kind(seed: int) -> None:
    sequencer = started()
    traders, full = Traders(seed, sequencer), 0
    for at in range(3_000):
        if sequencer.is_full:
            full += 1
            assert not all(map(sequencer.can_take, SIGNED_KINDS))
            sequencer.seal()
        else:
            assert at % 7 or all(map(sequencer.can_take, SIGNED_KINDS)), f"seed {seed}"
        sequencer.submit(*traders.next())
    assert full > 0, f"seed {seed}"


def test_an_empty_venue_seals_nothing() -> None:
    sequencer = Sequencer(VERIFIER)
    sequencer.advance_clock(NOW)
    assert sequencer.open is None and sequencer.number == 0
    assert sequencer.commitment().state_root == genesis_root()
    with pytest.raises(AssertionError, match="empty"):
        sequencer.seal()


def signed(tx: Transaction) -> tuple[Transaction, bytes]:
    return tx, sign_transaction(tx, key("alice"))


NOBODYS = {
    "unknown account": (signed(Cancel(99 << 8, 0, 5, 0, 1, FAR)), Status.UNKNOWN_ACCOUNT),
    "unknown key": (signed(Cancel(ALICE, 3, 5, 0, 1, FAR)), Status.UNKNOWN_KEY),
    "wrong signer": (signed(Cancel(2 << 8, 0, 5, 0, 1, FAR)), Status.BAD_SIGNATURE),
    "no signature": ((Cancel(ALICE, 0, 5, 0, 1, FAR), b""), Status.BAD_SIGNATURE),
    "used sequence": (signed(Cancel(ALICE, 0, 1, 0, 1, FAR)), Status.SEQUENCE_USED),
    "unknown market": (signed(SignedPrice(9, 1, NOW)), Status.UNKNOWN_MARKET),
    "no publisher": (signed(SignedPrice(0, 1, NOW)), Status.UNKNOWN_PUBLISHER),
    "a header": ((Header(NOW + 1), b""), Status.MALFORMED),
    "too wide": (signed(Withdraw(ALICE, 5, bytes(20), 2**64, FAR)), Status.MALFORMED),
}


@pytest.mark.parametrize("is_open", [True, False], ids=["open batch", "between batches"])
@pytest.mark.parametrize("name", NOBODYS)
def test_what_is_nobodys_leaves_no_trace(name: str, is_open: bool) -> None:
    (tx, signature), status = NOBODYS[name]
    sequencer = started()
    sequencer.submit(*order("alice", 1))
    if not is_open:
        sequencer.seal()
    # A header is due, and must not be written for a transaction that is turned down.
    sequencer.advance_clock(NOW + 7)
    before = sequencer.commitment()
    rows = sequencer.open.rows if sequencer.open else None
    receipt = sequencer.submit(tx, signature)
    assert (receipt.status, receipt.fills, receipt.steps) == (status, (), 0)
    after = sequencer.commitment()
    assert (after.state_root, after.machine) == (before.state_root, before.machine)
    assert (sequencer.open.rows if sequencer.open else None) == rows


def test_what_is_refused_but_somebodys_is_in_the_batch() -> None:
    sequencer, follower = started(), Follower()
    refused = signed(Withdraw(ALICE, 1, key("alice").address, 2**60, FAR))
    assert sequencer.submit(*refused).status == Status.MARGIN_TOO_LOW
    assert sequencer.submit(*refused).status == Status.SEQUENCE_USED
    batch = sequencer.seal()
    assert [row.kind for row in batch.rows] == [Kind.PRICE, Kind.WITHDRAW]
    follower.follow(batch)
    assert follower.root == sequencer.commitment().state_root


def test_a_header_is_written_once_for_each_time_that_something_happens_at() -> None:
    sequencer = started()
    sequencer.submit(*order("alice", 1))
    sequencer.advance_clock(NOW + 5)
    sequencer.advance_clock(NOW + 6)
    sequencer.submit(*order("alice", 2))
    sequencer.submit(*order("alice", 3))
    sequencer.advance_clock(NOW + 9)
    batch = sequencer.seal()
    headers = [decode_header(row.row).time for row in batch.rows if row.kind == Kind.HEADER]
    assert headers == [NOW + 6], "the batch itself says that it began at NOW"
    assert (batch.content.time_min, batch.content.time_max) == (NOW, NOW + 6)


def test_the_clock_holds_rather_than_go_back() -> None:
    sequencer = started(NOW)
    sequencer.advance_clock(NOW - 100)
    assert sequencer.time == NOW
    sequencer.seal()
    sequencer.advance_clock(NOW + 50)
    sequencer.take_items([deposit_item(sequencer.state.machine.inbox, "alice")])
    sequencer.advance_clock(NOW + 60)
    quiet = sequencer.seal()
    assert (quiet.content.time_min, quiet.content.time_max) == (NOW + 50, NOW + 50)
    # L1 was told NOW + 50, and takes no batch that begins before it.
    sequencer.rewind_to(quiet.number)
    assert sequencer.time == NOW + 60


def test_items_run_before_the_first_transaction_or_wait_for_the_next_batch() -> None:
    sequencer, follower = Sequencer(VERIFIER), Follower()
    sequencer.advance_clock(NOW)
    items = inbox()
    sequencer.take_items(items[:2])
    sequencer.take_items(items[2:])
    price(sequencer)
    more = [deposit_item(len(items), "carol")]
    assert sequencer.fitting(more) == ()
    first = sequencer.seal()
    assert (first.content.inbox_from, first.content.inbox_to) == (0, len(items))
    follower.follow(first)
    assert sequencer.fitting(more) == more
    sequencer.take_items(more)
    follower.follow(sequencer.seal())
    assert follower.root == sequencer.commitment().state_root


def test_a_batch_takes_items_up_to_the_budget_of_the_inbox() -> None:
    sequencer = Sequencer(VERIFIER)
    items = [deposit_item(index, "alice") for index in range(INBOX_STEPS_MAX + 3)]
    assert len(sequencer.fitting(items)) == INBOX_STEPS_MAX
    sequencer.take_items(items[:10])
    assert len(sequencer.fitting(items[10:])) == INBOX_STEPS_MAX - 10


def test_a_killed_order_reports_no_fills() -> None:
    sequencer = started()
    sequencer.submit(*order("bob", 1, side=SELL, lots=5))
    receipt = sequencer.submit(*order("alice", 1, lots=6, life=Life.FOK))
    assert (receipt.status, receipt.fills) == (Status.KILLED, ())
    assert sequencer.seal().fills == 0
