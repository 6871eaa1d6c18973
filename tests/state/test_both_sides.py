"""What holds when a buyer takes holds when a seller does: sweeps, self-trades, reduce-only."""

import pytest
from builders import NOW, Venue
from msgspec.structs import replace

from state.invariants import check_invariants
from state.orders import BUY, SELL, Life, SelfTrade
from state.status import Status
from state.transactions import Header

MARK = 500_000
SIDES = pytest.mark.parametrize("side", [BUY, SELL])


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    for name in ("alice", "bob", "carol"):
        venue.open(name, 10_000)
    return venue


def resting_lots(venue: Venue, name: str, side: int) -> int:
    position = venue.state.account(venue.numbers[name] << 8).position(0)
    if position is None:
        return 0
    return position.bid_lots if side == BUY else position.ask_lots


def is_empty(venue: Venue, name: str) -> bool:
    """Whether nothing of an order is left, on either side."""
    account = venue.state.account(venue.numbers[name] << 8)
    books = all(venue.state.front(0, side) is None for side in (BUY, SELL))
    return books and account.orders == () and account.positions == ()


def hold(venue: Venue, name: str, side: int, lots: int) -> None:
    """A position of `name` that came about by `side`, against Carol."""
    venue.order("carol", 1 - side, lots, MARK)
    assert venue.order(name, side, lots, MARK, life=Life.IOC).status == Status.OK


@SIDES
def test_an_expired_front_is_swept(venue: Venue, side: int) -> None:
    venue.order("alice", 1 - side, 7, MARK, expiry=NOW + 5)
    venue.run(Header(NOW + 6))
    receipt = venue.order("bob", side, 7, MARK, life=Life.IOC)
    assert (receipt.status, receipt.fills, receipt.steps) == (Status.REMAINDER_DROPPED, (), 3)
    assert is_empty(venue, "alice")
    check_invariants(venue.state)


@SIDES
@pytest.mark.parametrize(
    ("mode", "status", "left"),
    [
        (SelfTrade.CANCEL_RESTING, Status.REMAINDER_DROPPED, 0),
        (SelfTrade.CANCEL_TAKING, Status.SELF_TRADE, 7),
        (SelfTrade.CANCEL_BOTH, Status.SELF_TRADE, 0),
    ],
)
def test_ones_own_front_gives_way_as_asked(
    venue: Venue, side: int, mode: SelfTrade, status: Status, left: int
) -> None:
    venue.order("alice", 1 - side, 7, MARK)
    receipt = venue.order("alice", side, 9, MARK, life=Life.IOC, self_trade=mode)
    assert (receipt.status, receipt.fills) == (status, ())
    assert resting_lots(venue, "alice", 1 - side) == left
    assert is_empty(venue, "alice") == (left == 0)
    check_invariants(venue.state)


@SIDES
@pytest.mark.parametrize(("lots", "filled", "left"), [(4, 4, 6), (10, 10, 0), (25, 10, 0)])
def test_a_reduce_only_taker_takes_no_more_than_the_position_gives(
    venue: Venue, side: int, lots: int, filled: int, left: int
) -> None:
    hold(venue, "alice", 1 - side, 10)
    venue.order("bob", 1 - side, 30, MARK)
    receipt = venue.order("alice", side, lots, MARK, life=Life.IOC, reduce_only=True)
    assert sum(fill.lots for fill in receipt.fills) == filled
    assert receipt.status == (Status.OK if lots <= 10 else Status.NOTHING_LEFT_TO_REDUCE)
    assert abs(venue.lots("alice")) == left
    assert resting_lots(venue, "bob", 1 - side) == 30 - filled
    check_invariants(venue.state)


@SIDES
@pytest.mark.parametrize(("closed", "filled"), [(0, 10), (6, 4), (10, 0)])
def test_a_reduce_only_maker_gives_no_more_than_its_position(
    venue: Venue, side: int, closed: int, filled: int
) -> None:
    hold(venue, "alice", side, 10)
    venue.order("alice", 1 - side, 10, MARK, reduce_only=True)
    if closed:
        # Closed elsewhere, at a better price, after the order came to rest.
        near = MARK - 1 if side == BUY else MARK + 1
        venue.order("carol", side, closed, near)
        venue.order("alice", 1 - side, closed, near, life=Life.IOC, reduce_only=True)
    receipt = venue.order("bob", side, 10, MARK, life=Life.IOC)
    assert sum(fill.lots for fill in receipt.fills) == filled
    assert venue.lots("alice") == 0
    assert venue.state.front(0, 1 - side) is None
    check_invariants(venue.state)


@SIDES
def test_two_reduce_only_orders_trade_no_more_than_the_smaller_asks(
    venue: Venue, side: int
) -> None:
    hold(venue, "alice", side, 10)
    hold(venue, "bob", 1 - side, 10)
    venue.order("alice", 1 - side, 10, MARK, reduce_only=True)
    receipt = venue.order("bob", side, 4, MARK, life=Life.IOC, reduce_only=True)
    assert [fill.lots for fill in receipt.fills] == [4]
    assert receipt.status == Status.OK
    assert (abs(venue.lots("alice")), abs(venue.lots("bob"))) == (6, 6)
    check_invariants(venue.state)


@SIDES
@pytest.mark.parametrize(("taken", "rests"), [(0, 10), (3, 7)])
def test_what_rests_of_a_reduce_only_order_is_clipped_to_the_position(
    venue: Venue, side: int, taken: int, rests: int
) -> None:
    hold(venue, "alice", 1 - side, 10)
    if taken:
        venue.order("bob", 1 - side, taken, MARK)
    receipt = venue.order("alice", side, 25, MARK, reduce_only=True)
    assert receipt.status == Status.OK
    assert sum(fill.lots for fill in receipt.fills) == taken
    assert resting_lots(venue, "alice", side) == rests
    check_invariants(venue.state)


@SIDES
def test_a_maker_who_may_not_be_left_so_is_swept(venue: Venue, side: int) -> None:
    venue.order("alice", 1 - side, 10, MARK)
    number = venue.numbers["alice"] << 8
    account = venue.state.accounts[number]
    venue.state.accounts[number] = replace(account, cash=0)
    venue.state.machine.sums.cash -= account.cash
    venue.state.machine.sums.fees += account.cash
    receipt = venue.order("bob", side, 10, MARK, life=Life.IOC)
    assert (receipt.status, receipt.fills) == (Status.REMAINDER_DROPPED, ())
    assert is_empty(venue, "alice")
    check_invariants(venue.state)
