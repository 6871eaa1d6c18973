"""Reading a witness: only what `Witness.encode` writes, and never more than a step can need."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from prover.refusal import WitnessFault, WitnessRefused
from prover.witness import (
    HASH_BYTES,
    MACHINE_BYTES,
    ProvenLeaf,
    ProvenOrder,
    ProvenRows,
    Witness,
)
from state.limits import ACCOUNTS_DEPTH, BOOK_DEPTH, MARKETS_DEPTH, WITHDRAWALS_DEPTH
from state.packing import NotCanonical, Reader, check_ascending
from state.tree import expand_branch

STEP_ACCOUNTS_MAX = 2
STEP_MARKETS_MAX = 1
STEP_ROWS_MAX = 32
STEP_ORDERS_MAX = 2
STEP_WITHDRAWALS_MAX = 1

T = TypeVar("T")


def decode_witness(data: bytes) -> Witness:
    """The witness of these bytes. WitnessRefused (FORM) for any others than `encode` writes."""
    try:
        r = Reader(data)
        machine = r.raw(MACHINE_BYTES)
        roots = [r.raw(HASH_BYTES) for _ in range(3)]
        accounts = _take_list(r, "accounts", STEP_ACCOUNTS_MAX, lambda: (r.u(32), _leaf(r)))
        markets = _take_list(r, "markets", STEP_MARKETS_MAX, lambda: (r.u(16), _leaf(r)))
        rows = _take_list(r, "rows", STEP_ROWS_MAX, lambda: (r.u(8), _leaf(r)))
        orders = _take_list(r, "orders", STEP_ORDERS_MAX, lambda: (_place(r), _leaf(r)))
        withdrawals = _take_list(r, "withdrawals", STEP_WITHDRAWALS_MAX, lambda: (r.u(32), b""))
        witness = Witness(
            machine=machine,
            accounts_root=roots[0],
            markets_root=roots[1],
            board_root=roots[2],
            accounts=tuple(_proven(r, key, leaf, ACCOUNTS_DEPTH) for key, leaf in accounts),
            markets=tuple(_proven(r, key, leaf, MARKETS_DEPTH) for key, leaf in markets),
            rows=ProvenRows(dict(rows), _siblings(r, rows)),
            orders=tuple(
                ProvenOrder(*place, leaf, _branch(r, BOOK_DEPTH)) for place, leaf in orders
            ),
            withdrawals=tuple(
                _proven(r, key, leaf, WITHDRAWALS_DEPTH) for key, leaf in withdrawals
            ),
        )
        r.end()
    except ValueError as error:
        raise WitnessRefused(WitnessFault.FORM, f"no witness: {error}") from error
    return witness


def _take_list(
    r: Reader, name: str, maximum: int, take: Callable[[], tuple[T, bytes]]
) -> list[tuple[T, bytes]]:
    """Keys and leaves, the keys strictly ascending."""
    count = r.u(8)
    if count > maximum:
        raise NotCanonical(f"{count} {name}, and no step needs more than {maximum}")
    entries = [take() for _ in range(count)]
    check_ascending([key for key, _ in entries], name)
    return entries


def _leaf(r: Reader) -> bytes:
    return r.raw(r.u(16))


def _place(r: Reader) -> tuple[int, int, int]:
    market, side, key = r.u(16), r.u(8), r.u(64)
    if side > 1:
        raise NotCanonical(f"a side is 0 or 1, not {side}")
    return market, side, key


def _branch(r: Reader, depth: int) -> tuple[bytes, ...]:
    branch, used = expand_branch(depth, r.data[r.offset :])
    r.raw(used)
    return branch


def _proven(r: Reader, key: int, leaf: bytes, depth: int) -> ProvenLeaf:
    return ProvenLeaf(key, leaf, _branch(r, depth))


def _siblings(r: Reader, rows: Sequence[object]) -> tuple[bytes, ...]:
    count = r.u(16)
    if count and not rows:
        raise NotCanonical(f"{count} siblings of no row")
    return tuple(r.raw(HASH_BYTES) for _ in range(count))
