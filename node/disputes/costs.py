"""What a dispute has cost whom, out of the receipts of L1 alone."""

from collections.abc import Iterable

from msgspec import Struct

from node.disputes.course import DisputeCall
from node.errors import Retry
from node.l1.client import L1Client

COUNTED = (
    "Counted: the claims that contested the parent or came after, the proof that the batch is void,"
    " entries, moves, proofs, reopening, confirming and rejecting."
)
NOT_COUNTED = (
    "Not counted, since no log of L1 ties it to a dispute: collecting, redeeming, withdrawing, and "
    "what L1 refused."
)


class Cost(Struct, frozen=True, kw_only=True, rename="camel"):
    """Transactions, their gas, and the wei that was paid for it; bonds are not in it.

    `settling` are those among the transactions that are about claims and not about traces.
    """

    transactions: int = 0
    gas: int = 0
    wei: int = 0
    settling: int = 0


class Paid(Struct, frozen=True):
    """What a transaction cost its sender."""

    sender: bytes
    gas: int
    wei: int


class CostReader:
    """Asks for every receipt once: what is mined changes its price no more."""

    def __init__(self, client: L1Client) -> None:
        self._client = client
        self._paid: dict[bytes, Paid] = {}

    async def costs(self, calls: Iterable[DisputeCall]) -> dict[bytes, Cost]:
        """What these transactions have cost each sender. Retry where L1 lost one meanwhile."""
        found: dict[bytes, Cost] = {}
        for call in calls:
            paid = await self._read(call.transaction)
            before = found.get(paid.sender, Cost())
            found[paid.sender] = Cost(
                transactions=before.transactions + 1,
                gas=before.gas + paid.gas,
                wei=before.wei + paid.wei,
                settling=before.settling + call.is_settling,
            )
        return found

    async def cost(self, calls: Iterable[DisputeCall], sender: bytes) -> Cost:
        """What they have cost `sender`; L1 is asked for none that logs say are another's."""
        asked = [call for call in calls if call.player in (None, sender)]
        return (await self.costs(asked)).get(sender, Cost())

    async def _read(self, transaction: bytes) -> Paid:
        if transaction not in self._paid:
            receipt = await self._client.receipt(transaction)
            if receipt is None:
                raise Retry(f"L1 has no transaction 0x{transaction.hex()} any more")
            self._paid[transaction] = Paid(receipt.sender, receipt.gas_used, receipt.wei)
        return self._paid[transaction]
