"""A venue of real processes that may be killed at any moment and are started again.

L1 stays up: it is what the others find their way back from.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from contracts.calls import Parameters
from node.artifacts import cache_directory, cached_artifact
from node.clock import SystemClock
from node.deploy import Contracts, Deployment, Venue, approve, deploy, senders
from node.devnet.listings import COINS, listing
from node.devnet.people import CLAIMANT, GOVERNOR, PUBLISHER, SEQUENCER, TRADERS, person
from node.devnet.supervisor import Child, Supervisor, tail
from node.errors import Retry
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.rpc.client import VenueClient, VenueError
from node.settlement import deposit

PARAMETERS = Parameters(
    inbox_delay=60,
    force_delay=600,
    time_lag_max=300,
    claim_window=8,
    claim_bond=10**17,
    parameter_delay=10,
)
DOLLAR_MICRO = 10**6
PURSE = 10_000_000 * DOLLAR_MICRO
DEPOSIT = 50_000 * DOLLAR_MICRO
SUBACCOUNTS = (0, 1)
PRICE_AGE_MAX = 3_600
BATCH_SECONDS = "1"
NODES = ("sequencer", "follower")
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.05


class Killable(Supervisor):
    """Kills a child without a word, and starts it again as it was started."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, SystemClock())
        self._arguments: dict[str, Sequence[str]] = {}
        self.kills: dict[str, int] = {}

    async def start(self, name: str, arguments: Sequence[str]) -> Child:
        self._arguments[name] = arguments
        return await super().start(name, arguments)

    async def kill(self, name: str) -> None:
        """SIGKILL. A child that ended by itself before is a fault of its own."""
        child = self.child(name)
        last = "\n".join(tail(child.log))
        assert child.process.returncode is None, f"{name} ended by itself:\n{last}"
        child.process.kill()
        await child.process.wait()
        self.children.remove(child)
        self.kills[name] = self.kills.get(name, 0) + 1

    async def restart(self, name: str) -> Child:
        return await self.start(name, self._arguments[name])


@dataclass
class KilledVenue:
    """Where everything is, and the accounts that were opened: number by (name, subaccount)."""

    supervisor: Killable
    l1: L1Client
    deployment: Deployment
    sequencer: str
    follower: str
    accounts: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reader = RollupReader(self.l1, self.deployment.rollup)
        self.senders = {
            name: TransactionSender(
                *(self.l1, person(name).private_key, SystemClock()),
                chain_id=self.deployment.chain_id,
            )
            for name in TRADERS
        }

    async def open_accounts(self) -> None:
        """Every trader deposits into every subaccount, and the sequencer has seen it."""
        await asyncio.gather(*(self._open(name) for name in TRADERS))
        async with VenueClient(self.sequencer) as client:
            for number in self.accounts.values():
                await until(f"account {number}", partial(_has, client, number))

    async def _open(self, name: str) -> None:
        for subaccount in SUBACCOUNTS:
            done = await deposit(self.reader, self.senders[name], DEPOSIT, subaccount)
            self.accounts[name, subaccount] = done.account


async def _has(client: VenueClient, number: int) -> bool:
    try:
        return (await client.account(number)).account == number
    except (Retry, VenueError):
        return False


async def until(what: str, look: Callable[[], Awaitable[bool]]) -> None:
    """Wait for `look()` to be true; AssertionError after PATIENCE_SECONDS."""
    clock = SystemClock()
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while clock.monotonic() < deadline:
        if await look():
            return
        await asyncio.sleep(POLL_SECONDS)
    raise AssertionError(f"waited {PATIENCE_SECONDS:.0f} s in vain for {what}")


@asynccontextmanager
async def killed_venue(directory: Path) -> AsyncIterator[KilledVenue]:
    """L1, sequencer, follower and claimant, with money in the traders' accounts."""
    supervisor = Killable(directory)
    try:
        words = ("l1", "--port", "0", "--block-time", "1")
        l1 = str((await supervisor.ready(await supervisor.start("l1", words)))["url"])
        async with L1Client(l1) as client:
            venue = await _start(directory, supervisor, client, l1)
            await venue.open_accounts()
            yield venue
    finally:
        await supervisor.stop()


async def _start(directory: Path, supervisor: Killable, client: L1Client, url: str) -> KilledVenue:
    deployment = await _deployed(client)
    on_l1 = ("--l1", url, "--rollup", "0x" + deployment.rollup.hex())
    ports = [str(port) for port in free_ports(2)]
    data = {name: str(directory / name) for name in ("sequencer", "follower", "claimant")}
    commands = {
        "sequencer": (
            *("sequence", "--from", SEQUENCER),
            *("--port", ports[0], "--batch-seconds", BATCH_SECONDS, "--snapshot-batches", "2"),
            *("--signature-workers", "1"),
        ),
        "follower": ("follow", "--port", ports[1]),
        "claimant": ("claim", "--from", CLAIMANT),
    }
    for name, words in commands.items():
        await supervisor.start(name, (*words, *on_l1, "--data", data[name]))
    urls = [str((await supervisor.ready(supervisor.child(name)))["url"]) for name in NODES]
    await supervisor.ready(supervisor.child("claimant"))
    return KilledVenue(supervisor, client, deployment, urls[0], urls[1])


async def _deployed(client: L1Client) -> Deployment:
    cache, clock = cache_directory(os.environ), SystemClock()
    chain_id = await client.chain_id()
    governor = TransactionSender(client, person(GOVERNOR).private_key, clock, chain_id=chain_id)
    deployment = await deploy(
        client,
        governor,
        Contracts.compiled(lambda name: cached_artifact(name, cache)),
        Venue(
            sequencer=person(SEQUENCER).address,
            parameters=PARAMETERS,
            listings=(listing(0, COINS[0], person(PUBLISHER).address, PRICE_AGE_MAX),),
            purses=tuple((person(name).address, PURSE) for name in TRADERS),
        ),
    )
    keys = [person(name).private_key for name in TRADERS]
    await approve(deployment, senders(client, clock, chain_id, keys))
    return deployment


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; a restarted node must come back on its own."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
