"""kill -9 under load: what a client was told is on L1 in the end, exactly once.

`TALLYSTICK_KILLS=100` kills the sequencer a hundred times, `TALLYSTICK_SEED` chooses when.
"""

import asyncio
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from killed_venue import DEPOSIT, NODES, KilledVenue, killed_venue, until
from loaded_client import Load

from contracts import views
from node.clock import SystemClock
from node.errors import Retry
from node.rollup_events import BatchPosted, ItemAdded
from node.rpc.client import VenueClient, VenueError
from node.rpc.rollup_results import SyncStatus
from node.settlement import usdc_balance
from node.signatures import recover
from prover.derivation import derive_batch, genesis_cursor
from state.authentication import Verifier
from state.batch import decode_header
from state.commitment import Committer
from state.eip712 import domain
from state.execution import run_batch
from state.invariants import check_invariants
from state.memory import MemoryState
from state.units import nano

KILLS = int(os.environ.get("TALLYSTICK_KILLS", "4"))
SEED = int(os.environ.get("TALLYSTICK_SEED", "9"))
LOAD = 10
"""Acknowledgements between a restart and the next kill, before chance chooses the moment."""

UNDER_LOAD_SECONDS = 0.8
RECOVERY_SECONDS = 2.0
AGAIN_IN_RECOVERY = 0.3
ANOTHER_PROCESS = 0.3


@dataclass
class OnL1:
    """What L1 alone leads to: the root after each batch, and what every signature came to."""

    state: MemoryState = field(default_factory=MemoryState)
    roots: list[bytes] = field(default_factory=list)
    ran: dict[bytes, list[tuple[int, int]]] = field(default_factory=dict)
    voided: int = 0


async def kill_and_restart(venue: KilledVenue, load: Load, random: Random, kills: int) -> None:
    """Kill the sequencer under load, at times again while it recovers, at times another too."""
    supervisor = venue.supervisor
    while supervisor.kills.get("sequencer", 0) < kills:
        known = len(load.acknowledged)

        async def is_loaded(known: int = known) -> bool:
            load.check()
            return len(load.acknowledged) >= known + LOAD

        await until("acknowledgements", is_loaded)
        await asyncio.sleep(random.uniform(0, UNDER_LOAD_SECONDS))
        if random.random() < ANOTHER_PROCESS:
            other = random.choice(("follower", "claimant"))
            await supervisor.kill(other)
            await supervisor.restart(other)
        await supervisor.kill("sequencer")
        await supervisor.restart("sequencer")
        while supervisor.kills["sequencer"] < kills and random.random() < AGAIN_IN_RECOVERY:
            await asyncio.sleep(random.uniform(0, RECOVERY_SECONDS))
            await supervisor.kill("sequencer")
            await supervisor.restart("sequencer")
        await supervisor.ready(supervisor.child("sequencer"))


async def settle(venue: KilledVenue) -> int:
    """Wait until all is sealed, on L1 and followed; the last batch."""
    statuses: list[SyncStatus] = []

    async def is_settled() -> bool:
        try:
            statuses[:] = [await ask(url) for url in (venue.sequencer, venue.follower)]
        except (Retry, VenueError):
            return False
        ours, theirs = statuses
        has_all = ours.sealed and ours.unsafe == ours.safe == theirs.safe == theirs.unsafe
        return has_all and await inbox_taken(venue, ours.safe)

    try:
        await until("an agreement", is_settled)
    except AssertionError as error:
        raise AssertionError(f"{error}: {statuses}") from error
    assert [each.problems for each in statuses] == [[], []]
    return statuses[0].safe


async def ask(url: str) -> SyncStatus:
    async with VenueClient(url) as client:
        return await client.status()


async def inbox_taken(venue: KilledVenue, batch: int) -> bool:
    """Whether no deposit waits any more."""
    async with VenueClient(venue.sequencer) as client:
        items = sum([(await client.batch(number)).items for number in range(1, batch + 1)])
    return items == await venue.reader.read(views.INBOX_SIZE)


async def read_l1(venue: KilledVenue) -> OnL1:
    """Every batch from L1's logs, derived and executed here."""
    on, found = domain(venue.deployment.chain_id, venue.deployment.rollup), OnL1()
    events = await venue.reader.scan(0, await venue.l1.block_number())
    items = [event.item for event in events if isinstance(event, ItemAdded)]
    committer, cursor = Committer(found.state), genesis_cursor(on)
    for posted in (event for event in events if isinstance(event, BatchPosted)):
        header = decode_header(posted.header)
        derived = derive_batch(
            *(posted.header, posted.payload, items[header.inbox_from : header.inbox_to]),
            after=cursor,
            batch_hash=posted.batch_hash,
        )
        cursor = derived.cursor
        found.voided += bool(derived.void_reason)
        receipts = run_batch(found.state, derived.batch, Verifier(on, recover))
        rows = [row for rows in derived.batch.chunks for row in rows]
        for row, receipt in zip(rows, receipts, strict=True):
            outcome = (int(receipt.status), sum(fill.lots for fill in receipt.fills))
            found.ran.setdefault(row.signature, []).append(outcome)
        found.roots.append(committer.commit().state_root)
    return found


async def check_roots(venue: KilledVenue, on_l1: OnL1, last: int) -> None:
    """Sequencer, follower and L1 agree on the root after every batch."""
    assert len(on_l1.roots) == last
    for url in (venue.sequencer, venue.follower):
        async with VenueClient(url) as client:
            for number, root in enumerate(on_l1.roots, 1):
                found = await client.batch(number)
                assert bytes(found.state_root) == root, f"{url}: batch {number}"


def check_acknowledged(load: Load, on_l1: OnL1) -> None:
    """Everything told or learned ran once, and came to what the client was told."""
    acknowledged, learned = load.acknowledged, load.learned
    lost = [told.tx for key, told in acknowledged.items() if key not in on_l1.ran]
    lost += [tx for key, tx in learned.items() if key not in on_l1.ran]
    assert not lost, f"{len(lost)} lost, the first is {lost[0]}"
    twice = [key.hex() for key, ran in on_l1.ran.items() if key and len(ran) > 1]
    assert not twice, f"{len(twice)} ran twice, the first is {twice[0]}"
    for key, told in acknowledged.items():
        assert on_l1.ran[key] == [(told.status, told.filled)], f"{told} came to {on_l1.ran[key]}"
    # A price is the one thing that a later one of its kind may overtake after a rewind.
    prices = [key for key in load.publisher.acknowledged if key not in on_l1.ran]
    assert not prices, f"{len(prices)} prices lost"


async def check_money(venue: KilledVenue, load: Load, on_l1: OnL1) -> None:
    """Conservation from every leaf, and the escrow's balance is what was deposited."""
    check_invariants(on_l1.state)
    paid_in = len(venue.accounts) * DEPOSIT + load.deposited
    assert on_l1.state.machine.deposited == nano(paid_in)
    escrow = await usdc_balance(venue.l1, venue.deployment.token, venue.deployment.rollup)
    assert escrow == paid_in


@pytest.mark.timeout(120 + 20 * KILLS)
async def test_kill_nine_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    clock = SystemClock()
    began = clock.monotonic()
    async with killed_venue(tmp_path) as venue, VenueClient(venue.sequencer) as client:
        load = Load(venue, client, SEED)
        await load.start()
        random = Random(SEED)  # noqa: S311  (a seed chooses the moments)
        await kill_and_restart(venue, load, random, KILLS)
        await load.stop()
        last = await settle(venue)
        on_l1 = await read_l1(venue)
        await check_roots(venue, on_l1, last)
        check_acknowledged(load, on_l1)
        await check_money(venue, load, on_l1)
        kills = venue.supervisor.kills
        alive = [child.process.returncode for child in venue.supervisor.children]
    assert alive == [None] * (2 + len(NODES))
    kinds = Counter(type(told.tx).__name__ for told in load.acknowledged.values())
    assert len(load.acknowledged) >= LOAD and kinds["NewOrder"]
    print(
        f"\nseed {SEED}: killed {kills}; {len(load.acknowledged)} acknowledged {dict(kinds)}, "
        f"{len(load.learned)} taken whose answer was lost, 0 lost, 0 twice; {last} batches, "
        f"{on_l1.voided} void; {sum(each.resent for each in load.traders)} sent again; "
        f"{clock.monotonic() - began:.0f} s"
    )
