"""Lying on purpose: `propose-evil`, and what `demo` and `devnet` do with --evil."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace
from rich.console import Console

from node.cli.failures import Failure, told
from node.cli.options import (
    deployment_option,
    l1_option,
    process_options,
    rollup_meant,
    rollup_option,
    signer_options,
)
from node.cli.output import facts
from node.cli.running import Announce, chain_of, run_process
from node.cli.signer import signer
from node.cli.telling import narrated
from node.clock import Clock, SystemClock
from node.config import DevnetConfig
from node.devnet.people import CHALLENGER, LIAR
from node.devnet.story import Narrator
from node.devnet.supervisor import Supervisor
from node.devnet.venue import RunningVenue
from node.disputes.telling import ether
from node.evil.kinds import IN_WORDS, Kind
from node.evil.outcome import EvilOutcome
from node.evil.story import EvilStory
from node.l1.client import L1Client
from node.rpc.client import VenueClient

KINDS = tuple(kind.value for kind in Kind)
BATCH_SECONDS = 2.0
PRICE_SECONDS, BAR_SECONDS = 1.0, 86_400.0
BLOCK_SECONDS = 0.5
"""Blocks of a story: the embedded L1's clock then runs twice as fast as ours."""

CLAIM_WINDOW = 30
"""Of L1's seconds, which go by twice as fast: a busy machine must contradict the lie in time."""

PRICE_AGE_MAX = 3_600
"""Longer than any story: while L1's clock is moved on nobody signs prices."""


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
        chain_id = await chain_of(l1_url, clock, stop)
        if chain_id is None:
            return
        key.check_chain(chain_id)
        async with L1Client(l1_url, clock=clock) as client:
            proposer = EvilProposer(config, clock, client)
            await proposer.open()
            announce(address="0x" + key.address.hex())
            await proposer.run(stop)

    run_process(serve, ready_file=ready_file, until_stdin_closes=until_stdin_closes)


# --- the story, with `demo` ---


def story_config(kind: str, l1: str, *, real_time: bool) -> DevnetConfig:
    """A venue for one story."""
    return DevnetConfig(
        l1=l1,
        l1_port=0,
        sequencer_port=0,
        follower_port=0,
        block_seconds=1.0 if real_time else BLOCK_SECONDS,
        batch_seconds=BATCH_SECONDS,
        price_seconds=PRICE_SECONDS,
        bar_seconds=BAR_SECONDS,
        price_age_max=PRICE_AGE_MAX,
        claim_window=CLAIM_WINDOW,
        evil=kind,
    )


async def evil_demo(kind: str, l1: str, screen: Console, *, real_time: bool) -> EvilOutcome:
    """The whole story of a lie. StoryFailed where it is not found out, or not paid for."""
    from node.cli.devnet import with_venue

    outcomes: list[EvilOutcome] = []
    clock = SystemClock()
    began = clock.monotonic()

    async def play(venue: RunningVenue, supervisor: Supervisor) -> None:
        set_up = clock.monotonic() - began
        screen.print(f"the venue stands after {set_up:.1f} s; its logs: {venue.directory}/logs")
        with narrated(screen) as narrator:
            told_in = (venue, Kind(kind), supervisor, clock, narrator)
            async with evil_story(*told_in, jumps=not real_time) as story:
                outcome = await story.play()
        outcomes.append(replace(outcome, set_up_seconds=round(set_up, 2)))

    await with_venue(story_config(kind, l1, real_time=real_time), screen, play)
    if not outcomes:
        raise Failure("stopped before the story came to its end")
    return outcomes[0]


async def evil_devnet(
    config: DevnetConfig, venue: RunningVenue, supervisor: Supervisor, screen: Console
) -> None:
    """The same lie on a venue that stays up: everything told as it happens, in its own time."""
    with narrated(screen) as narrator:
        told_in = (venue, Kind(config.evil), supervisor, SystemClock(), narrator)
        async with evil_story(*told_in, jumps=False) as story:
            await story.stand()


@asynccontextmanager
async def evil_story(
    venue: RunningVenue,
    kind: Kind,
    supervisor: Supervisor,
    clock: Clock,
    narrator: Narrator,
    *,
    jumps: bool,
) -> AsyncIterator[EvilStory]:
    """The story of `kind` on a running venue, with clients of all its parts."""
    async with (
        VenueClient(venue.sequencer, clock=clock) as sequencer,
        VenueClient(venue.follower, clock=clock) as follower,
        L1Client(venue.l1, expected_chain_id=venue.deployment.chain_id, clock=clock) as l1,
    ):
        yield EvilStory(
            venue,
            kind,
            supervisor=supervisor,
            sequencer=sequencer,
            follower=follower,
            l1=l1,
            clock=clock,
            narrator=narrator,
            jumps=jumps,
        )


def evil_summary(outcome: EvilOutcome) -> Any:
    """What a story came to, for people."""
    decided, bonds = outcome.decided, outcome.bonds
    status = f", {decided.status.replace('_', ' ')}" if decided.status else ""
    return facts(
        "The lie is found out",
        [
            ("the lie", outcome.lie),
            ("batch", f"{outcome.batch}, {outcome.steps} steps"),
            ("first wrong step", f"{decided.step}: {decided.kind}{status}"),
            ("rules", ", ".join(decided.rules)),
            ("ended by", decided.how),
            ("wrong root", outcome.wrong_root),
            ("confirmed root", outcome.right_root),
            ("wrong claims rejected", str(len(outcome.rejected))),
            ("the liar lost", f"{ether(bonds.liar_lost)} in bonds"),
            ("of it to who moved", ether(bonds.to_movers)),
            ("to the insurance fund", ether(bonds.to_insurance)),
            ("the challenger's gas", _gas_words(outcome, CHALLENGER)),
            ("the challenger's gain", f"{ether(bonds.honest_net)}, gas paid"),
            ("the liar's gas", _gas_words(outcome, LIAR)),
            ("seconds", _seconds_words(outcome)),
        ],
    )


def _gas_words(outcome: EvilOutcome, name: str) -> str:
    return f"{outcome.gas[name]:,}, {ether(outcome.wei[name])}"


def _seconds_words(outcome: EvilOutcome) -> str:
    jumped = f" ({outcome.jumped} more on L1's clock)" if outcome.jumped else ""
    return f"{outcome.seconds:.1f}{jumped}, and {outcome.set_up_seconds:.1f} to set up"
