"""What random histories reach: nearly every answer that a trader can get, and who decides it."""

from collections import Counter

import pytest
from histories import History

from state.invariants import check_invariants
from state.margin import health
from state.status import Status
from state.steps import Step
from state.store import Changes

SEEDS = range(21, 26)
TRANSACTIONS = 2_000

NOT_BY_CHANCE = {
    Status.OUT_OF_STEPS: "a batch of a few thousand transactions never comes near its budget",
    Status.TOO_MANY_ORDERS: "nobody has sixty-four orders at once",
    Status.TOO_MANY_POSITIONS: "there are two markets, and sixteen slots",
    Status.WITHDRAWALS_FULL: "takes 2^32 withdrawals",
    Status.FRONTS_EXHAUSTED: "takes 256 orders within one limit",
    Status.POSITION_TOO_LARGE: "ADMIT reckons with it, unless the cap was lowered since",
    Status.BOOK_FULL: "takes 2^40 orders",
    Status.TIME_OUT_OF_BOUNDS: "the bounds of these batches are those of time itself",
    Status.BAD_LISTING: "no listing is sent",
    Status.MARKET_EXISTS: "no listing is sent",
    Status.BAD_ITEM: "every deposit is one that L1 makes",
}
"""Held by tests of their own, in this folder."""


class Watched:
    """A history, and what its order steps decided."""

    def __init__(self, seed: int) -> None:
        self.history = History(seed)
        self.seen: Counter[str] = Counter()
        self.venue = self.history.venue
        self.venue.on_step = self._watch
        self.history.run(TRANSACTIONS)
        check_invariants(self.venue.state)

    def _watch(self, step: Step, changes: Changes) -> None:
        if step != Step.ORDER:
            return
        if changes.rewind is not None:
            self.seen[changes.rewind] += 1
        state = self.venue.state
        for fill in changes.events:
            for who, number in (("taker", fill.taker), ("maker", fill.maker)):
                if not health(state, state.account(number)).is_healthy:
                    self.seen[f"an unhealthy {who} reduced"] += 1
                if number & 0xFF:
                    self.seen[f"a subaccount was {who}"] += 1
            for who, (epoch, _) in (("taker", fill.taker_order), ("maker", fill.maker_order)):
                if epoch:
                    self.seen[f"a session key was {who}"] += 1
        order = changes.machine.order
        if changes.events or order.phase == 0 or not changes.orders:
            return
        # A sweep: nothing was traded, and the front order is gone.
        [number] = changes.accounts
        reason = "own" if number == order.account else "other"
        self.seen[f"a sweep of an {reason} order"] += 1


@pytest.fixture(scope="module")
def watched() -> list[Watched]:
    return [Watched(seed) for seed in SEEDS]


def test_every_answer_that_chance_can_get_is_got(watched: list[Watched]) -> None:
    reached: Counter[Status] = Counter()
    for each in watched:
        reached += each.history.statuses
    missed = {status.name for status in Status if not reached[status]}
    assert missed == {status.name for status in NOT_BY_CHANCE}


@pytest.mark.parametrize(
    "event",
    [
        "save",
        "keep",
        "restore",
        "a sweep of an own order",
        "a sweep of an other order",
        "an unhealthy taker reduced",
        "an unhealthy maker reduced",
        "a subaccount was taker",
        "a subaccount was maker",
        "a session key was taker",
        "a session key was maker",
    ],
)
def test_histories_go_everywhere_an_order_can_go(watched: list[Watched], event: str) -> None:
    assert sum(each.seen[event] for each in watched) >= 3, [each.seen for each in watched]
