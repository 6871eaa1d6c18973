"""Traders and a price publisher: who they are, and how they ask over a network that fails."""

import asyncio
from typing import Any

from node.errors import Halt, Retry
from node.l1.sender import Sending, TransactionSender
from node.rpc.messages import Signed, digest_of
from node.signatures import address_of, sign
from node.simulation.deployment import CHAIN_ID, private_key
from node.simulation.faults import Faults
from node.simulation.l1 import SimulatedL1
from node.simulation.network import Network
from node.simulation.processes import Process, Run
from node.simulation.promises import Promises
from node.simulation.trace import Trace
from state.eip712 import Domain
from state.execution import Receipt

TRIES = 6
GAS = 1_500_000
"""Enough for everything that people do on L1."""


def signed(tx: Signed, keys: bytes, domain: Domain) -> bytes:
    """The signatures of `tx` by every one of `keys`, which stand end to end."""
    digest = digest_of(domain, tx)
    return b"".join(sign(digest, keys[at : at + 32]) for at in range(0, len(keys), 32))


class Client:
    """Submits, and asks again with the very same bytes where no answer came."""

    def __init__(
        self,
        name: str,
        key: bytes,
        *,
        sequencer: Process,
        network: Network,
        promises: Promises,
        faults: Faults,
        trace: Trace,
        domain: Domain,
    ) -> None:
        self.name = name
        self.key = key
        self.address = address_of(key)
        self._sequencer = sequencer
        self._network = network
        self._promises = promises
        self._random = faults.random(f"client {name}")
        self._trace = trace
        self._domain = domain

    async def submit(self, tx: Signed, keys: bytes = b"", *, tries: int = TRIES) -> Receipt | None:
        """The receipt; None where no answer came, so that its sender knows nothing.

        `keys` sign in place of the client's own.
        """
        signature = signed(tx, keys or self.key, self._domain)
        for _ in range(tries):
            asked_after = self._promises.retries
            try:
                receipt: Receipt = await self._network.ask(
                    self.name, lambda: self._served(tx, signature), twice=True
                )
            except (TimeoutError, OSError, Retry, Halt) as error:
                self._trace.add(self.name, "no answer", why=type(error).__name__)
                await asyncio.sleep(self._random.uniform(0.2, 4.0))
            else:
                self._promises.told(tx, signature, receipt, asked_after)
                return receipt
        return None

    async def _served(self, tx: Signed, signature: bytes) -> Receipt:
        """At the sequencer's door. A process that dies answers nobody."""
        run: Run | None = self._sequencer.current
        if run is None or not run.is_alive or run.service is None:
            raise ConnectionRefusedError
        receipt: Receipt = await run.service.submit(tx, signature)
        if not run.is_alive:
            raise ConnectionResetError
        return receipt


def direct_sender(l1: SimulatedL1, name: str) -> TransactionSender:
    """Somebody's own way to L1, which is not what is tested."""
    client: Any = l1.reader.client
    sending = Sending(poll_first=2.0, poll_max=4.0)
    key = private_key(name)
    return TransactionSender(client, key, l1.clock, chain_id=CHAIN_ID, sending=sending)
