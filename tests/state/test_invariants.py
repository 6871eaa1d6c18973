"""The invariants: each notices the one thing that it is there to notice."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from builders import FAR, Venue, listing
from msgspec.structs import replace

from state.accounts import Account, OrderReference, Position, with_order, with_position
from state.invariants import check_invariants
from state.markets import Market, Side
from state.memory import MemoryState
from state.orders import BUY, SELL, Flags, RestingOrder, encode_flags, order_key
from state.resting import with_resting_lots

ALICE, BOB, CAROL = 1 << 8, 2 << 8, 3 << 8
TICKS = 500_000


@pytest.fixture
def state() -> MemoryState:
    """Alice is long 10, Bob short 10 and bids for 5 below the mark, Carol asks above it."""
    venue = Venue(markets=(listing(), listing(1)))
    for name in ("alice", "bob", "carol"):
        venue.open(name, 10_000)
    venue.sell("bob", 10, TICKS)
    venue.buy("alice", 10, TICKS)
    venue.buy("bob", 5, TICKS - 10)
    venue.sell("carol", 3, TICKS + 10)
    venue.withdraw("carol", 1_000_000)
    check_invariants(venue.state)
    return venue.state


def change(state: MemoryState, number: int, **changed: Any) -> None:
    state.accounts[number] = replace(state.accounts[number], **changed)


def change_market(state: MemoryState, **changed: int) -> None:
    market: Market = state.markets[0]
    state.markets[0] = replace(market, **changed)


def change_position(state: MemoryState, number: int, **changed: int) -> None:
    account = state.accounts[number]
    position = account.position(0) or Position(0)
    state.accounts[number] = with_position(account, replace(position, **changed))


def rest(state: MemoryState, number: int, side: int, ticks: int, *, lots: int = 1) -> None:
    """An order that everything about it agrees on, as no step would leave it."""
    order = RestingOrder(number, 0, 900 + side, lots, FAR, encode_flags(Flags(side)))
    key = order_key(side, ticks, 900)
    state.books[0, side].write(key, order)
    account = with_order(state.accounts[number], OrderReference(0, order.sequence, 0, side, key))
    state.accounts[number] = with_resting_lots(account, 0, side, lots)


def own_order(state: MemoryState) -> OrderReference:
    (reference,) = state.accounts[BOB].orders
    return reference


def one_side_more(state: MemoryState) -> None:
    """Longs equal shorts over both markets, and in neither."""
    for market, number, lots in ((0, ALICE, 11), (1, CAROL, -1)):
        account, row = state.accounts[number], state.rows[market]
        position = account.position(market) or Position(market)
        state.accounts[number] = with_position(account, replace(position, lots=lots))
        longs, shorts = row.long.lots + (lots > 0), row.short.lots + (lots < 0)
        state.rows[market] = replace(row, long=Side(longs, 1), short=Side(shorts, 1))
    state.machine.sums.long_lots += 1
    state.machine.sums.short_lots += 1


def hide_reference(state: MemoryState) -> None:
    change(state, BOB, orders=())


def misdirect_reference(state: MemoryState, **changed: int) -> None:
    change(state, BOB, orders=(replace(own_order(state), **changed),))


def forget_resting_lots(state: MemoryState) -> None:
    """Carol holds nothing but the order, and with its lots her position goes."""
    change_position(state, CAROL, ask_lots=0)
    assert state.accounts[CAROL].positions == ()


def set_sum(name: str) -> Callable[[MemoryState], None]:
    def move(state: MemoryState) -> None:
        setattr(state.machine.sums, name, getattr(state.machine.sums, name) + 1)

    return move


def spare_reference(state: MemoryState) -> None:
    account: Account = state.accounts[ALICE]
    state.accounts[ALICE] = with_order(account, OrderReference(0, 77, 0, BUY, 1))


BROKEN: dict[str, tuple[Callable[[MemoryState], None], str]] = {
    "a nano more in an account": (
        lambda s: change(s, ALICE, cash=s.accounts[ALICE].cash + 1),
        "accounts hold ",
    ),
    "a nano more in the sum": (set_sum("cash"), "accounts hold "),
    "a pool": (lambda s: change_market(s, pool=1), ""),
    "an insurance": (lambda s: change_market(s, insurance=1), ""),
    "a bad debt": (lambda s: change_market(s, bad_debt=1), ""),
    "dust": (lambda s: change_market(s, dust=1), ""),
    "a withdrawal that nobody made": (
        lambda s: setattr(s.machine, "withdrawn", 1_000_000_001),
        "1000000000 withdrawn, not 1000000001",
    ),
    "a withdrawal that is not counted": (
        lambda s: s.withdrawals.append(replace(s.withdrawals[0], index=1)),
        "2000000000 withdrawn, not 1000000000",
    ),
    "a deposit that nobody holds": (
        lambda s: setattr(s.machine, "deposited", s.machine.deposited + 1),
        "deposits differ from what is held and was withdrawn",
    ),
    "a position of nothing": (
        lambda s: change(s, CAROL, positions=(*s.accounts[CAROL].positions, Position(2))),
        "",
    ),
    "a lot more than the row has": (
        lambda s: change_position(s, ALICE, lots=11),
        "market 0: (11, 10)",
    ),
    "a short lot more than the row has": (
        lambda s: change_position(s, BOB, lots=-11),
        "market 0: (10, 11)",
    ),
    "longs without shorts": (one_side_more, "market 0: longs differ from shorts"),
    "a long lot more in the sum": (set_sum("long_lots"), ""),
    "a short lot more in the sum": (set_sum("short_lots"), ""),
    "an order nobody knows": (hide_reference, "a resting order is referred to by its account"),
    "a reference to another market": (lambda s: misdirect_reference(s, market=1), ""),
    "a reference to the other side": (lambda s: misdirect_reference(s, side=SELL), ""),
    "a reference to another place": (lambda s: misdirect_reference(s, key=1), ""),
    "a reference to no order": (spare_reference, ""),
    "an order of no lots": (lambda s: rest(s, BOB, BUY, TICKS - 20, lots=0), ""),
    "a bid lot more than rests": (lambda s: change_position(s, BOB, bid_lots=6), ""),
    "an ask lot more than rests": (lambda s: change_position(s, CAROL, ask_lots=4), ""),
    "resting lots that no position counts": (
        forget_resting_lots,
        "resting lots without a position",
    ),
    "a bid above an ask": (
        lambda s: rest(s, BOB, BUY, TICKS + 11),
        "market 0: the book is crossed at rest",
    ),
    "a bid at an ask": (
        lambda s: rest(s, BOB, BUY, TICKS + 10),
        "market 0: the book is crossed at rest",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_is_noticed(state: MemoryState, name: str) -> None:
    spoil, words = BROKEN[name]
    spoil(state)
    with pytest.raises(AssertionError, match="^" + re.escape(words)):
        check_invariants(state)


def test_a_bid_a_tick_below_an_ask_is_a_book(state: MemoryState) -> None:
    rest(state, BOB, BUY, TICKS + 9)
    check_invariants(state)
