"""Changing a devnet by decree: money, code, and a past that did not happen.

The names are anvil's and hardhat's. An account that is changed, is changed in a block of its
own, since here a state belongs to a block.
"""

from collections.abc import Callable
from typing import Any

from node.l1.devnet import Devnet
from node.l1.encoding import read_address, read_data, read_hash, read_number
from node.l1.evm import Draft
from node.l1.jsonrpc import InvalidParams, Method, RpcError
from node.l1.rules import CODE_BYTES_MAX, INVALID_INPUT, NONCE_MAX

DEPTH_MAX = 1_000


class CheatingMethods:
    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet

    def table(self) -> dict[str, Method]:
        methods: dict[str, Method] = {
            "setBalance": self.set_balance,
            "setCode": self.set_code,
            "setNonce": self.set_nonce,
            "setStorageAt": self.set_storage,
            "dropTransaction": self.drop_transaction,
        }
        both = {
            f"{tool}_{name}": method
            for tool in ("anvil", "hardhat")
            for name, method in methods.items()
        }
        return both | {
            "anvil_dropAllTransactions": self.drop_all_transactions,
            "anvil_reorg": self.reorganise,
            "anvil_rollback": self.roll_back,
        }

    def set_balance(self, address: Any, balance: Any) -> bool:
        """In wei."""
        owner, wei = read_address(address, "address"), read_number(balance, "balance")
        return self._decree(lambda draft: draft.set_balance(owner, wei))

    def set_code(self, address: Any, code: Any) -> bool:
        owner, content = read_address(address, "address"), read_data(code, "code")
        if len(content) > CODE_BYTES_MAX:
            raise InvalidParams(f"code: at most {CODE_BYTES_MAX} bytes, got {len(content)}")
        return self._decree(lambda draft: draft.set_code(owner, content))

    def set_nonce(self, address: Any, nonce: Any) -> bool:
        """Never lower: a transaction could then be mined twice."""
        owner, number = read_address(address, "address"), read_number(nonce, "nonce")
        held = self._devnet.view(self._devnet.head).nonce(owner)
        if not held <= number <= NONCE_MAX:
            raise InvalidParams(f"nonce: expected {held} .. {NONCE_MAX}, got {number}")
        return self._decree(lambda draft: draft.set_nonce(owner, number))

    def set_storage(self, address: Any, slot: Any, value: Any) -> bool:
        owner, place = read_address(address, "address"), read_number(slot, "slot")
        content = int.from_bytes(read_hash(value, "value"))
        return self._decree(lambda draft: draft.set_storage(owner, place, content))

    def drop_transaction(self, transaction_hash: Any) -> str | None:
        """Forget a transaction that waits, and those of its sender behind it; None if none does."""
        wanted = read_hash(transaction_hash, "transaction hash")
        waiting = self._devnet.pool.transaction(wanted)
        if waiting is None:
            return None
        for other in self._devnet.pool:
            if other.sender == waiting.sender and other.nonce >= waiting.nonce:
                self._devnet.pool.remove(other)
        return str(transaction_hash)

    def drop_all_transactions(self) -> None:
        for transaction in self._devnet.pool:
            self._devnet.pool.remove(transaction)

    def roll_back(self, depth: Any = None) -> None:
        """Forget so many blocks, one if nothing is said."""
        self._devnet.roll_back(self._depth(1 if depth is None else depth))

    def reorganise(self, depth: Any, transactions: Any = None) -> None:
        """Put empty blocks in the place of the last `depth`; what was in them waits no more."""
        if transactions not in (None, []):
            raise InvalidParams("transactions: this L1 puts empty blocks in place, send []")
        blocks = self._depth(depth)
        self._devnet.roll_back(blocks)
        for _ in range(blocks):
            self._devnet.mine()

    def _depth(self, value: Any) -> int:
        depth, head = read_number(value, "depth"), self._devnet.head.number
        if depth > min(head, DEPTH_MAX):
            raise RpcError(
                INVALID_INPUT, f"depth {depth}: at most {min(head, DEPTH_MAX)} of {head} blocks"
            )
        return depth

    def _decree(self, change: Callable[[Draft], None]) -> bool:
        self._devnet.decree(change)
        return True
