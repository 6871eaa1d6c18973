"""The market maker's ladder, and how it changes without emptying the book."""

from hypothesis import given
from hypothesis import strategies as st

from node.devnet.quotes import Changeover, Ladder, Quote, Resting, changeover, wanted
from state.orders import BUY, SELL

DOLLAR = 10**9
LADDER = Ladder(levels=2, inner=500, step=1_000, tolerance=300, notional=1_000 * DOLLAR)
MARK = 50_000_000


def resting(quotes: tuple[Quote, ...]) -> list[Resting]:
    return [Resting(n, q.side, q.ticks, q.lots) for n, q in enumerate(quotes, start=1)]


def test_the_ladder_stands_on_both_sides_of_the_mark() -> None:
    assert wanted(LADDER, mark=MARK, tick=100, lots_max=10**9) == (
        Quote(BUY, 499_750, 20_000),
        Quote(SELL, 500_250, 20_000),
        Quote(BUY, 499_250, 20_000),
        Quote(SELL, 500_750, 20_000),
    )


@given(mark=st.integers(1_000_000, 2**50), tick=st.integers(1, 1_000))
def test_bids_are_below_the_mark_and_asks_above(mark: int, tick: int) -> None:
    for quote in wanted(LADDER, mark=mark, tick=tick, lots_max=10**9):
        assert quote.lots > 0
        assert (quote.ticks * tick < mark) == (quote.side == BUY)


def test_an_empty_book_gets_the_whole_ladder() -> None:
    quotes = wanted(LADDER, mark=MARK, tick=100, lots_max=10**9)
    assert changeover(quotes, [], tolerance=300) == Changeover(quotes, ())


def test_a_ladder_that_fits_is_left_alone() -> None:
    quotes = wanted(LADDER, mark=MARK, tick=100, lots_max=10**9)
    drifted = wanted(LADDER, mark=MARK + MARK // 5_000, tick=100, lots_max=10**9)
    assert changeover(drifted, resting(quotes), tolerance=300) == Changeover((), ())


def test_a_ladder_that_the_mark_left_is_replaced_but_for_what_the_new_one_removes() -> None:
    quotes = wanted(LADDER, mark=MARK, tick=100, lots_max=10**9)
    higher = wanted(LADDER, mark=MARK + MARK // 50, tick=100, lots_max=10**9)
    lower = wanted(LADDER, mark=MARK - MARK // 50, tick=100, lots_max=10**9)
    # The old asks lie below the new bids, or the old bids above the new asks.
    up = changeover(higher, resting(quotes), tolerance=300)
    down = changeover(lower, resting(quotes), tolerance=300)
    assert (up.cancel, down.cancel) == ((1, 3), (2, 4))
    # The side that removes nothing comes first, or the other would be empty for a moment.
    assert [quote.side for quote in up.place] == [SELL, SELL, BUY, BUY]
    assert [quote.side for quote in down.place] == [BUY, BUY, SELL, SELL]


def test_a_level_that_was_mostly_taken_is_replaced() -> None:
    quotes = wanted(LADDER, mark=MARK, tick=100, lots_max=10**9)
    left = resting(quotes)
    left[0] = Resting(1, BUY, 499_750, 9_999)
    assert changeover(quotes, left, tolerance=300) == Changeover((quotes[0],), (1,))


def test_two_orders_at_one_price_stand_in_for_one_quote() -> None:
    quotes = (Quote(BUY, 1_000, 10),)
    twice = [Resting(1, BUY, 1_000, 10), Resting(2, BUY, 1_000, 10)]
    assert changeover(quotes, twice, tolerance=0) == Changeover((), (2,))
