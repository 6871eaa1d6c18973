"""What a dispute has cost whom, out of the receipts of L1 alone."""

from collections.abc import Iterable

from msgspec import Struct

from contracts.dispute_events import AdvancedLog, DisputeLog, EndedLog, EnteredLog
from node.disputes.reading import DisputeEvent
from node.errors import Retry
from node.l1.answers import L1Receipt
from node.l1.client import L1Client


class Cost(Struct, frozen=True, kw_only=True):
    """Transactions, their gas, and the wei that was paid for it; bonds are not in it."""

    transactions: int = 0
    gas: int = 0
    wei: int = 0

    def plus(self, receipt: L1Receipt) -> "Cost":
        """With one transaction more."""
        return Cost(
            transactions=self.transactions + 1,
            gas=self.gas + receipt.gas_used,
            wei=self.wei + receipt.gas_used * receipt.gas_price,
        )


NOTHING = Cost()


class CostReader:
    """Asks for every receipt once: what is mined changes its price no more."""

    def __init__(self, client: L1Client) -> None:
        self._client = client
        self._receipts: dict[bytes, L1Receipt] = {}

    async def costs(self, events: Iterable[DisputeEvent]) -> dict[bytes, Cost]:
        """What each player has paid for entries, moves and proofs. A call that L1 refused is not
        in it, since it left no log. Retry where L1 lost a transaction meanwhile.
        """
        found: dict[bytes, Cost] = {}
        counted: set[bytes] = set()
        for event in events:
            who = player_of(event.log)
            if who is None or event.transaction in counted:
                continue
            counted.add(event.transaction)
            receipt = await self._receipt(event.transaction)
            found[who] = found.get(who, NOTHING).plus(receipt)
        return found

    async def _receipt(self, transaction: bytes) -> L1Receipt:
        if transaction not in self._receipts:
            receipt = await self._client.receipt(transaction)
            if receipt is None:
                raise Retry(f"L1 has no transaction 0x{transaction.hex()} any more")
            self._receipts[transaction] = receipt
        return self._receipts[transaction]


def player_of(log: DisputeLog) -> bytes | None:
    """Whose move that was; None for what only follows from one."""
    match log:
        case EnteredLog(owner=owner):
            return owner
        case AdvancedLog(mover=mover):
            return mover
        case EndedLog(caller=caller):
            return caller
    return None
