"""`devnet` and `demo`: everything at once, on this machine."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import replace
from rich.console import Console

from node.cli.failures import Failure, told
from node.cli.options import PORT, SECONDS
from node.cli.output import console
from node.cli.telling import banner, narrated, progress, show_plain, summary
from node.clock import SystemClock
from node.config import BATCH_SECONDS, FOLLOWER_PORT, L1_PORT, SEQUENCER_PORT, DevnetConfig
from node.devnet.demonstration import demonstration
from node.devnet.description import description
from node.devnet.health import Health
from node.devnet.outcome import Outcome
from node.devnet.supervisor import Supervisor
from node.devnet.venue import RunningVenue, start_venue, venue_directory
from node.files import write_whole
from node.rpc.client import VenueClient
from node.stopping import run_until

DEMO_BATCH_SECONDS = 2.0
DEMO_PRICE_SECONDS = 5.0
DEMO_BAR_SECONDS = 86_400.0
"""Prices stand still in the demonstration, so that what it shows is the trading."""

FOLDER = click.Path(path_type=Path)


@click.command()
@click.option("--data", type=FOLDER, help="Keep everything here, and go on with what is there.")
@click.option(
    "--l1-port", type=PORT, default=L1_PORT, show_default=True, help="0 takes a free one."
)
@click.option("--sequencer-port", type=PORT, default=SEQUENCER_PORT, show_default=True)
@click.option("--follower-port", type=PORT, default=FOLLOWER_PORT, show_default=True)
@click.option("--block-seconds", type=SECONDS, default=1.0, show_default=True)
@click.option("--batch-seconds", type=SECONDS, default=BATCH_SECONDS, show_default=True)
@click.option(
    "--claim-window",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Seconds that a claim can be contested; a new venue only.",
)
@click.option("--price-seconds", type=SECONDS, default=1.0, show_default=True)
@click.option("--bar-seconds", type=SECONDS, default=1.0, show_default=True)
@click.option("--history", type=FOLDER, help="Recorded prices to replay.")
@click.option("--config-out", type=FOLDER, help="Write URLs, addresses and test keys to this file.")
def devnet(**given: Any) -> None:
    """Run L1, sequencer, follower, claimant and bots as processes, until Ctrl-C.

    If one of them ends, all do, and its last words are shown.
    """
    with told():
        asyncio.run(_devnet(DevnetConfig(**given), console()))


@click.command()
@click.option("--json", "json_file", type=FOLDER, help="Write what it came to into this file.")
@click.option("--claim-window", type=click.IntRange(1), default=8, show_default=True)
def demo(json_file: Path | None, claim_window: int) -> None:
    """Play the whole story once over real sockets with the real processes, and check it.

    Deposits on L1, some hundred signed orders, batches on L1, a follower that reaches the
    same roots, a claim, its window, and a withdrawal paid by Merkle proof.
    """
    with told():
        screen = console()
        outcome = asyncio.run(_demo(claim_window, screen))
        screen.print(summary(outcome))
        if json_file is not None:
            write_whole(json_file, msgspec.json.format(msgspec.json.encode(outcome)))


async def _devnet(config: DevnetConfig, screen: Console) -> None:
    async def show(venue: RunningVenue, supervisor: Supervisor) -> None:
        if config.config_out is not None:
            content = msgspec.json.encode(description(config, venue, supervisor))
            write_whole(config.config_out, msgspec.json.format(content))
        for part in banner(config, venue):
            screen.print(part)
        async with VenueClient(venue.sequencer) as ours, VenueClient(venue.follower) as theirs:
            nodes = {"sequencer": ours, "follower": theirs}
            await Health(nodes, SystemClock(), partial(show_plain, screen)).run()

    await with_venue(config, screen, show)


async def _demo(claim_window: int, screen: Console) -> Outcome:
    outcomes: list[Outcome] = []
    clock = SystemClock()
    began = clock.monotonic()

    async def play(venue: RunningVenue, _: Supervisor) -> None:
        set_up = clock.monotonic() - began
        screen.print(f"the venue stands after {set_up:.1f} s; its logs: {venue.directory}/logs")
        with narrated(screen) as narrator:
            outcome = await demonstration(venue, clock, narrator)
        outcomes.append(replace(outcome, set_up_seconds=round(set_up, 2)))

    config = DevnetConfig(
        l1_port=0,
        sequencer_port=0,
        follower_port=0,
        batch_seconds=DEMO_BATCH_SECONDS,
        claim_window=claim_window,
        price_seconds=DEMO_PRICE_SECONDS,
        bar_seconds=DEMO_BAR_SECONDS,
    )
    await with_venue(config, screen, play)
    if not outcomes:
        raise Failure("stopped before the story came to its end")
    return outcomes[0]


async def with_venue(
    config: DevnetConfig,
    screen: Console,
    use: Callable[[RunningVenue, Supervisor], Coroutine[Any, Any, None]],
) -> None:
    """Start a venue and run `use` while all processes live; whatever happens, end them all."""
    stop, clock = stop_on_signals(), SystemClock()
    with venue_directory(config.data) as directory:
        supervisor = Supervisor(directory, clock)

        async def work() -> None:
            with progress(screen) as tell:
                venue = await start_venue(config, directory, supervisor, clock, tell)
            await supervisor.while_all_live(use(venue, supervisor))

        try:
            await run_until(stop, work())
        finally:
            if stop.is_set():
                screen.print("stopping every process")
            await supervisor.stop()


def stop_on_signals() -> asyncio.Event:
    """Set by SIGINT and SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
