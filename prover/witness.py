"""The witness of a step: every leaf it touches, and the proof that it stands in the state.

    witness  = machine | accounts_root | markets_root | board_root
             | u8 n | n x (u32 account | leaf | branch)
             | u8 n | n x (u16 market | leaf | branch)
             | u8 n | n x (u8 row | leaf) | u16 n | n x sibling
             | u8 n | n x (u16 market | u8 side | u64 key | leaf | branch)
             | u8 n | n x (u32 withdrawal | branch)
    leaf     = u16 size | bytes

Lists are strictly ascending; an absent leaf has size zero. A branch is compressed
(`state.tree.compress_branch`) and belongs to the tree as the step finds it; the rows
share one multiproof. The leaf of a withdrawal to come is always absent.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import Struct

from prover.refusal import WitnessFault, WitnessRefused
from state.commitment import state_root
from state.crypto import ZERO_HASH, keccak
from state.limits import ACCOUNTS_DEPTH, BOOK_DEPTH, MARKETS_DEPTH, WITHDRAWALS_DEPTH
from state.machine import Machine, encode_machine
from state.packing import NotCanonical, Reader, check_ascending, u
from state.tree import compress_branch, expand_branch

MACHINE_BYTES = len(encode_machine(Machine(), ZERO_HASH))
T = TypeVar("T")


class ProvenLeaf(Struct, frozen=True):
    """A leaf, b"" where it is absent, and its siblings from the root down."""

    key: int
    leaf: bytes
    branch: tuple[bytes, ...]


class ProvenOrder(Struct, frozen=True):
    """A leaf of one side of one market's book."""

    market: int
    side: int
    key: int
    leaf: bytes
    branch: tuple[bytes, ...]


class ProvenRows(Struct, frozen=True):
    """Rows of the board by their key, and the siblings that make its root of them."""

    leaves: dict[int, bytes]
    siblings: tuple[bytes, ...]


class Witness(Struct, frozen=True, kw_only=True):
    """What one step touches of the state, with proofs. Nothing in it is believed unproven."""

    machine: bytes
    accounts_root: bytes
    markets_root: bytes
    board_root: bytes
    accounts: tuple[ProvenLeaf, ...] = ()
    markets: tuple[ProvenLeaf, ...] = ()
    rows: ProvenRows = ProvenRows({}, ())
    orders: tuple[ProvenOrder, ...] = ()
    withdrawals: tuple[ProvenLeaf, ...] = ()

    @property
    def state_root(self) -> bytes:
        """The root of the state that this is a witness of, if its proofs hold."""
        machine_hash = keccak(self.machine)
        return state_root(self.accounts_root, self.markets_root, self.board_root, machine_hash)

    def encode(self) -> bytes:
        """The bytes that `decode_witness` reads."""
        return b"".join(_parts(self).values())

    def sizes(self) -> dict[str, int]:
        """Bytes of each part of the encoding, counts included."""
        return {name: len(part) for name, part in _parts(self).items()}


def _parts(w: Witness) -> dict[str, bytes]:
    return {
        "machine": w.machine,
        "roots": w.accounts_root + w.markets_root + w.board_root,
        "accounts": _list([_encode_leaf(p, 32, ACCOUNTS_DEPTH) for p in w.accounts]),
        "markets": _list([_encode_leaf(p, 16, MARKETS_DEPTH) for p in w.markets]),
        "board": _encode_rows(w.rows),
        "books": _list([_encode_order(p) for p in w.orders]),
        "withdrawals": _list(
            [u(p.key, 32) + compress_branch(WITHDRAWALS_DEPTH, p.branch) for p in w.withdrawals]
        ),
    }


def _list(entries: list[bytes]) -> bytes:
    return u(len(entries), 8) + b"".join(entries)


def _sized(leaf: bytes) -> bytes:
    return u(len(leaf), 16) + leaf


def _encode_leaf(p: ProvenLeaf, key_bits: int, depth: int) -> bytes:
    return u(p.key, key_bits) + _sized(p.leaf) + compress_branch(depth, p.branch)


def _encode_rows(rows: ProvenRows) -> bytes:
    leaves = [u(key, 8) + _sized(leaf) for key, leaf in sorted(rows.leaves.items())]
    return _list(leaves) + u(len(rows.siblings), 16) + b"".join(rows.siblings)


def _encode_order(p: ProvenOrder) -> bytes:
    place = u(p.market, 16) + u(p.side, 8) + u(p.key, 64)
    return place + _sized(p.leaf) + compress_branch(BOOK_DEPTH, p.branch)


def decode_witness(data: bytes) -> Witness:
    """The witness of these bytes. WitnessRefused for any others than `encode` writes."""
    try:
        r = Reader(data)
        witness = Witness(
            machine=r.raw(MACHINE_BYTES),
            accounts_root=r.raw(32),
            markets_root=r.raw(32),
            board_root=r.raw(32),
            accounts=_take_list(r, lambda: _take_leaf(r, 32, ACCOUNTS_DEPTH)),
            markets=_take_list(r, lambda: _take_leaf(r, 16, MARKETS_DEPTH)),
            rows=_take_rows(r),
            orders=_take_list(r, lambda: _take_order(r)),
            withdrawals=_take_list(
                r, lambda: ProvenLeaf(r.u(32), b"", _take_branch(r, WITHDRAWALS_DEPTH))
            ),
        )
        r.end()
        _check_order(witness)
    except ValueError as error:
        raise WitnessRefused(WitnessFault.FORM, f"no witness: {error}") from error
    return witness


def _take_list(r: Reader, take: Callable[[], T]) -> tuple[T, ...]:
    return tuple(take() for _ in range(r.u(8)))


def _take_branch(r: Reader, depth: int) -> tuple[bytes, ...]:
    branch, used = expand_branch(depth, r.data[r.offset :])
    r.raw(used)
    return branch


def _take_leaf(r: Reader, key_bits: int, depth: int) -> ProvenLeaf:
    return ProvenLeaf(r.u(key_bits), r.raw(r.u(16)), _take_branch(r, depth))


def _take_rows(r: Reader) -> ProvenRows:
    rows = _take_list(r, lambda: (r.u(8), r.raw(r.u(16))))
    check_ascending([key for key, _ in rows], "rows")
    return ProvenRows(dict(rows), tuple(r.raw(32) for _ in range(r.u(16))))


def _take_order(r: Reader) -> ProvenOrder:
    place = (r.u(16), r.u(8), r.u(64))
    return ProvenOrder(*place, r.raw(r.u(16)), _take_branch(r, BOOK_DEPTH))


def _check_order(w: Witness) -> None:
    lists: dict[str, Iterable[Any]] = {
        "accounts": (p.key for p in w.accounts),
        "markets": (p.key for p in w.markets),
        "orders": ((p.market, p.side, p.key) for p in w.orders),
        "withdrawals": (p.key for p in w.withdrawals),
    }
    for name, keys in lists.items():
        check_ascending(list(keys), name)
    if any(p.side > 1 for p in w.orders):
        raise NotCanonical("a side is 0 or 1")
