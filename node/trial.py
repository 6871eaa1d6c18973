"""What would happen: the rules run over a layer that is thrown away.

Nothing of the state below is written. The clock may be ahead of it, as it will be when a
transaction arrives, and the batch has room for whatever comes.
"""

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from msgspec import Struct

from node.sequencing.answers import names_of
from state.accounts import Account
from state.authentication import Recover, Verifier, key_address
from state.eip712 import Domain
from state.execution import Receipt, run_transaction
from state.limits import BATCH_STEPS_MAX, SIGNATURE_BYTES
from state.markets import BoardRow, Market, board_key
from state.memory import MemoryState
from state.orders import RestingOrder
from state.store import BookKey, Changes
from state.transactions import Transaction


class Layer(Struct):
    """Everything that was written over the state below."""

    accounts: dict[int, Account]
    markets: dict[int, Market]
    rows: dict[int, BoardRow]
    orders: dict[BookKey, RestingOrder | None]

    def copied(self) -> "Layer":
        return Layer(
            *(self.accounts.copy(), self.markets.copy(), self.rows.copy(), self.orders.copy())
        )


class TrialState:
    """A state over `base` that steps are applied to; `base` is only read."""

    def __init__(self, base: MemoryState, now: int) -> None:
        self._base = base
        self._layer = Layer({}, {}, {}, {})
        self._saved: Layer | None = None
        self.machine = base.machine.copied()
        self.machine.time = max(self.machine.time, now)
        self.machine.steps_left = BATCH_STEPS_MAX - 1

    # --- reading ---

    def account(self, number: int) -> Account:
        written = self._layer.accounts.get(number)
        return self._base.account(number) if written is None else written

    def market(self, number: int) -> Market | None:
        return self._layer.markets.get(number) or self._base.market(number)

    def row(self, market: int) -> BoardRow | None:
        return self._layer.rows.get(board_key(market)) or self._base.row(market)

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        place = (market, side, key)
        if place in self._layer.orders:
            return self._layer.orders[place]
        return self._base.order(market, side, key)

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        """The best order: of what was written here, and of what below was not written over."""
        return min(chain(self._written(market, side), self._untouched(market, side)), default=None)

    def _written(self, market: int, side: int) -> Iterable[tuple[int, RestingOrder]]:
        for (in_market, on_side, key), order in self._layer.orders.items():
            if (in_market, on_side) == (market, side) and order is not None:
                yield key, order

    def _untouched(self, market: int, side: int) -> Iterator[tuple[int, RestingOrder]]:
        for key, order in self._base.book(market, side):
            if (market, side, key) not in self._layer.orders:
                yield key, order
                return

    @property
    def accounts(self) -> Mapping[int, Account]:
        """Every account, by number."""
        written = self._layer.accounts
        # A chain is gone through by way of a copy of all its keys.
        return ChainMap(written, self._base.accounts) if written else self._base.accounts

    @property
    def markets(self) -> dict[int, Market]:
        """Every market, by number."""
        return self._base.markets | self._layer.markets

    # --- writing ---

    def apply(self, changes: Changes) -> None:
        """Write what a step wrote; SAVE keeps what stands, RESTORE brings it back."""
        layer = self._layer
        if changes.rewind == "restore":
            assert self._saved is not None
            layer = self._layer = self._saved
        layer.accounts |= changes.accounts
        layer.markets |= changes.markets
        layer.rows |= changes.rows
        layer.orders |= changes.orders
        self.machine = changes.machine
        if changes.rewind is not None:
            self._saved = layer.copied() if changes.rewind == "save" else None


class Trial(Struct, frozen=True):
    """A transaction that was tried: its receipt, and the state before and after it."""

    receipt: Receipt
    before: TrialState
    after: TrialState


def tried(
    state: MemoryState,
    now: int,
    tx: Transaction,
    signature: bytes,
    verifier: Verifier,
) -> Trial:
    """`tx` as it would run at `now`, or at the venue's time where that is later."""
    after = TrialState(state, now)
    receipt = run_transaction(after, tx, signature, verifier)
    return Trial(receipt, TrialState(state, now), after)


def as_signed(state: MemoryState, domain: Domain, tx: Transaction) -> tuple[bytes, Verifier]:
    """A stand-in for the signatures of `tx`, and a verifier that takes no other.

    Good for a trial and nothing else: no verifier of a node accepts it.
    """
    names = names_of(tx)
    signatures = [bytes([at + 1]) * SIGNATURE_BYTES for at in range(len(names))]
    signers = {
        signature: key_address(state.account(number), epoch)
        for signature, (number, epoch, _) in zip(signatures, names, strict=True)
    }
    return b"".join(signatures), Verifier(domain, _recover_from(signers))


def _recover_from(signers: dict[bytes, bytes | None]) -> Recover:
    return lambda _, signature: signers[signature] or bytes(20)
