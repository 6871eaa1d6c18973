"""A devnet on a real port, and the hands to poke it with."""

import io
from functools import cache
from types import TracebackType
from typing import Any

import aiohttp
from eth_account import Account
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.crypto import keccak

from node.l1.accounts import DevAccount, dev_accounts

ALICE, BOB, CAROL = dev_accounts()[:3]
CHAIN_ID = 31_337
GWEI = 10**9
ETHER = 10**18

CONTRACT = """
event Set:
    who: indexed(address)
    value: indexed(uint256)
    note: uint256

number: public(uint256)
slots: HashMap[uint256, uint256]

interface Self:
    def deep(depth: uint256) -> uint256: nonpayable

@deploy
@payable
def __init__(number: uint256):
    self.number = number

@external
@payable
def set(number: uint256):
    assert number != 13, "unlucky"
    self.number = number
    log Set(who=msg.sender, value=number, note=block.number)

@external
def write(first: uint256, count: uint256, word: uint256):
    for i: uint256 in range(count, bound=100):
        self.slots[first + i] = word

@external
def once(identity: uint256):
    assert self.slots[identity] == 0, "already done"
    self.slots[identity] = 1
    self.number += 1

@external
def set_at(earliest: uint256):
    assert block.timestamp >= earliest, "too early"
    self.number = block.timestamp

@external
def fail():
    raise

@external
def burn():
    for i: uint256 in range(1000000):
        self.slots[i] = i

@external
def deep(depth: uint256) -> uint256:
    if depth == 0:
        return 0
    return extcall Self(self).deep(depth - 1) + 1

@external
@view
def now() -> (uint256, uint256):
    return block.number, block.timestamp

@external
@view
def hash_of(number: uint256) -> bytes32:
    return blockhash(number)
"""


@cache
def compiled() -> bytes:
    """The creation code of `CONTRACT`, before its argument."""
    from vyper import compile_code

    return bytes.fromhex(compile_code(CONTRACT, output_formats=["bytecode"])["bytecode"][2:])


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32) for number in numbers)


def calldata(signature: str, *numbers: int) -> bytes:
    return bytes(function_signature_to_4byte_selector(signature)) + words(*numbers)


def event_topic(signature: str) -> bytes:
    return bytes(keccak(text=signature))


def signed(account: DevAccount, **fields: Any) -> bytes:
    """A type 2 transaction unless `fields` have a gas price or another type."""
    whole: dict[str, Any] = {"chainId": CHAIN_ID, "nonce": 0, "value": 0, "gas": 21_000} | fields
    if "gasPrice" not in whole:
        whole = {"type": 2, "maxFeePerGas": 10 * GWEI, "maxPriorityFeePerGas": GWEI} | whole
    whole = {name: value for name, value in whole.items() if value is not None}
    return bytes(Account.sign_transaction(whole, account.private_key).raw_transaction)


class RpcFailure(Exception):
    """What the server answered in place of a result."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class Rpc:
    """Raw JSON-RPC: what goes in is sent as it is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> "Rpc":
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def post(self, body: bytes, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of the answer to a literal body."""
        sent = {"Content-Type": "application/json"} | headers
        async with self._session.post(self.url, data=io.BytesIO(body), headers=sent) as response:
            return response.status, await response.read(), dict(response.headers)

    async def __call__(self, method: str, *params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        async with self._session.post(self.url, json=request) as response:
            reply = await response.json()
        if "error" in reply:
            raise RpcFailure(reply["error"])
        return reply["result"]

    async def options(self, **headers: str) -> tuple[int, dict[str, str]]:
        async with self._session.options(self.url, headers=headers) as response:
            return response.status, dict(response.headers)

    async def send(self, account: DevAccount, **fields: Any) -> dict[str, Any]:
        """Sign with the pending nonce, send, and return the receipt."""
        nonce = int(await self("eth_getTransactionCount", shown(account.address), "pending"), 16)
        raw = signed(account, **({"nonce": nonce} | fields))
        transaction_hash = await self("eth_sendRawTransaction", shown(raw))
        receipt: dict[str, Any] = await self("eth_getTransactionReceipt", transaction_hash)
        return receipt

    async def deploy(self, number: int = 7) -> bytes:
        """The address of a fresh `CONTRACT`."""
        receipt = await self.send(ALICE, gas=1_500_000, data=compiled() + words(number))
        assert receipt["status"] == "0x1"
        return bytes.fromhex(receipt["contractAddress"][2:])

    async def call(self, to: bytes, data: bytes, block: Any = "latest") -> bytes:
        found = await self("eth_call", {"to": shown(to), "data": shown(data)}, block)
        return bytes.fromhex(found[2:])

    async def number(self) -> int:
        return int(await self("eth_blockNumber"), 16)


async def refusal(rpc: Rpc, method: str, *params: Any) -> RpcFailure:
    """The error that a request is answered with; it fails where there is none."""
    try:
        result = await rpc(method, *params)
    except RpcFailure as refused:
        return refused
    raise AssertionError(f"{method} was not refused, it answered {result}")


def shown(raw: bytes) -> str:
    return "0x" + raw.hex()
