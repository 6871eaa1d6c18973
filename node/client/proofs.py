"""What a node says about the state, held against a state root that L1 has.

Whoever has the root needs to trust nobody: a leaf and its branch lead to that root or they do
not. `node.client.on_l1` reads roots off L1.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from node.rpc.rollup_results import AccountProof, BestOrderProof, Roots
from state.accounts import Account, decode_account
from state.commitment import state_root as root_of
from state.crypto import keccak
from state.eip712 import SIDES
from state.limits import ACCOUNTS_DEPTH, BOOK_DEPTH, MARKETS_DEPTH
from state.markets import decode_market
from state.orders import RestingOrder, decode_order, key_ticks
from state.packing import NotCanonical
from state.tree import calc_root, is_leftmost

T = TypeVar("T")

HASH_BYTES = 32


class BadProof(Exception):
    """What was told does not follow from the root: the node is wrong, or lies.

    `reason` is `not_asked_for`, `wrong_form`, `wrong_root` or `not_the_best`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}; do not act on it, and ask another node")
        self.reason = reason


class BestOrder(Struct, frozen=True):
    """The first order of a side. USD per coin = ticks x tick / 10^9 x 10^lot exponent."""

    ticks: int
    order: RestingOrder


def verify_account_proof(proof: AccountProof, state_root: bytes, account: int) -> Account:
    """The account as it is under `state_root`; an absent one is `state.accounts.ABSENT`.

    BadProof where that is not proved.
    """
    if int.from_bytes(proof.key, "big") != account or len(proof.key) * 8 != ACCOUNTS_DEPTH:
        raise BadProof("not_asked_for", f"the proof is not about account {account}")
    _check_roots(proof.roots, state_root)
    root = _root(ACCOUNTS_DEPTH, account, proof.leaf, proof.siblings)
    _check("the account", root, proof.roots.accounts_root)
    return _read(decode_account, proof.leaf)


def verify_best_order_proof(
    proof: BestOrderProof, state_root: bytes, market: int, side: str
) -> BestOrder | None:
    """The best order of a side of a market under `state_root`, None where there is none.

    Nothing in the book comes before it: every sibling on the left of its branch is empty.
    BadProof where that is not proved.
    """
    asked = market.to_bytes(MARKETS_DEPTH // 8, "big")
    if side not in SIDES or proof.side != side or proof.market.key != asked:
        raise BadProof(
            "not_asked_for", f"the proof is not about the {side} side of market {market}"
        )
    _check_roots(proof.roots, state_root)
    root = _root(MARKETS_DEPTH, market, proof.market.leaf, proof.market.siblings)
    _check("the market", root, proof.roots.markets_root)
    _, *books = _read(decode_market, proof.market.leaf)
    place = SIDES.index(side)
    if len(proof.key) * 8 != BOOK_DEPTH:
        raise BadProof("wrong_form", f"a key of {len(proof.key)} bytes in a book")
    key = int.from_bytes(proof.key, "big")
    _check("the order", _root(BOOK_DEPTH, key, proof.leaf, proof.siblings), books[place])
    is_last = key == 2**BOOK_DEPTH - 1
    if not is_leftmost(BOOK_DEPTH, key, proof.siblings) or not (proof.leaf or is_last):
        raise BadProof("not_the_best", f"another order of market {market} may come before it")
    if not proof.leaf:
        return None
    return BestOrder(key_ticks(place, key), _read(decode_order, proof.leaf))


def _check_roots(roots: Roots, state_root: bytes) -> None:
    parts = (roots.accounts_root, roots.markets_root, roots.board_root)
    _check("the state", root_of(*parts, keccak(roots.machine)), state_root)


def _check(what: str, found: bytes, expected: bytes) -> None:
    if found != expected:
        shown = f"0x{found.hex()}, where 0x{bytes(expected).hex()} was expected"
        raise BadProof("wrong_root", f"{what} leads to root {shown}")


def _root(depth: int, key: int, leaf: bytes, siblings: Sequence[bytes]) -> bytes:
    if len(siblings) != depth:
        raise BadProof("wrong_form", f"{len(siblings)} siblings where {depth} were expected")
    if any(len(sibling) != HASH_BYTES for sibling in siblings):
        raise BadProof("wrong_form", f"a sibling has other than {HASH_BYTES} bytes")
    return calc_root(depth, key, bytes(leaf), [bytes(sibling) for sibling in siblings])


def _read(decode: Callable[[bytes], T], leaf: bytes) -> T:
    try:
        return decode(bytes(leaf))
    except NotCanonical as fault:
        raise BadProof("wrong_form", f"the leaf is none: {fault}") from None
