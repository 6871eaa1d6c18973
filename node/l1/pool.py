"""Transactions that wait for a block, in order of arrival."""

from collections.abc import Iterator

from node.l1.blocks import Transaction
from node.l1.jsonrpc import RpcError
from node.l1.rules import ALREADY_KNOWN, TRANSACTION_REJECTED

POOL_MAX = 4_096
SENDER_MAX = 64
PRICE_BUMP_PERCENT = 10

_Slot = tuple[bytes, int]


class Pool:
    """One transaction per sender and nonce; a sender's nonces leave no gap."""

    def __init__(self) -> None:
        self._slots: dict[_Slot, Transaction] = {}
        self._places: dict[bytes, _Slot] = {}

    def __iter__(self) -> Iterator[Transaction]:
        return iter(list(self._slots.values()))

    def __len__(self) -> int:
        return len(self._slots)

    def copy(self) -> "Pool":
        twin = Pool()
        twin._slots, twin._places = dict(self._slots), dict(self._places)
        return twin

    def transaction(self, transaction_hash: bytes) -> Transaction | None:
        slot = self._places.get(transaction_hash)
        return None if slot is None else self._slots[slot]

    def next_nonce(self, sender: bytes, mined: int) -> int:
        """The first nonce from `mined` on that nothing waits with."""
        nonce = mined
        while (sender, nonce) in self._slots:
            nonce += 1
        return nonce

    def promised(self, transaction: Transaction) -> int:
        """Wei that the sender's transactions of lower nonces may still cost."""
        return sum(
            waiting.gas * waiting.max_fee + waiting.value
            for (sender, nonce), waiting in self._slots.items()
            if sender == transaction.sender and nonce < transaction.nonce
        )

    def add(self, transaction: Transaction) -> None:
        """Take it in, in place of one with the same nonce if both its fees are 10 % higher."""
        if transaction.hash in self._places:
            raise RpcError(ALREADY_KNOWN, "already known")
        slot = (transaction.sender, transaction.nonce)
        waiting = self._slots.get(slot)
        if waiting is None:
            self._check_room(transaction.sender)
        else:
            _check_bump(waiting, transaction)
            del self._places[waiting.hash]
        self._slots[slot] = transaction
        self._places[transaction.hash] = slot

    def remove(self, transaction: Transaction) -> None:
        """Forget whatever waits with this sender and nonce."""
        waiting = self._slots.pop((transaction.sender, transaction.nonce), None)
        if waiting is not None:
            del self._places[waiting.hash]

    def _check_room(self, sender: bytes) -> None:
        if len(self._slots) >= POOL_MAX:
            raise RpcError(TRANSACTION_REJECTED, f"txpool is full: {POOL_MAX} transactions wait")
        if sum(1 for owner, _ in self._slots if owner == sender) >= SENDER_MAX:
            raise RpcError(
                TRANSACTION_REJECTED,
                f"account limit exceeded: {SENDER_MAX} transactions of this sender wait",
            )


def _check_bump(waiting: Transaction, replacement: Transaction) -> None:
    fee_needed = _bumped(waiting.max_fee)
    tip_needed = _bumped(waiting.priority_fee)
    if replacement.max_fee < fee_needed or replacement.priority_fee < tip_needed:
        raise RpcError(
            TRANSACTION_REJECTED,
            "replacement transaction underpriced: "
            f"needs max fee {fee_needed} and priority fee {tip_needed}, "
            f"got {replacement.max_fee} and {replacement.priority_fee}",
        )


def _bumped(fee: int) -> int:
    return max(fee + 1, fee * (100 + PRICE_BUMP_PERCENT) // 100)
