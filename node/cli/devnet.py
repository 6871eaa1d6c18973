"""`devnet` and `demo`: everything at once, on this machine."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource
from msgspec.structs import replace
from rich.console import Console

from node.cli.failures import Failure, WronglyPut, told
from node.cli.options import DELAY, PORT, SECONDS, Url
from node.cli.output import console
from node.cli.picture import Picture
from node.cli.telling import banner, narrated, progress, show_plain, summary
from node.clock import SystemClock
from node.config import (
    BATCH_SECONDS,
    EMBEDDED,
    FOLLOWER_PORT,
    L1_KINDS,
    L1_PORT,
    SEQUENCER_PORT,
    DevnetConfig,
)
from node.devnet.demonstration import demonstration
from node.devnet.description import description
from node.devnet.directory import venue_directory
from node.devnet.health import Health
from node.devnet.outcome import Outcome
from node.devnet.supervisor import Supervisor
from node.devnet.venue import RunningVenue, start_venue
from node.evil.kinds import Kind
from node.files import write_whole
from node.modes import MODES, OPTIMISTIC
from node.rpc.client import VenueClient
from node.stopping import run_until

DEMO_BATCH_SECONDS = 2.0
DEMO_PRICE_SECONDS = 5.0
DEMO_BAR_SECONDS = 86_400.0
"""Prices stand still in the demonstration, so that what it shows is the trading."""

FAST = {"batch_seconds": 2.0, "claim_window": 2}
"""For the impatient. L1 blocks stay a second apart: their times are whole seconds."""

CALM = {"bar_seconds": DEMO_BAR_SECONDS}
"""Prices stand still while somebody lies, so that what it needs is surely traded."""

BY_HAND = {"claim_window": 180}
"""Time for somebody to find a wrong claim and contradict it before it settles."""

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
"""Looked at before anything starts: what is written in the end must not be lost for its name."""


class L1Kind(Url):
    """An L1 that can be started, or the endpoint of one that runs."""

    name = "l1"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        return text if text in L1_KINDS else super().convert(text, param, ctx)


on_l1 = click.option(
    "--l1",
    type=L1Kind(),
    metavar="embedded|anvil|URL",
    default=EMBEDDED,
    show_default=True,
    help="The L1 to start, or the URL of a devnet that runs already.",
)


evil_option = click.option(
    "--evil",
    type=click.Choice([kind.value for kind in Kind]),
    callback=lambda _, __, kind: kind or "",
    help="Who claims lies, in this way, and is contradicted; the sequencer too where it must.",
)


mode_option = click.option(
    "--mode",
    type=click.Choice(MODES),
    default=OPTIMISTIC,
    show_default=True,
    help="How claims are settled: under bond, or at once by a proof, which is a mock.",
)


@click.command()
@click.option("--data", type=FOLDER, help="Keep everything here, and go on with what is there.")
@click.option("--reset", is_flag=True, help="Remove first what an earlier devnet left in --data.")
@click.option("--fast", is_flag=True, help="Batches every 2 s and claims of 2 s.")
@on_l1
@click.option(
    "--l1-port", type=PORT, default=L1_PORT, show_default=True, help="0 takes a free one."
)
@click.option("--sequencer-port", type=PORT, default=SEQUENCER_PORT, show_default=True)
@click.option("--follower-port", type=PORT, default=FOLLOWER_PORT, show_default=True)
@click.option("--block-seconds", type=SECONDS, default=1.0, show_default=True)
@click.option("--batch-seconds", type=SECONDS, default=BATCH_SECONDS, show_default=True)
@click.option(
    "--claim-window",
    type=DELAY,
    default=8,
    show_default=True,
    help="Seconds that a claim can be contested; a new venue only.",
)
@click.option("--price-seconds", type=SECONDS, default=1.0, show_default=True)
@click.option("--bar-seconds", type=SECONDS, default=1.0, show_default=True)
@click.option("--history", type=FOLDER, help="Recorded prices to replay.")
@click.option("--config-out", type=FILE, help="Write URLs, addresses and test keys to this file.")
@mode_option
@evil_option
@click.option(
    "--challenger/--no-challenger",
    "has_challenger",
    default=True,
    show_default=True,
    help="With --evil: run somebody honest, or leave that to whoever comes.",
)
@click.pass_context
def devnet(context: click.Context, /, *, reset: bool, fast: bool, **given: Any) -> None:
    """Run L1, sequencer, follower, claimant and bots as processes, until Ctrl-C.

    If one of them ends, all do, and its last words are shown. With --evil whoever claims lies
    once, and what becomes of that is told as it happens.
    """
    if reset and given["data"] is None:
        raise WronglyPut("--reset empties a folder: name it with --data")
    _check_mode(given["mode"], given["evil"], "" if given["has_challenger"] else "--no-challenger")
    if fast:
        given |= _left_to_us(context, FAST)
    if given["evil"]:
        given |= _left_to_us(context, CALM)
    if given["evil"] and not given["has_challenger"]:
        given |= _left_to_us(context, BY_HAND)
    with told():
        asyncio.run(_devnet(DevnetConfig(**given), console(), reset=reset))


@click.command()
@click.option("--json", "json_file", type=FILE, help="Write what it came to into this file.")
@click.option("--claim-window", type=DELAY, default=8, show_default=True)
@on_l1
@click.option("--picture", type=FILE, help="Draw what is told into this SVG file.")
@mode_option
@evil_option
@click.option("--real-time", is_flag=True, help="With --evil: let all clocks run as they do.")
def demo(
    json_file: Path | None,
    claim_window: int,
    l1: str,
    picture: Path | None,
    mode: str,
    evil: str,
    real_time: bool,
) -> None:
    """Play the whole story once over real sockets with the real processes, and check it.

    Deposits on L1, some hundred signed orders, batches on L1, a follower that reaches the
    same roots, a claim, its window, and a withdrawal paid by Merkle proof. With --evil the
    story of a lie: a wrong claim, the dispute to its end, and where the bonds went. With --mode
    validity-mock the claim is proven, by a mock, and the withdrawal paid without waiting.
    """
    _check_mode(mode, evil, "--real-time" if real_time else "")
    if evil:
        _tell_of_evil(evil, l1, json_file, real_time=real_time)
        return
    with told():
        screen, drawn = console(), Picture("make demo")
        outcome = asyncio.run(_demo(claim_window, l1, mode, screen, drawn.screen))
        screen.print(summary(outcome))
        drawn.screen.print(summary(outcome))
        if picture is not None:
            drawn.write(picture)
        if json_file is not None:
            write_whole(json_file, msgspec.json.format(msgspec.json.encode(outcome)))


def _tell_of_evil(kind: str, l1: str, json_file: Path | None, *, real_time: bool) -> None:
    from node.cli.evil import evil_demo, evil_summary

    with told():
        screen = console()
        outcome = asyncio.run(evil_demo(kind, l1, screen, real_time=real_time))
        screen.print(evil_summary(outcome))
        if json_file is not None:
            write_whole(json_file, msgspec.json.format(msgspec.json.encode(outcome)))


def _check_mode(mode: str, evil: str, of_a_lie: str) -> None:
    if evil and mode != OPTIMISTIC:
        raise WronglyPut(
            "--evil needs claims under bond, not ones that are proven: leave --mode out"
        )
    if of_a_lie and not evil:
        raise WronglyPut(f"{of_a_lie} is for the story of a lie: say which one by --evil KIND")


def _left_to_us(context: click.Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that nobody gave."""
    return {
        name: value
        for name, value in values.items()
        if context.get_parameter_source(name) is ParameterSource.DEFAULT
    }


async def _devnet(config: DevnetConfig, screen: Console, *, reset: bool) -> None:
    async def show(venue: RunningVenue, supervisor: Supervisor) -> None:
        if config.config_out is not None:
            content = msgspec.json.encode(description(config, venue, supervisor))
            write_whole(config.config_out, msgspec.json.format(content))
        for part in banner(config, venue):
            screen.print(part)
        if config.evil:
            from node.cli.evil import evil_devnet

            await evil_devnet(config, venue, supervisor, screen)
            return
        async with VenueClient(venue.sequencer) as ours, VenueClient(venue.follower) as theirs:
            nodes = {"sequencer": ours, "follower": theirs}
            await Health(nodes, SystemClock(), partial(show_plain, screen)).run()

    await with_venue(config, screen, show, reset=reset)


async def _demo(claim_window: int, l1: str, mode: str, screen: Console, drawn: Console) -> Outcome:
    outcomes: list[Outcome] = []
    clock = SystemClock()
    began = clock.monotonic()

    async def play(venue: RunningVenue, _: Supervisor) -> None:
        set_up = clock.monotonic() - began
        screen.print(f"the venue stands after {set_up:.1f} s; its logs: {venue.directory}/logs")
        with narrated(screen, drawn) as narrator:
            outcome = await demonstration(venue, clock, narrator)
        outcomes.append(replace(outcome, set_up_seconds=round(set_up, 2)))

    config = DevnetConfig(
        l1=l1,
        l1_port=0,
        sequencer_port=0,
        follower_port=0,
        batch_seconds=DEMO_BATCH_SECONDS,
        claim_window=claim_window,
        price_seconds=DEMO_PRICE_SECONDS,
        bar_seconds=DEMO_BAR_SECONDS,
        mode=mode,
    )
    await with_venue(config, screen, play)
    if not outcomes:
        raise Failure("stopped before the story came to its end")
    return outcomes[0]


async def with_venue(
    config: DevnetConfig,
    screen: Console,
    use: Callable[[RunningVenue, Supervisor], Coroutine[Any, Any, None]],
    *,
    reset: bool = False,
) -> None:
    """Start a venue and run `use` while all processes live; whatever happens, end them all."""
    stop, clock = stop_on_signals(), SystemClock()
    with venue_directory(config.data, reset=reset) as directory:
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
