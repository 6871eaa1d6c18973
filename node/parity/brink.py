"""Moving an account's cash to where the next step just still, or just no longer, goes one way."""

from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from prover.facts import Facts
from prover.step import StepInput, take_step
from state.accounts import Account
from state.authentication import Verifier
from state.markets import BoardRow, Market
from state.memory import MemoryState
from state.orders import RestingOrder
from state.steps import Step, next_step
from state.store import Changes

CASH_SPAN = 2**100


class Supposed:
    """`base`, if an account had other cash; remembers which accounts were asked for."""

    def __init__(self, base: MemoryState, number: int | None = None, cash: int = 0) -> None:
        self.base, self.machine = base, base.machine
        self.number, self.cash = number, cash
        self.asked: set[int] = set()

    def account(self, number: int) -> Account:
        self.asked.add(number)
        found = self.base.account(number)
        return replace(found, cash=self.cash) if number == self.number else found

    def market(self, number: int) -> Market | None:
        return self.base.market(number)

    def row(self, market: int) -> BoardRow | None:
        return self.base.row(market)

    def order(self, market: int, side: int, key: int) -> RestingOrder | None:
        return self.base.order(market, side, key)

    def front(self, market: int, side: int) -> tuple[int, RestingOrder] | None:
        return self.base.front(market, side)


def to_the_brink(
    state: MemoryState, given: StepInput, facts: Facts, verifier: Verifier, random: Random
) -> None:
    """Write such cash, to the nano-USD, if one of the accounts that the step reads has any."""
    if next_step(state.machine) not in (Step.TRANSACTION, Step.ORDER):
        return

    def course(supposed: Supposed) -> object:
        return _course(take_step(supposed, given, facts, verifier))

    first = Supposed(state)
    now = course(first)
    present = sorted(n for n in first.asked if not state.account(n).is_absent)
    if not present:
        return
    number = random.choice(present)
    held = state.account(number).cash
    for distance in random.sample((-CASH_SPAN, CASH_SPAN), 2):
        if course(Supposed(state, number, held + distance)) != now:
            there = held + distance
            other = _bisect(held, there, lambda c: course(Supposed(state, number, c)) == now)
            _write_cash(state, number, random.choice(other))
            return


def _course(changes: Changes) -> object:
    """Which way a step went, apart from the amounts."""
    order = changes.machine.order
    places = (sorted(changes.accounts), sorted(changes.orders), len(changes.withdrawals))
    return changes.machine.status, order.phase, order.filled, changes.rewind, *places


def _bisect(here: int, there: int, is_as_now: Callable[[int], bool]) -> tuple[int, int]:
    """Neighbours between `here`, which is as now, and `there`, which is not; one of either."""
    while abs(there - here) > 1:
        middle = (here + there) >> 1
        if is_as_now(middle):
            here = middle
        else:
            there = middle
    return here, there


def _write_cash(state: MemoryState, number: int, cash: int) -> None:
    changes = Changes(state)
    changes.write_account(number, replace(state.account(number), cash=cash))
    state.apply(changes)
