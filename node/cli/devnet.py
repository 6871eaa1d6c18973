"""`devnet` and `demo`: everything at once, on this machine."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.panel import Panel

from node.cli.failures import Failure, told
from node.cli.options import PORT, SECONDS
from node.cli.output import console, facts, table
from node.clock import SystemClock
from node.config import BATCH_SECONDS, FOLLOWER_PORT, L1_PORT, SEQUENCER_PORT, DevnetConfig
from node.files import write_whole
from node.stopping import run_until

if TYPE_CHECKING:
    from node.devnet.outcome import Outcome
    from node.devnet.supervisor import Supervisor
    from node.devnet.venue import RunningVenue

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
    from node.devnet.description import description
    from node.devnet.health import Health
    from node.rpc.client import VenueClient

    async def show(venue: "RunningVenue", supervisor: "Supervisor") -> None:
        if config.config_out is not None:
            content = msgspec.json.encode(description(config, venue, supervisor))
            write_whole(config.config_out, msgspec.json.format(content))
        for part in banner(config, venue):
            screen.print(part)
        async with VenueClient(venue.sequencer) as ours, VenueClient(venue.follower) as theirs:
            nodes = {"sequencer": ours, "follower": theirs}
            await Health(nodes, SystemClock(), partial(screen.print, markup=False)).run()

    await with_venue(config, screen, show)


async def _demo(claim_window: int, screen: Console) -> "Outcome":
    from node.devnet.demonstration import demonstration

    outcomes: list[Outcome] = []
    clock = SystemClock()
    began = clock.monotonic()

    async def play(venue: "RunningVenue", _: "Supervisor") -> None:
        set_up = clock.monotonic() - began
        screen.print(f"the venue stands after {set_up:.1f} s; its logs: {venue.directory}/logs")
        outcome = await demonstration(venue, clock, partial(screen.print, markup=False))
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
    use: "Callable[[RunningVenue, Supervisor], Coroutine[Any, Any, None]]",
) -> None:
    """Start a venue and run `use` while all processes live; whatever happens, end them all."""
    from node.devnet.supervisor import Supervisor
    from node.devnet.venue import start_venue, venue_directory

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


@contextmanager
def progress(screen: Console) -> Iterator[Callable[[str], None]]:
    """Shows what is being done: in place on a terminal, line by line elsewhere."""
    if not screen.is_terminal:
        yield partial(screen.print, markup=False)
        return
    with screen.status("starting") as status:
        yield lambda text: status.update(text)


def banner(config: DevnetConfig, venue: "RunningVenue") -> Iterator[Any]:
    """Where everything is, who is there, and a line to paste that trades."""
    from node.devnet.people import role_of
    from node.l1.accounts import dev_accounts

    yield facts(
        "The venue stands",
        [
            ("L1", f"{venue.l1}  (chain {venue.deployment.chain_id})"),
            ("sequencer", venue.sequencer),
            ("follower", venue.follower),
            ("rollup", venue.rollup),
            ("token", "0x" + venue.deployment.token.hex()),
            ("logs", str(venue.directory / "logs")),
        ],
    )
    rows = [
        (account.name, role_of(account.name), "0x" + account.address.hex())
        for account in dev_accounts()
    ]
    yield table("Test accounts (their keys are public)", ("name", "role", "address"), rows)
    rpc = "" if config.sequencer_port == SEQUENCER_PORT else f" --rpc {venue.sequencer}"
    l1 = "" if config.l1_port == L1_PORT else f" --l1 {venue.l1}"
    command = command_name()
    yield Panel.fit(
        f"{command} deposit --from alice 10000{rpc}{l1}\n"
        f"{command} order place --from alice BTC-USD-PERP buy 0.01{rpc}\n"
        f"{command} account alice{rpc}",
        title="Paste into another terminal to trade",
        title_align="left",
    )
    yield "Ctrl-C stops everything."


def command_name() -> str:
    """`tallystick`, with the folder it is in where the shell would not find it."""
    if shutil.which("tallystick"):
        return "tallystick"
    return os.path.relpath(Path(sys.executable).parent / "tallystick")


def summary(outcome: "Outcome") -> Any:
    """What the demonstration came to, for people."""
    return facts(
        "Everything holds",
        [
            ("orders", f"{outcome.orders} on L1, {outcome.fills} fills"),
            ("batches", f"{outcome.batches}, {outcome.bytes_posted} bytes"),
            ("bytes per order", f"{outcome.bytes_per_order:.1f}, signature included"),
            ("sequencer's root", outcome.sequencer_root),
            ("follower's root", outcome.follower_root),
            ("claimed root", outcome.claimed_root),
            ("withdrawn", f"{outcome.withdrawn_usdc} USDC"),
            ("seconds", f"{outcome.seconds:.1f}, and {outcome.set_up_seconds:.1f} to set up"),
        ],
    )
