"""Signing for a venue: what every signed message needs, whatever it says."""

from typing import Any, Self

from node.clock import Clock, SystemClock
from node.rpc import results as r
from node.rpc.message_types import AnyMessage
from node.rpc.messages import Signed, digest_of, message_of, transaction_of
from node.rpc.params import MarketName
from node.rpc.requests import VenueRequests
from node.rpc.wire import Hex
from node.signatures import sign
from state.accounts import OWNER_KEY
from state.eip712 import Domain, domain


class SigningClient(VenueRequests):
    """The methods of a node, and what it takes to sign for its venue.

    `domain` is what is signed for; without it, the node's word is taken once.
    """

    def __init__(
        self,
        url: str,
        *,
        domain: Domain | None = None,
        clock: Clock | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        super().__init__(url, timeout_seconds=timeout_seconds)
        self._clock = clock or SystemClock()
        self._domain = domain
        self._markets: dict[MarketName, r.MarketSummary] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def sign_and_submit(
        self, private_key: bytes, tx: Signed, client_order_id: str | None = None
    ) -> r.SubmitReceipt:
        """Sign a transaction with the key of its account, session or publisher, and send it."""
        kind, message = message_of(tx)
        signature = await self.sign(private_key, message)
        return await self.submit(kind, message, signature, client_order_id)

    async def sign(self, private_key: bytes, message: AnyMessage) -> bytes:
        """A signature of the message in the domain of this venue."""
        return sign(digest_of(await self.domain(), transaction_of(message)), private_key)

    async def item(
        self, private_key: bytes, tx: Signed, client_order_id: str | None = None
    ) -> dict[str, Any]:
        """A signed transaction as `submit_batch` takes it."""
        kind, message = message_of(tx)
        signature = Hex(await self.sign(private_key, message))
        params = {"kind": kind, "message": message, "signature": signature}
        return params if client_order_id is None else params | {"clientOrderId": client_order_id}

    async def domain(self) -> Domain:
        """What signatures are bound to."""
        if self._domain is None:
            config = await self.config()
            self._domain = domain(config.chain_id, bytes(config.rollup))
        return self._domain

    def _now(self) -> int:
        return int(self._clock.now())

    async def _market(self, name: MarketName) -> r.MarketSummary:
        """A market's units, which never change once it is listed."""
        if name not in self._markets:
            self._markets[name] = await self.market(name)
        return self._markets[name]

    async def _sequence(self, account: int, epoch: int, given: int | None) -> int:
        if given is not None:
            return given
        return next_sequence(await self.account(account), epoch)


def next_sequence(summary: r.AccountSummary, epoch: int) -> int:
    if epoch == OWNER_KEY:
        return summary.next_sequence
    keys = [key.next_sequence for key in summary.keys if key.epoch == epoch]
    return keys[0] if keys else summary.next_sequence
