"""Reading blocks."""

from typing import Any

from node.l1.encoding import quantity, read_hash
from node.l1.jsonrpc import InvalidParams, Method
from node.l1.methods.rendering import block_json, receipt_json
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
        if isinstance(block, str) and len(block) == 66:
            block = {"blockHash": block}
        found = self._selection.block(block)
        if found is None:
            return None
        return [receipt_json(found, index) for index in range(len(found.transactions))]


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidParams("full: expected true or false")
    return value
