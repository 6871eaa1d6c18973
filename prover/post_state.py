"""The root after a step, from the witness of the state before it and what the step wrote.

Leaves are written one after the other against the running root. A branch of the witness
belongs to the state before the step, so every write also replaces the one sibling that
its path is to each branch still to come: no write is lost where two paths meet.
"""

from collections.abc import Collection, Mapping, Sequence

from prover.refusal import WitnessFault, WitnessRefused
from prover.witness import ProvenLeaf, ProvenOrder
from prover.witness_state import WitnessState
from state.accounts import encode_account
from state.commitment import state_root
from state.crypto import keccak
from state.limits import (
    ACCOUNTS_DEPTH,
    BOARD_DEPTH,
    BOOK_DEPTH,
    MARKETS_DEPTH,
    WITHDRAWALS_DEPTH,
)
from state.machine import NO_ROOTS, SavedRoots, encode_machine
from state.markets import encode_board_row, encode_market
from state.orders import BUY, SELL, encode_order
from state.store import Changes
from state.tree import calc_root, multiproof_root
from state.withdrawals import encode_withdrawal


def root_after(state: WitnessState, changes: Changes) -> bytes:
    """The state root once `changes`, which a step made over `state`, are written.

    RESTORE brings back the roots that SAVE kept, and writes nothing else.
    """
    if changes.rewind == "restore":
        roots = state.saved_roots
    else:
        roots = SavedRoots(
            accounts=_accounts_root(state, changes),
            markets=_markets_root(state, changes),
            board=_board_root(state, changes),
        )
    saved = {None: state.saved_roots, "save": roots}.get(changes.rewind, NO_ROOTS)
    machine = encode_machine(changes.machine, _withdrawals_root(state, changes), saved)
    return state_root(roots.accounts, roots.markets, roots.board, keccak(machine))


def _accounts_root(state: WitnessState, changes: Changes) -> bytes:
    written = {number: encode_account(account) for number, account in changes.accounts.items()}
    witness = state.witness
    return rewritten(ACCOUNTS_DEPTH, witness.accounts_root, witness.accounts, written)


def _markets_root(state: WitnessState, changes: Changes) -> bytes:
    """A market's leaf changes with its own figures and with the roots of its books."""
    touched = changes.markets.keys() | {market for market, _, _ in changes.orders}
    written = {number: _market_leaf(state, changes, number) for number in touched}
    witness = state.witness
    return rewritten(MARKETS_DEPTH, witness.markets_root, witness.markets, written)


def _market_leaf(state: WitnessState, changes: Changes, number: int) -> bytes:
    market = changes.market(number)
    assert market is not None, "a book is a market's"
    bids, asks = (_book_root(state, changes, number, side) for side in (BUY, SELL))
    return encode_market(market, bids, asks)


def _book_root(state: WitnessState, changes: Changes, market: int, side: int) -> bytes:
    written = {
        place[2]: encode_order(order) if order else b""
        for place, order in changes.orders.items()
        if place[:2] == (market, side)
    }
    proven = [p for p in state.witness.orders if (p.market, p.side) == (market, side)]
    before = state.proven_market(market).book_roots[side]
    return rewritten(BOOK_DEPTH, before, proven, written)


def _board_root(state: WitnessState, changes: Changes) -> bytes:
    if not changes.rows:
        return state.witness.board_root
    rows = state.witness.rows
    written = {key: encode_board_row(row) for key, row in changes.rows.items()}
    _check_proven("row", written.keys(), rows.leaves.keys())
    return multiproof_root(BOARD_DEPTH, rows.leaves | written, rows.siblings)


def _withdrawals_root(state: WitnessState, changes: Changes) -> bytes:
    written = {w.index: encode_withdrawal(w) for w in changes.withdrawals}
    proven = state.witness.withdrawals
    return rewritten(WITHDRAWALS_DEPTH, state.withdrawals_root, proven, written)


def rewritten(
    depth: int,
    root: bytes,
    proven: Sequence[ProvenLeaf] | Sequence[ProvenOrder],
    written: Mapping[int, bytes],
) -> bytes:
    """`root` once `written` is written over the leaves `proven` against it."""
    before = {p.key: p.leaf for p in proven}
    branches = {p.key: list(p.branch) for p in proven}
    _check_proven("leaf", written.keys(), branches.keys())
    for key, leaf in written.items():
        branch = branches.pop(key)
        assert calc_root(depth, key, before[key], branch) == root, "a write was lost"
        path = _path(key, leaf, branch)
        for other, siblings in branches.items():
            height = (key ^ other).bit_length() - 1
            siblings[depth - 1 - height] = path[height]
        root = path[depth]
    return root


def _path(key: int, leaf: bytes, branch: Sequence[bytes]) -> list[bytes]:
    """The hashes from the leaf, at height 0, up to the root."""
    path = [keccak(leaf)]
    for sibling in reversed(branch):
        path.append(keccak(sibling + path[-1] if key & 1 else path[-1] + sibling))
        key >>= 1
    return path


def _check_proven(name: str, written: Collection[int], proven: Collection[int]) -> None:
    for key in written:
        if key not in proven:
            detail = f"the step writes {name} {key}, which is not proven"
            raise WitnessRefused(WitnessFault.MISSING, detail)
