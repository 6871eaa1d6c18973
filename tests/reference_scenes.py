"""Situations that a history should have been in, beyond the statuses it met."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from reference_margin import is_healthy
from reference_matching import Outcome
from reference_model import Model

from state.status import Status
from state.transactions import Amend, BlockTrade, CancelAll, NewOrder, Transaction

MANY = 20


class Scene(StrEnum):
    """What happened, told by the model."""

    AMENDED_AFTER_FILLS = "an order was amended after a part of it had traded"
    AMENDED_ACROSS = "an amended order traded at once"
    AMENDED_IN_PLACE = "an order was amended where it stood"
    AMENDED_AND_ENDED = "an amended order was admitted and then ended without resting"
    CANCELLED_MANY = "more than twenty orders were cancelled at once"
    FAILED_IN_LAST_LEG = "a block trade of several legs failed in its last"
    FAILED_AT_THE_END = "a block trade of several legs failed at SETTLE"
    TRADED_FOUR_LEGS = "a block trade of four legs went through"
    CHANGED_UNDER_POSITIONS = "parameters changed under open positions"
    CHANGED_HEALTH = "new parameters left an account unhealthy that was not"
    TRADED_UNHEALTHY = "an account that was not healthy traded"


@dataclass
class Scenes:
    """Watches a model from before each operation until after it."""

    model: Model
    seen: Counter[Scene] = field(default_factory=Counter)
    traded: set[tuple[int, int, int]] = field(default_factory=set)
    healthy: set[int] = field(default_factory=set)

    def look(self) -> None:
        """Before an operation that could change who is healthy."""
        self.healthy = self._healthy()

    def after(self, tx: Transaction, outcome: Outcome) -> None:
        status, fills, steps = outcome
        if status == Status.OK and isinstance(tx, Amend):
            if (tx.account, tx.order_epoch, tx.order_sequence) in self.traded:
                self.seen[Scene.AMENDED_AFTER_FILLS] += 1
            self.seen[Scene.AMENDED_ACROSS] += bool(fills)
            self.seen[Scene.AMENDED_IN_PLACE] += steps == 1
        if isinstance(tx, Amend):
            self.seen[Scene.AMENDED_AND_ENDED] += steps > 1 and status != Status.OK
        if isinstance(tx, CancelAll):
            self.seen[Scene.CANCELLED_MANY] += steps > MANY
        if isinstance(tx, BlockTrade) and tx.count > 1 and status != Status.OK:
            self.seen[Scene.FAILED_IN_LAST_LEG] += steps == 2 + tx.count
            self.seen[Scene.FAILED_AT_THE_END] += steps == 2 + tx.count + 1
        if isinstance(tx, BlockTrade) and status == Status.OK:
            self.seen[Scene.TRADED_FOUR_LEGS] += tx.count == 4
        if isinstance(tx, NewOrder | Amend) and fills:
            self.seen[Scene.TRADED_UNHEALTHY] += not self._is_healthy(tx.account)
        for fill in fills:
            self.traded |= {(fill[5], *fill[7]), (fill[6], *fill[8])}

    def after_parameters(self, market: int) -> None:
        self.seen[Scene.CHANGED_UNDER_POSITIONS] += self.model.ledger.open_interest(market) > 0
        self.seen[Scene.CHANGED_HEALTH] += bool(self.healthy - self._healthy())

    def _healthy(self) -> set[int]:
        return {number for number in self.model.ledger.holders if self._is_healthy(number)}

    def _is_healthy(self, number: int) -> bool:
        return is_healthy(self.model.ledger, self.model.markets, number)
