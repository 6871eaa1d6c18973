"""Blocks, receipts and transactions as the bytes that were hashed."""

from typing import Any

import rlp  # type: ignore[import-untyped]

from node.l1.blocks import LEGACY, Block
from node.l1.devnet import Devnet
from node.l1.encoding import data, read_hash
from node.l1.jsonrpc import Method
from node.l1.methods.selection import PENDING, Selection


class RawMethods:
    def __init__(self, devnet: Devnet, selection: Selection) -> None:
        self._devnet = devnet
        self._selection = selection

    def table(self) -> dict[str, Method]:
        return {
            "debug_getRawBlock": self.block,
            "debug_getRawHeader": self.header,
            "debug_getRawReceipts": self.receipts,
            "debug_getRawTransaction": self.transaction,
        }

    def block(self, block: Any) -> str:
        """rlp([header, transactions, uncles, withdrawals])."""
        found = self._found(block)
        bodies = [t.raw if t.kind != LEGACY else rlp.decode(t.raw) for t in found.transactions]
        return data(rlp.encode([rlp.decode(found.header.encoded), bodies, [], []]))

    def header(self, block: Any) -> str:
        return data(self._found(block).header.encoded)

    def receipts(self, block: Any) -> list[str]:
        return [data(receipt.encoded) for receipt in self._found(block).receipts]

    def transaction(self, transaction_hash: Any) -> str:
        """Mined or waiting; no bytes where there is none."""
        wanted = read_hash(transaction_hash, "transaction hash")
        mined = self._devnet.ledger.transaction(wanted)
        if mined is not None:
            return data(mined[0].transactions[mined[1]].raw)
        waiting = self._devnet.pool.transaction(wanted)
        return data(b"" if waiting is None else waiting.raw)

    def _found(self, block: Any) -> Block:
        return self._selection.mined("latest" if block == PENDING else block)
