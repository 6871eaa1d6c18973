"""Who changes a market's parameters through the time lock."""

import asyncio

from msgspec.structs import replace

from contracts import calls
from node.errors import L1Error, Retry
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from node.simulation.clients import GAS
from node.simulation.deployment import listings
from node.simulation.faults import Faults
from node.simulation.l1 import SimulatedL1
from node.simulation.trace import Trace
from state.transactions.list_market import encode_listing


class Governor:
    """Announces other fees and bands, sound or not, and sometimes takes that back."""

    def __init__(
        self, l1: SimulatedL1, sender: TransactionSender, faults: Faults, trace: Trace
    ) -> None:
        self._l1 = l1
        self._sender = sender
        self._trace = trace
        self._random = faults.random("governor")

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(4.0, 20.0))
            market = self._random.randrange(2)
            await self._send(calls.schedule_parameters(self._drawn(market)), "change scheduled")
            if self._random.random() < 0.3:
                await asyncio.sleep(self._random.uniform(0.0, 12.0))
                await self._send(calls.cancel_scheduled(market), "change cancelled")

    def _drawn(self, market: int) -> bytes:
        listing, r = listings()[market], self._random
        # The last fee is more than the venue's rules allow, and changes nothing.
        fee = r.choice((100, 300, 500, 900, 100_001))
        return encode_listing(replace(listing, taker_fee=fee, band=r.choice((50_000, 100_000))))

    async def _send(self, data: bytes, what: str) -> None:
        try:
            await asyncio.wait_for(self._sender.send(self._l1.reader.address, data, gas=GAS), 40.0)
        except (Retry, L1Error, TransactionReverted, TimeoutError) as error:
            self._trace.add("governor", f"no {what}", why=type(error).__name__)
        else:
            self._trace.add("governor", what)
