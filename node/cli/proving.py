"""What the commands share that execute batches from L1's logs alone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from node.cli.asking import PATIENCE
from node.cli.bars import bar
from node.cli.failures import told
from node.cli.options import deployment_option, json_option, l1_option, rollup_meant, rollup_option
from node.l1.client import L1Client
from node.proving.history import RollupHistory, read_history
from node.proving.venue import RebuiltVenue
from node.rollup import RollupReader

Command = TypeVar("Command", bound=Callable[..., object])
Answer = TypeVar("Answer")
Work = Callable[[RollupReader, RebuiltVenue], Awaitable[Answer]]


def venue_options(command: Command) -> Command:
    """--l1, --rollup or --deployment, --json."""
    return l1_option(rollup_option(deployment_option(json_option(command))))


def with_venue(
    l1_url: str, rollup: bytes | None, deployment: Path | None, work: Work[Answer]
) -> Answer:
    """What `work` comes to with a rollup and its venue, of which nothing is executed yet."""

    async def run(address: bytes) -> Answer:
        async with L1Client(l1_url, patience=PATIENCE) as client:
            reader = RollupReader(client, address)
            return await work(reader, RebuiltVenue(await _read(reader)))

    with told():
        return asyncio.run(run(rollup_meant(rollup, deployment)))


def history_of(l1_url: str, rollup: bytes | None, deployment: Path | None) -> RollupHistory:
    """All that happened to a rollup."""

    async def run(address: bytes) -> RollupHistory:
        async with L1Client(l1_url, patience=PATIENCE) as client:
            return await _read(RollupReader(client, address))

    with told():
        return asyncio.run(run(rollup_meant(rollup, deployment)))


async def _read(reader: RollupReader) -> RollupHistory:
    with bar("reading L1", await reader.client.block_number()) as done:
        return await read_history(reader, done)


def execute(venue: RebuiltVenue, number: int) -> None:
    """Execute every batch before `number`, which L1 must have."""
    venue.check_number(number)
    with bar("executing", number - 1) as done:
        while venue.number < number - 1:
            venue.advance()
            done(venue.number)
