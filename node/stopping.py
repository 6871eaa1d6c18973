"""Work that goes on until the process is asked to stop."""

import asyncio
from collections.abc import Coroutine


async def run_until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Run `work` to its end or its error; cancel it as soon as `stop` is set."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
