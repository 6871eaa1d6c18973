"""A whole venue on this machine: L1, its contracts, and every process, started in order."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from contracts import views
from node.clock import Clock
from node.config import DevnetConfig
from node.deploy import (
    Contracts,
    Deployment,
    check_deployed,
    deployment_json,
    read_deployment,
)
from node.devnet.deployment import compiled, deploy_devnet
from node.devnet.directory import DEPLOYMENT
from node.devnet.l1_kind import start_l1
from node.devnet.people import CHALLENGER, CLAIMANT, SEQUENCER
from node.devnet.supervisor import Ready, Supervisor
from node.errors import Halt, Retry
from node.files import write_whole
from node.l1.client import L1Client
from node.modes import mode_of
from node.rollup import RollupReader
from node.rpc.client import VenueClient
from node.rpc.errors import RpcError

CHALLENGER_SECONDS = 0.2
"""Between two looks at L1 of a challenger whom somebody watches."""

Tell = Callable[[str], None]
"""Hears what is being done, in words."""


class RunningVenue(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is."""

    directory: Path
    l1: str
    sequencer: str
    follower: str
    deployment: Deployment

    @property
    def rollup(self) -> str:
        """The rollup's address as people write it."""
        return "0x" + self.deployment.rollup.hex()


async def start_venue(
    config: DevnetConfig, directory: Path, supervisor: Supervisor, clock: Clock, tell: Tell
) -> RunningVenue:
    """Start all processes, and deploy first unless `directory` holds a venue already.

    Raises ChildDied where a process does not come up, Halt where `directory` is of another L1.
    """
    tell("starting L1 and compiling the contracts")
    compiling = asyncio.create_task(asyncio.to_thread(compiled))
    l1 = await start_l1(config, str(directory / "l1"), supervisor)
    deployment = await _deployed(config, directory, l1, await compiling, clock, tell)
    rollup = "0x" + deployment.rollup.hex()
    on_l1 = ("--l1", l1, "--rollup", rollup)

    tell("starting sequencer, follower and who settles")
    await supervisor.start("sequencer", _sequence(config, directory, on_l1))
    await supervisor.start("follower", _follow(config, directory, on_l1))
    await _start_settlement(config, directory, supervisor, on_l1)
    sequencer = await _ready_node(supervisor, "sequencer")

    tell("starting the price feed and the market maker")
    await supervisor.start("bots", _bots(config, directory, l1, sequencer))
    follower = await _ready_node(supervisor, "follower")
    for child in supervisor.children:
        await supervisor.ready(child)
    return RunningVenue(
        directory=directory, l1=l1, sequencer=sequencer, follower=follower, deployment=deployment
    )


async def _start_settlement(
    config: DevnetConfig, directory: Path, supervisor: Supervisor, on_l1: tuple[str, ...]
) -> None:
    """A claimant; where one is expected to lie, somebody who contradicts, if anybody does."""
    if not config.evil:
        place = ("--data", str(directory / "claimant"), "--from", CLAIMANT)
        await supervisor.start("claimant", ("claim", *on_l1, *place))
    elif config.has_challenger:
        place = ("--data", str(directory / "challenger"), "--from", CHALLENGER)
        pace = ("--poll-seconds", str(CHALLENGER_SECONDS))
        await supervisor.start("challenger", ("challenge", *on_l1, *place, *pace))


def _sequence(config: DevnetConfig, directory: Path, on_l1: tuple[str, ...]) -> tuple[str, ...]:
    place = ("--data", str(directory / "sequencer"), "--port", str(config.sequencer_port))
    pace = ("--batch-seconds", str(config.batch_seconds))
    return ("sequence", *on_l1, *place, *pace, "--from", SEQUENCER)


def _follow(config: DevnetConfig, directory: Path, on_l1: tuple[str, ...]) -> tuple[str, ...]:
    place = ("--data", str(directory / "follower"), "--port", str(config.follower_port))
    return ("follow", *on_l1, *place)


def _bots(config: DevnetConfig, directory: Path, l1: str, sequencer: str) -> tuple[str, ...]:
    history = () if config.history is None else ("--history", str(config.history))
    pace = (
        *("--price-seconds", str(config.price_seconds)),
        *("--bar-seconds", str(config.bar_seconds)),
    )
    cursor = ("--cursor", str(directory / "bots" / "bar"))
    return ("bots", "--l1", l1, "--rpc", sequencer, *cursor, *pace, *history)


async def _ready_node(supervisor: Supervisor, name: str) -> str:
    """The URL of a node once it has read L1 and nothing ails it."""
    child = supervisor.child(name)
    url = str((await supervisor.ready(child))["url"])
    await supervisor.ready(child, _node_is_well(url))
    return url


def _node_is_well(url: str) -> Ready:
    async def is_well() -> bool:
        async with VenueClient(url, timeout_seconds=5.0) as venue:
            try:
                status, config = await venue.status(), await venue.config()
            except (Retry, RpcError):
                return False
            return not status.problems and config.chain_id != 0

    return is_well


async def _deployed(
    config: DevnetConfig,
    directory: Path,
    l1: str,
    contracts: Contracts,
    clock: Clock,
    tell: Tell,
) -> Deployment:
    """The venue of this directory, deployed now if there is none yet."""
    path = directory / DEPLOYMENT
    async with L1Client(l1, clock=clock) as client:
        if path.exists():
            tell("finding the venue of this directory on L1")
            known = read_deployment(path)
            await check_deployed(client, known)
            await check_mode(client, known, config.mode)
            return known
        tell("deploying the token and the rollup, listing markets, handing out USDC")
        deployment = await deploy_devnet(
            client,
            contracts,
            clock,
            config.parameters,
            config.dispute_parameters,
            config.price_age_max,
            config.mode,
        )
        write_whole(path, deployment_json(deployment))
        return deployment


async def check_mode(client: L1Client, deployment: Deployment, mode: str) -> None:
    """How claims are settled was fixed when the venue was deployed."""
    reader = RollupReader(client, deployment.rollup)
    found = mode_of(await reader.read(views.PROOF_SYSTEM))
    if found != mode:
        raise Halt(
            f"the venue in this folder settles claims in the mode {found}, not {mode}: go on with "
            f"--mode {found}, or begin a new one with --reset or in another folder"
        )
