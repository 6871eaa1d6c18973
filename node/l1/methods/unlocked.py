"""Signing for the ten test accounts, whose keys everybody has: for tools that bring no wallet."""

from typing import Any

from node.l1 import calls, fees
from node.l1.accounts import DevAccount, dev_accounts
from node.l1.blocks import ACCESS_LIST, DYNAMIC_FEE, LEGACY
from node.l1.devnet import Devnet
from node.l1.encoding import data, quantity, read_address, read_data, read_quantity
from node.l1.jsonrpc import InvalidParams, Method, NotJson, RpcError, parse
from node.l1.methods.calls import read_call
from node.l1.methods.rendering import access_list_json
from node.l1.rules import INVALID_INPUT

_PRICES = ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas")
_FOREIGN = {
    LEGACY: ("accessList", *_PRICES[1:]),
    ACCESS_LIST: _PRICES[1:],
    DYNAMIC_FEE: _PRICES[:1],
}
"""What a transaction of a type has not."""


class UnlockedMethods:
    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet
        self._accounts = {account.address: account for account in dev_accounts()}

    def table(self) -> dict[str, Method]:
        return {
            "eth_sendTransaction": self.send_transaction,
            "eth_signTransaction": self.sign_transaction,
            "eth_sign": self.sign,
            "personal_sign": self.personal_sign,
            "eth_signTypedData_v4": self.sign_typed_data,
        }

    def send_transaction(self, transaction: Any) -> str:
        """Gas, fees and nonce are filled in where they are left out."""
        return data(self._devnet.submit(self._signed(transaction)))

    def sign_transaction(self, transaction: Any) -> dict[str, Any]:
        raw = self._signed(transaction)
        return {"raw": data(raw)}

    def sign(self, address: Any, message: Any) -> str:
        """EIP-191, as wallets do it: no transaction can be signed this way."""
        from eth_account.messages import encode_defunct

        account = self._account(address)
        return self._signature(account, encode_defunct(read_data(message, "message")))

    def personal_sign(self, message: Any, address: Any) -> str:
        return self.sign(address, message)

    def sign_typed_data(self, address: Any, typed_data: Any) -> str:
        """EIP-712. Wallets are sent the typed data as an object, or as its JSON."""
        from eth_account.messages import encode_typed_data

        account = self._account(address)
        if isinstance(typed_data, str):
            try:
                typed_data = parse(typed_data.encode())
            except NotJson:
                raise InvalidParams("typed data: this is not JSON") from None
        try:
            message = encode_typed_data(full_message=typed_data)
        except Exception as refusal:
            # The library raises whatever its parts do for what is no typed data.
            raise InvalidParams(f"typed data: {type(refusal).__name__}: {refusal}") from None
        return self._signature(account, message)

    def _account(self, address: Any) -> DevAccount:
        wanted = read_address(address, "address")
        account = self._accounts.get(wanted)
        if account is None:
            raise RpcError(
                INVALID_INPUT,
                f"unknown account {data(wanted)}: only the test accounts are unlocked here, "
                "sign with its key and use eth_sendRawTransaction",
            )
        return account

    def _signature(self, account: DevAccount, message: Any) -> str:
        from eth_account import Account

        return data(bytes(Account.sign_message(message, account.private_key).signature))

    def _signed(self, transaction: Any) -> bytes:
        from eth_account import Account

        call = read_call(transaction)
        given = {name: field for name, field in transaction.items() if field is not None}
        if "from" not in given:
            raise InvalidParams("from: name the account that signs, one of eth_accounts")
        account = self._account(given["from"])
        self._check_chain(given)
        kind = _kind(given)
        fields: dict[str, Any] = {
            "chainId": self._devnet.evm.chain_id,
            "value": call.value,
            "data": call.data,
            "gas": calls.estimate(self._devnet.pending(), call) if call.gas is None else call.gas,
            "nonce": read_quantity(
                given.get("nonce", quantity(self._devnet.pending_nonce(account.address))), "nonce"
            ),
        }
        if call.to is not None:
            fields["to"] = call.to
        if kind != LEGACY:
            fields["accessList"] = access_list_json(call.access_list)
        fields |= self._prices(given, kind)
        return bytes(Account.sign_transaction(fields, account.private_key).raw_transaction)

    def _check_chain(self, given: dict[str, Any]) -> None:
        """Whoever names another chain does not mean this one."""
        own = self._devnet.evm.chain_id
        named = read_quantity(given.get("chainId", quantity(own)), "chainId")
        if named != own:
            raise InvalidParams(f"chainId: this is chain {own}, and the transaction says {named}")

    def _prices(self, given: dict[str, Any], kind: int) -> dict[str, int]:
        """As given; else the usual tip, and twice the base fee with it."""
        prices = {name: read_quantity(given[name], name) for name in _PRICES if name in given}
        tip = prices.get("maxPriorityFeePerGas", fees.PRIORITY_FEE)
        usual = 2 * fees.next_base_fee(self._devnet.head.header) + tip
        if kind != DYNAMIC_FEE:
            return {"gasPrice": prices.get("gasPrice", usual)}
        return {"maxFeePerGas": prices.get("maxFeePerGas", usual), "maxPriorityFeePerGas": tip}


def _kind(given: dict[str, Any]) -> int:
    """The type that is named, or implied by what is given. Raises `InvalidParams` for a mixture."""
    implied = DYNAMIC_FEE
    if "gasPrice" in given:
        implied = ACCESS_LIST if "accessList" in given else LEGACY
    kind = read_quantity(given.get("type", quantity(implied)), "type")
    if kind not in _FOREIGN:
        raise InvalidParams(f"type: {kind:#x} is not supported, expected 0x0, 0x1 or 0x2")
    for name in _FOREIGN[kind]:
        if given.get(name):
            raise InvalidParams(f"{name}: a transaction of type {kind:#x} has none")
    return kind
