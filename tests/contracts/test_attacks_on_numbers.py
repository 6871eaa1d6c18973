"""Figures at every edge: a status, never a revert, and the same on both sides."""

import pytest
from attack_world import MARK, AttackedVenue, answered, checked, started
from block_world import change_account, change_market, change_row
from builders import FAR, NOW, PUBLISHER, key, listing, sign_transaction
from evm_engines import PyEvm

from node.parity.case import Case
from state.accounts import Position
from state.limits import CASH_MAX, LOTS_MAX, PRICE_MAX, TICK_MAX, TICKS_MAX
from state.markets import Tier
from state.orders import BUY, SELL, Life
from state.status import Status
from state.transactions import Header, SignedPrice, Transfer, Withdraw
from state.units import RATE_ONE, share_up


def last(venue: AttackedVenue) -> Case:
    return venue.shown[-1].case


@pytest.mark.parametrize("rate", [0, 1, 19_999, 20_000, 20_001, 10**6])
def test_fees_round_at_exactly_one_unit_alike(rate: int) -> None:
    """Case 33: of a notional of 50 nano-USD, 20,000 ppm are one exactly."""
    venue = started(tick=1, band=RATE_ONE - 1)
    change_market(venue, taker_fee=rate, maker_fee=rate)
    venue.price(50)
    first = len(venue.shown)
    venue.sell("alice", 1, 50)
    venue.buy("bob", 1, 50)
    assert venue.machine.sums.fees == 2 * -(-50 * rate // RATE_ONE)
    checked(venue, first)


@pytest.mark.parametrize("mark", [1, 2, PRICE_MAX])
@pytest.mark.parametrize("slow", [1, 2, 3, PRICE_MAX])
@pytest.mark.parametrize("seconds", [1, 599, 600, 601])
def test_a_slow_mark_follows_up_and_down_to_the_same_nano(
    mark: int, slow: int, seconds: int
) -> None:
    """Case 32: the difference is negative one way, and neither side divides it so."""
    venue = started(tick=TICK_MAX, price_age_max=3_600)
    venue.run(Header(NOW + 1_000))
    change_row(venue, mark=mark, slow_mark=slow, time=NOW + 1_000 - seconds)
    first = len(venue.shown)
    tx = SignedPrice(0, 77, NOW + 1_000)
    assert venue.run(tx, sign_transaction(tx, PUBLISHER)).status == Status.OK
    checked(venue, first)


@pytest.mark.parametrize(
    ("price", "status"),
    [
        (0, Status.PRICE_OUT_OF_RANGE),
        (1, Status.OK),
        (50 * 10**6, Status.OK),
        (50 * 10**12, Status.OK),
        (PRICE_MAX, Status.OK),
    ],
)
def test_any_price_is_defined(price: int, status: Status) -> None:
    """Case 35: none, a leap by 10^6 down or up, and the largest; holders are still judged."""
    venue = started()
    venue.sell("alice", 1_000, MARK)
    venue.buy("bob", 1_000, MARK)
    first = len(venue.shown)
    assert venue.price(price) == status
    venue.withdraw("alice", 1)
    venue.sell("bob", 1_000, MARK, reduce_only=True)
    checked(venue, first)


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize(
    ("lots", "ticks"), [(LOTS_MAX, TICKS_MAX), (LOTS_MAX, 1), (1, TICKS_MAX), (2**47, 2**23)]
)
def test_the_largest_size_at_the_largest_price_is_defined(side: int, lots: int, ticks: int) -> None:
    """Case 36: their product leaves 2^111 of cash, and no field: a status, never a revert."""
    venue = started(
        tick=TICK_MAX,
        band=RATE_ONE - 1,
        order_lots_max=LOTS_MAX,
        position_max=LOTS_MAX,
        open_interest_max=2**63 - 1,
    )
    for name in ("alice", "bob"):
        change_account(venue, name, cash=CASH_MAX - 10**9)
    change_row(venue, mark=ticks * TICK_MAX, slow_mark=1)
    first = len(venue.shown)
    venue.order("alice", 1 - side, lots, ticks)
    venue.order("bob", side, lots, ticks)
    venue.withdraw("bob", 2**64 - 1)
    checked(venue, first)


@pytest.mark.parametrize("held", [1, -1, 7, -7])
@pytest.mark.parametrize("more", [-1, 0, 1, 7])
def test_a_position_flips_through_zero_alike(held: int, more: int) -> None:
    """Case 34: closed to the last lot, one short of it, and turned round."""
    venue = started()
    side = SELL if held > 0 else BUY
    venue.order("alice", side, 50, MARK)
    venue.order("bob", 1 - side, abs(held), MARK)
    first = len(venue.shown)
    venue.cancel_all("alice")
    venue.order("alice", 1 - side, 50, MARK)
    if abs(held) + more:
        venue.order("bob", side, abs(held) + more, MARK)
    assert venue.lots("bob") == -more * (1 if held > 0 else -1)
    checked(venue, first)


def test_the_seventeenth_position_is_refused() -> None:
    """Case 34: sixteen stand, through the fullest witness; the next order is TOO_MANY_POSITIONS."""
    venue = AttackedVenue(markets=tuple(listing(m, symbol=b"M%d" % m) for m in range(17)))
    for name in ("alice", "bob"):
        venue.open(name, 10_000)
    for market in range(16):
        venue.sell("alice", 1, MARK, market=market)
        assert venue.buy("bob", 1, MARK, market=market).status == Status.OK
    assert len(venue.state.account(venue.numbers["bob"] << 8).positions) == 16
    first = len(venue.shown) - 4
    assert venue.buy("bob", 1, MARK, market=16).status == Status.TOO_MANY_POSITIONS
    assert venue.sell("bob", 1, MARK, market=15).status == Status.OK
    checked(venue, first)
    assert answered(last(venue), PyEvm) == venue.shown[-1].answer


@pytest.mark.parametrize("lots", [0, 1, 99, 100, 101])
def test_the_least_size_is_asked_to_the_lot(lots: int) -> None:
    """Case 34: dust is refused, and what is worth the least notional exactly is not."""
    venue = started(min_notional=100 * MARK * 100)
    first = len(venue.shown)
    status = venue.buy("bob", lots, MARK).status
    small = Status.LOTS_OUT_OF_RANGE if lots == 0 else Status.NOTIONAL_TOO_SMALL
    assert status == (Status.OK if lots >= 100 else small)
    checked(venue, first)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_margin_rounds_up_to_the_nano_at_a_tiers_edge(over: int) -> None:
    """Case 33: with equity of exactly what is required, and a nano to either side."""
    tiers = (Tier(0, 50_001, 30_000), Tier(50_000_000 * 3 + 1, 500_001, 300_000))
    venue = started(tiers=tiers, taker_fee=0, maker_fee=0)
    exposure, start = 50_000_000 * 4, tiers[1].start
    required = share_up(start, 50_001) + share_up(exposure - start, 500_001)
    change_account(venue, "bob", cash=required + over)
    first = len(venue.shown)
    expected = Status.OK if over >= 0 else Status.MARGIN_TOO_LOW
    assert venue.buy("bob", 4, MARK, life=Life.GTC).status == expected
    checked(venue, first)


@pytest.mark.parametrize("lots", [5, -5])
@pytest.mark.parametrize("mark", [1, 50_000_001, PRICE_MAX])
def test_negative_equity_is_judged_alike(lots: int, mark: int) -> None:
    """Case 32: what is owed is compared by cross multiplication, and never divided."""
    venue = started()
    side = BUY if lots > 0 else SELL
    venue.order("alice", 1 - side, 5, MARK)
    venue.order("bob", side, 5, MARK)
    change_account(venue, "bob", cash=-(10**12))
    change_row(venue, mark=mark, slow_mark=mark)
    first = len(venue.shown)
    venue.order("alice", side, 3, min(mark // 100 or 1, TICKS_MAX))
    venue.order("bob", 1 - side, 2, min(mark // 100 or 1, TICKS_MAX), reduce_only=True)
    venue.withdraw("bob", 0)
    checked(venue, first)
    assert isinstance(venue.state.account(2 << 8).position(0), Position)


def test_a_transfer_and_a_withdrawal_of_the_largest_amount_are_refused_alike() -> None:
    """Case 36: 80 and 64 bits of nothing that is there."""
    venue = started()
    first, bob = len(venue.shown), 2 << 8
    for tx in (
        Transfer(bob, next(venue.sequences), bob | 1, 2**80 - 1, FAR),
        Withdraw(bob, next(venue.sequences), key("bob").address, 2**64 - 1, FAR),
    ):
        assert venue.send("bob", tx).status == Status.MARGIN_TOO_LOW
    checked(venue, first)


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("held", [1_000, -1_000])
@pytest.mark.parametrize("slow", [49_000_001, 50_000_000, 51_000_001])
def test_what_may_leave_ends_at_the_same_micro(slow: int, held: int, over: int) -> None:
    """Case 33: at the worse of mark and slow mark, on either side of the position."""
    venue = started(taker_fee=0, maker_fee=0)
    venue.order("alice", SELL if held > 0 else BUY, 1_000, MARK)
    venue.order("bob", BUY if held > 0 else SELL, 1_000, MARK)
    change_row(venue, slow_mark=slow)
    worth = min(slow, 50_000_000) if held > 0 else max(slow, 50_000_000)
    required = share_up(1_000 * max(slow, 50_000_000), 50_000)
    # Of 7,000 nano-USD more than is required seven micro-USDC may leave.
    change_account(venue, "bob", cash=required - held * worth + 7_000)
    first = len(venue.shown)
    expected = Status.MARGIN_TOO_LOW if over > 0 else Status.OK
    assert venue.withdraw("bob", 7 + over).status == expected
    checked(venue, first)


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("ticks", [MARK - 5_000, MARK, MARK + 5_000])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_room_for_a_quote_ends_at_the_same_nano(side: int, ticks: int, over: int) -> None:
    """Case 33: what rests costs its dearer fee and its distance from the mark, and no nano less."""
    venue = started()
    lots, worse = 1_000, max(0, ticks - MARK if side == BUY else MARK - ticks) * 100
    cost = share_up(lots * ticks * 100, 500) + lots * worse
    required = share_up(lots * 50_000_000, 50_000)
    change_account(venue, "bob", cash=required + cost + over)
    first = len(venue.shown)
    status = venue.order("bob", side, lots, ticks).status
    refused = Status.REST_MARGIN_TOO_LOW if worse else Status.MARGIN_TOO_LOW
    assert status == (Status.OK if over >= 0 else refused)
    checked(venue, first)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_position_ends_at_the_limit_of_its_market_to_the_lot(over: int) -> None:
    """Case 34: with what rests on its side at its worst."""
    venue = started(order_lots_max=10, position_max=10)
    venue.buy("bob", 4, MARK - 1)
    first = len(venue.shown)
    expected = Status.POSITION_LIMIT if over > 0 else Status.OK
    assert venue.buy("bob", 6 + over, MARK - 2).status == expected
    checked(venue, first)
