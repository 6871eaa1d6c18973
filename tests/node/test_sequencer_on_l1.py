"""The sequencer service on the real contracts, over real sockets and files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from builders import sign_transaction
from l1_venue import MARK, PUBLISHER, SEQUENCER, TICKS, L1Venue, l1_venue, person

from node.clock import SystemClock
from node.errors import Halt
from node.l1.answers import L1Block
from node.l1.client import BlockParameter
from node.rollup_events import BatchPosted, ItemAdded
from node.sequencer import SequencerConfig, SequencerService, open_sequencer
from node.sequencing.engine import EngineConfig
from node.signatures import recover
from node.view import SequencedReceipt
from prover.derivation import Derived, derive_batch, genesis_cursor
from prover.replay import Replayer
from sequencer.sealing import SealingPolicy
from state.authentication import Verifier
from state.batch import decode_header
from state.execution import Receipt
from state.orders import BUY, SELL, Flags, encode_flags
from state.status import Status
from state.transactions import NewOrder, SignedPrice, Transaction

PATIENCE = 60.0
QUICK = SealingPolicy(age_max=0.2, item_wait_max=0.05)


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    async with l1_venue() as running:
        await running.fund()
        yield running


@asynccontextmanager
async def running(venue: L1Venue, path: Path, **settings: Any) -> AsyncIterator[SequencerService]:
    """A sequencer of this venue in a process' place: opened, run, stopped."""
    config = SequencerConfig(
        journal=path / "journal",
        rollup=venue.deployment.rollup,
        engine=EngineConfig(policy=QUICK),
        poll_seconds=0.02,
        tick_seconds=0.02,
        **settings,
    )
    service = await open_sequencer(config, venue.client, person(SEQUENCER).private, SystemClock())
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield service
    finally:
        stop.set()
        await task


async def until(holds: Callable[[], bool], service: SequencerService) -> None:
    for _ in range(int(PATIENCE / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{service.heads} after {PATIENCE} s: {service.problems()}")


class Trader:
    """Hands in transactions and keeps what was acknowledged."""

    def __init__(self, venue: L1Venue) -> None:
        self.venue = venue
        self.acknowledged: list[bytes] = []
        self.sequences = count(1)

    async def submit(self, service: SequencerService, tx: Transaction, name: str) -> Receipt:
        signer = PUBLISHER if name == "publisher" else person(name)
        signature = sign_transaction(tx, signer, self.venue.domain)
        receipt = await service.submit(tx, signature)
        if receipt.steps:
            assert isinstance(receipt, SequencedReceipt)
            self.acknowledged.append(signature)
        return receipt

    async def price(self, service: SequencerService) -> None:
        """The mark, as of the venue's clock: L1's may be a look ahead of it."""
        tx = SignedPrice(0, MARK, service.engine.sequencer.time)
        assert (await self.submit(service, tx, "publisher")).status == Status.OK

    async def order(self, service: SequencerService, name: str, side: int) -> Receipt:
        now = await self.venue.now()
        number = self.venue.numbers[name]
        flags = encode_flags(Flags(side))
        tx = NewOrder(number, 0, next(self.sequences), 0, flags, TICKS, 10, now + 3_600)
        return await self.submit(service, tx, name)


async def followed(venue: L1Venue) -> tuple[Replayer, list[Derived], list[bytes]]:
    """What whoever knows L1 alone derives: the venue, its batches, the root after each."""
    events = await venue.reader.scan(0, await venue.client.block_number())
    items = [event.item for event in events if isinstance(event, ItemAdded)]
    replayer = Replayer(Verifier(venue.domain, recover))
    cursor, batches, roots = genesis_cursor(venue.domain), list[Derived](), list[bytes]()
    for posted in (event for event in events if isinstance(event, BatchPosted)):
        header = decode_header(posted.header)
        derived = derive_batch(
            posted.header,
            posted.payload,
            items[header.inbox_from : header.inbox_to],
            after=cursor,
            batch_hash=posted.batch_hash,
        )
        replayer.apply(derived)
        cursor = derived.cursor
        batches.append(derived)
        roots.append(replayer.commitment().state_root)
    return replayer, batches, roots


async def check(venue: L1Venue, service: SequencerService, trader: Trader) -> list[Derived]:
    """Roots agree batch by batch, and everything acknowledged ran once."""
    _, batches, roots = await followed(venue)
    for number, root in enumerate(roots, 1):
        record = service.batch(number)
        assert record is not None and record.state_root == root, f"batch {number}"
        assert record.batch_hash == batches[number - 1].batch_hash
    ran = [row.signature for each in batches for rows in each.batch.chunks for row in rows]
    assert [ran.count(signature) for signature in trader.acknowledged] == [1] * len(
        trader.acknowledged
    )
    return batches


def is_settled(service: SequencerService) -> Callable[[], bool]:
    sequencer = service.engine.sequencer

    def settled() -> bool:
        return service.heads.safe == sequencer.number and sequencer.open is None

    return settled


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
