"""`devnet` and `demo`: everything at once, on this machine."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console
from rich.panel import Panel

from node.cli.failures import told
from node.cli.options import PORT, SECONDS
from node.cli.output import console, facts, table
from node.config import BATCH_SECONDS, FOLLOWER_PORT, L1_PORT, SEQUENCER_PORT, DevnetConfig
from node.files import write_whole

if TYPE_CHECKING:
    from node.devnet.venue import RunningVenue

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


async def _devnet(config: DevnetConfig, screen: Console) -> None:
    from node.clock import SystemClock
    from node.devnet.description import description
    from node.devnet.supervisor import Supervisor
    from node.devnet.venue import start_venue, venue_directory
    from node.stopping import run_until

    stop = stop_on_signals()
    with venue_directory(config.data) as directory:
        supervisor = Supervisor(directory, SystemClock())

        async def work() -> None:
            with progress(screen) as tell:
                venue = await start_venue(config, directory, supervisor, SystemClock(), tell)
            if config.config_out is not None:
                content = msgspec.json.encode(description(config, venue, supervisor))
                write_whole(config.config_out, msgspec.json.format(content))
            for part in banner(config, venue):
                screen.print(part)
            await supervisor.watch()

        try:
            await run_until(stop, work())
        finally:
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
        yield screen.print
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
    yield Panel.fit(
        f"tallystick deposit --from alice 10000{rpc}{l1}\n"
        f"tallystick order place --from alice BTC-USD-PERP buy 0.01{rpc}\n"
        f"tallystick account alice{rpc}",
        title="Paste into another terminal to trade",
        title_align="left",
    )
    yield "Ctrl-C stops everything."
