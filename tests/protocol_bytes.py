"""Sections 2 to 7 of docs/protocol.md by a second hand.

Written from the page alone and on purpose without `state`, so that contracts and rules
can be held against something that shares no line with either.
"""

import struct
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from eth_hash.auto import keccak
from trie.smt import SparseMerkleTree

VERSION = 1
DEPOSIT, LIST_MARKET, REVOKE_KEY, ROTATE_OWNER, SET_PARAMETERS = range(1, 6)


def item_hash(kind: int, index: int, time: int, sender: bytes, payload: bytes) -> bytes:
    """Section 4, inbox items."""
    return keccak(struct.pack(">BQQ", kind, index, time) + sender + payload)


def accumulate(accumulator: bytes, item: bytes) -> bytes:
    """Section 4, inbox items."""
    return keccak(accumulator + item)


def deposit_payload(account: int, owner: bytes, micro: int) -> bytes:
    """Section 4, inbox kind 1."""
    return struct.pack(">I20sQ", account, owner, micro)


def revocation_payload(account: int, key_epoch: int) -> bytes:
    """Section 4, inbox kind 3."""
    return struct.pack(">II", account, key_epoch)


def rotation_payload(account: int, new_owner: bytes) -> bytes:
    """Section 4, inbox kind 4."""
    return struct.pack(">I20s", account, new_owner)


def genesis_batch_hash(chain_id: int, rollup: bytes) -> bytes:
    """Section 6, batch 0."""
    return keccak(b"tallystick genesis" + chain_id.to_bytes(32, "big") + rollup)


@dataclass(frozen=True)
class Header:
    """Section 6, the batch header; `chunks` are (compressed, keccak(raw))."""

    number: int
    parent: bytes
    inbox_from: int
    inbox_to: int
    inbox_accumulator: bytes
    origin_number: int
    origin_hash: bytes
    time_min: int
    time_max: int
    chunks: Sequence[tuple[bytes, bytes]] = ()

    def pack(self) -> bytes:
        """The bytes whose hash is the batch hash."""
        head = struct.pack(
            ">HQ32sQQ32sQ32sQQBB",
            VERSION,
            self.number,
            self.parent,
            self.inbox_from,
            self.inbox_to,
            self.inbox_accumulator,
            self.origin_number,
            self.origin_hash,
            self.time_min,
            self.time_max,
            0,
            len(self.chunks),
        )
        records = (
            struct.pack(">H32s32s", len(compressed), keccak(compressed), raw_hash)
            for compressed, raw_hash in self.chunks
        )
        return head + b"".join(records)


@dataclass(frozen=True)
class Output:
    """Section 7, the output. Sums are nano-USD, `inbox` counts items."""

    batch: int
    batch_hash: bytes
    state_root: bytes = keccak(b"some state")
    withdrawals_root: bytes = keccak(b"some withdrawals")
    steps: int = 3
    inbox: int = 0
    deposited: int = 0
    withdrawn: int = 0
    cash: int = 0
    pools: int = 0
    insurance: int = 0
    fees: int = 0
    bad_debt: int = 0
    dust: int = 0
    long_lots: int = 0
    short_lots: int = 0
    version: int = VERSION

    SIGNED = frozenset({"cash", "pools", "dust"})

    def pack(self) -> bytes:
        """278 bytes."""
        *fields, version = astuple(self)
        sums = zip(list(self.__dataclass_fields__)[6:16], fields[6:], strict=True)
        return struct.pack(">HQ32s32s32sIQ", version, *fields[:6]) + b"".join(
            value.to_bytes(16, "big", signed=name in self.SIGNED) for name, value in sums
        )


def claim_hash(parent_claim: bytes, output: bytes) -> bytes:
    """Section 7, the claim."""
    return keccak(parent_claim + keccak(output))


def withdrawal_leaf(index: int, account: int, recipient: bytes, micro: int) -> bytes:
    """Section 3.5."""
    return struct.pack(">BII20sQ", 5, index, account, recipient, micro)


def withdrawals_tree(leaves: dict[int, bytes]) -> SparseMerkleTree:
    """Section 2: keys of 32 bits; `branch` of the tree lists siblings from the root."""
    tree = SparseMerkleTree(key_size=4)
    for index, leaf in leaves.items():
        tree.set(index.to_bytes(4, "big"), leaf)
    return tree
