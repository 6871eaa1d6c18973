"""The request and reply files of ethereum/execution-apis, and an L1 with their chain's accounts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from l1_world import Rpc, RpcFailure, shown
from shared_files import shared_path

from node.l1.envelopes import NotATransaction, decode

FOLDER = "vectors/execution-apis/tests"


@dataclass(frozen=True)
class Exchange:
    """A request and what the reference client replied; `only_form` where its values may differ."""

    method: str
    params: list[Any]
    reply: dict[str, Any]
    only_form: bool


def files() -> dict[str, list[Exchange]]:
    """Every file by its name, such as eth_call/call-contract."""
    folder = shared_path(FOLDER)
    return {
        f"{path.parent.name}/{path.stem}": list(_exchanges(path.read_text()))
        for path in sorted(folder.glob("*/*.io"))
    }


def _exchanges(text: str) -> Iterator[Exchange]:
    request: dict[str, Any] = {}
    for line in text.splitlines():
        if line.startswith(">> "):
            request = json.loads(line[3:])
        elif line.startswith("<< "):
            params = request.get("params", [])
            yield Exchange(request["method"], params, json.loads(line[3:]), "speconly:" in text)


def genesis() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_path(f"{FOLDER}/genesis.json").read_text())
    return found


async def settle(rpc: Rpc) -> None:
    """Give the accounts of their genesis what they have there."""
    for address, account in genesis()["alloc"].items():
        where = "0x" + address.removeprefix("0x")
        if "code" in account:
            await rpc("anvil_setCode", where, account["code"])
        for slot, value in account.get("storage", {}).items():
            await rpc("anvil_setStorageAt", where, hex(int(slot, 16)), value)
        await rpc("anvil_setBalance", where, hex(int(account["balance"], 0)))


async def _let_send(rpc: Rpc, raw: str) -> None:
    """The sender's nonce and purse as they were when the reference client was asked."""
    try:
        transaction = decode(bytes.fromhex(raw[2:]))
    except NotATransaction:
        return
    sender = shown(transaction.sender)
    await rpc("anvil_setNonce", sender, transaction.nonce)
    await rpc("anvil_setBalance", sender, 10**21)


async def reply_of(rpc: Rpc, exchange: Exchange) -> dict[str, Any]:
    """Ours, as {"result": ...} or {"error": ...}. What is sent is forgotten again."""
    snapshot = await rpc("evm_snapshot")
    if exchange.method == "eth_sendRawTransaction":
        await _let_send(rpc, exchange.params[0])
    try:
        return {"result": await rpc(exchange.method, *exchange.params)}
    except RpcFailure as refused:
        error = {"code": refused.code, "message": refused.message, "data": refused.data}
        return {"error": {name: value for name, value in error.items() if value is not None}}
    finally:
        await rpc("evm_revert", snapshot)


def agree(ours: dict[str, Any], theirs: dict[str, Any], *, only_form: bool) -> bool:
    """The same result; or an error of the same code and data, in whatever words."""
    if "error" in theirs:
        told: dict[str, Any] = ours.get("error", {})
        wanted: dict[str, Any] = theirs["error"]
        alike = told.get("code") == wanted["code"] and told.get("data") == wanted.get("data")
        return bool(alike)
    if only_form and "result" in ours:
        return form(ours["result"]) == form(theirs["result"])
    return "result" in ours and bool(ours["result"] == theirs["result"])


def form(value: Any) -> object:
    """Names and kinds without values; a list has the forms of its items."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted({repr(form(item)) for item in value})
    if isinstance(value, str) and value.startswith("0x"):
        return "32 bytes" if len(value) == 66 else "20 bytes" if len(value) == 42 else "hex"
    return type(value).__name__
