"""Reading accounts."""

from typing import Any

from node.l1.accounts import dev_accounts
from node.l1.devnet import Devnet
from node.l1.encoding import data, quantity, read_address, read_data
from node.l1.jsonrpc import InvalidParams, Method
from node.l1.methods.selection import PENDING, Selection

PROOF_SLOTS_MAX = 1_024


class AccountMethods:
    def __init__(self, devnet: Devnet, selection: Selection) -> None:
        self._devnet = devnet
        self._selection = selection

    def table(self) -> dict[str, Method]:
        return {
            "eth_accounts": self.accounts,
            "eth_getBalance": self.balance,
            "eth_getTransactionCount": self.transaction_count,
            "eth_getCode": self.code,
            "eth_getStorageAt": self.storage,
            "eth_getProof": self.proof,
        }

    def accounts(self) -> list[str]:
        """The accounts funded at genesis, whose keys every devnet user has."""
        return [data(account.address) for account in dev_accounts()]

    def balance(self, address: Any, block: Any = None) -> str:
        owner = read_address(address, "address")
        return quantity(self._selection.view(block).balance(owner))

    def transaction_count(self, address: Any, block: Any = None) -> str:
        owner = read_address(address, "address")
        if block == PENDING:
            # What waits counts, even where it does not fit the next block.
            return quantity(self._devnet.pending_nonce(owner))
        return quantity(self._selection.view(block).nonce(owner))

    def code(self, address: Any, block: Any = None) -> str:
        owner = read_address(address, "address")
        return data(self._selection.view(block).code(owner))

    def storage(self, address: Any, slot: Any, block: Any = None) -> str:
        owner = read_address(address, "address")
        found = self._selection.view(block).storage(owner, _slot(slot))
        return data(found.to_bytes(32))

    def proof(self, address: Any, slots: Any, block: Any = None) -> dict[str, Any]:
        """EIP-1186, against the state root of a mined block: the latest one for pending."""
        owner = read_address(address, "address")
        if not isinstance(slots, list) or len(slots) > PROOF_SLOTS_MAX:
            raise InvalidParams(f"slots: expected a list of at most {PROOF_SLOTS_MAX}")
        header = self._selection.mined("latest" if block == PENDING else block).header
        found = self._devnet.evm.proof(header, owner, [_slot(slot) for slot in slots])
        return {
            "address": data(owner),
            "accountProof": [data(node) for node in found.nodes],
            "balance": quantity(found.balance),
            "codeHash": data(found.code_hash),
            "nonce": quantity(found.nonce),
            "storageHash": data(found.storage_root),
            "storageProof": [
                {
                    "key": asked,
                    "value": quantity(slot.value),
                    "proof": [data(node) for node in slot.nodes],
                }
                for asked, slot in zip(slots, found.slots, strict=True)
            ],
        }


def _slot(value: Any) -> int:
    """A quantity or 32 bytes: clients send both, so leading zeros are fine here."""
    if not isinstance(value, str) or not value.startswith("0x") or len(value) == 2:
        raise InvalidParams("slot: expected a hex quantity or 32 bytes")
    digits = value[2:]
    raw = read_data("0x" + "0" * (len(digits) % 2) + digits, "slot")
    if len(raw) > 32:
        raise InvalidParams("slot: does not fit 256 bits")
    return int.from_bytes(raw)
