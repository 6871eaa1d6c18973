"""L1 takes back what a dispute hangs on: a claim, or the batch itself. Case 67."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from disputed_venue import TERMS, DisputedVenue, act, disputed_venue, lying
from l1_venue import CLAIMANT, LIAR, PARAMETERS

from contracts.views import ClaimStatus
from node.challenger import ChallengerService
from node.disputes.defended import DefendedTrace

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DisputedVenue]:
    async with disputed_venue(tmp_path_factory.mktemp("reorganised")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def world(deployed: DisputedVenue, tmp_path: Path) -> AsyncIterator[DisputedVenue]:
    async with deployed.taken_back(tmp_path):
        yield deployed


async def half_a_match(
    world: DisputedVenue, challenger: ChallengerService, lie: DefendedTrace
) -> None:
    """Both have entered, and each has moved."""
    liar = world.player(LIAR, lie)
    for _ in range(2):
        await act(challenger)
        await world.play(LIAR, liar)
    seen = await world.see(CLAIMANT, lie.parent)
    (match,) = seen.standing.matches.values()
    assert 0 < match.height < TERMS.height


async def test_a_rival_that_l1_takes_back_in_mid_match_leaves_the_right_claim_alone(
    world: DisputedVenue,
) -> None:
    """It confirms after the usual window, though the challenger had played against its rival."""
    async with world.challenging() as challenger:
        right = await world.right_trace(challenger, 1)
        await world.claim(CLAIMANT, right, 1)
        snapshot, lie = await world.venue.snapshot(), lying(right, 9)
        await world.claim(LIAR, lie, 1)
        await half_a_match(world, challenger, lie)

        await world.venue.revert(snapshot)
        await world.venue.mine(seconds=60)
        await act(challenger)
        assert await world.contests() == [] and challenger.problems() == []
        assert await world.status(lie.claim) == ClaimStatus.UNKNOWN
        await world.wait(challenger, PARAMETERS.claim_window)
        async with world.claiming() as claimant:
            while not await claimant.attempt():
                pass
        assert await world.status(right.claim) == ClaimStatus.CONFIRMED


async def test_a_batch_that_l1_takes_back_in_mid_match_takes_its_dispute_with_it(
    world: DisputedVenue,
) -> None:
    """Another batch has its number then; a lie about that one is another dispute, and loses too."""
    venue = world.venue
    async with world.challenging() as challenger:
        for batch in (1, 2):
            await world.claim(CLAIMANT, await world.right_trace(challenger, batch), batch)
        snapshot, state = await venue.snapshot(), venue.state.snapshot()
        await venue.trading_day(30)
        first = await world.right_trace(challenger, 3)
        lie = lying(first, 9)
        await world.claim(LIAR, lie, 3)
        await half_a_match(world, challenger, lie)

        await venue.revert(snapshot)
        venue.rewind(state, batches=2)
        await venue.mine(seconds=30)
        await venue.trading_day(7)
        other = await world.right_trace(challenger, 3)
        assert other.claim != first.claim and other.parent == first.parent
        assert await world.contests() == []
        await act(challenger)
        second = lying(other, 9)
        await world.claim(LIAR, second, 3)
        await world.duel(challenger, (LIAR, world.player(LIAR, second)))
        await world.wait(challenger, TERMS.entry_window + 1)
        assert await world.settled(other, second)
        for gone in (first, lie):
            assert await world.status(gone.claim) == ClaimStatus.UNKNOWN
