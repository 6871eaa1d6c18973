"""A claimant bonds what it executed itself, once, and gets its bond back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_clock import TickingClock
from following import let_sync
from l1_venue import CLAIMANT, LIAR, PARAMETERS, L1Venue, l1_venue, person
from msgspec.structs import replace

from contracts import calls, views
from node.claimant import ClaimantConfig, ClaimantService
from node.errors import Halt
from node.follower import FollowerConfig
from node.rollup_events import Claimed, Confirmed
from state.batch import output_hash

ME = person(CLAIMANT).address


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


def config(venue: L1Venue, directory: Path, confirmations: int = 0) -> ClaimantConfig:
    follower = FollowerConfig(
        l1_url=venue.server.url, rollup=venue.deployment.rollup, data_directory=directory
    )
    return ClaimantConfig(follower, person(CLAIMANT).private, confirmations)


@asynccontextmanager
async def claiming(
    venue: L1Venue, directory: Path, confirmations: int = 0
) -> AsyncIterator[ClaimantService]:
    claimant = ClaimantService(config(venue, directory, confirmations), venue.clock)
    try:
        await claimant.open()
        yield claimant
    finally:
        await claimant.close()


async def settle(claimant: ClaimantService) -> None:
    """Every move that can be made now."""
    while not await claimant.attempt():
        pass


async def happened(venue: L1Venue, kind: type[Claimed] | type[Confirmed]) -> list[tuple[int, Any]]:
    """(batch, claim) of every such event on L1."""
    events = await venue.reader.scan(0, await venue.client.block_number())
    return [(event.batch, event.claim) for event in events if isinstance(event, kind)]


async def three_days(venue: L1Venue) -> list[tuple[int, bytes]]:
    """Three batches, and the right claim on each."""
    await venue.fund()
    for lots in (10, 20, 30):
        await venue.trading_day(lots)
    return [(day.output.batch, day.claim) for day in venue.executed]


async def test_every_batch_is_claimed_confirmed_and_its_bond_comes_back(
    venue: L1Venue, tmp_path: Path
) -> None:
    right = await three_days(venue)
    before = await venue.client.balance(ME)
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        assert await happened(venue, Claimed) == right
        assert await venue.client.balance(ME) < before - 3 * PARAMETERS.claim_bond
        await settle(claimant)
        assert await happened(venue, Confirmed) == []
        await venue.mine(PARAMETERS.claim_window)
        await settle(claimant)
        assert await happened(venue, Confirmed) == right
        head = await venue.reader.read(views.CONFIRMED_HEAD)
        assert (head.batch, head.claim) == right[-1]
        assert claimant.follower.heads.confirmed == 3 and claimant.problems() == []
    # Only gas is gone.
    assert await venue.reader.read(views.CLAIM_BONDS, ME) == 0
    assert before - PARAMETERS.claim_bond < await venue.client.balance(ME) < before


async def test_nothing_is_claimed_twice(venue: L1Venue, tmp_path: Path) -> None:
    """Not after a restart, and not what somebody else has claimed already."""
    right = await three_days(venue)
    first = venue.executed[0]
    await venue.claim(LIAR, first.output, first.parent_claim, first.header)
    async with claiming(venue, tmp_path / "one") as claimant:
        await settle(claimant)
    spent = await venue.client.balance(ME)
    for folder in ("one", "another"):
        async with claiming(venue, tmp_path / folder) as restarted:
            await settle(restarted)
            assert restarted.problems() == []
    assert await venue.client.balance(ME) == spent
    assert await happened(venue, Claimed) == right


async def test_a_claim_that_another_makes_in_between_is_no_trouble(
    venue: L1Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = await three_days(venue)
    async with claiming(venue, tmp_path) as claimant:
        unclaimed = claimant._unclaimed
        day = venue.executed[0]

        async def then_beaten(*known: Any) -> int:
            found = await unclaimed(*known)
            if found == 1:
                await venue.claim(LIAR, day.output, day.parent_claim, day.header)
            return found

        monkeypatch.setattr(claimant, "_unclaimed", then_beaten)
        while len(await happened(venue, Claimed)) < 3:
            await claimant.attempt()
        assert claimant.problems() == []
    assert await happened(venue, Claimed) == right


async def test_a_batch_is_claimed_only_once_it_is_deep_in_l1(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    async with claiming(venue, tmp_path, confirmations=3) as claimant:
        for _ in range(3):
            await settle(claimant)
            assert await happened(venue, Claimed) == []
            await venue.mine()
        await settle(claimant)
        assert await happened(venue, Claimed) == [(1, venue.executed[0].claim)]


async def test_claims_that_l1_takes_back_are_made_again(venue: L1Venue, tmp_path: Path) -> None:
    right = await three_days(venue)
    snapshot = await venue.snapshot()
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        await venue.revert(snapshot)
        await venue.mine(seconds=50)
        assert await happened(venue, Claimed) == []
        await settle(claimant)
        assert await happened(venue, Claimed) == right


async def test_a_wrong_claim_gets_a_right_rival(venue: L1Venue, tmp_path: Path) -> None:
    await three_days(venue)
    day = venue.executed[0]
    lie = replace(day.output, state_root=b"\x66" * 32)
    await venue.claim(LIAR, lie, day.parent_claim, day.header)
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        assert (1, day.claim) in await happened(venue, Claimed)
        await venue.mine(PARAMETERS.claim_window)
        await settle(claimant)
        # Neither is confirmed, and nobody is left in the dark about it.
        assert await happened(venue, Confirmed) == []
        codes = [problem.split(":")[0] for problem in claimant.problems()]
        assert codes == ["WRONG_CLAIM", "RIVAL_CLAIMS"]
        assert len(await happened(venue, Claimed)) == 4


async def test_nothing_is_bonded_on_top_of_a_wrong_confirmation(
    venue: L1Venue, tmp_path: Path
) -> None:
    await three_days(venue)
    day = venue.executed[0]
    lie = replace(day.output, state_root=b"\x66" * 32)
    await venue.claim(LIAR, lie, day.parent_claim, day.header)
    await venue.mine(PARAMETERS.claim_window)
    confirm = calls.confirm(parent_claim=day.parent_claim, output_hash=output_hash(lie))
    await venue.send(LIAR, confirm)
    async with claiming(venue, tmp_path) as claimant:
        with pytest.raises(Halt, match=r"^WRONG_CLAIM_CONFIRMED: L1 confirmed claim 0x"):
            await settle(claimant)
    assert len(await happened(venue, Claimed)) == 1


async def test_nothing_is_claimed_once_the_rules_broke(venue: L1Venue, tmp_path: Path) -> None:
    await venue.fund()
    await venue.trading_day()
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        state = claimant.follower.state
        number = venue.numbers["alice"]
        state.accounts[number] = replace(state.accounts[number], cash=0)
        await venue.trading_day()
        with pytest.raises(Halt, match=r"^INVARIANT_BROKEN: executing batch 2"):
            await settle(claimant)
    assert await happened(venue, Claimed) == [(1, venue.executed[0].claim)]


async def test_beside_an_endpoint_that_is_still_syncing_nothing_is_claimed(
    venue: L1Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = await three_days(venue)
    async with claiming(venue, tmp_path) as claimant:
        await claimant.follower.turn()
        with monkeypatch.context() as patched:
            let_sync(claimant.follower.client, 0, patched)
            for _ in range(3):
                assert await claimant.attempt()
                (problem,) = claimant.problems()
                assert problem.startswith("L1_AWAY: L1 is at block 0 and has not seen block ")
        assert await happened(venue, Claimed) == []
        await settle(claimant)
        assert claimant.problems() == [] and await happened(venue, Claimed) == right


async def test_a_claimant_without_money_says_so_and_goes_on(venue: L1Venue, tmp_path: Path) -> None:
    right = await three_days(venue)
    purse = venue.senders[CLAIMANT]
    poor = await venue.client.balance(ME) - PARAMETERS.claim_bond // 2
    await purse.send(person(LIAR).address, value=poor)
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        (problem,) = claimant.problems()
        assert problem.startswith("CLAIM_FAILED: ")
        assert f"0x{ME.hex()} needs {PARAMETERS.claim_bond} wei for every claim" in problem
        assert await happened(venue, Claimed) == []
        await venue.senders[LIAR].send(ME, value=5 * PARAMETERS.claim_bond)
        await settle(claimant)
        assert claimant.problems() == [] and await happened(venue, Claimed) == right


async def test_a_claimant_short_of_money_goes_on_with_the_bonds_it_gets_back(
    venue: L1Venue, tmp_path: Path
) -> None:
    right = await three_days(venue)
    purse = venue.senders[CLAIMANT]
    enough_for_two = 5 * PARAMETERS.claim_bond // 2
    surplus = await venue.client.balance(ME) - enough_for_two
    await purse.send(person(LIAR).address, value=surplus)
    async with claiming(venue, tmp_path) as claimant:
        await settle(claimant)
        assert await happened(venue, Claimed) == right[:2]
        await venue.mine(PARAMETERS.claim_window + 1)
        await settle(claimant)
        assert await happened(venue, Claimed) == right
        assert claimant.problems() == []


async def test_a_claimant_runs_until_it_is_stopped(venue: L1Venue, tmp_path: Path) -> None:
    right = await three_days(venue)
    clock = TickingClock()
    claimant = ClaimantService(config(venue, tmp_path), clock)
    stop = asyncio.Event()
    running = asyncio.create_task(claimant.run(stop))
    async with asyncio.timeout(20):
        while claimant.follower.claim(3) is None:
            clock.tick()
            await asyncio.sleep(0.005)
    stop.set()
    await running
    assert await happened(venue, Claimed) == right


def test_a_private_key_is_never_shown(tmp_path: Path) -> None:
    follower = FollowerConfig(l1_url="http://l1", rollup=bytes(20), data_directory=tmp_path)
    private_key = person(CLAIMANT).private
    shown = repr(ClaimantConfig(follower, private_key))
    assert private_key.hex() not in shown and repr(private_key) not in shown
