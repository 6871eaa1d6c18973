"""What random histories reach: nearly every answer that a trader can get, and who decides it."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from histories import History

from state.invariants import check_invariants
from state.machine import Phase
from state.margin import health
from state.status import Status
from state.steps import Step
from state.store import Changes

SEEDS = range(21, 26)
TRANSACTIONS = 2_000

ELSEWHERE = {
    # A batch of a few thousand transactions never comes near its budget.
    Status.OUT_OF_STEPS: "test_admission.py::"
    "test_an_order_that_could_outrun_the_budget_is_an_identity_step",
    # Nobody has sixty-four orders at once.
    Status.TOO_MANY_ORDERS: "test_admission.py::"
    "test_the_sixty_fifth_resting_order_is_refused_but_not_one_that_cannot_rest",
    # There are two markets, and sixteen slots.
    Status.TOO_MANY_POSITIONS: "test_admission.py::test_the_seventeenth_market_is_refused",
    # Takes 2^32 withdrawals.
    Status.WITHDRAWALS_FULL: "test_money.py::test_withdrawals_end_when_their_indices_do",
    # Takes 256 orders within one limit.
    Status.FRONTS_EXHAUSTED: "test_matching.py::test_an_order_meets_at_most_so_many_fronts",
    # ADMIT reckons with it, unless the cap was lowered since.
    Status.POSITION_TOO_LARGE: "test_caps.py::test_a_fill_may_take_a_position_up_to_its_cap",
    # Takes 2^40 orders.
    Status.BOOK_FULL: "test_endings.py::test_a_book_takes_the_last_number_and_no_more",
    # The bounds of these batches are those of time itself.
    Status.TIME_OUT_OF_BOUNDS: "test_clock.py::test_the_clock_stays_within_the_bounds_of_the_batch",
    # No listing is sent, but for one that replaces another.
    Status.MARKET_EXISTS: "test_markets.py::test_a_taken_place_on_the_board_is_not_given_twice",
}
"""Statuses that chance does not get, and the test of this folder that does."""


class Watched:
    """A history, and what its order steps decided."""

    def __init__(self, seed: int) -> None:
        self.history = History(seed)
        self.seen: Counter[str] = Counter()
        self.legs = 0
        self.venue = self.history.venue
        self.venue.on_step = self._watch
        self.history.run(TRANSACTIONS)
        check_invariants(self.venue.state)

    def _watch(self, step: Step, changes: Changes) -> None:
        if step == Step.TRANSACTION:
            self._watch_admission(changes)
        if step != Step.ORDER:
            return
        if changes.rewind is not None:
            self.seen[changes.rewind] += 1
            if self.legs:
                self.seen[f"{changes.rewind} after {min(self.legs, 2)} legs"] += 1
            self.legs = 0
        state = self.venue.state
        for fill in changes.events:
            if fill.block:
                # Between its legs a party may have less margin than it needs.
                self.legs += 1
                continue
            for who, number in (("taker", fill.taker), ("maker", fill.maker)):
                if not health(state, state.account(number)).is_healthy:
                    self.seen[f"an unhealthy {who} reduced"] += 1
                if number & 0xFF:
                    self.seen[f"a subaccount was {who}"] += 1
            for who, (epoch, _) in (("taker", fill.taker_order), ("maker", fill.maker_order)):
                if epoch:
                    self.seen[f"a session key was {who}"] += 1
        order = changes.machine.order
        if order.phase == Phase.CANCEL:
            self.seen["one of several was cancelled"] += 1
            return
        if changes.events or order.phase == Phase.IDLE or not changes.orders:
            return
        # A sweep: nothing was traded, and the front order is gone.
        [number] = changes.accounts
        reason = "own" if number == order.account else "other"
        self.seen[f"a sweep of an {reason} order"] += 1

    def _watch_admission(self, changes: Changes) -> None:
        """Only an amend changes an order in its first step, or takes one off and goes on."""
        if any(order is not None for order in changes.orders.values()):
            self.seen["an amend kept its place"] += 1
        elif changes.orders and changes.machine.order.phase == Phase.MATCH:
            self.seen["an amend lost its place"] += 1


@pytest.fixture(scope="module")
def watched() -> list[Watched]:
    return [Watched(seed) for seed in SEEDS]


def test_every_answer_that_chance_can_get_is_got(watched: list[Watched]) -> None:
    reached: Counter[Status] = Counter()
    for each in watched:
        reached += each.history.statuses
    missed = {status.name for status in Status if not reached[status]}
    assert missed <= {status.name for status in ELSEWHERE}


@pytest.mark.parametrize("status", ELSEWHERE, ids=lambda status: status.name)
def test_every_other_answer_has_a_test_of_its_own(status: Status) -> None:
    file, name = ELSEWHERE[status].split("::")
    tree = ast.parse(Path(__file__).with_name(file).read_text())
    [found] = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    named = {
        node.attr
        for node in ast.walk(found)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Status"
    }
    assert status.name in named


@pytest.mark.parametrize(
    "event",
    [
        "save",
        "keep",
        "restore",
        "keep after 1 legs",
        "keep after 2 legs",
        "restore after 1 legs",
        "restore after 2 legs",
        "a sweep of an own order",
        "a sweep of an other order",
        "an unhealthy taker reduced",
        "an unhealthy maker reduced",
        "a subaccount was taker",
        "a subaccount was maker",
        "a session key was taker",
        "a session key was maker",
        "an amend kept its place",
        "an amend lost its place",
        "one of several was cancelled",
    ],
)
def test_histories_go_everywhere_an_order_can_go(watched: list[Watched], event: str) -> None:
    assert sum(each.seen[event] for each in watched) >= 3, [each.seen for each in watched]
