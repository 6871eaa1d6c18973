"""Positions with entry and profit: every nano of cash is accounted for, from fills alone."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tape_world import Told

from node.tape.holdings import after_fill, entry_price, unrealised
from node.tape.records import Holding
from state.margin import health
from state.orders import RestingOrder

SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else range(1, 9)
FLAT = Holding()

fills = st.lists(
    st.tuples(
        st.integers(-(2**48), 2**48).filter(bool), st.integers(1, 2**56 - 1), st.integers(0, 2**40)
    ),
    max_size=30,
)


def traded(*steps: tuple[int, int], holding: Holding = FLAT) -> tuple[Holding, list[int | None]]:
    """After fills of (signed lots, price), without fees, and what each realised."""
    realised = []
    for at, (lots, price) in enumerate(steps, 1):
        holding, profit = after_fill(holding, signed_lots=lots, price=price, fee=0, time=at)
        realised.append(profit)
    return holding, realised


@pytest.mark.parametrize(
    ("steps", "lots", "cost", "realised"),
    [
        ([(10, 100)], 10, 1_000, [0]),
        ([(10, 100), (10, 110)], 20, 2_100, [0, 0]),
        ([(10, 100), (-4, 130)], 6, 600, [0, 120]),
        ([(10, 100), (10, 110), (-20, 105)], 0, 0, [0, 0, 0]),
        ([(-10, 100)], -10, -1_000, [0]),
        ([(-10, 100), (4, 90)], -6, -600, [0, 40]),
        ([(-10, 100), (4, 130)], -6, -600, [0, -120]),
        ([(10, 100), (-15, 90)], -5, -450, [0, -100]),
        ([(-10, 100), (15, 90)], 5, 450, [0, 100]),
    ],
)
def test_average_cost(
    steps: list[tuple[int, int]], lots: int, cost: int, realised: list[int]
) -> None:
    holding, profits = traded(*steps)
    assert (holding.lots, holding.cost, profits) == (lots, cost, realised)


def test_what_rounding_leaves_is_realised_with_the_last_lot() -> None:
    """Three lots for 100: a third of the cost is 33, and the last one bears 34."""
    holding, profits = traded((1, 30), (2, 35), (-1, 50), (-1, 50), (-1, 50))
    assert profits == [0, 0, 17, 17, 16] and holding.cost == 0
    short, losses = traded((-1, 30), (-2, 35), (1, 50), (1, 50), (1, 50))
    assert losses == [0, 0, -17, -17, -16] and short.cost == 0


def test_since_is_when_the_position_began() -> None:
    opened, _ = traded((10, 100), (5, 100), (-3, 90))
    assert opened.since == 1
    turned, _ = traded((10, 100), (5, 100), (-20, 90))
    assert turned.since == 3
    assert traded((10, 100), (-10, 100))[0].since == 0


def test_a_cost_that_is_not_known_is_not_made_up() -> None:
    late = Holding(lots=10, cost=None)
    held, profits = traded((-4, 100), (2, 100), holding=late)
    assert (held.lots, held.cost, profits) == (8, None, [None, 0])
    assert entry_price(held) is None and unrealised(held, 100) is None
    turned, profits = traded((-10, 100), (-2, 90), holding=held)
    assert (turned.lots, turned.cost, profits[0]) == (-4, -380, None)
    assert entry_price(turned) == 95


@given(fills)
def test_cash_is_cost_and_profit_and_fees(steps: list[tuple[int, int, int]]) -> None:
    holding, cash, profit = FLAT, 0, 0
    for lots, price, fee in steps:
        cash -= lots * price + fee
        holding, realised = after_fill(holding, signed_lots=lots, price=price, fee=fee, time=1)
        assert realised is not None and holding.cost is not None
        profit += realised
        assert cash == -holding.cost + holding.realised - holding.fees
        assert holding.realised == profit
        assert (holding.cost > 0) is (holding.lots > 0) and (holding.cost < 0) is (holding.lots < 0)
    gained = unrealised(holding, 77)
    assert gained is not None
    assert cash + holding.lots * 77 == holding.realised + gained - holding.fees


@given(fills.filter(bool), st.integers(1, 2**56 - 1))
def test_closing_at_a_price_realises_what_was_unrealised_there(
    steps: list[tuple[int, int, int]], mark: int
) -> None:
    holding, _ = traded(*[(lots, price) for lots, price, _ in steps])
    if holding.lots:
        expected = unrealised(holding, mark)
        closed, (realised,) = traded((-holding.lots, mark), holding=holding)
        assert realised == expected and closed.cost == 0


@given(fills.filter(bool))
def test_the_entry_price_lies_within_what_was_paid(steps: list[tuple[int, int, int]]) -> None:
    holding, _ = traded(*[(lots, price) for lots, price, _ in steps])
    entry, prices = entry_price(holding), [price for _, price, _ in steps]
    if entry is not None:
        assert min(prices) <= entry <= max(prices)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_account_of_a_random_history_adds_up(seed: int) -> None:
    """cash = banked - cost + realised - fees; equity = banked + realised + unrealised - fees."""
    told = Told(seed, 400)
    state, tape = told.state, told.tape
    profits = 0
    for number, account in state.accounts.items():
        held = tape.holdings(number)
        lots = {position.market: position.lots for position in account.positions if position.lots}
        assert {market: h.lots for market, h in held.items() if h.lots} == lots, f"seed {seed}"
        cash = equity = told.banked[number]
        for market, holding in held.items():
            row = state.row(market)
            assert row is not None and holding.cost is not None
            gained = unrealised(holding, row.mark)
            assert gained is not None
            cash += holding.realised - holding.fees - holding.cost
            equity += holding.realised - holding.fees + gained
        assert cash == account.cash, f"seed {seed}: account {number}"
        assert equity == health(state, account).equity
        profits += any(holding.realised for holding in held.values())
        trades = tape.fills_of(number, None, None, 10**6)
        own = [t.taker_realised if t.fill.taker == number else t.maker_realised for t in trades]
        assert sum(map(int, own)) == sum(h.realised for h in held.values())  # type: ignore[arg-type]
    assert profits > 3, f"seed {seed}: nobody closed anything"
    assert sum(h.fees for h in tape.tables.rows["holdings"].values()) == state.machine.sums.fees


@pytest.mark.parametrize("seed", SEEDS)
def test_orders_say_what_rests_and_what_was_filled(seed: int) -> None:
    told = Told(seed, 400)
    books: dict[tuple[int, int, int], RestingOrder] = {
        (order.account, order.epoch, order.sequence): order
        for book in told.state.books.values()
        for _, order in book
    }
    orders = list(told.tape.tables.rows["orders"].values())
    resting = {order.name: order for order in orders if order.status == "resting"}
    assert resting.keys() == books.keys(), f"seed {seed}"
    for name, order in resting.items():
        assert (order.open, order.expiry) == (books[name].lots, books[name].expiry)
    lots = sum(
        t.fill.lots * (2 - 2 * t.fill.block) for t in told.tape.tables.rows["trades"].values()
    )
    assert sum(order.filled for order in orders) == lots
    for order in orders:
        assert order.status, order
        assert (order.open > 0) is (order.status == "resting")
        assert bool(order.reason) is (
            order.status in ("refused", "dropped", "cancelled", "removed")
        )
        assert order.status != "refused" or order.filled == 0
        assert order.filled + order.open <= order.lots
    assert {order.status for order in orders} > {"refused", "resting", "filled", "dropped"}
