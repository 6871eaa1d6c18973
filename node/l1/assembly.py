"""A block from its encoded parts, the same way whether it was just sealed or read from disk."""

from collections.abc import Sequence
from typing import Any

import rlp  # type: ignore[import-untyped]
from trie import HexaryTrie

from node.l1.blocks import LEGACY, Block, Header, Log, Receipt, Transaction
from state.crypto import keccak

_HEADER_FIELDS = 21
SUCCEEDED = b"\x01"


def ordered_root(items: Sequence[bytes]) -> bytes:
    """The root of the Merkle-Patricia tree with item `i` at rlp(i)."""
    tree = HexaryTrie({}, prune=True)
    for index, item in enumerate(items):
        tree[rlp.encode(index)] = item
    return bytes(tree.root_hash)


def assemble(
    encoded_header: bytes,
    transactions: Sequence[Transaction],
    encoded_receipts: Sequence[bytes],
    nodes: Sequence[bytes],
) -> Block:
    """The block these parts are. Raises ValueError where they do not hash to its header."""
    header = read_header(encoded_header)
    if ordered_root([transaction.raw for transaction in transactions]) != header.transactions_root:
        raise ValueError("transactions differ from the root in the header")
    if ordered_root(encoded_receipts) != header.receipts_root:
        raise ValueError("receipts differ from the root in the header")
    receipts: list[Receipt] = []
    spent = 0
    for transaction, encoded in zip(transactions, encoded_receipts, strict=True):
        receipt = read_receipt(encoded, transaction, spent=spent, base_fee=header.base_fee)
        receipts.append(receipt)
        spent = receipt.cumulative_gas
    bodies = [t.raw if t.kind != LEGACY else rlp.decode(t.raw) for t in transactions]
    size = len(rlp.encode([rlp.decode(encoded_header), bodies, [], []]))
    return Block(header, tuple(transactions), tuple(receipts), tuple(nodes), size)


def read_receipt(encoded: bytes, transaction: Transaction, *, spent: int, base_fee: int) -> Receipt:
    """A receipt of `transaction`, before which its block had used `spent` gas."""
    body = encoded if transaction.kind == LEGACY else encoded[1:]
    status, cumulative, bloom, logs = rlp.decode(body)
    creation = rlp.encode([transaction.sender, transaction.nonce])
    return Receipt(
        succeeded=status == SUCCEEDED,
        gas_used=int.from_bytes(cumulative) - spent,
        cumulative_gas=int.from_bytes(cumulative),
        gas_price=transaction.gas_price(base_fee),
        contract=keccak(creation)[12:] if transaction.to is None else None,
        bloom=bloom.rjust(256, b"\0"),
        logs=tuple(Log(address, tuple(topics), data) for address, topics, data in logs),
        encoded=encoded,
    )


def read_header(encoded: bytes) -> Header:
    """Raises ValueError where it has not the fields of Prague."""
    fields: list[Any] = rlp.decode(encoded)
    if len(fields) != _HEADER_FIELDS:
        raise ValueError(f"a Prague header has {_HEADER_FIELDS} fields, got {len(fields)}")
    return Header(
        encoded=encoded,
        hash=keccak(encoded),
        parent_hash=fields[0],
        uncles_hash=fields[1],
        coinbase=fields[2],
        state_root=fields[3],
        transactions_root=fields[4],
        receipts_root=fields[5],
        bloom=fields[6].rjust(256, b"\0"),
        # fields[7] is the difficulty, zero since the merge.
        number=int.from_bytes(fields[8]),
        gas_limit=int.from_bytes(fields[9]),
        gas_used=int.from_bytes(fields[10]),
        timestamp=int.from_bytes(fields[11]),
        extra_data=fields[12],
        mix_hash=fields[13],
        nonce=fields[14],
        base_fee=int.from_bytes(fields[15]),
        withdrawals_root=fields[16],
        blob_gas_used=int.from_bytes(fields[17]),
        excess_blob_gas=int.from_bytes(fields[18]),
        beacon_root=fields[19],
        requests_hash=fields[20],
    )
