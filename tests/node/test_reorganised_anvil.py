"""anvil takes back its last blocks under a running sequencer and a follower, again and again."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from following import catch_up, following
from foreign_l1 import CHAIN_ID, CLOCK, deployed, running_anvil, sender_of
from l1_venue import NAMES, TRADERS, L1Venue, person
from sequencer_on_l1 import Trader, check, followed, is_settled, running, until

from node.deploy import approve
from node.errors import Retry
from node.l1.client import L1Client
from node.l1.refusals import Gap
from node.l1.sender import Sending, TransactionSender
from node.rollup import RollupReader
from node.sequencer import SequencerService
from state.orders import BUY, SELL
from state.status import Status

SEED = int(os.environ.get("TALLYSTICK_SEED", "4"))
ROUNDS = 5
DEPTH_MAX = 3
PATIENCE_TRIES = 1_000


@pytest.fixture
async def venue() -> AsyncIterator[L1Venue]:
    """A venue on anvil, whose time is the machine's."""
    async with running_anvil() as url, L1Client(url) as client:
        senders = {name: sender_of(client, name) for name in NAMES}
        deployment = await deployed(client)
        await approve(deployment, [senders[name] for name in TRADERS])
        terms = await RollupReader(client, deployment.rollup).deployment()
        server, clock = cast(Any, SimpleNamespace(url=url)), cast(Any, CLOCK)
        found = L1Venue(server, client, clock, senders, deployment, terms)
        await found.fund()
        await client.request("anvil_mine", 2 * DEPTH_MAX)
        yield found


async def order(trader: Trader, service: SequencerService, name: str, side: int) -> None:
    """An order, given again as long as the sequencer still reads what L1 has become."""
    for _ in range(PATIENCE_TRIES):
        try:
            assert (await trader.order(service, name, side)).status == Status.OK
            return
        except Retry:
            await asyncio.sleep(0.02)
    raise AssertionError(f"no order is taken: {service.problems()}")


async def settled(venue: L1Venue, service: SequencerService) -> None:
    """All is on L1. Blocks of another branch are older, and anvil mines none for time alone."""
    for _ in range(PATIENCE_TRIES):
        if is_settled(service)():
            return
        if any("clock is behind" in problem for problem in service.problems()):
            await venue.client.request("anvil_mine", 1)
        await asyncio.sleep(0.05)
    raise AssertionError(f"{service.heads}: {service.problems()}")


class GoingBack(L1Client):
    """Has the two last blocks taken back just before the next transaction is sent."""

    goes_back = False

    async def send_raw(self, raw: bytes) -> bytes:
        if self.goes_back:
            self.goes_back = False
            await self.request("anvil_reorg", 2, [])
        return await super().send_raw(raw)


@pytest.mark.timeout(60)
async def test_what_anvil_forgets_before_a_send_does_not_hold_it_up() -> None:
    receiver, sending = b"\x11" * 20, Sending(gap_after=0.2, poll_max=0.1)
    async with running_anvil() as url, GoingBack(url) as client:
        key = person("alice").private
        sender = TransactionSender(client, key, CLOCK, chain_id=CHAIN_ID, sending=sending)
        await client.request("anvil_mine", 2 * DEPTH_MAX)
        for wei in (1, 2):
            await sender.send(receiver, value=wei)
        client.goes_back = True
        with pytest.raises(Gap, match="has nonce 2, and L1 has lost"):
            await sender.send(receiver, value=4)
        for wei in (1, 2):
            await sender.send(receiver, value=wei)
        assert await client.balance(receiver) == 7


@pytest.mark.timeout(120)
async def test_nothing_acknowledged_is_lost_and_all_agree(venue: L1Venue, tmp_path: Path) -> None:
    random = Random(SEED)  # noqa: S311  (a seed must reproduce a failure)
    trader = Trader(venue)
    async with (
        running(venue, tmp_path / "sequencer") as service,
        following(venue, tmp_path / "follower") as follower,
    ):
        await until(lambda: service.heads.safe >= 1, service)
        await trader.price(service)
        for _ in range(ROUNDS):
            for _ in range(random.randint(1, 4)):
                name, side = random.choice(TRADERS), random.choice((BUY, SELL))
                await order(trader, service, name, side)
            if random.random() < 0.5:
                await venue.deposit(random.choice(TRADERS), 7)
            await settled(venue, service)
            await catch_up(follower)
            depth = random.randint(1, DEPTH_MAX)
            await venue.client.request("anvil_reorg", depth, [])
            assert await venue.client.request("anvil_mine", 1) is None
        await order(trader, service, "alice", BUY)
        await settled(venue, service)
        assert service.problems() == [], f"seed {SEED}"
        await check(venue, service, trader)
        _, _, roots = await followed(venue)
        await catch_up(follower)
        assert follower.heads.safe == service.heads.safe == len(roots), f"seed {SEED}"
        for number, root in enumerate(roots, 1):
            record = follower.batch(number)
            assert record is not None and record.state_root == root, f"seed {SEED}: {number}"
