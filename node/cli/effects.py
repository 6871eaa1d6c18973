"""Waiting until the venue has done what L1 has taken."""

from collections.abc import Callable

import click

from node.cli.failures import Failure
from node.clock import SystemClock
from node.rpc.client import VenueClient
from node.rpc.results import AccountSummary

EFFECT_SECONDS = 60.0
POLL_SECONDS = 0.2

no_wait_option = click.option(
    "--no-wait", is_flag=True, help="Do not wait until the venue has done it."
)


async def until(venue: VenueClient, account: int, holds: Callable[[AccountSummary], bool]) -> None:
    """Wait until the account is as L1 wants it. Failure where that takes too long."""
    clock = SystemClock()
    deadline = clock.monotonic() + EFFECT_SECONDS
    while not holds(await venue.account(account)):
        if clock.monotonic() >= deadline:
            raise Failure(
                f"L1 took it and the venue has not done it within {EFFECT_SECONDS:.0f} s; the "
                "sequencer must within the rollup's inbox delay: tallystick account "
                f"{account} shows it then"
            )
        await clock.sleep(POLL_SECONDS)
