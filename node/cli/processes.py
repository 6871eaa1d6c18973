"""The processes of a venue, each runnable alone."""

import asyncio
from pathlib import Path

import click

from node.cli.options import PORT, process_options
from node.cli.running import Announce, run_process
from node.config import HOST, L1_PORT


@click.command()
@click.option("--port", type=PORT, default=L1_PORT, show_default=True, help="0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), help="Where the chain is kept.")
@click.option("--chain-id", type=int, default=31_337, show_default=True)
@click.option(
    "--block-time",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Seconds between blocks; 0 mines each transaction at once.",
)
@process_options
def l1(
    port: int,
    data: Path | None,
    chain_id: int,
    block_time: float,
    ready_file: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Run the embedded L1 devnet: Ethereum JSON-RPC over py-evm, with ten funded accounts."""

    async def serve(stop: asyncio.Event, announce: Announce) -> None:
        from node.l1.config import L1Config
        from node.l1.server import run_l1

        config = L1Config(
            host=HOST, port=port, chain_id=chain_id, block_time=block_time, data_directory=data
        )
        await run_l1(config, stop, started=lambda url: announce(url=url))

    run_process(serve, ready_file=ready_file, until_stdin_closes=until_stdin_closes)
