"""Reading blocks."""

from typing import Any

from node.l1.blocks import Block
from node.l1.encoding import quantity, read_hash, read_quantity
from node.l1.jsonrpc import InvalidParams, Method
from node.l1.methods.rendering import block_json, receipt_json, transaction_json
from node.l1.methods.selection import PENDING, Selection


class BlockMethods:
    def __init__(self, selection: Selection) -> None:
        self._selection = selection

    def table(self) -> dict[str, Method]:
        return {
            "eth_blockNumber": self.block_number,
            "eth_getBlockByNumber": self.block_by_number,
            "eth_getBlockByHash": self.block_by_hash,
            "eth_getBlockReceipts": self.block_receipts,
            "eth_getBlockTransactionCountByNumber": self.transaction_count_by_number,
            "eth_getBlockTransactionCountByHash": self.transaction_count_by_hash,
            "eth_getTransactionByBlockNumberAndIndex": self.transaction_by_number,
            "eth_getTransactionByBlockHashAndIndex": self.transaction_by_hash,
            "eth_getUncleCountByBlockNumber": self.uncle_count_by_number,
            "eth_getUncleCountByBlockHash": self.uncle_count_by_hash,
            "eth_getUncleByBlockNumberAndIndex": self.uncle_by_number,
            "eth_getUncleByBlockHashAndIndex": self.uncle_by_hash,
        }

    def block_number(self) -> str:
        return quantity(self._selection.devnet.head.number)

    def block_by_number(self, block: Any, full: Any = False) -> dict[str, Any] | None:
        """The pending block is shown as geth shows it: without hash and nonce."""
        whole = _flag(full)
        if block == PENDING:
            preview = self._selection.devnet.pending().preview()
            shown = block_json(preview, full=whole)
            return shown | {"hash": None, "nonce": None}
        found = self._selection.block(block)
        return None if found is None else block_json(found, full=whole)

    def block_by_hash(self, block_hash: Any, full: Any = False) -> dict[str, Any] | None:
        wanted = read_hash(block_hash, "block hash")
        found = self._selection.devnet.ledger.block_of_hash(wanted)
        return None if found is None else block_json(found, full=_flag(full))

    def block_receipts(self, block: Any) -> list[dict[str, Any]] | None:
        found = self._selection.of_either(block)
        if found is None:
            return None
        return [receipt_json(found, index) for index in range(len(found.transactions))]

    def transaction_count_by_number(self, block: Any) -> str | None:
        found = self._of_number(block)
        return None if found is None else quantity(len(found.transactions))

    def transaction_count_by_hash(self, block_hash: Any) -> str | None:
        found = self._of_hash(block_hash)
        return None if found is None else quantity(len(found.transactions))

    def transaction_by_number(self, block: Any, index: Any) -> dict[str, Any] | None:
        return _at(self._of_number(block), index)

    def transaction_by_hash(self, block_hash: Any, index: Any) -> dict[str, Any] | None:
        return _at(self._of_hash(block_hash), index)

    def uncle_count_by_number(self, block: Any) -> str | None:
        """None where there is no such block; no block has uncles since the merge."""
        return None if self._of_number(block) is None else quantity(0)

    def uncle_count_by_hash(self, block_hash: Any) -> str | None:
        return None if self._of_hash(block_hash) is None else quantity(0)

    def uncle_by_number(self, block: Any, index: Any) -> None:
        self._of_number(block)
        read_quantity(index, "index")

    def uncle_by_hash(self, block_hash: Any, index: Any) -> None:
        self._of_hash(block_hash)
        read_quantity(index, "index")

    def _of_number(self, block: Any) -> Block | None:
        if block == PENDING:
            return self._selection.devnet.pending().preview()
        return self._selection.block(block)

    def _of_hash(self, block_hash: Any) -> Block | None:
        return self._selection.devnet.ledger.block_of_hash(read_hash(block_hash, "block hash"))


def _at(block: Block | None, index: Any) -> dict[str, Any] | None:
    place = read_quantity(index, "index")
    if block is None or place >= len(block.transactions):
        return None
    return transaction_json(block.transactions[place], block, place)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidParams("full: expected true or false")
    return value
