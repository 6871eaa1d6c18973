"""Which block a request means: a number, a hash, or a tag."""

from dataclasses import dataclass
from typing import Any

from node.l1.blocks import Block
from node.l1.devnet import Devnet
from node.l1.encoding import quantity, read_hash, read_quantity
from node.l1.evm import View
from node.l1.jsonrpc import InvalidParams, RpcError

NOT_FOUND = -32001
PENDING = "pending"
HASH_DIGITS = 66
"""0x and 32 bytes: no number of a block is so long."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Blocks by request. `safe` and `finalized` are so many blocks behind the latest."""

    devnet: Devnet
    safe_depth: int
    finalized_depth: int

    def block(self, value: Any, name: str = "block") -> Block | None:
        """The mined block that `value` means, or None if there is no such block.

        `value` is a tag, a quantity, or EIP-1898's object; "pending" is no mined block and
        is refused here.
        """
        if isinstance(value, dict):
            return self._block_of_object(value, name)
        if value == PENDING:
            raise InvalidParams(f"{name}: the pending block is not mined, use latest")
        return self.devnet.ledger.block(self.number(value, name))

    def number(self, value: Any, name: str = "block") -> int:
        """The block number that a tag or quantity means; it may lie above the head."""
        head = self.devnet.head.number
        depths = {
            None: 0,
            "latest": 0,
            PENDING: -1,
            "safe": self.safe_depth,
            "finalized": self.finalized_depth,
            "earliest": head,
        }
        if value is None or isinstance(value, str):
            if value in depths:
                return max(0, head - depths[value])
            if value is not None and not value.startswith("0x"):
                tags = ", ".join(str(tag) for tag in depths if tag)
                raise InvalidParams(f"{name}: unknown tag {value[:40]!r}, expected one of {tags}")
        return read_quantity(value, name)

    def view(self, value: Any, name: str = "block") -> View:
        """The state that `value` means, the pending one included."""
        if value == PENDING:
            return self.devnet.pending()
        return self.devnet.view(self.mined(value, name))

    def of_either(self, value: Any, name: str = "block") -> Block | None:
        """As `block`, and the bare hash of a block too: web3.py sends it, and geth takes it."""
        if isinstance(value, str) and len(value) == HASH_DIGITS:
            value = {"blockHash": value}
        return self.block(value, name)

    def mined(self, value: Any, name: str = "block") -> Block:
        """The mined block that `value` means. Raises `RpcError` if there is no such block."""
        found = self.of_either(value, name)
        if found is None:
            raise RpcError(
                NOT_FOUND,
                f"header not found: {name} {value}, the head is block "
                f"{quantity(self.devnet.head.number)}",
            )
        return found

    def _block_of_object(self, value: dict[str, Any], name: str) -> Block | None:
        if "blockHash" in value and "blockNumber" not in value:
            return self.devnet.ledger.block_of_hash(read_hash(value["blockHash"], name))
        if "blockNumber" in value and "blockHash" not in value:
            number = read_quantity(value["blockNumber"], name)
            return self.devnet.ledger.block(number)
        raise InvalidParams(f"{name}: expected either blockNumber or blockHash")
