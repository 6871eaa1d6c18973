"""What a follower tells of every claim on a batch, right and wrong, until one is confirmed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from following import catch_up, following
from l1_venue import LIAR, PARAMETERS, L1Venue, l1_venue, person
from msgspec.structs import replace

from contracts import calls
from node.conservation import figures_of_output
from node.followed import Followed
from node.made_claims import made_claims, paid
from node.rollup_events import Claimed, Confirmed, Rejected, WithdrawalPaid
from state.batch import claim_id, encode_output, output_hash


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


async def test_a_claim_that_moves_money_to_insurance_is_told_with_its_sums(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    day = venue.executed[0]
    # L1 takes none that does not conserve, so a liar moves what is there.
    lie = replace(day.output, insurance=day.output.insurance + 7, cash=day.output.cash - 7)
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        assert list(follower.claims_on(1)) == [] and follower.paid(1) == 0
        await venue.claim("carol", day.output, day.parent_claim, day.header)
        await catch_up(follower)
        (right,) = follower.claims_on(1)
        assert (right.status, right.differences) == ("pending", ())
        assert right.figures == figures_of_output(day.output) and right.figures.is_conserved
        assert right.claimant == person("carol").address

        snapshot = await venue.snapshot()
        await venue.claim(LIAR, lie, day.parent_claim, day.header)
        await catch_up(follower)
        _, wrong = follower.claims_on(1)
        assert wrong.differences == (
            ("cash", str(lie.cash), str(day.output.cash)),
            ("insurance", str(lie.insurance), str(day.output.insurance)),
        )
        assert wrong.figures.is_conserved and wrong.claimant == person(LIAR).address
        # L1 takes the lie back: then nobody ever claimed it.
        await venue.revert(snapshot)
        await venue.mine()
        await catch_up(follower)
        assert len(follower.claims_on(1)) == 1

        await venue.mine(PARAMETERS.claim_window)
        data = calls.confirm(parent_claim=day.parent_claim, output_hash=output_hash(day.output))
        await venue.send("carol", data)
        await catch_up(follower)
        assert [one.status for one in follower.claims_on(1)] == ["confirmed"]


async def test_a_claim_is_rejected_when_l1_says_so_or_another_is_confirmed(venue: L1Venue) -> None:
    await venue.fund()
    await venue.trading_day()
    day = venue.executed[0]
    outputs = [replace(day.output, fees=day.output.fees + n) for n in range(3)]
    ids = [claim_id(day.parent_claim, output) for output in outputs]
    followed = Followed(venue.terms)
    events = await venue.reader.scan(0, await venue.client.block_number())
    where: dict[str, Any] = {
        "block": events[-1].block + 1,
        "log_index": 0,
        "transaction": bytes(32),
    }

    def statuses() -> list[str]:
        return [made.status for made in made_claims(followed, 1)]

    for event in events:
        followed.take(event)
    for name, output in zip(ids, outputs, strict=True):
        told: dict[str, Any] = {
            "claim": name,
            "output": encode_output(output),
            "parent": day.parent_claim,
        }
        followed.take(Claimed(batch=1, claimant=bytes(20), time=5, **told, **where))
    assert statuses() == ["pending"] * 3
    followed.take(Rejected(batch=1, claim=ids[2], **where))
    assert statuses() == ["pending", "pending", "rejected"]
    followed.take(Confirmed(batch=1, claim=ids[0], **where))
    assert statuses() == ["confirmed", "rejected", "rejected"]
    assert made_claims(followed, 2) == []


async def test_what_is_paid_counts_the_withdrawals_up_to_a_batch(venue: L1Venue) -> None:
    followed = Followed(venue.terms)
    for index, amount in ((0, 4), (2, 8), (5, 16)):
        where: dict[str, Any] = {"block": index, "log_index": 0, "transaction": bytes(32)}
        followed.take(
            WithdrawalPaid(index=index, account=1, recipient=bytes(20), amount=amount, **where)
        )
    assert [paid(followed, count) for count in (0, 1, 2, 3, 5, 6)] == [0, 4, 4, 12, 12, 28]
