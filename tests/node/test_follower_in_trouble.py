"""A follower whose L1 reorganises, vanishes or lies, and whose disk is not what it was."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fake_clock import FakeClock, TickingClock
from following import agrees, catch_up, config, following, let_sync
from l1_venue import L1Venue, l1_venue
from msgspec.structs import replace

from node.errors import Halt, L1Error
from node.event_store import EventStore
from node.follower import FOLDER, FollowerService
from node.l1.config import L1Config
from node.l1.server import L1Server
from node.rollup_events import ItemAdded, RollupEvent
from node.snapshot_policy import SnapshotPolicy
from prover import replay


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        yield running


# --- a disk that is not what it was ---


async def test_a_folder_is_one_rollups(venue: L1Venue, tmp_path: Path) -> None:
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
    with pytest.raises(Halt, match=r"^OTHER_ROLLUP: .*give each rollup a data directory"):
        async with following(venue, tmp_path, rollup=bytes(19) + b"\x01"):
            pass


async def test_a_changed_record_is_reported_and_never_skipped(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
    # Of the size and form of a root, but not the one that executing leads to.
    store = EventStore(tmp_path / FOLDER)
    store.put_root(1, b"\x01" * 32)
    store.close()
    with pytest.raises(Halt, match=r"STORE_DAMAGED: .*batch 1 led to 0101.*delete this folder"):
        async with following(venue, tmp_path):
            pass


# --- L1 changes its mind ---


@pytest.mark.parametrize("undo_batches", [64, 0])
async def test_a_reorganisation_is_followed(
    tmp_path: Path, undo_batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the batches are undone or, where too many went, all is executed again."""
    monkeypatch.setattr(replay, "UNDO_BATCHES_MAX", undo_batches)
    async with l1_venue(finalized_depth=100) as venue:
        await reorganise(venue, tmp_path)


async def reorganise(venue: L1Venue, tmp_path: Path) -> None:
    await venue.fund()
    await venue.trading_day(lots=10)
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        snapshot, kept = await venue.snapshot(), venue.state.snapshot()
        await venue.deposit("alice", 9)
        await venue.trading_day(lots=20)
        await venue.trading_day(lots=30)
        await catch_up(follower)
        assert agrees(follower, venue) and follower.heads.unsafe == 3

        await venue.revert(snapshot)
        venue.rewind(kept, batches=1)
        await catch_up(follower)
        assert follower.heads.unsafe == 1 and agrees(follower, venue)
        await venue.mine(seconds=40, blocks=2)
        await venue.deposit("bob", 8)
        await venue.trading_day(lots=40)
        await catch_up(follower)
        assert agrees(follower, venue) and follower.heads.unsafe == 2
        assert follower.problems() == []
    async with following(venue, tmp_path, l1_url="http://127.0.0.1:1") as restarted:
        assert agrees(restarted, venue)


@pytest.mark.parametrize("missing", [1, 99])
async def test_an_endpoint_that_is_still_syncing_takes_nothing_back(
    venue: L1Venue, tmp_path: Path, missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither under a running node nor after a restart, which knows from its snapshot."""
    await venue.fund()
    await venue.trading_day()
    last = await venue.client.block_number()
    head = max(0, last - missing)
    told = f"L1_AWAY: L1 is at block {head} and has not seen block {last}, which was final: "
    policy = SnapshotPolicy(batches=1)
    async with following(venue, tmp_path, snapshot_policy=policy) as follower:
        await catch_up(follower)
        with monkeypatch.context() as patched:
            let_sync(follower.client, head, patched)
            await stays(follower, venue, told)
        await catch_up(follower)
        assert follower.problems() == []
    async with following(venue, tmp_path, snapshot_policy=policy) as restarted:
        assert restarted.heads.finalized == 1, "the snapshot was of a final batch"
        with monkeypatch.context() as patched:
            let_sync(restarted.client, head, patched)
            await stays(restarted, venue, told)
        await catch_up(restarted)
        assert restarted.problems() == [] and agrees(restarted, venue)


async def stays(follower: FollowerService, venue: L1Venue, told: str) -> None:
    """Look at L1 again and again: there is a problem, and all else is as it was."""
    for _ in range(3):
        assert await follower.attempt()
        (problem,) = follower.problems()
        assert problem.startswith(told) and "or point the node at another" in problem
        assert agrees(follower, venue)
        assert follower._kept is not None and follower._kept.store.marks()
        assert follower._kept.final_block == await venue.client.block_number()


def forget_an_item(follower: FollowerService, times: int) -> None:
    """L1's answers lack an inbox item, as often as `times`."""
    scan = follower.reader.scan

    async def without_an_item(from_block: int, to_block: int) -> list[RollupEvent]:
        nonlocal times
        events = await scan(from_block, to_block)
        times -= 1
        if times < 0:
            return events
        return [e for e in events if not isinstance(e, ItemAdded) or e.item.index != 2]

    follower.reader.scan = without_an_item  # type: ignore[method-assign]


async def test_logs_that_do_not_fit_together_are_read_again_once(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    async with following(venue, tmp_path / "once") as follower:
        forget_an_item(follower, times=1)
        assert not await follower.turn()
        assert follower.heads.safe == 0
        (problem,) = follower.problems()
        assert problem.startswith("L1_READ_AGAIN: INBOX_RANGE"), (
            "nobody takes it for an empty venue"
        )
        await catch_up(follower)
        assert agrees(follower, venue) and follower.problems() == []
    async with following(venue, tmp_path / "twice") as follower:
        forget_an_item(follower, times=2)
        with pytest.raises(Halt, match=r"^L1_INCONSISTENT: INBOX_RANGE: .*use another L1$"):
            await catch_up(follower)


@pytest.mark.parametrize("times", [1, 9])
async def test_logs_that_l1_leaves_out_without_a_word_are_missed(
    venue: L1Venue, tmp_path: Path, times: int
) -> None:
    """As an L1 does that pruned its logs, or has not indexed its last ones yet."""
    await venue.fund()
    await venue.trading_day()
    async with following(venue, tmp_path) as follower:
        scan, left = follower.reader.scan, [times]

        async def nothing(from_block: int, to_block: int) -> list[RollupEvent]:
            left[0] -= 1
            return [] if left[0] >= 0 else await scan(from_block, to_block)

        follower.reader.scan = nothing  # type: ignore[method-assign]
        if times == 1:
            await catch_up(follower)
            assert agrees(follower, venue) and follower.heads.unsafe == 1
        else:
            with pytest.raises(Halt, match=r"LOGS_MISSING: L1 counts . inbox items, its logs"):
                await catch_up(follower)


async def test_a_refusal_of_the_endpoint_does_not_make_the_rollup_a_wrong_one(
    venue: L1Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.fund()
    await venue.trading_day()

    async def refusing(*_: object, **__: object) -> bytes:
        raise L1Error(-32000, "header not found")

    async with following(venue, tmp_path) as follower:
        with monkeypatch.context() as patched:
            patched.setattr(follower.client, "call", refusing)
            assert await follower.attempt()
            assert follower.problems()[0].startswith("L1_AWAY: L1 refused: header not found")
        await catch_up(follower)
        assert agrees(follower, venue) and follower.problems() == []


async def test_rules_that_break_their_own_invariants_stop_the_node(
    venue: L1Venue, tmp_path: Path
) -> None:
    await venue.fund()
    await venue.trading_day()
    async with following(venue, tmp_path) as follower:
        await catch_up(follower)
        number = venue.numbers["alice"]
        account = follower.state.accounts[number]
        follower.state.accounts[number] = replace(account, cash=account.cash + 1)
        await venue.trading_day()
        with pytest.raises(Halt, match=r"^INVARIANT_BROKEN: executing batch 2 .*accounts hold"):
            await catch_up(follower)


# --- as a process ---


async def test_an_l1_that_is_away_is_a_problem_and_then_none(tmp_path: Path) -> None:
    """Stop L1 under a running follower, start it again, and see it go on."""
    chain, clock = tmp_path / "chain", FakeClock()
    async with l1_venue(clock=clock, data_directory=chain) as venue:
        await venue.fund()
        await venue.trading_day()
        port = int(venue.server.url.rsplit(":", 1)[1])
        ticking = TickingClock()
        follower = FollowerService(config(venue, tmp_path / "data"), ticking)
        stop = asyncio.Event()
        running = asyncio.create_task(follower.run(stop))
        await ticked(ticking, lambda: follower.heads.unsafe == 1)
        assert agrees(follower, venue)
        await venue.server.close()
    await ticked(ticking, lambda: bool(follower.problems()))
    (problem,) = follower.problems()
    assert problem.startswith("L1_AWAY: L1 at http://127.0.0.1:") and "goes on once" in problem
    assert follower.heads.unsafe == 1
    again = L1Config(port=port, data_directory=chain)
    async with L1Server(again, clock):
        await ticked(ticking, lambda: not follower.problems())
    stop.set()
    await running


async def test_an_l1_that_became_another_chain_stops_the_node(tmp_path: Path) -> None:
    async with l1_venue() as venue:
        port = int(venue.server.url.rsplit(":", 1)[1])
        ticking = TickingClock()
        follower = FollowerService(config(venue, tmp_path), ticking)
        running = asyncio.create_task(follower.run(asyncio.Event()))
        await ticked(ticking, lambda: follower.heads.l1_block > 0)
        await venue.server.close()
    await ticked(ticking, lambda: bool(follower.problems()))
    async with L1Server(L1Config(port=port, chain_id=5), FakeClock()):
        ticking.tick()
        with pytest.raises(Halt, match=r"^OTHER_CHAIN: L1 has chain id 5, but this venue is on 31"):
            await asyncio.wait_for(running, 10)
    assert follower.problems()[0].startswith("OTHER_CHAIN: ")


async def ticked(clock: TickingClock, happened: Callable[[], bool]) -> None:
    """Let the follower's pauses end until something happened."""
    async with asyncio.timeout(20):
        while not happened():
            clock.tick()
            await asyncio.sleep(0.005)
