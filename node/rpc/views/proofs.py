"""Merkle proofs of the state as it stands: `trie.smt.calc_root` verifies each of them."""

from node.rpc.params import AccountProofParams, BestOrderParams
from node.rpc.rollup_results import AccountProof, BestOrderProof, MarketProof, Roots
from node.rpc.views.lookup import find_market
from node.rpc.wire import Hash, Hex
from node.view import VenueView
from state.batch import VERSION
from state.commitment import Commitment
from state.crypto import ZERO_HASH
from state.eip712 import SIDES
from state.tree import Tree


def account_proof(view: VenueView, params: AccountProofParams) -> AccountProof:
    """That an account is what it is, or that it is absent."""
    commitment = view.commitment()
    tree, number = commitment.accounts, int(params.account)
    return AccountProof(
        account=number,
        key=_key(tree, number),
        leaf=Hex(tree.leaf(number)),
        siblings=_siblings(tree, number),
        roots=_roots(view, commitment),
    )


def best_order_proof(view: VenueView, params: BestOrderParams) -> BestOrderProof:
    """That nothing in a book comes before its best order: the leftmost leaf that is there.

    In an empty book every leaf is absent, also the last one, and all to the left of it.
    """
    market, _ = find_market(view, params.market)
    commitment = view.commitment()
    book = commitment.book(market.market, SIDES.index(params.side))
    front = book.first()
    key, leaf = front if front is not None else (2**book.depth - 1, b"")
    return BestOrderProof(
        market=_market_proof(commitment, market.market),
        side=params.side,
        empty=front is None,
        key=_key(book, key),
        leaf=Hex(leaf),
        siblings=_siblings(book, key),
        book_root=Hash(book.root),
        roots=_roots(view, commitment),
    )


def _market_proof(commitment: Commitment, number: int) -> MarketProof:
    tree = commitment.markets
    return MarketProof(
        market=number,
        key=_key(tree, number),
        leaf=Hex(tree.leaf(number)),
        siblings=_siblings(tree, number),
    )


def _roots(view: VenueView, commitment: Commitment) -> Roots:
    machine = view.state.machine
    return Roots(
        batch=machine.batch,
        sealed=machine.batch_hash == ZERO_HASH,
        version=VERSION,
        accounts_root=Hash(commitment.accounts.root),
        markets_root=Hash(commitment.markets.root),
        board_root=Hash(commitment.board.root),
        machine=Hex(commitment.machine),
        state_root=Hash(commitment.state_root),
    )


def _key(tree: Tree, key: int) -> Hex:
    return Hex(key.to_bytes(tree.depth // 8, "big"))


def _siblings(tree: Tree, key: int) -> list[Hash]:
    return [Hash(sibling) for sibling in tree.branch(key)]
