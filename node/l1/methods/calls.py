"""Calling contracts without a transaction."""

from typing import Any

from node.l1 import calls
from node.l1.blocks import AccessList, Call
from node.l1.encoding import data, quantity, read_address, read_data, read_hash, read_quantity
from node.l1.jsonrpc import InvalidParams, Method
from node.l1.methods.rendering import access_list_json
from node.l1.methods.selection import PENDING, Selection

# Fees and nonce are taken and not used: a call is free, and runs with the next nonce.
_UNUSED = ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "nonce", "type", "chainId")
_USED = ("from", "to", "gas", "value", "data", "input", "accessList")


class CallMethods:
    def __init__(self, selection: Selection) -> None:
        self._selection = selection

    def table(self) -> dict[str, Method]:
        return {
            "eth_call": self.call,
            "eth_estimateGas": self.estimate_gas,
            "eth_createAccessList": self.create_access_list,
        }

    def call(self, transaction: Any, block: Any = None, overrides: Any = None) -> str:
        _refuse_overrides(overrides)
        request = read_call(transaction)
        return data(calls.execute(self._selection.view(block), request))

    def estimate_gas(self, transaction: Any, block: Any = None, overrides: Any = None) -> str:
        """On the pending block unless told otherwise: that is where it would be mined."""
        _refuse_overrides(overrides)
        request = read_call(transaction)
        view = self._selection.view(PENDING if block is None else block)
        return quantity(calls.estimate(view, request))

    def create_access_list(self, transaction: Any, block: Any = None) -> dict[str, Any]:
        """What the call touches, and the gas it needs when it says so before. On "latest"."""
        request = read_call(transaction)
        found, gas, error = calls.access_list(self._selection.view(block), request)
        listed = {"accessList": access_list_json(found), "gasUsed": quantity(gas)}
        return listed if error is None else listed | {"error": error}


def read_call(value: Any) -> Call:
    """The transaction object of a call; all its fields may be left out or null."""
    if not isinstance(value, dict):
        raise InvalidParams("transaction: expected an object")
    fields = {name: field for name, field in value.items() if field is not None}
    unknown = [name for name in fields if name not in _USED and name not in _UNUSED]
    if unknown:
        raise InvalidParams(
            f"transaction: unknown field {unknown[0][:40]!r}, expected some of {', '.join(_USED)}"
        )
    for name in _UNUSED:
        read_quantity(fields.get(name, "0x0"), name)
    if fields.get("data", fields.get("input")) != fields.get("input", fields.get("data")):
        raise InvalidParams("transaction: data and input differ, send one of them")
    return Call(
        sender=read_address(fields.get("from", "0x" + "00" * 20), "from"),
        to=read_address(fields["to"], "to") if "to" in fields else None,
        value=read_quantity(fields.get("value", "0x0"), "value"),
        data=read_data(fields.get("input", fields.get("data", "0x")), "data"),
        gas=read_quantity(fields["gas"], "gas") if "gas" in fields else None,
        access_list=_read_access_list(fields.get("accessList", [])),
    )


def _refuse_overrides(value: Any) -> None:
    """Clients send an empty one to no end; a real one cannot be left out in silence."""
    if value not in (None, {}):
        raise InvalidParams("state overrides: not offered here; anvil has them (--l1 anvil)")


def _read_access_list(value: Any) -> AccessList:
    if not isinstance(value, list):
        raise InvalidParams("accessList: expected a list")
    return tuple(_read_access(entry) for entry in value)


def _read_access(entry: Any) -> tuple[bytes, tuple[int, ...]]:
    match entry:
        case {"address": address, "storageKeys": list(keys)}:
            slots = [int.from_bytes(read_hash(key, "storageKeys")) for key in keys]
            return read_address(address, "accessList address"), tuple(slots)
    raise InvalidParams("accessList: an entry has an address and a list of storageKeys")
