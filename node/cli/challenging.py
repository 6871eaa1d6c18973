"""`challenge`: the process that has wrong claims lose."""

import asyncio
from pathlib import Path

import click

from node.cli.failures import told
from node.cli.options import (
    PORT,
    SECONDS,
    deployment_option,
    l1_option,
    process_options,
    rollup_meant,
    rollup_option,
    signer_options,
)
from node.cli.running import Announce, run_process
from node.cli.signer import signer
from node.clock import SystemClock


@click.command()
@l1_option
@rollup_option
@deployment_option
@click.option("--data", type=click.Path(path_type=Path), required=True, help="What was read of L1.")
@click.option(
    "--metrics-port",
    type=PORT,
    help="Serve cost and time left of every dispute under /metrics; 0 takes a free one.",
)
@click.option(
    "--poll-seconds",
    type=SECONDS,
    default=1.0,
    show_default=True,
    help="Between two looks at L1 where nothing is left to do.",
)
@signer_options
@process_options
def challenge(
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path,
    metrics_port: int | None,
    poll_seconds: float,
    name: str | None,
    key_file: Path | None,
    ready_file: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Execute every batch, and have each claim that says otherwise lose its bond on L1.

    Batches that are none are proven void first. Where a wrong claim stands on a right one, the
    right rival is claimed, its trace entered, and every move made until it has won and confirmed.
    """
    with told():
        key, venue = signer(name, key_file), rollup_meant(rollup, deployment)

    async def serve(stop: asyncio.Event, announce: Announce) -> None:
        from node.challenger import ChallengerConfig, ChallengerService
        from node.disputes.figures import ChallengerFigures
        from node.follower import FollowerConfig
        from node.metrics import MetricsServer

        follower = FollowerConfig(
            l1_url=l1_url, rollup=venue, data_directory=data, poll_seconds=poll_seconds
        )
        config = ChallengerConfig(follower=follower, private_key=key.private_key)
        service = ChallengerService(config, SystemClock(), check_chain=key.check_chain)
        facts = {"address": "0x" + key.address.hex()}
        if metrics_port is None:
            announce(**facts)
            await service.run(stop)
            return
        metrics = MetricsServer(ChallengerFigures(service), metrics_port)
        await metrics.start()
        try:
            announce(**facts, metrics=metrics.url)
            await service.run(stop)
        finally:
            await metrics.close()

    run_process(serve, ready_file=ready_file, until_stdin_closes=until_stdin_closes)
