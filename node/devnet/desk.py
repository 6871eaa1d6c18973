"""A trader's side of the wire: signs with one key, sends, and counts what became of it."""

from collections import Counter

from node.clock import Clock
from node.rpc.client import VenueClient, VenueError
from node.rpc.results import SubmitReceipt
from state.orders import Flags, Life, encode_flags
from state.transactions import Cancel, NewOrder

ORDER_LIFE_SECONDS = 600


class Desk:
    """Orders of one account, each with the next sequence number after `sequence`.

    `outcomes` counts receipts by their status and refusals by their reason.
    """

    def __init__(
        self,
        name: str,
        venue: VenueClient,
        private_key: bytes,
        account: int,
        clock: Clock,
        *,
        sequence: int = 0,
    ) -> None:
        self.name = name
        self.account = account
        self.outcomes: Counter[str] = Counter()
        self.resting: list[int] = []
        self._venue = venue
        self._private_key = private_key
        self._clock = clock
        self._sequence = sequence

    @property
    def expiry(self) -> int:
        """When what is signed now runs out."""
        return int(self._clock.now()) + ORDER_LIFE_SECONDS

    def next_sequence(self) -> int:
        """A number that this account has not used."""
        self._sequence += 1
        return self._sequence

    def draft(
        self,
        market: int,
        side: int,
        *,
        ticks: int,
        lots: int,
        life: Life = Life.GTC,
        reduce_only: bool = False,
    ) -> NewOrder:
        """An order ready to be signed; without ticks, a market order."""
        flags = Flags(side, is_market=ticks == 0, life=life, reduce_only=reduce_only)
        return NewOrder(
            *(self.account, 0, self.next_sequence(), market),
            *(encode_flags(flags), ticks, lots, self.expiry),
        )

    async def send(
        self, tx: NewOrder | Cancel, *, private_key: bytes | None = None
    ) -> SubmitReceipt | str:
        """The receipt, or the reason of the refusal. Another key than one's own is for trying."""
        try:
            receipt = await self._venue.sign_and_submit(private_key or self._private_key, tx)
        except VenueError as refusal:
            self.outcomes[refusal.reason] += 1
            return refusal.reason
        self.outcomes[receipt.status] += 1
        if receipt.resting_lots and isinstance(tx, NewOrder):
            self.resting.append(tx.sequence)
        return receipt

    async def cancel(self, sequence: int) -> SubmitReceipt | str:
        """Take one of the account's own orders off the book."""
        own = self.next_sequence()
        return await self.send(Cancel(self.account, 0, own, 0, sequence, self.expiry))
