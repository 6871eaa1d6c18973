"""L1 in one process: the embedded devnet with the real contracts, and what happens to chains.

Blocks come late or empty, transactions are held back, forgotten or mined in another order,
and the last blocks are replaced by others in which some transactions never were.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from node.l1.blocks import Transaction
from node.l1.chain_time import Shift
from node.l1.client import L1Client
from node.l1.jsonrpc import Method, RpcError, answer
from node.l1.methods import all_methods
from node.l1.methods.selection import Selection
from node.l1.pool import Pool
from node.rollup import RollupReader
from node.simulation.deployment import (
    BLOCK_SECONDS,
    FINALIZED_DEPTH,
    URL,
    Origin,
    inline,
    new_devnet,
)
from node.simulation.faults import Faults
from node.simulation.loop import START, VirtualClock
from node.simulation.trace import Trace

REORG_DEPTH_MAX = 16
_STEADY = ("eth_call", "eth_getBalance", "eth_getTransactionCount")


class SimulatedL1:
    """`on_change` is awaited after every block and every reorganisation.

    While it `is_down` it answers nobody; while it `stands` it has no new blocks.
    """

    def __init__(
        self,
        origin: Origin,
        faults: Faults,
        trace: Trace,
        on_change: Callable[[], Awaitable[None]],
    ) -> None:
        self.clock = VirtualClock()
        self.devnet = new_devnet(None, origin.records, self.clock)
        self.reader = RollupReader(
            L1Client(URL, clock=self.clock, post=self._answer), origin.deployment.rollup
        )
        self.on_change = on_change
        self.is_down = self.stands = False
        self._floor = self.devnet.head.number
        self._faults = faults
        self._trace = trace
        self._random = faults.random("l1")
        self._held: dict[bytes, float] = {}
        self._calls: dict[bytes, str] = {}
        self._calls_at = b""
        self._methods = self._table()

    # --- what it answers ---

    async def serve(self, body: bytes) -> tuple[int, bytes]:
        """A request's answer as over HTTP; OSError while L1 is down."""
        if self.is_down:
            raise ConnectionRefusedError
        return await self._answer(body)

    async def _answer(self, body: bytes) -> tuple[int, bytes]:
        return 200, await answer(body, self._methods, inline) or b""

    @property
    def timestamp(self) -> int:
        """Of the last block."""
        return self.devnet.head.header.timestamp

    def _table(self) -> dict[str, Method]:
        selection = Selection(self.devnet, 0, FINALIZED_DEPTH)
        methods = all_methods(self.devnet, selection, log_blocks_max=10_000, log_results_max=10_000)
        return methods | {name: self._remembered(name, methods[name]) for name in _STEADY}

    def _remembered(self, name: str, method: Method) -> Method:
        """On mined blocks the answer is the same until the head changes."""

        def remembered(what: Any, block: Any = None) -> Any:
            if block == "pending":
                return method(what, block)
            if self._calls_at != self.devnet.head.hash:
                self._calls, self._calls_at = {}, self.devnet.head.hash
            key = msgspec.json.encode([name, what, block])
            if key not in self._calls:
                self._calls[key] = method(what, block)
            return self._calls[key]

        return remembered

    # --- what it does ---

    async def run(self) -> None:
        """Blocks for ever, some of them late."""
        while True:
            late = self._faults.strikes(self._faults.rates.l1_slow)
            await asyncio.sleep(BLOCK_SECONDS * (self._random.randint(2, 4) if late else 1))
            if not self.stands:
                await self.mine()

    async def mine(self) -> None:
        """A block now, of what waits and is not held back."""
        self._mine(self._fate)
        await self.on_change()

    async def reorganise(self, depth: int) -> None:
        """Replace the last `depth` blocks by about as many others."""
        depth = min(depth, REORG_DEPTH_MAX, self.devnet.head.number - self._floor)
        if depth < 1:
            return
        ledger = self.devnet.ledger
        base = self.devnet.head.number - depth
        blocks = [ledger.block(number) for number in range(base + 1, base + depth + 1)]
        dropped = [tx for block in blocks if block is not None for tx in block.transactions]
        ledger.rewind(base)
        length = max(1, depth + self._random.choice((-1, 0, 0, 1, 1, 1)))
        self._trace.fault("reorg", "l1", depth=depth, length=length, dropped=len(dropped))
        self._return(dropped)
        self._sort()
        mood = self._random.choice((0.0, 0.3, 0.9))
        for left in range(length, 0, -1):
            self._mine(lambda _: self._random.random() < mood, left=left)
        await self.on_change()

    def forget_pool(self) -> None:
        """Whatever waited is gone."""
        self._trace.fault("pool lost", "l1", waiting=len(self.devnet.pool))
        self.devnet.pool = Pool()

    def release(self) -> None:
        """Hold nothing back any more."""
        self._held = {}

    # --- blocks ---

    def _mine(self, is_in: Callable[[Transaction], bool], left: int = 1) -> None:
        """A block of the waiting transactions that are in; `left` blocks end at this moment."""
        pool = self.devnet.pool
        out = [transaction for transaction in pool if not is_in(transaction)]
        for transaction in out:
            pool.remove(transaction)
        behind = int((left - 1) * BLOCK_SECONDS)
        self.devnet.time.shift = Shift(-behind)
        block = self.devnet.mine()
        self.devnet.time.shift = Shift()
        for transaction in out:
            with contextlib.suppress(RpcError):
                pool.add(transaction)
        self._sort()
        self._trace.add(
            "l1", "block", number=block.number, hash=block.hash, txs=len(block.transactions)
        )

    def _fate(self, transaction: Transaction) -> bool:
        """Whether the next block takes it. One that is held back stays so for a while."""
        now = self.clock.monotonic()
        until = self._held.get(transaction.hash)
        if until is None:
            until = 0.0
            if self._faults.strikes(self._faults.rates.held_back):
                until = now + self._random.choice((5.0, 20.0, 90.0))
                self._trace.fault("held back", "l1", tx=transaction.hash, until=until)
            self._held[transaction.hash] = until
        return not self._faults.is_on or until <= now

    def _return(self, dropped: list[Transaction]) -> None:
        """What a reorganisation took out waits again, or comes back later, or never does."""
        gone, late = self._random.choice(((0.0, 0.0), (0.2, 0.2), (0.0, 0.6), (0.6, 0.2)))
        waiting = list(self.devnet.pool)
        self.devnet.pool = Pool()
        for transaction in dropped:
            drawn = self._random.random()
            if drawn < gone:
                self._trace.fault("transaction vanished", "l1", tx=transaction.hash)
            elif drawn < gone + late:
                self._trace.fault("transaction returns", "l1", tx=transaction.hash)
                delay = self._random.uniform(1.0, 60.0)
                asyncio.get_running_loop().call_later(delay, self._submit, transaction)
            else:
                self.devnet.pool.add(transaction)
        for transaction in waiting:
            with contextlib.suppress(RpcError):
                self.devnet.pool.add(transaction)

    def _submit(self, transaction: Transaction) -> None:
        with contextlib.suppress(RpcError):
            self.devnet.submit(transaction.raw)

    def _sort(self) -> None:
        """Each sender's transactions by nonce, those left out whose nonce is used up."""
        view = self.devnet.view(self.devnet.head)
        waiting = sorted(self.devnet.pool, key=lambda transaction: transaction.nonce)
        self.devnet.pool = Pool()
        for transaction in waiting:
            if transaction.nonce >= view.nonce(transaction.sender):
                self.devnet.pool.add(transaction)


def start_offset(origin: Origin) -> float:
    """Seconds into the story at which the clock has reached the chain."""
    return float(max(0, origin.timestamp - START))
