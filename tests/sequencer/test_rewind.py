"""Going back: what was acknowledged in a batch that L1 does not have is retried, in order."""

import pytest
from builders import FAR, NOW, key, sign_transaction
from sequenced_world import (
    Follower,
    Traders,
    deposit_item,
    inbox,
    order,
    started,
)

from sequencer.sequencer import Sequencer, Submission, Unrewindable
from state.commitment import genesis_root
from state.invariants import check_invariants
from state.orders import BUY, SELL
from state.status import Status
from state.transactions import SignedPrice, Transfer
from state.transactions.kinds import Kind

ALICE = 1 << 8


def resubmit(sequencer: Sequencer, owed: list[Submission]) -> list[Status]:
    """As the service does it: seal when full, hand in again, in order."""
    statuses = []
    for tx, signature in owed:
        if sequencer.is_full:
            sequencer.seal()
        statuses.append(sequencer.submit(tx, signature).status)
    return statuses


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rewinding_brings_back_every_root_in_turn(seed: int) -> None:
    sequencer = started()
    traders = Traders(seed, sequencer)
    roots = {0: genesis_root()}
    for number in range(1, 7):
        for _ in range(30):
            sequencer.submit(*traders.next())
        sequencer.advance_clock(sequencer.time + 3)
        roots[number] = sequencer.seal().commitment.state_root
    sequencer.submit(*traders.next())
    for number in (5, 4, 2, 0):
        sequencer.rewind_to(number)
        assert sequencer.open is None
        assert sequencer.commitment().state_root == roots[number], f"seed {seed}"
        check_invariants(sequencer.state)
    assert not sequencer.contents and not sequencer.batches


def test_what_traders_sent_comes_back_in_order_and_without_headers() -> None:
    sequencer = started()
    sent = []
    for at in range(1, 7):
        sequencer.advance_clock(NOW + at)
        sent.append(order("alice", at, lots=at))
        sequencer.submit(*sent[-1])
        if at in (2, 4):
            sequencer.seal()
    assert sequencer.rewind_to(1) == sent[2:]
    first, *others = sequencer.rewind_to(0)
    assert isinstance(first[0], SignedPrice) and others == sent[:2]


def test_a_void_batch_keeps_its_items_and_loses_no_order() -> None:
    """L1 has batch 1 with a flipped byte; batches 2 and 3 were filled on top of it meanwhile."""
    sequencer, follower = started(), Follower()
    sequencer.submit(*order("alice", 1, side=BUY))
    first = sequencer.seal()
    sequencer.take_items([deposit_item(first.content.inbox_to, "carol")])
    sequencer.submit(*order("bob", 1, side=SELL, lots=4))
    second = sequencer.seal()
    sequencer.submit(*order("bob", 2, side=SELL, lots=6))

    derived = follower.follow(first, flip=True)
    assert derived.void_reason
    owed = sequencer.rewind_to(0)
    adopted = sequencer.adopt(derived.batch, derived.void_reason)
    assert adopted.commitment.state_root == follower.root
    assert (adopted.rows, adopted.adopted, adopted.void) == ((), True, derived.void_reason)

    assert resubmit(sequencer, owed) == [Status.OK] * 4
    assert not sequencer.state.account(ALICE).orders, "both of bob's orders met hers again"
    follower.follow(sequencer.seal())
    sequencer.take_items([deposit_item(second.content.inbox_from, "carol")])
    follower.follow(sequencer.seal())
    assert follower.root == sequencer.commitment().state_root


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_random_void_batches_leave_sequencer_and_follower_in_one_state(seed: int) -> None:
    sequencer, follower = started(), Follower()
    traders = Traders(seed, sequencer)
    acknowledged: list[bytes] = []
    executed: list[bytes] = []
    for _ in range(12):
        for _ in range(20):
            tx, signature = traders.next()
            if sequencer.submit(tx, signature).steps and not isinstance(tx, SignedPrice):
                acknowledged.append(signature)
        sequencer.advance_clock(sequencer.time + 1)
        if traders.random.random() < 0.6:
            sequencer.seal()
        if sequencer.number - follower.replayer.number > 2:
            flip = traders.random.random() < 0.4
            batch = sequencer.batches[follower.replayer.number + 1]
            derived = follower.follow(batch, flip=flip)
            if flip:
                owed = sequencer.rewind_to(batch.number - 1)
                sequencer.adopt(derived.batch, derived.void_reason)
                resubmit(sequencer, owed)
                follower_root = sequencer.batches[batch.number].commitment.state_root
                assert follower.root == follower_root, f"seed {seed}, batch {batch.number}"
            executed += [row.signature for chunk in derived.batch.chunks for row in chunk]
    if sequencer.open is not None:
        sequencer.seal()
    while follower.replayer.number < sequencer.number:
        derived = follower.follow(sequencer.batches[follower.replayer.number + 1])
        executed += [row.signature for chunk in derived.batch.chunks for row in chunk]
    assert follower.root == sequencer.commitment().state_root, f"seed {seed}"
    assert all(executed.count(signature) == 1 for signature in acknowledged), f"seed {seed}"


def test_a_batch_that_was_retried_already_is_refused_without_a_trace() -> None:
    sequencer = started()
    for at in range(1, 4):
        sequencer.submit(*order("alice", at))
    sequencer.seal()
    owed = sequencer.rewind_to(0)
    sequencer.take_items(inbox())
    resubmit(sequencer, owed)
    before = sequencer.commitment().state_root
    assert resubmit(sequencer, owed) == [Status.PRICE_NOT_NEWER] + [Status.SEQUENCE_USED] * 3
    assert sequencer.commitment().state_root == before


def test_a_batch_of_someone_else_takes_the_place_of_ours() -> None:
    """L1 has a forced batch 2, which holds the items alone; ours had a transfer, too."""
    sequencer, other, follower = started(), started(), Follower()
    follower.follow(sequencer.seal())
    other.seal()
    item = deposit_item(other.state.machine.inbox, "dave")
    other.take_items([item])
    forced = follower.follow(other.seal())

    tx = Transfer(ALICE, 1, ALICE + 1, 10**9, FAR)
    sequencer.submit(tx, sign_transaction(tx, key("alice")))
    ours = sequencer.seal()
    assert not ours.content.is_behind(forced.batch.header)
    owed = sequencer.rewind_to(1)
    theirs = sequencer.adopt(forced.batch)
    assert theirs.content.is_behind(forced.batch.header)
    assert theirs.commitment.state_root == follower.root
    assert resubmit(sequencer, owed) == [Status.OK]
    follower.follow(sequencer.seal())
    assert follower.root == sequencer.commitment().state_root
    assert sequencer.state.account(ALICE + 1).cash == 10**9


def test_the_rows_of_an_adopted_batch_are_owed_like_our_own() -> None:
    sequencer, other = started(), started()
    for at in range(1, 4):
        other.submit(*order("alice", at))
    batch = other.seal()
    derived = Follower().derive(batch)
    sequencer.rewind_to(0)
    sequencer.adopt(derived.batch)
    assert sequencer.batches[1].orders == 3
    owed = sequencer.rewind_to(0)
    assert [type(tx).__name__ for tx, _ in owed] == ["SignedPrice"] + ["NewOrder"] * 3


def test_what_is_final_stays() -> None:
    sequencer = started()
    for at in range(1, 5):
        sequencer.submit(*order("alice", at))
        sequencer.seal()
    sequencer.forget(2)
    assert len(sequencer.rewind_to(2)) == 2
    with pytest.raises(Unrewindable, match="batch 2 is final"):
        sequencer.rewind_to(1)
    assert sequencer.number == 2
    sequencer.submit(*order("alice", 9))
    assert sequencer.seal().number == 3


def test_only_the_batch_that_l1_runs_is_ours() -> None:
    sequencer, follower = started(), Follower()
    sequencer.submit(*order("alice", 1))
    batch = sequencer.seal()
    whole, void = follower.derive(batch), follower.derive(batch, flip=True)
    assert batch.content.is_behind(whole.batch.header)
    assert not batch.content.is_behind(void.batch.header)
    assert void.batch.void and not void.batch.chunks
    assert [row.kind for row in batch.rows] == [Kind.PRICE, Kind.ORDER]
