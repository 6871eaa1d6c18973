"""Blocks, transactions, receipts and logs, free of any EVM library's types."""

from dataclasses import dataclass

from state.crypto import keccak

LEGACY, ACCESS_LIST, DYNAMIC_FEE = 0, 1, 2

AccessList = tuple[tuple[bytes, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction; `raw` is its canonical encoding and the rest is read from it.

    `to` is None when it creates a contract. `chain_id` is None only for a legacy
    signature without EIP-155. Types 0 and 1 have both fees equal to their gas price.
    """

    raw: bytes
    hash: bytes
    kind: int
    chain_id: int | None
    sender: bytes
    nonce: int
    to: bytes | None
    value: int
    data: bytes
    gas: int
    max_fee: int
    priority_fee: int
    access_list: AccessList
    v: int
    y_parity: int
    r: int
    s: int

    def gas_price(self, base_fee: int) -> int:
        """Wei per gas actually paid: min(max_fee, base_fee + priority_fee)."""
        return min(self.max_fee, base_fee + self.priority_fee)


@dataclass(frozen=True, slots=True)
class Call:
    """What `eth_call` and `eth_estimateGas` execute: unsigned and free of charge."""

    sender: bytes
    to: bytes | None
    value: int = 0
    data: bytes = b""
    gas: int | None = None
    access_list: AccessList = ()


@dataclass(frozen=True, slots=True)
class Execution:
    """The outcome of a call. `error` is None on success, "revert", or what the EVM objected to.

    `gas` is the limit the call needs, intrinsic cost included, before any refund.
    """

    output: bytes
    gas: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Log:
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """`encoded` is the EIP-2718 receipt, the leaf of the block's receipt tree."""

    succeeded: bool
    gas_used: int
    cumulative_gas: int
    gas_price: int
    contract: bytes | None
    bloom: bytes
    logs: tuple[Log, ...]
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """A Prague block header; `encoded` is its RLP and `hash` the keccak of that."""

    encoded: bytes
    hash: bytes
    parent_hash: bytes
    number: int
    timestamp: int
    gas_limit: int
    gas_used: int
    base_fee: int
    coinbase: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    withdrawals_root: bytes
    bloom: bytes
    uncles_hash: bytes
    mix_hash: bytes
    nonce: bytes
    extra_data: bytes
    beacon_root: bytes
    requests_hash: bytes
    blob_gas_used: int
    excess_blob_gas: int


@dataclass(frozen=True, slots=True)
class Block:
    """`nodes` are the state-trie nodes and code that this block was the first to write."""

    header: Header
    transactions: tuple[Transaction, ...]
    receipts: tuple[Receipt, ...]
    nodes: tuple[bytes, ...]
    size: int

    @property
    def number(self) -> int:
        return self.header.number

    @property
    def hash(self) -> bytes:
        return self.header.hash


def bloom_may_contain(bloom: bytes, item: bytes) -> bool:
    """Whether all three bits of `item` are set in a 2048-bit logs bloom (yellow paper, M3)."""
    digest = keccak(item)
    for start in (0, 2, 4):
        bit = int.from_bytes(digest[start : start + 2]) & 0x7FF
        if not bloom[255 - bit // 8] >> (bit % 8) & 1:
            return False
    return True
