"""A desk beside a venue on L1: commands, orders, and a look from L1 alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from builders import Key, sign_transaction
from click.testing import CliRunner
from following import catch_up, following
from l1_venue import MARK, PUBLISHER, SEQUENCER, TICKS, L1Venue, l1_venue, person
from structlog.testing import capture_logs

from contracts import views
from node.cli.main import tallystick
from node.clock import SystemClock
from node.rpc.server import serve
from node.sequencer import SequencerConfig, SequencerService, open_sequencer
from node.sequencing.engine import EngineConfig
from sequencer.sealing import SealingPolicy
from state.accounts import PERMIT_TRADE
from state.orders import Flags, encode_flags
from state.status import Status
from state.transactions import AddKey, NewOrder, SignedPrice, Transaction, Transfer, Withdraw

PATIENCE = 60.0
QUICK = SealingPolicy(age_max=0.2, item_wait_max=0.05)
ALICE = 1 << 8


@dataclass
class Desk:
    """A venue on L1 with its sequencer, and a terminal beside it."""

    venue: L1Venue
    service: SequencerService
    url: str

    def __post_init__(self) -> None:
        self.sequences = count(1)

    async def command(self, *arguments: str, code: int = 0) -> str:
        """What a command says; where it fails, its one line."""
        where = ["--rpc", self.url, "--l1", self.venue.server.url]
        result = await asyncio.to_thread(
            CliRunner().invoke, tallystick, [*arguments, *where], prog_name="tallystick"
        )
        assert result.exit_code == code, result.output + repr(result.exception)
        if not code:
            return result.stdout
        (line,) = result.stderr.splitlines()
        return line.removeprefix("error: ")

    async def json(self, *arguments: str) -> Any:
        return json.loads(await self.command(*arguments, "--json"))

    async def submit(self, tx: Transaction, signer: Key) -> Status:
        signature = sign_transaction(tx, signer, self.venue.domain)
        return (await self.service.submit(tx, signature)).status

    async def order(
        self, signer: Key, side: int, *, epoch: int = 0, account: int = ALICE
    ) -> Status:
        now = await self.venue.now()
        flags = encode_flags(Flags(side))
        sequence = next(self.sequences)
        tx = NewOrder(account, epoch, sequence, 0, flags, TICKS, 10, now + 3_600)
        return await self.submit(tx, signer)

    async def add_key(self, signer: Key) -> Status:
        now = await self.venue.now()
        terms = (signer.address, now + 86_400, PERMIT_TRADE, now + 60)
        return await self.submit(AddKey(ALICE, next(self.sequences), *terms), person("alice"))

    async def transfer(self, signer: Key, account: int, to_account: int) -> Status:
        terms = next(self.sequences), to_account, 1, await self.venue.now() + 60
        return await self.submit(Transfer(account, *terms), signer)

    async def withdraw(self, signer: Key, account: int) -> Status:
        terms = next(self.sequences), signer.address, 10**6, await self.venue.now() + 60
        return await self.submit(Withdraw(account, *terms), signer)

    async def price(self) -> None:
        tx = SignedPrice(0, MARK, self.service.engine.sequencer.time)
        assert await self.submit(tx, PUBLISHER) == Status.OK

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(int(PATIENCE / 0.02)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{self.service.heads}: {self.service.problems()}")

    async def check(self, directory: Path) -> None:
        """Whoever knows L1 alone comes to the same root after the same batches."""
        sequencer = self.service.engine.sequencer
        await self.until(
            lambda: self.service.heads.safe == sequencer.number and sequencer.open is None
        )
        async with following(self.venue, directory) as follower:
            await catch_up(follower)
            assert follower.heads.safe == self.service.heads.safe
            root = follower.commitment().state_root
            assert root == self.service.commitment().state_root
            machine = follower.state.machine
            assert machine.inbox == await self.venue.reader.read(views.INBOX_SIZE)


@asynccontextmanager
async def running(venue: L1Venue, path: Path) -> AsyncIterator[Desk]:
    config = SequencerConfig(
        journal=path / "journal",
        rollup=venue.deployment.rollup,
        engine=EngineConfig(policy=QUICK),
        poll_seconds=0.02,
        tick_seconds=0.02,
    )
    service = await open_sequencer(config, venue.client, person(SEQUENCER).private, SystemClock())
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    view: Any = service
    server = await serve(view, port=0)
    try:
        desk = Desk(venue, service, server.url)
        await desk.until(lambda: service.heads.safe == 1)
        yield desk
    finally:
        await server.close()
        stop.set()
        await task


@asynccontextmanager
async def funded_desk(path: Path) -> AsyncIterator[Desk]:
    """Each trader has deposited, and the sequencer has posted that."""
    # What the service logs would else be in what the commands say.
    with capture_logs():
        async with l1_venue() as venue:
            await venue.fund()
            async with running(venue, path) as desk:
                yield desk
