"""L1 as the node reads it: a thin typed client over Ethereum JSON-RPC."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from node.clock import Clock, SystemClock
from node.errors import L1Error, Retry, WrongChain
from node.l1 import answers
from node.l1.answers import Fees, L1Block, L1Log, L1Receipt
from node.l1.encoding import data as hex_data
from node.l1.encoding import quantity
from node.l1.endpoint import Endpoint, Post

BlockParameter = int | str | bytes
"""A number, a tag such as "latest", or a block's hash."""

Topics = Sequence[bytes | Sequence[bytes] | None]
"""Per position: the topic, any of several, or None for all."""

PRIORITY_FEE_DEFAULT = 10**9

# Asking these twice is asking once; anything else may have happened although no answer came.
_READS = re.compile(
    r"(eth_(get|chainId|blockNumber|call|estimateGas|gasPrice|fee|max|syncing)|net_|web3_)"
)
_TOO_MUCH = re.compile(r"range|too (many|large|wide|big)|more than|limit|exceed", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for one answer, for one question with all its repetitions, between those."""

    answer: float = 30.0
    question: float = 60.0
    pause_first: float = 0.1
    pause_max: float = 5.0


class L1Client:
    """Reads are repeated, with jitter, until `patience.question` runs out; then `Retry`.

    Writes are asked once: whether to send again is the sender's decision.
    """

    def __init__(
        self,
        url: str,
        *,
        expected_chain_id: int | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
        patience: Patience | None = None,
        post: Post | None = None,
    ) -> None:
        """`chance` draws from [0, 1), `post` stands in for HTTP.

        The chain id is compared on entering `async with`.
        """
        self._patience = patience or Patience()
        self._endpoint = Endpoint(url, timeout_seconds=self._patience.answer, post=post)
        self._expected_chain_id = expected_chain_id
        self._clock = clock or SystemClock()
        self._chance = chance

    async def __aenter__(self) -> Self:
        try:
            await self.check_chain()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._endpoint.close()

    async def check_chain(self) -> None:
        """Raise `WrongChain` unless L1 is the chain expected, if one is."""
        if self._expected_chain_id is None:
            return
        found = await self.chain_id()
        if found != self._expected_chain_id:
            raise WrongChain(
                expected=self._expected_chain_id, found=found, url=self._endpoint.shown_url
            )

    async def request(self, method: str, *params: Any) -> Any:
        """Any method, its JSON result as it comes. Raises `L1Error` or `Retry`."""
        deadline = self._clock.monotonic() + self._patience.question
        pause = self._patience.pause_first
        while True:
            try:
                return await self._endpoint.ask(method, list(params))
            except Retry:
                wait = pause * (0.5 + self._chance() / 2)
                if not _READS.match(method) or self._clock.monotonic() + wait > deadline:
                    raise
            await self._clock.sleep(wait)
            pause = min(2 * pause, self._patience.pause_max)

    async def chain_id(self) -> int:
        return answers.read(answers.integer, await self.request("eth_chainId"), "chain id")

    async def block_number(self) -> int:
        return answers.read(answers.integer, await self.request("eth_blockNumber"), "number")

    async def block(self, which: BlockParameter) -> L1Block | None:
        """None where L1 has no such block (any more)."""
        if isinstance(which, bytes):
            found = await self.request("eth_getBlockByHash", hex_data(which), False)
        else:
            found = await self.request("eth_getBlockByNumber", _block_parameter(which), False)
        return None if found is None else answers.read(answers.block, found, "block")

    async def logs(
        self, *, address: bytes, topics: Topics = (), first: int, last: int
    ) -> list[L1Log]:
        """Logs of blocks `first` to `last`, both included, in order.

        Where L1 refuses a range as too large it is halved. Parts of one answer may then come
        from before and after a reorganisation: compare the block hashes.
        """
        found: list[L1Log] = []
        ranges = [(first, last)]
        while ranges:
            low, high = ranges.pop()
            try:
                found += await self._logs(address, topics, low, high)
            except L1Error as refusal:
                if low >= high or not _TOO_MUCH.search(refusal.message):
                    raise
                middle = (low + high) // 2
                ranges += [(middle + 1, high), (low, middle)]
        return found

    async def call(
        self,
        to: bytes | None,
        data: bytes,
        *,
        sender: bytes | None = None,
        value: int = 0,
        gas: int | None = None,
        block: BlockParameter = "latest",
    ) -> bytes:
        """What the call returns. A revert is an `L1Error` with the reason in its data."""
        request = _call_object(to, data, sender=sender, value=value, gas=gas)
        found = await self.request("eth_call", request, _block_parameter(block))
        return answers.read(answers.raw, found, "call result")

    async def estimate_gas(
        self,
        to: bytes | None,
        data: bytes,
        *,
        sender: bytes | None = None,
        value: int = 0,
        block: BlockParameter = "pending",
    ) -> int:
        request = _call_object(to, data, sender=sender, value=value, gas=None)
        found = await self.request("eth_estimateGas", request, _block_parameter(block))
        return answers.read(answers.integer, found, "gas estimate")

    async def balance(self, address: bytes, block: BlockParameter = "latest") -> int:
        found = await self.request("eth_getBalance", hex_data(address), _block_parameter(block))
        return answers.read(answers.integer, found, "balance")

    async def nonce(self, address: bytes, block: BlockParameter = "latest") -> int:
        """Transactions sent so far; with "pending", those waiting for a block too."""
        found = await self.request(
            "eth_getTransactionCount", hex_data(address), _block_parameter(block)
        )
        return answers.read(answers.integer, found, "nonce")

    async def code(self, address: bytes, block: BlockParameter = "latest") -> bytes:
        found = await self.request("eth_getCode", hex_data(address), _block_parameter(block))
        return answers.read(answers.raw, found, "code")

    async def fees(self) -> Fees:
        """Of the next block. Where L1 suggests no tip, 1 gwei."""
        history = await self.request("eth_feeHistory", quantity(1), "latest", [])
        base_fee = answers.read(
            lambda answer: answers.integer(answer["baseFeePerGas"][-1]), history, "fee history"
        )
        try:
            tip = await self.request("eth_maxPriorityFeePerGas")
        except L1Error:
            return Fees(base_fee, PRIORITY_FEE_DEFAULT)
        return Fees(base_fee, answers.read(answers.integer, tip, "priority fee"))

    async def send_raw(self, raw: bytes) -> bytes:
        """The hash. On `Retry` the transaction may have arrived, or not."""
        found = await self.request("eth_sendRawTransaction", hex_data(raw))
        return answers.read(answers.digest, found, "transaction hash")

    async def receipt(self, transaction_hash: bytes) -> L1Receipt | None:
        """None until the transaction is mined."""
        found = await self.request("eth_getTransactionReceipt", hex_data(transaction_hash))
        return None if found is None else answers.read(answers.receipt, found, "receipt")

    async def _logs(self, address: bytes, topics: Topics, low: int, high: int) -> list[L1Log]:
        query = {
            "address": hex_data(address),
            "topics": [_topic(topic) for topic in topics],
            "fromBlock": quantity(low),
            "toBlock": quantity(high),
        }
        return answers.read(answers.logs, await self.request("eth_getLogs", query), "logs")


def _topic(topic: bytes | Sequence[bytes] | None) -> Any:
    if topic is None:
        return None
    if isinstance(topic, bytes):
        return hex_data(topic)
    return [hex_data(choice) for choice in topic]


def _block_parameter(block: BlockParameter) -> Any:
    match block:
        case int(number):
            return quantity(number)
        case bytes(block_hash):
            return {"blockHash": hex_data(block_hash)}
        case str(tag):
            return tag


def _call_object(
    to: bytes | None, data: bytes, *, sender: bytes | None, value: int, gas: int | None
) -> dict[str, str]:
    request = {"data": hex_data(data)}
    if to is not None:
        request["to"] = hex_data(to)
    if sender is not None:
        request["from"] = hex_data(sender)
    if value:
        request["value"] = quantity(value)
    if gas is not None:
        request["gas"] = quantity(gas)
    return request
