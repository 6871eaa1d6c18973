"""Merkle-Patricia proofs of accounts and their storage, as EIP-1186 has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rlp  # type: ignore[import-untyped]
from trie import HexaryTrie
from trie.constants import BLANK_NODE_HASH

from state.crypto import keccak

EMPTY_CODE = keccak(b"")
_INLINE_MAX = 31
"""A node of so many bytes stands whole in its parent, and is no step of a proof."""


@dataclass(frozen=True, slots=True)
class SlotProof:
    """`nodes` lead from the account's storage root to `value`, or to where it would be."""

    slot: int
    value: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """`nodes` lead from the state root to the account, or to where it would be."""

    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes
    nodes: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]


def account_proof(
    database: Mapping[bytes, bytes], state_root: bytes, address: bytes, slots: Sequence[int]
) -> AccountProof:
    """The account at keccak(address), and its slots at keccak(slot as 32 bytes).

    `database` has trie nodes by their keccak. An account that is not there has no nonce,
    balance, code and storage.
    """
    accounts = HexaryTrie(database, state_root)
    place = keccak(address)
    encoded = accounts[place]
    nonce, balance, storage_root, code_hash = (
        rlp.decode(encoded) if encoded else (b"", b"", BLANK_NODE_HASH, EMPTY_CODE)
    )
    return AccountProof(
        nonce=int.from_bytes(nonce),
        balance=int.from_bytes(balance),
        storage_root=storage_root,
        code_hash=code_hash,
        nodes=_nodes(accounts, place),
        slots=tuple(_slot(HexaryTrie(database, storage_root), slot) for slot in slots),
    )


def _slot(storage: HexaryTrie, slot: int) -> SlotProof:
    place = keccak(slot.to_bytes(32))
    encoded = storage[place]
    value = int.from_bytes(rlp.decode(encoded)) if encoded else 0
    return SlotProof(slot, value, _nodes(storage, place))


def _nodes(tree: HexaryTrie, place: bytes) -> tuple[bytes, ...]:
    """From the root on; an empty tree has none."""
    steps: list[Any] = [rlp.encode(node) for node in tree.get_proof(place)]
    return tuple(step for index, step in enumerate(steps) if not index or len(step) > _INLINE_MAX)
