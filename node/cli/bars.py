"""Progress bars, on a terminal only: elsewhere, and for programs, nothing is shown."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from node.cli.output import console
from node.clock import Clock

if TYPE_CHECKING:
    from node.follower import FollowerService

Done = Callable[[int], None]
"""Hears how much of the total is done."""

LOOK_SECONDS = 0.5


@contextmanager
def bar(what: str, total: int, screen: Console | None = None) -> Iterator[Done]:
    """Shows how much of `total` is done, until it is left; on standard error."""
    screen = screen or console(stderr=True)
    if not screen.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=screen, transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.update(task, completed=done)


@contextmanager
def log_above() -> Iterator[None]:
    """Log lines written meanwhile go where rich puts them above a bar, and not through it."""
    handlers = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    streams = [(one, one.setStream(sys.stderr)) for one in handlers]
    try:
        yield
    finally:
        for handler, stream in streams:
            if stream is not None:
                handler.setStream(stream)


@asynccontextmanager
async def syncing(
    service: "FollowerService", clock: Clock, screen: Console | None = None
) -> AsyncIterator[None]:
    """Shows a follower's first reading of L1, block by block, until it has caught up."""
    showing = asyncio.create_task(_show_sync(service, clock, screen or console(stderr=True)))
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


async def _show_sync(service: "FollowerService", clock: Clock, screen: Console) -> None:
    from node.errors import L1Error, Retry

    if not screen.is_terminal:
        return
    head = None
    while head is None:
        try:
            head = await service.client.block_number()
        except (Retry, L1Error):
            await clock.sleep(LOOK_SECONDS)
    if service.scanned >= head:
        return
    with bar("reading L1", head, screen) as done, log_above():
        while service.scanned < head:
            done(service.scanned)
            await clock.sleep(LOOK_SECONDS)
