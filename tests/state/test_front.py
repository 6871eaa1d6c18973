"""The front of the book: rule by rule, in their order, for every life of who meets it."""

from collections.abc import Callable
from typing import Any

import pytest
from builders import NOW
from meeting import LIVES, MARK, MARKETS, Meeting
from msgspec.structs import replace

from state.invariants import check_invariants
from state.orders import BUY, SELL, Life, SelfTrade
from state.status import Status
from state.steps import Step
from state.transactions import Header

SHIFT = 4_000_000
"""By so much the price moves against who has sold, or bought, at the mark."""

THREE_CENTS = 30_000
"""Carries ten lots, worth half a dollar, until such a move takes four cents."""

SIDES = pytest.mark.parametrize("side", [BUY, SELL], ids=["a buy", "a sell"])

ALICE, BOB, CAROL, DAVE = 1, 2, 3, 4


def an_expired_order(m: Meeting) -> None:
    m.rests("alice", 10, expiry=NOW + 5)
    m.venue.run(Header(NOW + 6))


def an_own_order(m: Meeting) -> None:
    m.rests("bob", 10)


def an_order_with_nothing_to_reduce(m: Meeting) -> None:
    m.give("alice", m.side, 10)
    m.rests("alice", 10, 1, reduce_only=True)
    m.rests("alice", 10)
    assert m.venue.order("dave", m.side, 10, MARK).status == Status.OK


def an_order_without_margin(m: Meeting) -> None:
    m.venue.open_with("poor", THREE_CENTS)
    m.rests("poor", 10)
    m.venue.price(50_000_000 + SHIFT * m.towards)


def an_order_past_the_position_cap(m: Meeting) -> None:
    m.give("alice", 1 - m.side, 30)
    m.rests("alice", 10)
    m.venue.state.markets[0] = replace(m.venue.state.markets[0], position_max=30)


DEAD = [
    an_expired_order,
    an_own_order,
    an_order_with_nothing_to_reduce,
    an_order_without_margin,
    an_order_past_the_position_cap,
]


@SIDES
@pytest.mark.parametrize("dead", DEAD, ids=lambda dead: dead.__name__)
@pytest.mark.parametrize(
    ("life", "status", "filled"),
    [
        ("GTC", Status.OK, 10),
        ("IOC", Status.OK, 10),
        ("FOK", Status.OK, 10),
        ("post-only", Status.WOULD_TRADE, 0),
        ("market IOC", Status.OK, 10),
        ("market FOK", Status.OK, 10),
    ],
)
def test_a_dead_front_is_swept_before_the_order_behind_it_is_met(
    side: int, dead: Callable[[Meeting], None], life: str, status: Status, filled: int
) -> None:
    m = Meeting(side)
    dead(m)
    m.rests("carol", 20, 2)
    receipt = m.meets(life)
    assert receipt.status == status
    assert [(fill.maker >> 8, fill.lots) for fill in receipt.fills] == [(CAROL, filled)] * bool(
        filled
    )
    # ADMIT, SAVE of a FOK, SWEEP, then MATCH and the step that ends it, or that one alone.
    assert receipt.steps == 3 + ("FOK" in life) + bool(filled)
    assert m.front() == CAROL
    check_invariants(m.venue.state)


@SIDES
@pytest.mark.parametrize("dead", DEAD, ids=lambda dead: dead.__name__)
@pytest.mark.parametrize(
    ("life", "status", "rests"),
    [
        ("GTC", Status.OK, True),
        ("IOC", Status.REMAINDER_DROPPED, False),
        ("FOK", Status.KILLED, False),
        ("post-only", Status.OK, True),
        ("market IOC", Status.REMAINDER_DROPPED, False),
        ("market FOK", Status.KILLED, False),
    ],
)
def test_with_nothing_behind_it_a_dead_front_is_swept_all_the_same(
    side: int, dead: Callable[[Meeting], None], life: str, status: Status, rests: bool
) -> None:
    m = Meeting(side)
    dead(m)
    before = dict(m.venue.state.books), m.front()
    receipt = m.meets(life)
    assert (receipt.status, receipt.fills) == (status, ())
    assert (m.venue.state.front(0, side) is not None) == rests
    if status == Status.KILLED:
        assert (dict(m.venue.state.books), m.front()) == before, "RESTORE brings it back"
    else:
        assert m.front() is None
    check_invariants(m.venue.state)


@SIDES
@pytest.mark.parametrize("life", [*LIVES, *MARKETS])
@pytest.mark.parametrize("mode", [SelfTrade.CANCEL_TAKING, SelfTrade.CANCEL_BOTH])
@pytest.mark.parametrize("behind", [False, True])
def test_an_own_front_ends_the_order_that_cancels_the_taking_side(
    side: int, life: str, mode: SelfTrade, behind: bool
) -> None:
    m = Meeting(side)
    an_own_order(m)
    if behind:
        m.rests("carol", 20, 2)
    killed = "FOK" in life
    receipt = m.meets(life, self_trade=mode)
    assert receipt.status == (Status.KILLED if killed else Status.SELF_TRADE)
    assert receipt.fills == () and m.venue.state.front(0, side) is None
    stays = killed or mode == SelfTrade.CANCEL_TAKING
    assert m.front() == (BOB if stays else CAROL if behind else None)
    check_invariants(m.venue.state)


@SIDES
@pytest.mark.parametrize(
    ("life", "status", "filled"),
    [("GTC", Status.SELF_TRADE, 4), ("IOC", Status.SELF_TRADE, 4), ("FOK", Status.KILLED, 0)],
)
def test_what_was_filled_before_an_own_order_ends_it_stays_but_of_a_fok(
    side: int, life: str, status: Status, filled: int
) -> None:
    m = Meeting(side)
    m.rests("carol", 4)
    m.rests("bob", 10, 1)
    receipt = m.meets(life, self_trade=SelfTrade.CANCEL_TAKING)
    assert receipt.status == status and sum(fill.lots for fill in receipt.fills) == filled
    assert abs(m.venue.lots("bob")) == filled
    assert m.front() == (BOB if filled else CAROL)


# --- which rule comes first, where two hold ---


def expired_and_own(m: Meeting) -> dict[str, Any]:
    m.rests("bob", 10, expiry=NOW + 5)
    m.venue.run(Header(NOW + 6))
    return {"self_trade": SelfTrade.CANCEL_TAKING}


def own_and_with_nothing_to_reduce(m: Meeting) -> dict[str, Any]:
    m.give("bob", m.side, 10)
    m.rests("bob", 10, reduce_only=True)
    assert m.venue.order("bob", 1 - m.side, 10, MARK - m.towards).status == Status.OK
    assert m.venue.order("dave", m.side, 10, MARK - m.towards, life=Life.IOC).fills
    return {"self_trade": SelfTrade.CANCEL_TAKING}


def neither_has_anything_to_reduce(m: Meeting) -> dict[str, Any]:
    """Bob's ten lots to reduce go to carol, in front of alice."""
    m.give("bob", 1 - m.side, 10)
    m.give("alice", m.side, 10)
    m.rests("alice", 10, 1, reduce_only=True)
    m.rests("alice", 10)
    assert m.venue.order("dave", m.side, 10, MARK).status == Status.OK
    m.rests("carol", 10)
    return {"lots": 20, "reduce_only": True}


def nothing_left_to_reduce_against_one_without_margin(m: Meeting) -> dict[str, Any]:
    m.give("bob", 1 - m.side, 10)
    m.rests("carol", 10)
    m.venue.open_with("poor", THREE_CENTS)
    m.rests("poor", 10, 1)
    m.venue.price(50_000_000 + SHIFT * m.towards)
    return {"lots": 20, "reduce_only": True}


def ruined(m: Meeting, **changed: int) -> None:
    """Once bob's order is admitted, all his equity is dave's, and the market's terms change."""

    def ruin(step: Step, _: object) -> None:
        if step == Step.TRANSACTION:
            state = m.venue.state
            bob, dave = state.account(BOB << 8), state.account(DAVE << 8)
            debt = m.venue.lots("bob") * state.rows[0].mark
            state.accounts[BOB << 8] = replace(bob, cash=-debt)
            state.accounts[DAVE << 8] = replace(dave, cash=dave.cash + bob.cash + debt)
            state.markets[0] = replace(state.markets[0], **changed)

    m.venue.on_step = ruin


def neither_has_margin(m: Meeting) -> dict[str, Any]:
    an_order_without_margin(m)
    ruined(m)
    return {}


@SIDES
@pytest.mark.parametrize(
    ("case", "life", "status", "fills", "front"),
    [
        (expired_and_own, "IOC", Status.REMAINDER_DROPPED, 0, None),
        (own_and_with_nothing_to_reduce, "IOC", Status.SELF_TRADE, 0, BOB),
        (neither_has_anything_to_reduce, "IOC", Status.REMAINDER_DROPPED, 1, None),
        (nothing_left_to_reduce_against_one_without_margin, "IOC", None, 1, 5),
        (nothing_left_to_reduce_against_one_without_margin, "GTC", None, 1, 5),
        (neither_has_margin, "IOC", Status.REMAINDER_DROPPED, 0, None),
    ],
)
def test_where_two_rules_hold_the_earlier_one_decides(
    side: int,
    case: Callable[[Meeting], dict[str, Any]],
    life: str,
    status: Status | None,
    fills: int,
    front: int | None,
) -> None:
    m = Meeting(side)
    receipt = m.meets(life, **case(m))
    assert receipt.status == (status or Status.NOTHING_LEFT_TO_REDUCE)
    assert (len(receipt.fills), m.front()) == (fills, front)
    check_invariants(m.venue.state)


@pytest.mark.parametrize(
    ("interest", "position", "status"),
    [
        (10, 10, Status.OPEN_INTEREST_TOO_LARGE),
        (11, 10, Status.POSITION_TOO_LARGE),
        (11, 11, Status.TAKER_MARGIN_TOO_LOW),
    ],
)
def test_a_fill_with_several_faults_names_interest_then_position_then_margin(
    interest: int, position: int, status: Status
) -> None:
    m = Meeting(BUY)
    m.give("bob", BUY, 10)
    m.rests("alice", 1)
    ruined(m, open_interest_max=interest, position_max=position)
    assert m.meets("IOC", 1).status == status
