"""What L1 answers, read into types. Whatever does not read is the endpoint's fault: `Retry`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from node.errors import Retry
from state.limits import TIME_MAX

Read = TypeVar("Read")

NUMBER_MAX = 2**64 - 1
"""The highest block that there can be."""


@dataclass(frozen=True, slots=True)
class L1Block:
    """`timestamp` in seconds since 1970, `base_fee` in wei per gas."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    base_fee: int


@dataclass(frozen=True, slots=True)
class L1Log:
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int


@dataclass(frozen=True, slots=True)
class L1Receipt:
    """A mined transaction of `sender`; `contract` is the one it created, if it is a creation."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    gas_price: int
    contract: bytes | None
    logs: tuple[L1Log, ...]
    sender: bytes

    @property
    def wei(self) -> int:
        """What its gas cost the sender."""
        return self.gas_used * self.gas_price


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas: the next block's base fee, and a tip that gets a transaction into it."""

    base_fee: int
    priority_fee: int

    @property
    def max_fee(self) -> int:
        """2 x base fee + tip: enough for six full blocks in a row."""
        return 2 * self.base_fee + self.priority_fee

    def raised(self, percent: int) -> "Fees":
        """Both higher by `percent`, rounded up."""
        return Fees(
            -(-self.base_fee * (100 + percent) // 100),
            -(-self.priority_fee * (100 + percent) // 100),
        )


def read(reader: Callable[[Any], Read], answer: Any, what: str) -> Read:
    """`reader(answer)`, with `Retry` where the answer has not the form of `what`."""
    try:
        return reader(answer)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise Retry(f"L1 sent no proper {what}: {type(error).__name__}: {error}") from None


def integer(answer: Any) -> int:
    if not isinstance(answer, str) or not answer.startswith("0x"):
        raise ValueError(f"expected 0x-prefixed hex, got {answer!r:.80}")
    return int(answer, 16)


def bounded(answer: Any, maximum: int) -> int:
    """An integer that can be kept: a wild one is a broken endpoint and no reason to end."""
    found = integer(answer)
    if found > maximum:
        raise ValueError(f"expected at most {maximum}, got {answer:.40}")
    return found


def raw(answer: Any) -> bytes:
    if not isinstance(answer, str) or not answer.startswith("0x"):
        raise ValueError(f"expected 0x-prefixed hex, got {answer!r:.80}")
    return bytes.fromhex(answer[2:])


def digest(answer: Any) -> bytes:
    found = raw(answer)
    if len(found) != 32:
        raise ValueError(f"expected 32 bytes, got {len(found)}")
    return found


def block(answer: Any) -> L1Block:
    return L1Block(
        number=bounded(answer["number"], NUMBER_MAX),
        hash=digest(answer["hash"]),
        parent_hash=digest(answer["parentHash"]),
        timestamp=bounded(answer["timestamp"], TIME_MAX),
        base_fee=integer(answer.get("baseFeePerGas", "0x0")),
    )


def log(answer: Any) -> L1Log:
    return L1Log(
        address=raw(answer["address"]),
        topics=tuple(digest(topic) for topic in answer["topics"]),
        data=raw(answer["data"]),
        block_number=bounded(answer["blockNumber"], NUMBER_MAX),
        block_hash=digest(answer["blockHash"]),
        transaction_hash=digest(answer["transactionHash"]),
        log_index=integer(answer["logIndex"]),
    )


def logs(answer: Any) -> list[L1Log]:
    if not isinstance(answer, list):
        raise ValueError("expected a list")
    return [log(item) for item in answer]


def receipt(answer: Any) -> L1Receipt:
    contract = answer.get("contractAddress")
    return L1Receipt(
        transaction_hash=digest(answer["transactionHash"]),
        block_number=bounded(answer["blockNumber"], NUMBER_MAX),
        block_hash=digest(answer["blockHash"]),
        succeeded=integer(answer["status"]) == 1,
        gas_used=integer(answer["gasUsed"]),
        gas_price=integer(answer["effectiveGasPrice"]),
        contract=None if contract is None else raw(contract),
        logs=tuple(logs(answer["logs"])),
        sender=raw(answer["from"]),
    )
