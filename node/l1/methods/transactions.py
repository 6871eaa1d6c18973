"""Sending transactions and finding them again."""

from typing import Any

from node.l1.devnet import Devnet
from node.l1.encoding import data, read_data, read_hash, read_number
from node.l1.jsonrpc import Awaited, Method, RpcError
from node.l1.methods.rendering import receipt_json, transaction_json

SYNC_MILLISECONDS, SYNC_MILLISECONDS_MAX = 20_000, 60_000
NOT_MINED_IN_TIME = 4


class TransactionMethods:
    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet

    def table(self) -> dict[str, Method]:
        return {
            "eth_sendRawTransaction": self.send_raw_transaction,
            "eth_sendRawTransactionSync": self.send_raw_transaction_sync,
            "eth_getTransactionByHash": self.transaction_by_hash,
            "eth_getTransactionReceipt": self.transaction_receipt,
        }

    def send_raw_transaction(self, raw: Any) -> str:
        return data(self._devnet.submit(read_data(raw, "transaction")))

    def send_raw_transaction_sync(self, raw: Any, timeout: Any = None) -> Awaited:
        """EIP-7966: the receipt itself, within `timeout` milliseconds."""
        wanted = SYNC_MILLISECONDS if timeout is None else read_number(timeout, "timeout")
        milliseconds = min(max(wanted, 1), SYNC_MILLISECONDS_MAX)
        transaction_hash = self.send_raw_transaction(raw)
        return Awaited(
            look=lambda: self.transaction_receipt(transaction_hash),
            seconds=milliseconds / 1_000,
            late=RpcError(
                NOT_MINED_IN_TIME,
                f"The transaction was added to the pool but was not mined in {milliseconds} ms",
                transaction_hash,
            ),
        )

    def transaction_by_hash(self, transaction_hash: Any) -> dict[str, Any] | None:
        wanted = read_hash(transaction_hash, "transaction hash")
        mined = self._devnet.ledger.transaction(wanted)
        if mined is not None:
            block, index = mined
            return transaction_json(block.transactions[index], block, index)
        waiting = self._devnet.pool.transaction(wanted)
        return None if waiting is None else transaction_json(waiting)

    def transaction_receipt(self, transaction_hash: Any) -> dict[str, Any] | None:
        wanted = read_hash(transaction_hash, "transaction hash")
        mined = self._devnet.ledger.transaction(wanted)
        return None if mined is None else receipt_json(*mined)
