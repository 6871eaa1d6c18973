"""What a follower knows after L1 took blocks back is what it would know had they never been."""

from collections.abc import AsyncIterator

import pytest
from l1_venue import LIAR, PARAMETERS, L1Venue, l1_venue
from msgspec.structs import replace

from contracts import calls
from node.followed import Followed
from node.rollup_events import BatchPosted, RollupEvent
from prover.derivation import Inconsistent
from state.batch import encode_output, output_hash
from state.withdrawals import Withdrawal


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


async def eventful(venue: L1Venue) -> list[RollupEvent]:
    """Deposits, batches, a right and a wrong claim, a confirmation and a payment."""
    await venue.fund()
    now = await venue.now()
    await venue.post([[*venue.opening(now), venue.withdraw("alice", 4, now)]])
    await venue.deposit("bob", 3)
    await venue.trading_day()
    first, second = venue.executed
    await venue.claim("ivan", first.output, first.parent_claim, first.header)
    lie = replace(second.output, state_root=bytes(32))
    await venue.claim(LIAR, lie, second.parent_claim, second.header)
    await venue.mine(PARAMETERS.claim_window)
    settled = calls.confirm(parent_claim=first.parent_claim, output_hash=output_hash(first.output))
    await venue.send(LIAR, settled)
    (withdrawal,) = venue.state.withdrawals
    await venue.send(LIAR, payment(venue, withdrawal))
    await venue.deposit("carol", 2)
    return await venue.reader.scan(0, await venue.client.block_number())


def payment(venue: L1Venue, withdrawal: Withdrawal) -> bytes:
    first = venue.executed[0]
    return calls.withdraw(
        parent_claim=first.parent_claim,
        output=encode_output(first.output),
        index=withdrawal.index,
        account=withdrawal.account,
        recipient=withdrawal.recipient,
        amount=withdrawal.amount,
        branch=first.commitment.withdrawals.branch(withdrawal.index),
    )


def known(followed: Followed) -> dict[str, object]:
    """Everything a reader can ask for."""
    batches = range(followed.number + 2)
    return {
        "root": followed.replayer.commitment().state_root,
        "items": followed.items,
        "batches": followed.batches,
        "claims": [followed.claim_record(number) for number in batches],
        "confirmed": followed.confirmed,
        "payments": followed.payments,
        "problems": followed.problems(),
    }


async def test_a_rewind_leaves_what_came_before_and_nothing_else(venue: L1Venue) -> None:
    events = await eventful(venue)
    seen = set()
    for block in range(events[0].block - 1, events[-1].block + 1):
        followed, fresh = Followed(venue.terms), Followed(venue.terms)
        for event in events:
            followed.take(event)
        assert followed.rewind(block)
        for event in events:
            if event.block <= block:
                fresh.take(event)
        assert known(followed) == known(fresh)
        seen.add(repr(known(fresh)))
        for event in events:
            if event.block > block:
                followed.take(event)
        assert followed.replayer.commitment().state_root == venue.executed[-1].output.state_root
    # Blocks without any event of ours, in which the clock only moves, are the same as before.
    assert len(seen) == len({event.block for event in events}) + 1


async def test_events_out_of_order_are_not_believed(venue: L1Venue) -> None:
    events = await eventful(venue)
    followed = Followed(venue.terms)
    with pytest.raises(Inconsistent, match=r"^INBOX_RANGE: item 0 expected, item 1 found"):
        followed.take(events[1])
    batch = next(event for event in events if isinstance(event, BatchPosted))
    with pytest.raises(Inconsistent, match=r"^INBOX_RANGE: batch 1 takes items 0 to 4"):
        followed.take(batch)
