"""Waiting for what a story needs, with an end to patience."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from node.clock import Clock
from node.devnet.outcome import StoryFailed
from node.errors import Retry
from node.rpc.client import VenueError

Found = TypeVar("Found")

POLL_SECONDS = 0.2


async def found_in_time(
    clock: Clock, patience: float, what: str, look: Callable[[], Awaitable[Found | None]]
) -> Found:
    """What `look` finds, asked again and again; StoryFailed after `patience` seconds."""
    deadline = clock.monotonic() + patience
    while clock.monotonic() < deadline:
        try:
            found = await look()
        except (Retry, VenueError):
            found = None
        if found:
            return found
        await clock.sleep(POLL_SECONDS)
    raise StoryFailed(f"waited {patience:.0f} s in vain for {what}")
