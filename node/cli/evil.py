"""`propose-evil`: a proposer that lies, for drills on devnets and for nothing else."""

import asyncio
from pathlib import Path

import click

from node.cli.failures import told
from node.cli.options import (
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
from node.evil.kinds import IN_WORDS, Kind

KINDS = tuple(kind.value for kind in Kind)


@click.command("propose-evil")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    required=True,
    help="; ".join(f"{kind}: {words}" for kind, words in IN_WORDS.items()) + ".",
)
@click.option(
    "--from-batch",
    "first",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Tell the truth about all batches before this one.",
)
@l1_option
@rollup_option
@deployment_option
@signer_options
@process_options
def propose_evil(
    kind: str,
    first: int,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    name: str | None,
    key_file: Path | None,
    ready_file: Path | None,
    until_stdin_closes: bool,
) -> None:
    """Claim one batch wrongly, and defend the lie. On chain 31337 alone: it loses its bonds.

    It lies once, about the first batch that holds something for such a lie to bite on, and
    goes on from there as if it were true.
    """
    with told():
        key, venue = signer(name, key_file), rollup_meant(rollup, deployment)

    async def serve(stop: asyncio.Event, announce: Announce) -> None:
        from node.evil.proposer import EvilProposer, ProposerConfig
        from node.l1.client import L1Client

        config = ProposerConfig(
            rollup=venue, private_key=key.private_key, kind=Kind(kind), first=first
        )
        clock = SystemClock()
        async with L1Client(l1_url, clock=clock) as client:
            key.check_chain(await client.chain_id())
            proposer = EvilProposer(config, clock, client)
            await proposer.open()
            announce(address="0x" + key.address.hex())
            await proposer.run(stop)

    run_process(serve, ready_file=ready_file, until_stdin_closes=until_stdin_closes)
