"""Signed transactions as bytes: EIP-2718 types 0, 1 and 2, one encoding each.

    0         rlp([nonce, price, gas, to, value, data, v, r, s])
    1  0x01 | rlp([chain, nonce, price, gas, to, value, data, access list, parity, r, s])
    2  0x02 | rlp([chain, nonce, tip, fee, gas, to, value, data, access list, parity, r, s])

A legacy v is 27 or 28 plus nothing, or 35 + 2 x chain id plus the parity (EIP-155).
"""

from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature

from node.l1.blocks import ACCESS_LIST, DYNAMIC_FEE, LEGACY, AccessList, Transaction
from state.crypto import keccak

_FIELDS = {LEGACY: 9, ACCESS_LIST: 11, DYNAMIC_FEE: 12}


class NotATransaction(Exception):
    """The bytes are no signed transaction of a kind this chain takes."""


def decode(raw: bytes) -> Transaction:
    """The transaction and its sender. Raises `NotATransaction`."""
    if not raw:
        raise NotATransaction("rlp: the transaction is empty")
    kind = LEGACY if raw[0] >= 0xC0 else raw[0]
    if kind not in _FIELDS:
        raise NotATransaction(
            f"transaction type not supported: {kind:#x}, this chain takes 0x0, 0x1 and 0x2"
        )
    try:
        fields = rlp.decode(raw if kind == LEGACY else raw[1:])
    except (rlp.exceptions.RLPException, RecursionError):
        raise NotATransaction("rlp: malformed") from None
    if not isinstance(fields, list) or len(fields) != _FIELDS[kind]:
        raise NotATransaction(f"rlp: expected a list of {_FIELDS[kind]} fields")
    *body, v, r, s = fields
    if kind == LEGACY:
        return _legacy(raw, body, _integer(v, "v"), _integer(r, "r"), _integer(s, "s"))
    return _typed(raw, kind, body, _integer(v, "y parity"), _integer(r, "r"), _integer(s, "s"))


def _legacy(raw: bytes, body: list[Any], v: int, r: int, s: int) -> Transaction:
    nonce, price, gas, to, value, data = body
    if v in (27, 28):
        chain_id, y_parity, signed = None, v - 27, body
    elif v >= 35:
        chain_id, y_parity = divmod(v - 35, 2)
        signed = [*body, chain_id, 0, 0]
    else:
        raise NotATransaction(f"invalid sender: v is {v}, expected 27, 28 or at least 35")
    return Transaction(
        raw=raw,
        hash=keccak(raw),
        kind=LEGACY,
        chain_id=chain_id,
        sender=_sender(keccak(rlp.encode(signed)), y_parity, r, s),
        nonce=_integer(nonce, "nonce"),
        to=_recipient(to),
        value=_integer(value, "value"),
        data=_bytes(data, "data"),
        gas=_integer(gas, "gas"),
        max_fee=_integer(price, "gas price"),
        priority_fee=_integer(price, "gas price"),
        access_list=(),
        v=v,
        y_parity=y_parity,
        r=r,
        s=s,
    )


def _typed(raw: bytes, kind: int, body: list[Any], y_parity: int, r: int, s: int) -> Transaction:
    chain_id, nonce, *fees, gas, to, value, data, access_list = body
    if y_parity > 1:
        raise NotATransaction(f"invalid sender: y parity is {y_parity}, expected 0 or 1")
    digest = keccak(bytes([kind]) + rlp.encode(body))
    return Transaction(
        raw=raw,
        hash=keccak(raw),
        kind=kind,
        chain_id=_integer(chain_id, "chain id"),
        sender=_sender(digest, y_parity, r, s),
        nonce=_integer(nonce, "nonce"),
        to=_recipient(to),
        value=_integer(value, "value"),
        data=_bytes(data, "data"),
        gas=_integer(gas, "gas"),
        max_fee=_integer(fees[-1], "max fee per gas"),
        priority_fee=_integer(fees[0], "max priority fee per gas"),
        access_list=_access_list(access_list),
        v=y_parity,
        y_parity=y_parity,
        r=r,
        s=s,
    )


def _sender(digest: bytes, y_parity: int, r: int, s: int) -> bytes:
    try:
        signature = Signature(vrs=(y_parity, r, s))
        return signature.recover_public_key_from_msg_hash(digest).to_canonical_address()
    except BadSignature:
        raise NotATransaction("invalid sender: the signature recovers to no address") from None


def _bytes(item: Any, name: str) -> bytes:
    if not isinstance(item, bytes):
        raise NotATransaction(f"rlp: {name} is a list")
    return item


def _integer(item: Any, name: str) -> int:
    digits = _bytes(item, name)
    if digits.startswith(b"\0"):
        raise NotATransaction(f"rlp: {name} has leading zeros")
    if len(digits) > 32:
        raise NotATransaction(f"rlp: {name} exceeds 256 bits")
    return int.from_bytes(digits)


def _recipient(item: Any) -> bytes | None:
    to = _bytes(item, "to")
    if len(to) not in (0, 20):
        raise NotATransaction(f"rlp: to has {len(to)} bytes, expected 20 or none")
    return to or None


def _access_list(item: Any) -> AccessList:
    if not isinstance(item, list):
        raise NotATransaction("rlp: the access list is not a list")
    return tuple(_access(entry) for entry in item)


def _access(entry: Any) -> tuple[bytes, tuple[int, ...]]:
    match entry:
        case [bytes(address), list(slots)] if len(address) == 20:
            if all(isinstance(slot, bytes) and len(slot) == 32 for slot in slots):
                return address, tuple(int.from_bytes(slot) for slot in slots)
    raise NotATransaction("rlp: an access list entry is [20 bytes, [32 bytes, ...]]")
