"""L1 in memory with a pool: what is sent waits there until a block takes it."""

import asyncio
from collections.abc import Callable
from typing import Any

from eth_abi.abi import decode
from fake_rollup import FakeL1
from msgspec import Struct

from contracts.calls import POST_BATCH
from node.errors import Retry
from node.l1.answers import L1Receipt
from node.l1.refusals import Displaced, TransactionReverted
from state.crypto import keccak


class Waiting(Struct, eq=False):
    """A transaction in the pool, and whoever waits for its receipt."""

    arguments: tuple[Any, ...]
    receipt: asyncio.Future[L1Receipt]


class PooledL1(FakeL1):
    """One without explicit gas is estimated, and refused at once if it would revert.

    While it `is_prompt` there is no pool. `room` is how many transactions it still takes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Waiting] = []
        self.is_prompt = False
        self.room = 100

    async def send(
        self,
        to: bytes | None,
        data: bytes = b"",
        *,
        gas: int | None = None,
        taken: Callable[[], None] | None = None,
        **_: Any,
    ) -> L1Receipt:
        if self.is_prompt:
            return await super().send(to, data)
        arguments = decode(POST_BATCH.inputs, data[4:])
        if gas is None:
            self._check(*arguments, now=self.time + 1)
        if self.room == 0:
            raise Retry("the pool is full")
        self.room -= 1
        waiting = Waiting(arguments, asyncio.get_running_loop().create_future())
        self.waiting.append(waiting)
        assert taken is not None
        taken()
        return await waiting.receipt

    def include(self, count: int = 100) -> list[str]:
        """A block with the first `count` of those that wait; why it reverted each it reverted."""
        block, head = self.mine(), len(self.blocks) - 1
        included, self.waiting = self.waiting[:count], self.waiting[count:]
        reverted = []
        for each in included:
            receipt = L1Receipt(
                keccak(block.hash), head, block.hash, True, 1, 1, None, (), self.address
            )
            try:
                self._check(*each.arguments, now=self.time)
                self._take(*each.arguments)
            except TransactionReverted as refusal:
                reverted.append(refusal.reason.removeprefix("batches: "))
                if not each.receipt.done():
                    each.receipt.set_exception(refusal)
            else:
                # Whoever sent it may be gone.
                if not each.receipt.done():
                    each.receipt.set_result(receipt)
        return reverted

    def forget(self, place: int) -> None:
        """Another transaction takes the nonce of one that waits."""
        self.waiting.pop(place).receipt.set_exception(Displaced("its nonce was used otherwise"))
