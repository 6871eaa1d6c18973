"""What a liar says of what an order meets: rules with one of them altered, refuted on both sides.

The number of an id is the case of the table in docs/testing.md.
"""

from collections.abc import Callable
from typing import Any

import pytest
from attack_world import MARK, Act, AttackedVenue, Lie, Table, always, listed, quoted, refute
from block_world import change_account
from msgspec.structs import replace

from prover.recording import RecordingState
from state.machine import OrderInProgress
from state.matching import _sweep
from state.orders import Flags, Life, RestingOrder, order_key
from state.status import Status
from state.store import Changes
from state.trade import Trade
from state.transactions import NewOrder
from state.transactions.order import registers

FRONT = "prover.recording.RecordingState.front"
MATCH = "state.trade.Trade.match"
MEET = "state.matching._meet_front"
REGISTERS = "state.transactions.order.registers"

really_moves, really_matches = Trade.move, Trade.match


# --- what an order meets ---


def behind(place: int) -> Callable[..., Any]:
    """The front order as somebody has it who passes over the `place` best."""

    def front(state: RecordingState, market: int, side: int) -> tuple[int, RestingOrder]:
        found: tuple[int, RestingOrder] = list(state.base.book(market, side))[place]  # type: ignore[attr-defined]
        state.orders.add((market, side, found[0]))
        return found

    return front


@pytest.mark.parametrize("life", [Life.GTC, Life.IOC, Life.FOK])
@pytest.mark.parametrize(
    "front", [behind(1), behind(2), always(None)], ids=["later", "dearer", "nobody"]
)
def test_priority_in_the_book_cannot_be_skipped(front: Any, life: Life) -> None:
    """Case 27."""
    refute(quoted(), lambda v: v.buy("bob", 10, MARK + 1, life=life), {FRONT: front})


def other(**changed: Callable[[Any], int]) -> Callable[..., OrderInProgress]:
    """ADMIT that puts something else into the registers than what was signed."""

    def altered(tx: NewOrder, flags: Flags, ticks: int) -> OrderInProgress:
        order = registers(tx, flags, ticks)
        return replace(order, **{k: change(getattr(order, k)) for k, change in changed.items()})

    return altered


SIGNED = {
    "27 larger": other(lots=lambda n: n + 1),
    "27 smaller": other(lots=lambda n: n - 1),
    "27 at a worse limit": other(ticks=lambda n: n + 1),
    "27 of another account": other(account=lambda n: n + (1 << 8)),
    "27 the other way": other(flags=lambda n: n ^ 1),
    "26 for longer": other(expiry=lambda n: n + 1),
    "26 under another number": other(sequence=lambda n: n + 1),
    "27 with no front to meet": other(fronts=lambda _: 0),
    "27 partly filled": other(filled=lambda _: 1),
}


@pytest.mark.parametrize("altered", SIGNED.values(), ids=SIGNED.keys())
def test_a_fill_larger_than_the_signed_size_or_worse_cannot_be_claimed(altered: Any) -> None:
    """Case 27: the registers after ADMIT are those of the row that was signed."""
    refute(quoted(), lambda v: v.buy("bob", 5, MARK), {REGISTERS: altered})


def moves(more: int) -> Callable[[Trade, int], None]:
    return lambda trade, lots: really_moves(trade, lots + more)


def leaves_the_maker_whole(trade: Trade) -> None:
    really_matches(trade)
    trade.changes.write_order(trade.order.market, trade.maker_side, trade.key, trade.resting)


def counts_nothing(trade: Trade) -> None:
    really_matches(trade)
    machine = trade.changes.machine
    machine.order = replace(machine.order, lots=trade.order.lots)


def costs_nothing(trade: Trade) -> None:
    """The seller is paid from nowhere."""
    really_matches(trade)
    free = replace(trade.taker_after, cash=trade.taker.cash)
    trade.changes.write_account(trade.taker_party.account, free)


def moves_the_maker_only(trade: Trade) -> None:
    trade.taker_after = trade.taker
    really_matches(trade)


def trades(changes: Changes, order: OrderInProgress, flags: Flags, *front: Any) -> None:
    Trade(changes, order, flags, *front).match()


MATCHES: Table = {
    "27 beyond the limit": (
        lambda v: v.buy("bob", 5, MARK - 1),
        {"state.matching.crosses": always(True)},
    ),
    "27 short of the limit": (
        lambda v: v.buy("bob", 5, MARK),
        {"state.matching.crosses": always(False)},
    ),
    "27 fewer lots": (lambda v: v.buy("bob", 5, MARK), {"state.trade.Trade.move": moves(-1)}),
    "27 more lots than ordered": (
        lambda v: v.buy("bob", 5, MARK),
        {"state.trade.Trade.move": moves(1), MATCH: lambda trade: trade.write(block=False)},
    ),
    "27 the order filled twice": (lambda v: v.buy("bob", 5, MARK), {MATCH: counts_nothing}),
    "27 the maker's order whole": (
        lambda v: v.buy("bob", 5, MARK),
        {MATCH: leaves_the_maker_whole},
    ),
    "27 for nothing": (lambda v: v.buy("bob", 5, MARK), {MATCH: costs_nothing}),
    "27 one side alone": (lambda v: v.buy("bob", 5, MARK), {MATCH: moves_the_maker_only}),
    "27 with itself": (lambda v: v.buy("alice", 5, MARK), {"state.matching._meet_own": trades}),
    "27 a healthy maker swept": (
        lambda v: v.buy("bob", 5, MARK),
        {"state.trade.Trade.maker_stands": always(False)},
    ),
    "27 a live order swept": (lambda v: v.buy("bob", 5, MARK), {MEET: _sweep}),
    "27 a post-only order takes": (
        lambda v: v.buy("bob", 5, MARK, life=Life.POST_ONLY),
        {MEET: trades},
    ),
    "27 a killed order kept": (
        lambda v: v.buy("bob", 50, MARK + 1, life=Life.FOK),
        {"state.store.Changes.restore": Changes.keep},
    ),
    "27 a filled order killed": (
        lambda v: v.buy("bob", 5, MARK, life=Life.FOK),
        {"state.store.Changes.keep": Changes.restore},
    ),
    "27 a killed order that saved nothing": (
        lambda v: v.buy("bob", 50, MARK + 1, life=Life.FOK),
        {"state.store.Changes.save": always(None)},
    ),
    "27 in front of the queue": (
        lambda v: (v.buy("carol", 5, MARK - 1), v.buy("bob", 5, MARK - 1)),
        {"state.matching.order_key": lambda side, ticks, _: order_key(side, ticks, 0)},
    ),
    "27 in the place of another": (
        lambda v: v.sell("bob", 5, MARK),
        {"state.matching.order_key": lambda side, ticks, _: order_key(side, ticks, 0)},
    ),
    "27 at a better price": (
        lambda v: v.sell("bob", 5, MARK + 1),
        {"state.matching.order_key": lambda side, t, number: order_key(side, t - 2, number)},
    ),
    "27 in the book and in no account": (
        lambda v: v.sell("bob", 5, MARK),
        {"state.matching.with_order": lambda account, _: account},
    ),
    "27 at no risk": (
        lambda v: v.sell("bob", 5, MARK),
        {"state.matching.with_resting_lots": lambda account, *_: account},
    ),
    "27 IOC that rests": (
        lambda v: v.buy("bob", 50, MARK, life=Life.IOC),
        {"state.orders.Flags.may_rest": True},
    ),
}


@pytest.mark.parametrize(("act", "lie"), listed(MATCHES))
def test_what_an_order_meets_cannot_be_told_otherwise(act: Act, lie: Lie) -> None:
    """Case 27."""
    refute(quoted(), act, lie)


def reduce(venue: AttackedVenue) -> None:
    """Bob has five, and sells ten to reduce them."""
    venue.buy("bob", 5, MARK)
    venue.buy("carol", 10, MARK - 1)
    venue.sell("bob", 10, MARK - 1, reduce_only=True)


def meet_a_broke_maker(venue: AttackedVenue) -> None:
    change_account(venue, "alice", cash=0)
    venue.buy("bob", 5, MARK)


def take_far_off(venue: AttackedVenue) -> None:
    """The best ask is 8 % above the mark, and dave has hardly more than his margin."""
    venue.cancel_all("alice")
    venue.cancel_all("carol")
    venue.sell("alice", 1_000, MARK * 108 // 100)
    venue.buy("dave", 1_000, MARK * 108 // 100)


MARGIN: Table = {
    "33 more than margin allows": (
        lambda v: v.buy("dave", 10_000, MARK),
        {"state.transactions.order.room_status": always(Status.OK)},
    ),
    "33 a quote that costs too much": (
        lambda v: v.buy("dave", 1_100, MARK - 1) and v.sell("dave", 1_000, MARK * 96 // 100),
        {"state.matching.room_status": always(Status.OK)},
    ),
    "33 a taker without margin": (
        take_far_off,
        {"state.trade.Trade.taker_status": always(Status.OK)},
    ),
    "33 a maker without margin": (
        meet_a_broke_maker,
        {"state.trade.Trade.maker_stands": always(True)},
    ),
    "34 reduce-only that turns round": (reduce, {"state.trade.reducible_lots": always(10)}),
}


@pytest.mark.parametrize(("act", "lie"), listed(MARGIN))
def test_margin_cannot_be_ignored(act: Act, lie: Lie) -> None:
    """Cases 33 and 34."""
    refute(quoted(), act, lie)
