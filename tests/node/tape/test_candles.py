"""Candles: what the trades of a stretch of time came to."""

import pytest

from node.tape.candles import INTERVALS
from node.tape.records import Candle
from node.tape.tape import Tape
from node.view import Executed
from state.execution import Receipt
from state.status import Status
from state.store import Fill

NOON = 1_700_049_600


def fill(ticks: int, lots: int, *, block: bool = False, market: int = 0) -> Fill:
    return Fill(
        market=market,
        taker_side=0,
        ticks=ticks,
        price=ticks * 100,
        lots=lots,
        taker=1 << 8,
        maker=2 << 8,
        taker_order=(0, 1),
        maker_order=(0, 1),
        taker_fee=3,
        maker_fee=1,
        block=block,
    )


def tape_of(*trades: tuple[int, Fill]) -> Tape:
    tape = Tape()
    for time, one in trades:
        tape.take(Executed(batch=1, time=time, receipt=Receipt(Status.OK, (one,), 1)))
    return tape


def test_prices_are_the_first_the_highest_the_lowest_and_the_last() -> None:
    tape = tape_of(*((NOON + at, fill(ticks, 2)) for at, ticks in enumerate((50, 70, 40, 60))))
    expected = Candle(NOON, 50, 70, 40, 60, 8, 2 * 100 * (50 + 70 + 40 + 60), 4)
    for interval in INTERVALS:
        (candle,) = tape.candles(0, interval, None, 10)
        start = NOON - NOON % INTERVALS[interval]
        assert candle == Candle(start, *expected.__reduce__()[1][1:])


@pytest.mark.parametrize(("interval", "seconds"), INTERVALS.items())
def test_a_candle_ends_before_the_next_begins(interval: str, seconds: int) -> None:
    start = NOON - NOON % seconds
    times = (start - 1, start, start + seconds - 1, start + seconds)
    tape = tape_of(*((time, fill(10, 1)) for time in times))
    found = tape.candles(0, interval, None, 10)
    assert [(c.start, c.count) for c in found] == [
        (start + seconds, 1),
        (start, 2),
        (start - seconds, 1),
    ]


def test_a_block_trade_counts_and_moves_no_price() -> None:
    tape = tape_of((NOON, fill(900, 5, block=True)))
    assert tape.candles(0, "1m", None, 1) == [
        Candle(NOON, None, None, None, None, 5, 5 * 900 * 100, 1)
    ]
    tape = tape_of(
        (NOON, fill(900, 5, block=True)), (NOON, fill(50, 1)), (NOON, fill(1, 5, block=True))
    )
    (candle,) = tape.candles(0, "1m", None, 1)
    assert (candle.open, candle.high, candle.low, candle.close) == (50, 50, 50, 50)
    assert (candle.volume, candle.count) == (11, 3)


def test_a_stretch_without_trades_has_no_candle() -> None:
    tape = tape_of((NOON, fill(10, 1)), (NOON + 300, fill(10, 1)))
    assert [c.start for c in tape.candles(0, "1m", None, 10)] == [NOON + 300, NOON]
    assert tape.candles(1, "1m", None, 10) == []


def test_pages_go_back_in_time() -> None:
    tape = tape_of(*((NOON + 60 * at, fill(10, 1)) for at in range(7)))
    pages, before = [], None
    while page := tape.candles(0, "1m", before, 3):
        pages.append([candle.start for candle in page])
        before = page[-1].start
    assert pages == [[NOON + 60 * at for at in ats] for ats in ((6, 5, 4), (3, 2, 1), (0,))]
    trades = tape.trades(0, 4, 2)
    assert [trade.number for trade in trades] == [3, 2]
