"""How much of an order a fill takes, and how many fronts and steps an order can take."""

import pytest
from builders import Venue
from meeting import MARK, Meeting

from state.invariants import check_invariants
from state.limits import ACCOUNT_ORDERS_MAX, ORDER_FRONTS_MAX, ORDER_STEPS_MAX
from state.orders import BUY, SELL, Life
from state.status import Status
from state.steps import Step, next_step


@pytest.mark.parametrize("side", [BUY, SELL], ids=["a buy", "a sell"])
@pytest.mark.parametrize(
    ("lots", "reducible", "resting", "gives", "fill", "status"),
    [
        (10, None, 10, None, 10, Status.OK),
        (7, None, 10, None, 7, Status.OK),
        (10, None, 7, None, 7, Status.REMAINDER_DROPPED),
        (10, 4, 10, None, 4, Status.NOTHING_LEFT_TO_REDUCE),
        (10, 4, 3, None, 3, Status.REMAINDER_DROPPED),
        (4, 4, 10, None, 4, Status.OK),
        (10, None, 10, 4, 4, Status.REMAINDER_DROPPED),
        (3, None, 10, 4, 3, Status.OK),
        (10, 6, 10, 4, 4, Status.REMAINDER_DROPPED),
        (10, 4, 10, 6, 4, Status.NOTHING_LEFT_TO_REDUCE),
        (5, 5, 5, 5, 5, Status.OK),
    ],
)
def test_a_fill_is_clipped_to_what_each_side_can_reduce(
    side: int,
    lots: int,
    reducible: int | None,
    resting: int,
    gives: int | None,
    fill: int,
    status: Status,
) -> None:
    m = Meeting(side)
    if reducible is not None:
        m.give("bob", 1 - side, reducible)
    if gives is not None:
        m.give("alice", side, resting)
    m.rests("alice", resting, reduce_only=gives is not None)
    if gives is not None:
        # Since the order was placed, most of what it was to reduce has gone another way.
        m.venue.order("dave", side, resting - gives, MARK - m.towards)
        sold = m.venue.order("alice", 1 - side, resting - gives, MARK - m.towards, life=Life.IOC)
        assert sold.status == (Status.OK if resting > gives else Status.LOTS_OUT_OF_RANGE)
    receipt = m.meets("IOC", lots, reduce_only=reducible is not None)
    assert [f.lots for f in receipt.fills] == [fill] and receipt.status == status
    if reducible is not None:
        assert abs(m.venue.lots("bob")) == reducible - fill
    check_invariants(m.venue.state)


# --- how many fronts, how many steps ---


def crowded(asks: int) -> Venue:
    """So many asks of one lot at the mark, and bob."""
    venue = Venue()
    venue.open("bob", 10_000)
    for maker in range(-(-asks // ACCOUNT_ORDERS_MAX)):
        venue.open(f"maker {maker}", 1_000)
        for _ in range(min(ACCOUNT_ORDERS_MAX, asks - maker * ACCOUNT_ORDERS_MAX)):
            assert venue.sell(f"maker {maker}", 1, MARK).status == Status.OK
    return venue


@pytest.mark.parametrize(
    ("asks", "lots", "life", "status", "filled", "rests"),
    [
        (257, 255, Life.GTC, Status.OK, 255, 0),
        (257, 256, Life.GTC, Status.OK, 256, 0),
        (257, 257, Life.GTC, Status.FRONTS_EXHAUSTED, 256, 0),
        (256, 257, Life.GTC, Status.OK, 256, 1),
        (256, 257, Life.IOC, Status.REMAINDER_DROPPED, 256, 0),
        (257, 257, Life.IOC, Status.FRONTS_EXHAUSTED, 256, 0),
        (257, 256, Life.FOK, Status.OK, 256, 0),
        (257, 257, Life.FOK, Status.KILLED, 0, 0),
        (256, 257, Life.FOK, Status.KILLED, 0, 0),
    ],
)
def test_an_order_at_the_edge_of_its_fronts_fits_the_smallest_budget_it_is_admitted_with(
    asks: int, lots: int, life: Life, status: Status, filled: int, rests: int
) -> None:
    venue = crowded(asks)
    venue.state.machine.steps_left = ORDER_STEPS_MAX + 1
    receipt = venue.buy("bob", lots, MARK, life=life)
    assert (receipt.status, venue.lots("bob")) == (status, filled)
    met = min(asks, lots, ORDER_FRONTS_MAX)
    assert receipt.steps == 1 + (life == Life.FOK) + met + 1 <= ORDER_STEPS_MAX
    assert len(venue.state.book(0, SELL)) == asks - filled
    assert sum(order.lots for _, order in venue.state.book(0, BUY)) == rests
    if life == Life.FOK and met == ORDER_FRONTS_MAX:
        assert next_step(venue.state.machine) == Step.HALT, "every step of the worst case"
    check_invariants(venue.state)


@pytest.mark.parametrize("life", list(Life))
@pytest.mark.parametrize(
    ("left", "status"),
    [
        (ORDER_STEPS_MAX, Status.OUT_OF_STEPS),
        (ORDER_STEPS_MAX + 1, Status.OK),
        (ORDER_STEPS_MAX + 2, Status.OK),
    ],
)
def test_an_order_is_admitted_while_its_worst_case_and_halt_fit(
    life: Life, left: int, status: Status
) -> None:
    venue = crowded(2)
    venue.state.machine.steps_left = left
    before = venue.state.account(1 << 8)
    ticks = MARK - 1 if life == Life.POST_ONLY else MARK
    assert venue.buy("bob", 2, ticks, life=life).status == status
    if status == Status.OUT_OF_STEPS:
        assert venue.state.account(1 << 8) == before
