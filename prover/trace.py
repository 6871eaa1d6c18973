"""The trace of a batch: the state root after each of its steps.

Committing after every step would walk each tree once a step. Here the batch runs first and
what each step wrote is kept; then the trees are hashed once, from the leaves up, all steps
of a level in one call. Two passes do: books, accounts, board and withdrawals together,
then the markets, whose leaves hold the roots of their books.
"""

from collections.abc import Sequence
from typing import Protocol

from prover.versions import Versions, roots_by_step
from state.authentication import Verifier
from state.commitment import Commitment, FollowedState, leaf_of, state_root
from state.crypto import keccak
from state.execution import AppliedState, Batch, OnStep, run_batch
from state.machine import NO_ROOTS, Machine, SavedRoots, encode_machine
from state.markets import Market, decode_market, encode_market
from state.orders import BUY, SELL
from state.steps import Step
from state.store import Changes
from state.undo import Place

Book = tuple[int, int]


class TracedState(AppliedState, FollowedState, Protocol):
    """A state that runs batches and tells its leaves."""


def trace_batch(
    state: TracedState,
    commitment: Commitment,
    batch: Batch,
    verifier: Verifier,
    on_step: OnStep | None = None,
) -> list[bytes]:
    """Run the next batch; the state root after each step, from BOOT to HALT.

    `commitment` is to `state` as it stands. Whoever follows `state` finds it all dirty after.
    """
    record = _Record(state)

    def keep(step: Step, changes: Changes) -> None:
        record(step, changes)
        if on_step is not None:
            on_step(step, changes)

    run_batch(state, batch, verifier, keep)
    return _roots(record, commitment)


def padded(trace: Sequence[bytes], size: int) -> list[bytes]:
    """`trace` and, up to `size` entries, the fixed point: after HALT the machine stands still.

    ValueError where the trace is longer, or of nothing.
    """
    if not 0 < len(trace) <= size:
        raise ValueError(f"a trace of {len(trace)} steps cannot be padded to {size}")
    return [*trace, *[trace[-1]] * (size - len(trace))]


class _Record:
    """What each step left behind: its machine, and every leaf that it changed.

    `saves` is for each step the one whose SAVE is in force after it.
    """

    def __init__(self, state: TracedState) -> None:
        self.machines: list[Machine] = []
        self.saves: list[int | None] = []
        self.leaves: dict[Place, list[tuple[int, bytes]]] = {}
        self.markets: dict[int, list[tuple[int, Market | None]]] = {}
        self._state = state
        self._save: int | None = None
        self._since_save: set[Place] = set()

    def __call__(self, _: Step, changes: Changes) -> None:
        """To be called once the state has taken `changes`."""
        at, places = len(self.machines), _places(changes)
        if changes.rewind == "restore":
            # What it took back is not among its changes, and reads now as it did at SAVE.
            places |= self._since_save
        self._since_save |= places
        if changes.rewind is not None:
            self._save = at if changes.rewind == "save" else None
            self._since_save = set()
        for name, key in places:
            if name == "markets":
                self.markets.setdefault(key, []).append((at, self._state.market(key)))
            else:
                leaf = leaf_of(self._state, name, key)
                self.leaves.setdefault((name, key), []).append((at, leaf))
        self.machines.append(changes.machine)
        self.saves.append(self._save)


def _places(changes: Changes) -> set[Place]:
    places: set[Place] = {("accounts", number) for number in changes.accounts}
    places |= {("markets", number) for number in changes.markets}
    places |= {("rows", key) for key in changes.rows}
    places |= {("orders", place) for place in changes.orders}
    places |= {("withdrawals", withdrawal.index) for withdrawal in changes.withdrawals}
    return places


def _roots(record: _Record, commitment: Commitment) -> list[bytes]:
    trees = {"accounts": commitment.accounts, "rows": commitment.board}
    trees["withdrawals"] = commitment.withdrawals
    books = {place[:2] for name, place in record.leaves if name == "orders"}
    changed: dict[str | Book, dict[int, list[tuple[int, bytes]]]] = {}
    for (name, key), writes in record.leaves.items():
        tree, leaf = (key[:2], key[2]) if name == "orders" else (name, key)
        changed.setdefault(tree, {})[leaf] = writes
    first = roots_by_step(
        {name: (tree, changed.get(name, {})) for name, tree in trees.items()}
        | {book: (commitment.book(*book), changed[book]) for book in books}
    )
    leaves = _market_leaves(record, commitment, first)
    markets = roots_by_step({"markets": (commitment.markets, leaves)})["markets"]
    parts = [
        SavedRoots(first["accounts"].at(step), markets.at(step), first["rows"].at(step))
        for step in range(len(record.machines))
    ]
    return [_root(record, step, parts, first["withdrawals"]) for step in range(len(parts))]


def _root(record: _Record, step: int, parts: Sequence[SavedRoots], withdrawals: Versions) -> bytes:
    save, roots = record.saves[step], parts[step]
    saved = NO_ROOTS if save is None else parts[save]
    machine = encode_machine(record.machines[step], withdrawals.at(step), saved)
    return state_root(roots.accounts, roots.markets, roots.board, keccak(machine))


def _market_leaves(
    record: _Record, commitment: Commitment, roots: dict[str | Book, Versions]
) -> dict[int, list[tuple[int, bytes]]]:
    """Of every market whose own figures or whose books changed, the leaf after each such step."""
    touched = {*record.markets, *(name[0] for name in roots if isinstance(name, tuple))}
    leaves: dict[int, list[tuple[int, bytes]]] = {}
    for number in touched:
        books = [
            roots.get((number, side)) or Versions(commitment.book(number, side).root, (), ())
            for side in (BUY, SELL)
        ]
        before = commitment.markets.leaf(number)
        market = decode_market(before)[0] if before else None
        written = dict(record.markets.get(number, ()))
        for step in sorted({*written, *books[0].steps, *books[1].steps}):
            market = written.get(step, market)
            leaf = encode_market(market, books[0].at(step), books[1].at(step)) if market else b""
            leaves.setdefault(number, []).append((step, leaf))
    return leaves
