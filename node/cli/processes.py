"""The processes of a venue, each runnable alone."""

import asyncio
import os
from pathlib import Path

import click

from node.cli.bars import syncing
from node.cli.failures import told
from node.cli.listening import allow_host_option, listen_option, warn_beyond_loopback
from node.cli.options import (
    PORT,
    SECONDS,
    Finite,
    deployment_option,
    l1_option,
    process_options,
    rollup_meant,
    rollup_option,
    rpc_option,
    signature_workers_option,
    signer_options,
)
from node.cli.running import Announce, chain_of, run_process, serve_view
from node.cli.signer import signer
from node.clock import SystemClock
from node.config import (
    ANVIL,
    BATCH_SECONDS,
    EMBEDDED,
    FOLLOWER_PORT,
    L1_KINDS,
    L1_PORT,
    SEQUENCER_PORT,
    BotsConfig,
)
from node.snapshot_policy import SnapshotPolicy

CHAIN_ID_MAX = 2**63 - 37
"""EIP-2294: twice the id and 36 still fit 64 bits."""


@click.command()
@click.option(
    "--kind",
    type=click.Choice(L1_KINDS),
    default=EMBEDDED,
    show_default=True,
    help="Ours, or anvil with the settings that a venue needs.",
)
@click.option("--port", type=PORT, default=L1_PORT, show_default=True, help="0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), help="Where the chain is kept.")
@listen_option
@click.option("--chain-id", type=click.IntRange(1, CHAIN_ID_MAX), default=31_337, show_default=True)
@click.option(
    "--block-time",
    type=Finite(min=0),
    default=1.0,
    show_default=True,
    help="Seconds between blocks; 0 mines each transaction at once.",
)
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="A web page's origin that may speak to this L1, such as http://localhost:3000.",
)
@process_options
def l1(
    kind: str,
    port: int,
    data: Path | None,
    listen: str,
    chain_id: int,
    block_time: float,
    origins: tuple[str, ...],
    ready_file: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Run an L1 devnet with ten funded accounts: Ethereum JSON-RPC over py-evm, or anvil."""

    async def serve_anvil(stop: asyncio.Event, announce: Announce) -> None:
        from node.devnet.anvil import AnvilConfig, find_anvil, run_anvil

        warn_beyond_loopback(listen)
        config = AnvilConfig(
            program=find_anvil(os.environ),
            host=listen,
            port=port,
            chain_id=chain_id,
            block_time=block_time,
            data_directory=data,
            allowed_origins=origins,
        )
        await run_anvil(config, stop, started=lambda url: announce(url=url))

    async def serve(stop: asyncio.Event, announce: Announce) -> None:
        from node.l1.config import L1Config
        from node.l1.server import run_l1

        warn_beyond_loopback(listen)
        config = L1Config(
            host=listen,
            port=port,
            chain_id=chain_id,
            block_time=block_time,
            data_directory=data,
            allowed_origins=origins,
        )
        await run_l1(config, stop, started=lambda url: announce(url=url))

    run_process(
        serve_anvil if kind == ANVIL else serve,
        ready_file=ready_file,
        until_stdin_closes=until_stdin_closes,
    )


@click.command()
@l1_option
@rollup_option
@deployment_option
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="For journal and snapshots."
)
@click.option("--port", type=PORT, default=SEQUENCER_PORT, show_default=True)
@listen_option
@allow_host_option
@click.option(
    "--batch-seconds",
    type=SECONDS,
    default=BATCH_SECONDS,
    show_default=True,
    help="A batch is sealed when its first transaction is this old.",
)
@click.option(
    "--snapshot-batches",
    type=click.IntRange(1),
    default=SnapshotPolicy().batches,
    show_default=True,
    help="A snapshot is taken after so many batches, or sooner where much happens in them.",
)
@signature_workers_option
@signer_options
@process_options
def sequence(
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path,
    port: int,
    listen: str,
    hosts: tuple[str, ...],
    batch_seconds: float,
    snapshot_batches: int,
    signature_workers: int,
    name: str | None,
    key_file: Path | None,
    ready_file: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Run the sequencer: take orders over JSON-RPC, match them, post batches to L1."""
    with told():
        key, venue = signer(name, key_file), rollup_meant(rollup, deployment)

    async def serve(stop: asyncio.Event, announce: Announce) -> None:
        from node.l1.client import L1Client
        from node.sequencer import SequencerConfig, open_sequencer
        from node.sequencing.engine import EngineConfig
        from sequencer.sealing import SealingPolicy

        clock = SystemClock()
        config = SequencerConfig(
            journal=data / "journal",
            snapshots=data / "snapshots",
            snapshot_policy=SnapshotPolicy(batches=snapshot_batches),
            rollup=venue,
            engine=EngineConfig(policy=SealingPolicy(age_max=batch_seconds)),
            signature_workers=signature_workers,
        )
        chain_id = await chain_of(l1_url, clock, stop)
        if chain_id is None:
            return
        key.check_chain(chain_id)
        async with L1Client(l1_url, clock=clock) as client:
            service = await open_sequencer(config, client, key.private_key, clock)
            await serve_view(
                *(service, service.run, port, stop, announce),
                listen=listen,
                hosts=hosts,
                switches=data / "switches.json",
            )

    run_process(serve, ready_file=ready_file, until_stdin_closes=until_stdin_closes)


@click.command()
@l1_option
@rollup_option
@deployment_option
@click.option("--data", type=click.Path(path_type=Path), required=True, help="What was read of L1.")
@click.option("--port", type=PORT, default=FOLLOWER_PORT, show_default=True)
@listen_option
@allow_host_option
@signature_workers_option
@process_options
def follow(
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path,
    port: int,
    listen: str,
    hosts: tuple[str, ...],
    signature_workers: int,
    ready_file: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Rebuild the venue from an L1 URL and an address alone, and serve it read-only."""
    with told():
        venue = rollup_meant(rollup, deployment)

    async def serve(stop: asyncio.Event, announce: Announce) -> None:
        from node.follower import FollowerConfig, FollowerService

        config = FollowerConfig(
            l1_url=l1_url,
            rollup=venue,
            data_directory=data,
            signature_workers=signature_workers,
        )
        service = FollowerService(config, clock := SystemClock())
        async with syncing(service, clock):
            await serve_view(service, service.run, port, stop, announce, listen=listen, hosts=hosts)

    run_process(serve, ready_file=ready_file, until_stdin_closes=until_stdin_closes)


@click.command()
@l1_option
@rollup_option
@deployment_option
@click.option("--data", type=click.Path(path_type=Path), required=True, help="What was read of L1.")
@signer_options
@process_options
def claim(
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path,
    name: str | None,
    key_file: Path | None,
    ready_file: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Claim on L1, under bond, what every batch led to, and settle the claims in time."""
    with told():
        key, venue = signer(name, key_file), rollup_meant(rollup, deployment)

    async def serve(stop: asyncio.Event, announce: Announce) -> None:
        from node.claimant import ClaimantConfig, ClaimantService
        from node.follower import FollowerConfig

        follower = FollowerConfig(l1_url=l1_url, rollup=venue, data_directory=data)
        config = ClaimantConfig(follower=follower, private_key=key.private_key)
        announce(address="0x" + key.address.hex())
        service = ClaimantService(config, SystemClock(), check_chain=key.check_chain)
        await service.run(stop)

    run_process(serve, ready_file=ready_file, until_stdin_closes=until_stdin_closes)


@click.command()
@l1_option
@rpc_option
@click.option("--cursor", type=click.Path(path_type=Path), required=True, help="The last bar.")
@click.option("--history", type=click.Path(path_type=Path), help="A folder of recorded prices.")
@click.option("--price-seconds", type=SECONDS, default=1.0, show_default=True)
@click.option("--bar-seconds", type=SECONDS, default=1.0, show_default=True)
@process_options
def bots(
    l1_url: str,
    rpc_url: str,
    cursor: Path,
    history: Path | None,
    price_seconds: float,
    bar_seconds: float,
    ready_file: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Publish signed prices and keep the books filled. For devnets: it uses public keys."""

    async def serve(stop: asyncio.Event, announce: Announce) -> None:
        from node.devnet.bots import run_bots

        config = BotsConfig(
            rpc=rpc_url,
            l1=l1_url,
            cursor=cursor,
            history=history,
            price_seconds=price_seconds,
            bar_seconds=bar_seconds,
        )
        await run_bots(config, SystemClock(), stop, announce)

    run_process(serve, ready_file=ready_file, until_stdin_closes=until_stdin_closes)
