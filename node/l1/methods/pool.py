"""Looking at the transactions that wait for a block."""

from typing import Any

from node.l1.blocks import Transaction
from node.l1.devnet import Devnet
from node.l1.encoding import data, quantity, read_address
from node.l1.jsonrpc import Method
from node.l1.methods.rendering import transaction_json


class PoolMethods:
    """A sender's nonces leave no gap here, so whatever waits is pending and nothing queued."""

    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet

    def table(self) -> dict[str, Method]:
        return {
            "txpool_status": self.status,
            "txpool_content": self.content,
            "txpool_contentFrom": self.content_from,
        }

    def status(self) -> dict[str, str]:
        return {"pending": quantity(len(self._devnet.pool)), "queued": quantity(0)}

    def content(self) -> dict[str, Any]:
        """By sender, then by nonce as a decimal."""
        pending: dict[str, dict[str, Any]] = {}
        for transaction in self._devnet.pool:
            pending.setdefault(data(transaction.sender), {}).update(_slot(transaction))
        return {"pending": pending, "queued": {}}

    def content_from(self, address: Any) -> dict[str, Any]:
        sender = read_address(address, "address")
        pending: dict[str, Any] = {}
        for transaction in self._devnet.pool:
            if transaction.sender == sender:
                pending |= _slot(transaction)
        return {"pending": pending, "queued": {}}


def _slot(transaction: Transaction) -> dict[str, Any]:
    return {str(transaction.nonce): transaction_json(transaction)}
