"""Why a transaction did not do what it was sent for."""

from node.errors import L1Error, Retry
from node.l1.answers import L1Receipt
from node.l1.reverts import reason

_EXECUTION_REVERTED = 3


class TransactionReverted(Exception):
    """The contract refused. `receipt` is None where the estimate said so and nothing was sent."""

    def __init__(self, said: str, data: bytes, receipt: L1Receipt | None) -> None:
        where = "before sending" if receipt is None else f"in block {receipt.block_number}"
        super().__init__(f"reverted {where}: {said}")
        self.reason = said
        self.data = data
        self.receipt = receipt


class Displaced(Retry):
    """Another transaction of our key took the nonce: two processes share it, or a reorg did."""


class Gap(Retry):
    """L1 lost transactions of our key before this one, which cannot be mined without them."""


def is_revert(refusal: L1Error) -> bool:
    """Whether L1 would not take a call because the contract refuses it."""
    return refusal.code == _EXECUTION_REVERTED or "revert" in refusal.message.lower()


def as_revert(refusal: L1Error, receipt: L1Receipt | None) -> TransactionReverted:
    """That refusal, with the contract's reason."""
    data = b""
    if isinstance(refusal.data, str) and refusal.data.startswith("0x"):
        try:
            data = bytes.fromhex(refusal.data[2:])
        except ValueError:
            data = b""
    return TransactionReverted(reason(data) or refusal.message, data, receipt)
