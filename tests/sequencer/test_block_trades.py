"""Block trades in batches: both signatures in the chunk, at the follower, after a rewind."""

import pytest
from builders import FAR, NOW, key, sign_transaction
from sequenced_world import AROUND, Follower, order, started

from sequencer.draft import steps_max
from sequencer.sequencer import Sequencer, Submission
from state.chunks import row_size, unpack_chunk
from state.invariants import check_invariants
from state.legs import Leg, legs_of
from state.limits import (
    BATCH_PAYLOAD_MAX,
    BLOCK_STEPS_MAX,
    CHUNK_BYTES_MAX,
    CHUNK_TRANSACTIONS_MAX,
    SIGNATURE_BYTES,
)
from state.lz4_block import decode
from state.orders import BUY, SELL
from state.status import Status
from state.transactions import BlockTrade
from state.transactions.kinds import Kind

ALICE, BOB = 1 << 8, 2 << 8


def block(sequence: int, *, side: int = BUY, lots: int = 10, ticks: int = AROUND) -> Submission:
    """Bob takes from alice, both signing with their own keys."""
    legs = legs_of(Leg(0, side, ticks, lots))
    tx = BlockTrade(ALICE, 0, sequence, BOB, 0, sequence, FAR, 1, legs)
    return tx, sign_transaction(tx, key("alice"), taker=key("bob"))


def lots(sequencer: Sequencer, number: int) -> int:
    position = sequencer.state.account(number).position(0)
    return position.lots if position else 0


def test_a_follower_reads_both_signatures_out_of_the_chunk() -> None:
    sequencer, follower = started(), Follower()
    first, second = block(1), block(3, side=SELL, lots=4)
    assert sequencer.submit(*first).steps == 4
    assert sequencer.submit(*order("alice", 2, side=SELL)).status == Status.OK
    assert sequencer.submit(*second).status == Status.OK
    batch = sequencer.seal()
    assert batch.fills == 2
    rows = unpack_chunk(decode(batch.payload[0], CHUNK_BYTES_MAX))
    signatures = [row.signature for row in rows if row.kind == Kind.BLOCK_TRADE]
    assert signatures == [first[1], second[1]]
    assert not follower.follow(batch).void_reason
    assert follower.root == sequencer.commitment().state_root
    assert (lots(sequencer, ALICE), lots(sequencer, BOB)) == (-6, 6)


def test_one_that_is_refused_is_in_the_batch_because_its_numbers_are_consumed() -> None:
    sequencer, follower = started(), Follower()
    receipt = sequencer.submit(*block(1, ticks=2 * AROUND))
    assert (receipt.status, receipt.fills) == (Status.PRICE_OUT_OF_BAND, ())
    assert sequencer.submit(*block(1)).status == Status.SEQUENCE_USED
    batch = sequencer.seal()
    assert [row.kind for row in batch.rows].count(Kind.BLOCK_TRADE) == 1
    follower.follow(batch)
    assert follower.root == sequencer.commitment().state_root
    assert (lots(sequencer, ALICE), lots(sequencer, BOB)) == (0, 0)


@pytest.mark.parametrize("width", [0, 1, 63, 64, 65, 127, 129, 192])
def test_signatures_of_another_width_leave_no_trace(width: int) -> None:
    sequencer = started()
    tx, signature = block(1)
    sequencer.advance_clock(NOW + 5)
    before = sequencer.commitment().state_root
    receipt = sequencer.submit(tx, (signature + signature)[:width])
    assert (receipt.status, receipt.steps) == (Status.BAD_SIGNATURE, 0)
    assert sequencer.commitment().state_root == before


def test_an_order_under_two_signatures_leaves_no_trace() -> None:
    sequencer = started()
    tx, signature = order("alice", 1)
    before = sequencer.commitment().state_root
    assert sequencer.submit(tx, 2 * signature).status == Status.BAD_SIGNATURE
    assert sequencer.commitment().state_root == before


def test_a_rewind_takes_it_back_and_hands_both_signatures_in_again() -> None:
    sequencer = started()
    sequencer.submit(*order("bob", 1))
    sequencer.seal()
    root = sequencer.commitment().state_root
    sent = [block(2), block(3, side=SELL), block(4, lots=0), block(5, lots=7)]
    statuses = [sequencer.submit(*submission).status for submission in sent]
    assert statuses == [Status.OK, Status.OK, Status.LOTS_OUT_OF_RANGE, Status.OK]
    after = sequencer.commitment().accounts.root
    owed = sequencer.rewind_to(1)
    assert owed == sent and sequencer.commitment().state_root == root
    assert [sequencer.submit(*submission).status for submission in owed] == statuses
    assert sequencer.commitment().accounts.root == after
    check_invariants(sequencer.state)


def test_a_batch_of_block_trades_alone_still_fits_on_l1() -> None:
    sequencer, follower = started(), Follower()
    sequence = 0
    while sequencer.can_take(Kind.BLOCK_TRADE):
        sequence += 1
        assert sequencer.submit(*block(sequence, side=sequence % 2)).status == Status.OK
    assert sequencer.is_full
    batch = sequencer.seal()
    assert row_size(Kind.BLOCK_TRADE) == 1 + 86 + 2 * SIGNATURE_BYTES
    assert all(chunk.size <= CHUNK_BYTES_MAX for chunk in batch.content.chunks)
    a_chunk = (CHUNK_BYTES_MAX - 2) // row_size(Kind.BLOCK_TRADE)
    assert 0 < a_chunk < CHUNK_TRANSACTIONS_MAX
    assert len(batch.content.chunks) * a_chunk >= sequence > 500
    assert batch.compressed_bytes <= BATCH_PAYLOAD_MAX
    follower.follow(batch)
    assert follower.root == sequencer.commitment().state_root


def test_a_batch_ends_before_a_block_trade_could_run_out_of_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert steps_max(Kind.BLOCK_TRADE) == BLOCK_STEPS_MAX == 7
    for budget in range(40, 60):
        monkeypatch.setattr("state.steps.BATCH_STEPS_MAX", budget)
        monkeypatch.setattr("sequencer.sequencer.BATCH_STEPS_MAX", budget)
        sequencer, sequence = started(), 0
        while sequencer.can_take(Kind.BLOCK_TRADE):
            sequence += 1
            assert sequencer.submit(*block(sequence)).status == Status.OK
        # Of one leg each takes four steps, but it might have taken seven, and HALT one.
        assert 4 <= sequencer.state.machine.steps_left <= BLOCK_STEPS_MAX
        assert sequence > 2 and not sequencer.can_take(Kind.ORDER)
