"""A state made of a witness alone: every leaf is proven before the step may read it.

This is what L1 does with a disputed step: check the witness against the root that both
sides agree on, run the one step, and see which root comes out (`prover/post_state.py`).
"""

from msgspec import Struct

from prover.refusal import WitnessFault, WitnessRefused
from prover.witness import ProvenLeaf, ProvenOrder, Witness
from state.accounts import Account, decode_account
from state.limits import (
    ACCOUNTS_DEPTH,
    BOARD_DEPTH,
    BOOK_DEPTH,
    MARKETS_DEPTH,
    WITHDRAWALS_DEPTH,
)
from state.machine import decode_machine
from state.markets import BoardRow, Market, board_key, decode_board_row, decode_market
from state.orders import RestingOrder, decode_order
from state.store import BookKey
from state.tree import calc_root, empty_root, is_leftmost, multiproof_root

EMPTY_BOOK_ROOT = empty_root(BOOK_DEPTH)


class ProvenMarket(Struct, frozen=True):
    """A market, None where it is absent, and the roots of its books, bids first."""

    market: Market | None
    book_roots: tuple[bytes, bytes] = (EMPTY_BOOK_ROOT, EMPTY_BOOK_ROOT)


class WitnessState:
    """A `PreState` from `witness`, which must prove every leaf it holds against `root`.

    WitnessRefused where it does not, and where a step asks for more than it holds.
    """

    def __init__(self, witness: Witness, root: bytes) -> None:
        if witness.state_root != root:
            found, expected = witness.state_root.hex(), root.hex()
            detail = f"the witness is of the state {found}, not of {expected}"
            raise WitnessRefused(WitnessFault.ROOT, detail)
        self.witness = witness
        try:
            self.machine, self.withdrawals_root, self.saved_roots = decode_machine(witness.machine)
            self._prove()
        except WitnessRefused:
            raise
        except ValueError as error:
            raise WitnessRefused(WitnessFault.FORM, f"a leaf is not one: {error}") from error

    def _prove(self) -> None:
        w = self.witness
        self._accounts: dict[int, Account] = {}
        for proven in w.accounts:
            _check(ACCOUNTS_DEPTH, proven, w.accounts_root, f"account {proven.key}")
            self._accounts[proven.key] = decode_account(proven.leaf)
        self._markets: dict[int, ProvenMarket] = {}
        for proven in w.markets:
            _check(MARKETS_DEPTH, proven, w.markets_root, f"market {proven.key}")
            self._markets[proven.key] = _market(proven.leaf)
        self._rows: dict[int, BoardRow | None] = {}
        if w.rows.leaves or w.rows.siblings:
            if multiproof_root(BOARD_DEPTH, w.rows.leaves, w.rows.siblings) != w.board_root:
                raise WitnessRefused(WitnessFault.ROOT, "the rows do not lead to the board's root")
            for key, leaf in w.rows.leaves.items():
                self._rows[key] = decode_board_row(leaf) if leaf else None
        self._orders: dict[BookKey, RestingOrder | None] = {}
        for order in w.orders:
            root = self.proven_market(order.market).book_roots[order.side]
            name = _order_name(order.market, order.side, order.key)
            _check(BOOK_DEPTH, order, root, name)
            place = (order.market, order.side, order.key)
            self._orders[place] = decode_order(order.leaf) if order.leaf else None
        for proven in w.withdrawals:
            name = f"withdrawal {proven.key}"
            _check(WITHDRAWALS_DEPTH, proven, self.withdrawals_root, name)

    # --- PreState ---

    def account(self, number: int) -> Account:
        if number not in self._accounts:
            raise _missing(f"account {number}")
        return self._accounts[number]

    def market(self, number: int) -> Market | None:
        return self.proven_market(number).market

    def row(self, market: int) -> BoardRow | None:
        key = board_key(market)
        if key not in self._rows:
            raise _missing(f"row {key} of the board")
        return self._rows[key]

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        place = (market, side, key)
        if place not in self._orders:
            raise _missing(_order_name(*place))
        return self._orders[place]

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        """The leaf that has nothing but empty subtrees on its left: no order is better."""
        if self.proven_market(market).book_roots[side] == EMPTY_BOOK_ROOT:
            return None
        for order in self.witness.orders:
            here = (order.market, order.side) == (market, side)
            resting = self._orders[order.market, order.side, order.key]
            if here and resting and is_leftmost(BOOK_DEPTH, order.key, order.branch):
                return order.key, resting
        raise _missing(f"the front order on side {side} of market {market}")

    def proven_market(self, number: int) -> ProvenMarket:
        """The market with the roots of its books."""
        if number not in self._markets:
            raise _missing(f"market {number}")
        return self._markets[number]


def _market(leaf: bytes) -> ProvenMarket:
    if not leaf:
        return ProvenMarket(None)
    market, bids_root, asks_root = decode_market(leaf)
    return ProvenMarket(market, (bids_root, asks_root))


def _check(depth: int, proven: ProvenLeaf | ProvenOrder, root: bytes, name: str) -> None:
    if calc_root(depth, proven.key, proven.leaf, proven.branch) != root:
        raise WitnessRefused(WitnessFault.ROOT, f"the branch of {name} does not lead to its root")


def _missing(name: str) -> WitnessRefused:
    return WitnessRefused(WitnessFault.MISSING, f"the step needs {name}, which is not proven")


def _order_name(market: int, side: int, key: int) -> str:
    return f"order {key:016x} on side {side} of market {market}"
