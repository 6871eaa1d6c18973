"""A venue of processes for the benchmark: the embedded L1, a sequencer, and paid-in accounts."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from node.artifacts import cache_directory, cached_artifact
from node.benchmark.load import Signer
from node.benchmark.processes import cpu_seconds
from node.clock import Clock
from node.config import EMBEDDED, DevnetConfig
from node.deploy import Contracts, Deployment, Venue, approve, deploy, senders
from node.devnet.listings import TICK, listings
from node.devnet.people import GOVERNOR, PUBLISHER, SEQUENCER, TRADERS, person
from node.devnet.supervisor import Supervisor
from node.errors import Halt, Retry
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.rpc.client import VenueClient
from node.rpc.errors import RpcError
from node.settlement import deposit
from state.transactions import SignedPrice

MARK_TICKS = 600_000
PRICE_AGE_MAX = 7_200
DEPOSIT_MICRO = 50_000 * 10**6
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 120.0


class Setting(Struct, frozen=True):
    """Which L1, the seconds between its blocks, and the age at which a batch is sealed."""

    l1: str = EMBEDDED
    block: float = 1.0
    batch: float = 1.0


class LoadedVenue(Struct, frozen=True, kw_only=True):
    """Where it is, and the accounts that real deposits opened."""

    supervisor: Supervisor
    l1: L1Client
    client: VenueClient
    clock: Clock
    deployment: Deployment
    url: str
    signers: tuple[Signer, ...]

    @property
    def reader(self) -> RollupReader:
        return RollupReader(self.l1, self.deployment.rollup)

    async def posted(self, batch: int) -> float:
        """Wait for a batch to be on L1; when it was seen there, by the monotonic clock."""
        deadline = self.clock.monotonic() + PATIENCE_SECONDS
        while (await self.client.status()).safe < batch:
            if self.clock.monotonic() > deadline:
                raise Retry(f"batch {batch} is not on L1 after {PATIENCE_SECONDS:.0f} s")
            await self.clock.sleep(POLL_SECONDS)
        return self.clock.monotonic()

    def cpu_seconds(self) -> dict[str, float]:
        """What L1 and the sequencer have used so far, by name."""
        children = self.supervisor.children
        return {child.name: cpu_seconds(child.process.pid) for child in children}

    def begin_profile(self) -> None:
        """From here on a sequencer that was started to be profiled is."""
        self.supervisor.child("sequencer").process.send_signal(signal.SIGUSR1)

    async def end_sequencer(self) -> None:
        """Ask it to stop, and let it write what it writes at its end."""
        process = self.supervisor.child("sequencer").process
        process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.wait()


@asynccontextmanager
async def loaded_venue(
    clock: Clock, accounts: int, setting: Setting, *, profile: Path | None = None
) -> AsyncIterator[LoadedVenue]:
    """A venue that trades, with `accounts` paid in on L1; every process ends with it.

    With `profile` the sequencer runs under the profiler, which writes there as it ends.
    """
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        supervisor = Supervisor(Path(folder), clock)
        try:
            kind = ("l1", "--kind", setting.l1)
            arguments = (*kind, "--port", "0", "--block-time", f"{setting.block:g}")
            l1 = str((await supervisor.ready(await supervisor.start("l1", arguments)))["url"])
            async with L1Client(l1, clock=clock) as client:
                deployment = await _deployed(client, clock)
                on_l1 = ("--l1", l1, "--rollup", "0x" + deployment.rollup.hex())
                words = (*on_l1, "--batch-seconds", str(setting.batch))
                url = await _sequencer(supervisor, Path(folder), words, profile)
                async with VenueClient(url) as venue:
                    yield LoadedVenue(
                        supervisor=supervisor,
                        l1=client,
                        client=venue,
                        clock=clock,
                        deployment=deployment,
                        url=url,
                        signers=await _paid_in(client, venue, deployment, clock, accounts),
                    )
        finally:
            await supervisor.stop()


async def _deployed(client: L1Client, clock: Clock) -> Deployment:
    cache = cache_directory(os.environ)
    contracts = await asyncio.to_thread(
        lambda: Contracts.compiled(lambda name: cached_artifact(name, cache))
    )
    chain_id = await client.chain_id()
    governor = TransactionSender(client, person(GOVERNOR).private_key, clock, chain_id=chain_id)
    owners = [person(name) for name in TRADERS]
    deployment = await deploy(
        client,
        governor,
        contracts,
        Venue(
            sequencer=person(SEQUENCER).address,
            parameters=DevnetConfig().parameters,
            listings=listings(person(PUBLISHER).address, PRICE_AGE_MAX),
            purses=tuple((owner.address, 256 * DEPOSIT_MICRO) for owner in owners),
        ),
    )
    await approve(deployment, senders(client, clock, chain_id, [x.private_key for x in owners]))
    return deployment


async def _sequencer(
    supervisor: Supervisor, folder: Path, words: tuple[str, ...], profile: Path | None
) -> str:
    place = ("--data", str(folder / "sequencer"), "--port", "0")
    arguments = ("sequence", *words, *place, "--from", SEQUENCER)
    if profile is None:
        child = await supervisor.start("sequencer", arguments)
    else:
        ready = folder / "run" / "sequencer.json"
        command = (sys.executable, "-P", "-m", "node.benchmark.profiled", str(profile))
        more = ("--ready-file", str(ready), "--until-stdin-closes")
        child = await supervisor.start_command("sequencer", (*command, *arguments, *more), ready)
    return str((await supervisor.ready(child))["url"])


async def _paid_in(
    l1: L1Client, venue: VenueClient, deployment: Deployment, clock: Clock, accounts: int
) -> tuple[Signer, ...]:
    """`accounts` with money in them, on a market that has a price; the sequencer knows of all."""
    reader = RollupReader(l1, deployment.rollup)
    owners = [person(name) for name in TRADERS]
    paying = senders(l1, clock, deployment.chain_id, [owner.private_key for owner in owners])
    places = [divmod(number, len(owners)) for number in range(accounts)]
    done = await asyncio.gather(
        *(deposit(reader, paying[owner], DEPOSIT_MICRO, number) for number, owner in places)
    )
    await _until(clock, "the first price", lambda: _publish(venue))
    for one in done:
        await _until(clock, f"account {one.account}", partial(_is_open, venue, one.account))
    return tuple(
        Signer(one.account, owners[owner].address, owners[owner].private_key)
        for one, (_, owner) in zip(done, places, strict=True)
    )


async def _publish(venue: VenueClient) -> bool:
    time = (await venue.status()).time
    price = SignedPrice(0, MARK_TICKS * TICK, time)
    await venue.sign_and_submit(person(PUBLISHER).private_key, price)
    return True


async def _is_open(venue: VenueClient, account: int) -> bool:
    return (await venue.account(account)).account == account


async def _until(clock: Clock, what: str, look: Callable[[], Awaitable[bool]]) -> None:
    """Ask until the answer is yes. Halt after PATIENCE_SECONDS."""
    deadline, last = clock.monotonic() + PATIENCE_SECONDS, ""
    while clock.monotonic() < deadline:
        try:
            if await look():
                return
        except (Retry, RpcError) as error:
            last = str(error)
        await clock.sleep(POLL_SECONDS)
    raise Halt(f"waited {PATIENCE_SECONDS:.0f} s in vain for {what}: {last}; try again")
