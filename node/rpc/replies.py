"""Replies that are there at once, and replies that come when what was handed in is on disk."""

import asyncio
from collections.abc import Callable
from typing import Any


class HandedIn:
    """What a method gives whose work is queued: `result` tells, or raises, once `last` is done.

    Nothing that begins later overtakes it.
    """

    __slots__ = ("last", "result")

    def __init__(self, last: "asyncio.Future[Any]", result: Callable[[], Any]) -> None:
        self.last = last
        self.result = result


class Later:
    """A reply on its way: `read` it once `future` is done. None where none is wanted.

    Not all that was asked for has begun before `begun` is set; None where it has.
    """

    __slots__ = ("begun", "future", "read")

    def __init__(
        self,
        future: "asyncio.Future[Any]",
        read: Callable[[], bytes | None],
        begun: asyncio.Event | None = None,
    ) -> None:
        self.future = future
        self.read = read
        self.begun = begun

    async def reply(self) -> bytes | None:
        """Waited for."""
        if not self.future.done():
            await asyncio.wait([self.future])
        return self.read()


Reply = bytes | None | Later
