"""The sequencer service on the real contracts, over real sockets and files."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from l1_venue import L1Venue, l1_venue, person
from sequencer_on_l1 import Trader, check, is_settled, running, until

from node.clock import SystemClock
from node.errors import Halt
from node.l1.answers import L1Block
from node.l1.client import BlockParameter
from node.sequencer import SequencerConfig, open_sequencer
from state.orders import BUY, SELL
from state.status import Status


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        await running.fund()
        yield running


async def test_a_flipped_byte_on_l1_voids_a_batch_and_every_order_is_executed(
    venue: L1Venue, tmp_path: Path
) -> None:
    trader = Trader(venue)
    async with running(venue, tmp_path, corrupt_batch=2) as service:
        await until(lambda: service.heads.safe == 1, service)
        await trader.price(service)
        for _ in range(10):
            assert (await trader.order(service, "alice", BUY)).status == Status.OK
            assert (await trader.order(service, "bob", SELL)).status == Status.OK
        await until(lambda: service.heads.safe >= 2, service)
        for _ in range(5):
            await trader.order(service, "alice", SELL)
            await trader.order(service, "carol", BUY)
        await venue.deposit("carol", 77)
        await until(lambda: service.state.machine.inbox == 5, service)
        await until(is_settled(service), service)
        batches = await check(venue, service, trader)
    assert [bool(each.void_reason) for each in batches][:3] == [False, True, False]
    assert len(trader.acknowledged) == 31
    alice, bob = (service.state.account(venue.numbers[name]) for name in ("alice", "bob"))
    assert (alice.position(0).lots, bob.position(0).lots) == (50, -100)  # type: ignore[union-attr]


async def test_several_batches_go_into_one_block_of_l1(venue: L1Venue, tmp_path: Path) -> None:
    trader = Trader(venue)
    async with running(venue, tmp_path) as service:
        await until(lambda: service.heads.safe == 1, service)
        await trader.price(service)
        await until(is_settled(service), service)
        first = service.heads.safe + 1
        await venue.client.request("evm_setAutomine", False)
        for number in range(first, first + 4):
            await trader.order(service, "alice", BUY)
            await until(lambda number=number: service.heads.unsafe == number, service)  # type: ignore[misc]
        while await waiting(venue) < 4:
            await asyncio.sleep(0.01)
        await venue.mine()
        await until(is_settled(service), service)
        await check(venue, service, trader)
        records = [service.batch(number) for number in range(first, first + 4)]
    assert len({record.posted_block for record in records if record is not None}) == 1


async def waiting(venue: L1Venue) -> int:
    """Transactions for the next block."""
    pending = await venue.client.request("eth_getBlockByNumber", "pending", False)
    return len(pending["transactions"])


async def test_a_restart_goes_on_where_the_journal_ends(venue: L1Venue, tmp_path: Path) -> None:
    trader = Trader(venue)
    async with running(venue, tmp_path) as service:
        await until(lambda: service.heads.safe == 1, service)
        await trader.price(service)
        await trader.order(service, "alice", BUY)
        await until(is_settled(service), service)
        await trader.order(service, "bob", SELL)
    root = service.commitment().state_root
    async with running(venue, tmp_path) as service:
        assert service.commitment().state_root == root
        await until(lambda: service.heads.safe > 0, service)
        await trader.order(service, "carol", BUY)
        await until(is_settled(service), service)
        await check(venue, service, trader)
        assert service.problems() == []
    with pytest.raises(Halt, match="takes batches from"):
        config = SequencerConfig(journal=tmp_path / "other", rollup=venue.deployment.rollup)
        await open_sequencer(config, venue.client, person("alice").private, SystemClock())


async def test_a_reorganisation_of_l1_loses_no_order(
    venue: L1Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1 takes back a deposit and the batches since; the orders go into new ones."""
    read = venue.client.block

    async def nothing_is_final(which: BlockParameter) -> L1Block | None:
        return None if which == "finalized" else await read(which)

    monkeypatch.setattr(venue.client, "block", nothing_is_final)
    trader = Trader(venue)
    async with running(venue, tmp_path) as service:
        await until(lambda: service.heads.safe == 1, service)
        await trader.price(service)
        await until(is_settled(service), service)
        snapshot = await venue.snapshot()
        await trader.order(service, "alice", BUY)
        await venue.deposit("carol", 77)
        await until(lambda: service.state.machine.inbox == 5, service)
        await trader.order(service, "bob", SELL)
        await until(is_settled(service), service)
        assert service.heads.safe >= 3

        await venue.revert(snapshot)
        await venue.mine(blocks=2)
        await until(lambda: service.state.machine.inbox == 4, service)
        await trader.order(service, "carol", SELL)
        await until(is_settled(service), service)
        await check(venue, service, trader)
        assert service.state.account(venue.numbers["alice"]).position(0).lots == 10  # type: ignore[union-attr]
