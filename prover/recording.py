"""A state that remembers what a step reads of it, and makes the step's witness."""

from prover.witness import ProvenLeaf, ProvenOrder, ProvenRows, Witness
from state.accounts import Account
from state.commitment import Commitment
from state.markets import BoardRow, Market, board_key
from state.orders import RestingOrder
from state.store import BookKey, Changes, PreState
from state.tree import Tree


class RecordingState:
    """A `PreState` over another one, for a single step. `commitment` is to that other one."""

    def __init__(self, base: PreState, commitment: Commitment) -> None:
        self.base = base
        self.commitment = commitment
        self.machine = base.machine
        self.accounts: set[int] = set()
        self.markets: set[int] = set()
        self.rows: set[int] = set()
        self.orders: set[BookKey] = set()

    # --- PreState ---

    def account(self, number: int) -> Account:
        self.accounts.add(number)
        return self.base.account(number)

    def market(self, number: int) -> Market | None:
        self.markets.add(number)
        return self.base.market(number)

    def row(self, market: int) -> BoardRow | None:
        self.rows.add(board_key(market))
        return self.base.row(market)

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        self.orders.add((market, side, key))
        return self.base.order(market, side, key)

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        # Of an empty book the market's own leaf is the proof: it holds the empty root.
        self.markets.add(market)
        front = self.base.front(market, side)
        if front is not None:
            self.orders.add((market, side, front[0]))
        return front

    # --- the witness ---

    def witness(self, changes: Changes) -> Witness:
        """Of the step that read this state and wrote `changes`."""
        orders = self.orders | changes.orders.keys()
        # A book's root stands in its market's leaf, so the leaf comes with every order.
        markets = self.markets | changes.markets.keys() | {order[0] for order in orders}
        trees = self.commitment
        return Witness(
            machine=trees.machine,
            accounts_root=trees.accounts.root,
            markets_root=trees.markets.root,
            board_root=trees.board.root,
            accounts=_proven(trees.accounts, self.accounts | changes.accounts.keys()),
            markets=_proven(trees.markets, markets),
            rows=_proven_rows(trees.board, self.rows | changes.rows.keys()),
            orders=tuple(_proven_order(trees, order) for order in sorted(orders)),
            withdrawals=_proven(trees.withdrawals, {w.index for w in changes.withdrawals}),
        )


def _proven(tree: Tree, keys: set[int]) -> tuple[ProvenLeaf, ...]:
    return tuple(ProvenLeaf(key, tree.leaf(key), tree.branch(key)) for key in sorted(keys))


def _proven_rows(board: Tree, keys: set[int]) -> ProvenRows:
    return ProvenRows({key: board.leaf(key) for key in sorted(keys)}, board.multiproof(keys))


def _proven_order(trees: Commitment, order: BookKey) -> ProvenOrder:
    market, side, key = order
    book = trees.book(market, side)
    return ProvenOrder(market, side, key, book.leaf(key), book.branch(key))
