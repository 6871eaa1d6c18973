"""A sequencer on the real contracts, a trader, and what whoever knows L1 alone derives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from builders import sign_transaction
from l1_venue import MARK, PUBLISHER, SEQUENCER, TICKS, L1Venue, person

from node.clock import SystemClock
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
from state.orders import Flags, encode_flags
from state.status import Status
from state.transactions import NewOrder, SignedPrice, Transaction

PATIENCE = 60.0
QUICK = SealingPolicy(age_max=0.2, item_wait_max=0.05)


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
