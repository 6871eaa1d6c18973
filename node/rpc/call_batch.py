"""The calls of one JSON-RPC batch: done in order, in turns with everybody else, answered together.

Nobody waits for a whole batch of dear calls, and no reply grows without end: what is asked for
behind `REPLY_BYTES_MAX` is not done. A transaction always is, and its receipt always told.
"""

import asyncio
from collections.abc import Callable, Sequence

from node.connections import TURN_SECONDS
from node.rpc import wire
from node.rpc.envelope import Call, Faulty, failure
from node.rpc.errors import Code, RpcError
from node.rpc.replies import Later, Reply

REPLY_BYTES_MAX = 2**22
"""What the replies of a batch may come to before no more is asked of the node."""


class CallBatch:
    """`begin_one` begins a call; `queues` says of one that it does nothing but queue."""

    def __init__(
        self,
        calls: Sequence[Call | Faulty],
        begin_one: Callable[[Call | Faulty], Reply],
        queues: Callable[[Call | Faulty], bool],
    ) -> None:
        self._calls = calls
        self._begin_one = begin_one
        self._queues = queues
        self._at = 0
        self._begun: list[Reply] = []
        self._told: list[bytes] = []
        self._bytes = 0
        self.all_begun = asyncio.Event()

    def begin(self) -> Reply:
        """The reply, where nothing has to wait; else the beginning of it is done."""
        self._begin_run()
        if self.all_begun.is_set() and not any(isinstance(one, Later) for one in self._begun):
            for reply in self._begun:
                self._tell(reply)
            return self._joined()
        task = asyncio.create_task(self._finish())
        return Later(task, task.result, self.all_begun)

    def _begin_run(self) -> None:
        """Begin calls in order: up to one that must see what came of others, or a turn's end.

        What follows one another into the queue shares a group there.
        """
        is_waiting, clock = False, asyncio.get_running_loop().time
        until = clock() + TURN_SECONDS
        while self._at < len(self._calls):
            call = self._calls[self._at]
            queues = self._queues(call)
            if not queues and (is_waiting or (self._begun and clock() > until)):
                return
            reply = self._begin_one(call) if queues or self._has_room() else _left(call)
            self._begun.append(reply)
            self._at += 1
            if isinstance(reply, Later):
                is_waiting = True
                if not queues:
                    break
            elif reply is not None:
                self._bytes += len(reply)
        if self._at == len(self._calls):
            self.all_begun.set()

    async def _finish(self) -> bytes | None:
        try:
            while self._begun:
                begun, self._begun = self._begun, []
                for reply in begun:
                    self._tell(await self._came(reply) if isinstance(reply, Later) else reply)
                await asyncio.sleep(0)
                self._begin_run()
            return self._joined()
        finally:
            # Whoever waits to be read behind this batch would wait for ever.
            self.all_begun.set()

    async def _came(self, reply: Later) -> bytes | None:
        text = await reply.reply()
        self._bytes += len(text or b"")
        return text

    def _has_room(self) -> bool:
        return self._bytes < REPLY_BYTES_MAX

    def _tell(self, reply: Reply) -> None:
        assert not isinstance(reply, Later)
        if reply is not None:
            self._told.append(reply)

    def _joined(self) -> bytes | None:
        """Each reply is JSON already, so one that cannot be encoded harms no other."""
        return b"[" + b",".join(self._told) + b"]" if self._told else None


def _left(call: Call | Faulty) -> bytes | None:
    """The reply to a call for which there is no room any more."""
    if isinstance(call, Call) and call.is_notification:
        return None
    error = RpcError(
        *(Code.REPLY_TOO_LARGE, "reply_too_large", "The replies before this one are too large"),
        "nothing was done: ask again, in a batch of its own or for less",
        expected=f"replies of together at most {REPLY_BYTES_MAX} bytes",
    )
    return wire.encode(failure(call.identity, error))
