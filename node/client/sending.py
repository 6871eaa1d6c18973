"""Signed messages of one key on their way: the sequence number of each, and what to do when its
answer is lost or its number was used by somebody else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from node.client.line import Asked, Line
from node.clock import Clock
from node.errors import Retry
from node.rpc import wire
from node.rpc.channel import VenueError
from node.rpc.drafts import DraftingClient
from node.rpc.errors import Code
from node.rpc.message_types import AnyMessage
from node.rpc.messages import transaction_of
from node.rpc.order_results import BatchItem
from node.rpc.results import SubmitReceipt
from node.rpc.signing import next_sequence
from state.accounts import OWNER_KEY

ATTEMPTS = 4
"""How often a message is signed anew because others used up its sequence number."""

UNAVAILABLE_ATTEMPTS, UNAVAILABLE_PAUSE = 20, 0.25
"""How often a node that cannot do it now is asked again, and the seconds between."""

Draft = Callable[[int], Awaitable[AnyMessage]]
"""The message under a sequence number."""


class Sender:
    """One key of one account: `key_epoch` is that of a session key, or OWNER_KEY."""

    def __init__(
        self,
        client: DraftingClient,
        line: Line,
        clock: Clock,
        private_key: bytes,
        account: int,
        key_epoch: int = OWNER_KEY,
    ) -> None:
        self.client = client
        self.clock = clock
        self.account = account
        self.key_epoch = key_epoch
        self._line = line
        self.private_key = private_key
        self._turn = asyncio.Lock()
        self._next = 0
        self._is_known = False

    def under(self, private_key: bytes, key_epoch: int) -> "Sender":
        """The same account and line with another key."""
        return Sender(self.client, self._line, self.clock, private_key, self.account, key_epoch)

    async def reserve(self, count: int = 1) -> int:
        """The first of `count` sequence numbers that nothing else here will use."""
        async with self._turn:
            first = await self.next_sequence()
            self._next = first + count
            return first

    async def next_sequence(self) -> int:
        """The lowest sequence number that was not given out yet."""
        if not self._is_known:
            summary = await self.client.account(self.account)
            # What is under way counts too, though the account does not show it yet.
            self._next = max(self._next, next_sequence(summary, self.key_epoch))
            self._is_known = True
        return self._next

    def forget_sequence(self) -> None:
        """Ask the account before the next message: somebody else signs with this key too."""
        self._is_known = False

    def used(self, sequence: int) -> None:
        """A message was signed elsewhere under this number."""
        self._next = max(self._next, sequence + 1)

    async def sign(self, message: AnyMessage) -> bytes:
        return await self.client.sign(self.private_key, message)

    async def send(self, draft: Draft, client_order_id: str | None = None) -> SubmitReceipt:
        """Executed in the order of the calls, however many are under way.

        A lost answer is asked for again with the same message, which is never executed twice.
        `sequence_used` is mended by signing anew, but only where this very message cannot have
        been executed: where it was sent once. VenueError for any other refusal, Retry where no
        answer came and nobody knows.
        """
        for left in reversed(range(ATTEMPTS)):
            async with self._turn:
                sequence = await self.next_sequence()
                message = await draft(sequence)
                item = await self._item(message, client_order_id)
                asked = self._line.begin("venue_submit", item)
                self._next = sequence + 1
            try:
                return _typed(await self._answer(asked), SubmitReceipt)
            except VenueError as refusal:
                if refusal.reason != "sequence_used" or asked.sends > 1 or not left:
                    raise
                self.forget_sequence()
        raise AssertionError("the last attempt returns or raises")

    async def send_batch(
        self, drafts: list[tuple[Draft, str | None]], *, stop_on_error: bool
    ) -> list[BatchItem]:
        """Several as one request, with nothing between them; what became of each."""
        async with self._turn:
            first = await self.next_sequence()
            items = [
                await self._item(await draft(sequence), client_order_id)
                for sequence, (draft, client_order_id) in enumerate(drafts, first)
            ]
            params = {"items": items, "stopOnError": stop_on_error}
            asked = self._line.begin("venue_submitBatch", params)
            self._next = first + len(drafts)
        found = _typed(await self._answer(asked), list[BatchItem])
        if any(item.error and item.error["data"]["reason"] == "sequence_used" for item in found):
            self.forget_sequence()
        return found

    async def _item(self, message: AnyMessage, client_order_id: str | None) -> dict[str, Any]:
        return await self.client.item(self.private_key, transaction_of(message), client_order_id)

    async def _answer(self, asked: Asked) -> Any:
        for left in reversed(range(UNAVAILABLE_ATTEMPTS)):
            try:
                return await self._line.answer(asked)
            except VenueError as refusal:
                if refusal.code != Code.UNAVAILABLE or not left:
                    raise
            await self.clock.sleep(UNAVAILABLE_PAUSE)
            self._line.again(asked)
        raise AssertionError("the last attempt returns or raises")


def _typed(answer: Any, form: type[wire.T]) -> wire.T:
    try:
        return wire.convert(answer, form)
    except msgspec.ValidationError as fault:
        raise Retry(f"the node answered with something else: {fault}") from None
