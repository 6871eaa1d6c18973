"""Boundaries: what is equal to a limit is still allowed, and one past it is not."""

from collections.abc import Callable
from typing import Any

import pytest
from builders import DOLLAR, FAR, NOW, PUBLISHER, Venue, key, listing, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMIT_TRADE, SessionKey
from state.limits import LOTS_MAX, PRICE_MAX, TICKS_MAX
from state.margin import interest_scale
from state.markets import Mode, Side, Tier
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.status import Status
from state.transactions import (
    Cancel,
    Header,
    NewOrder,
    SignedPrice,
    Transaction,
    Transfer,
    Withdraw,
)
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

MARK = 500_000
ALICE = 1 << 8
LIFE = 90 * 86_400
BID = encode_flags(Flags(BUY))


def priced(mark: int = 50_000_000, **changed: Any) -> Venue:
    """A venue at `mark` whose market has `changed`, and alice with ten thousand dollars."""
    venue = Venue(mark=mark, markets=(listing(**changed),))
    venue.open("alice", 10_000)
    return venue


def status_of(venue: Venue, tx: Transaction, signer: str = "alice") -> Status:
    return venue.run(tx, sign_transaction(tx, key(signer))).status


def an_order(expiry: int, epoch: int = 0) -> NewOrder:
    return NewOrder(ALICE, epoch, 50, 0, BID, MARK, 10, expiry)


def by_a_key_until(venue: Venue, expiry: int) -> Status:
    session = SessionKey(1, key("bot").address, 0, expiry, PERMIT_TRADE)
    account = venue.state.account(ALICE)
    venue.state.accounts[ALICE] = replace(account, key_epoch=1, keys=(session,))
    return status_of(venue, an_order(FAR, epoch=1), "bot")


def a_withdrawal_until(venue: Venue, expiry: int) -> Status:
    return status_of(venue, Withdraw(ALICE, 50, key("alice").address, 1, expiry))


def a_cancel_until(venue: Venue, expiry: int) -> Status:
    assert venue.buy("alice", 10, MARK - 9).status == Status.OK
    return status_of(venue, Cancel(ALICE, 0, 50, 0, 1, expiry))


@pytest.mark.parametrize(
    ("attempt", "last", "step", "status"),
    [
        (lambda v, t: status_of(v, an_order(t)), NOW, -1, Status.EXPIRED),
        (lambda v, t: status_of(v, an_order(t)), NOW + LIFE, 1, Status.EXPIRY_TOO_FAR),
        (by_a_key_until, NOW, -1, Status.NOT_PERMITTED),
        (a_withdrawal_until, NOW, -1, Status.EXPIRED),
        (a_cancel_until, NOW, -1, Status.EXPIRED),
        (lambda v, t: status_of(v, Transfer(ALICE, 50, ALICE | 1, 1, t)), NOW, -1, Status.EXPIRED),
    ],
    ids=["order", "order life", "session key", "withdrawal", "cancel", "transfer"],
)
def test_the_second_of_an_expiry_still_counts(
    attempt: Callable[[Venue, int], Status], last: int, step: int, status: Status
) -> None:
    assert attempt(priced(), last) == Status.OK
    assert attempt(priced(), last + step) == status


@pytest.mark.parametrize(("later", "traded"), [(5, 10), (6, 0)])
def test_a_resting_order_trades_in_the_second_of_its_expiry(later: int, traded: int) -> None:
    venue = priced()
    venue.open("bob", 1_000)
    venue.sell("alice", 10, MARK, expiry=NOW + 5)
    venue.run(Header(NOW + later))
    venue.buy("bob", 10, MARK, life=Life.IOC)
    assert venue.lots("bob") == traded
    assert venue.state.front(0, SELL) is None


@pytest.mark.parametrize(("age", "status"), [(3_600, Status.OK), (3_601, Status.MARKET_CLOSED)])
def test_a_mark_as_old_as_its_maximum_still_counts(age: int, status: Status) -> None:
    venue = priced()
    venue.run(Header(NOW + age))
    assert status_of(venue, an_order(FAR)) == status


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (3_601, Status.PRICE_STALE),
        (3_600, Status.OK),
        (0, Status.OK),
        (-1, Status.PRICE_FROM_FUTURE),
    ],
)
def test_a_price_may_be_as_old_as_a_mark_and_as_new_as_the_clock(age: int, status: Status) -> None:
    venue = priced()
    venue.run(Header(NOW + 5_000))
    tx = SignedPrice(0, 51_000_000, NOW + 5_000 - age)
    assert venue.run(tx, sign_transaction(tx, PUBLISHER)).status == status


@pytest.mark.parametrize("mode", [Mode.REDUCE_ONLY, Mode.HALTED, Mode.SETTLED])
def test_a_market_that_is_not_live_takes_no_orders_and_lets_no_holder_out(mode: Mode) -> None:
    venue = priced()
    assert venue.buy("alice", 10, MARK).status == Status.OK
    venue.state.rows[0] = replace(venue.state.rows[0], mode=mode)
    assert venue.buy("alice", 10, MARK).status == Status.MARKET_CLOSED
    assert venue.withdraw("alice", 1).status == Status.MARGIN_TOO_LOW
    assert venue.transfer("alice", ALICE | 1, 1).status == Status.MARGIN_TOO_LOW


@pytest.mark.parametrize(
    ("mark", "side", "last", "step"),
    [
        # A mark that ten percent off is no whole number of ticks: buys down, sells up.
        (50_000_001, SELL, 450_001, -1),
        (50_000_001, BUY, 550_000, 1),
        (49_999_999, SELL, 450_000, -1),
        (49_999_999, BUY, 549_999, 1),
        # The highest mark with a sell edge that a tick can name.
        (1_864_135_000, SELL, TICKS_MAX, -1),
    ],
)
def test_the_edge_of_the_band_is_rounded_inwards(
    mark: int, side: int, last: int, step: int
) -> None:
    assert priced(mark).order("alice", side, 1, last).status == Status.OK
    venue = priced(mark)
    assert venue.order("alice", side, 1, last + step).status == Status.PRICE_OUT_OF_BAND


@pytest.mark.parametrize(
    ("mark", "side", "ticks"),
    [
        (1_864_135_001, SELL, TICKS_MAX),
        (1_864_135_001, SELL, 0),
        (90, BUY, 1),
        (90, BUY, 0),
    ],
)
def test_a_market_whose_edge_no_tick_can_name_is_out_of_band(
    mark: int, side: int, ticks: int
) -> None:
    receipt = priced(mark).order("alice", side, 1, ticks, life=Life.IOC)
    assert receipt.status == Status.PRICE_OUT_OF_BAND


def test_a_buy_within_a_band_past_the_last_tick_is_bounded_by_it() -> None:
    venue = priced(1_864_135_001)
    venue.open("bob", 10_000)
    assert venue.buy("alice", 1, TICKS_MAX).status == Status.OK
    limits: list[int] = []
    venue.on_step = lambda _, changes: limits.append(changes.machine.order.ticks)
    assert venue.buy("bob", 1, 0, life=Life.IOC).status == Status.REMAINDER_DROPPED
    assert limits == [TICKS_MAX, 0]


@pytest.mark.parametrize(
    ("lots", "status"),
    [(1, Status.OK), (100, Status.OK), (101, Status.LOTS_OUT_OF_RANGE)],
)
def test_an_order_is_from_one_lot_to_the_markets_most(lots: int, status: Status) -> None:
    venue = priced(order_lots_max=100)
    assert venue.buy("alice", lots, MARK).status == status


@pytest.mark.parametrize(
    ("amount", "status"),
    [(10_000 * DOLLAR, Status.OK), (10_000 * DOLLAR + 1, Status.MARGIN_TOO_LOW)],
)
def test_all_of_an_accounts_cash_may_leave_it_and_no_more(amount: int, status: Status) -> None:
    venue = priced()
    assert venue.transfer("alice", ALICE | 1, amount).status == status


@pytest.mark.parametrize(
    ("recipient", "status"), [(bytes(20), Status.NO_RECIPIENT), (bytes(19) + b"\1", Status.OK)]
)
def test_a_withdrawal_to_nobody_is_refused(recipient: bytes, status: Status) -> None:
    venue = priced()
    assert status_of(venue, Withdraw(ALICE, 50, recipient, 1, FAR)) == status
    assert [held.recipient for held in venue.state.withdrawals] == [recipient] * (status == 0)
    assert venue.state.account(ALICE).owner_sequence == 50


@pytest.mark.parametrize(
    "changed",
    [
        {"lot_exponent": 18},
        {"symbol": b"!~"},
        {"tick": 1, "band": 1},
        {"tick": 2**32 - 1, "band": 999_999},
        {"taker_fee": 100_000, "maker_fee": 100_000},
        {"taker_fee": 0, "maker_fee": 0},
        {"order_life_max": 1, "price_age_max": 1},
        {"order_lots_max": LOTS_MAX, "position_max": LOTS_MAX},
        {"order_lots_max": 1, "position_max": 1},
        {"open_interest_max": 2**63 - 1},
        {"deviation": 10**6, "price_step": 10**6, "interest": 10**6, "damp": 10**6},
        {"funding_cap": 10**6, "liquidation_fee": 10**6, "close_out": 10**6},
        {"interest_lower": 2**96 - 1, "interest_upper": 2**96 - 1},
        {"tiers": (Tier(0, 10**6, 10**6), Tier(2**96 - 1, 1, 1))},
    ],
    ids=str,
)
def test_a_listing_at_its_limits_is_listed(changed: dict[str, object]) -> None:
    venue = Venue()
    payload = encode_listing(listing(1, **changed))
    assert venue.item(InboxKind.LIST_MARKET, payload) == Status.OK


@pytest.mark.parametrize(
    "changed",
    [
        {"interest_lower": 2**96, "interest_upper": 2**96},
        {"tiers": (Tier(0, 2, 1), Tier(2**96, 2, 1))},
        {"deviation": 10**6 + 1},
        {"price_step": 10**6 + 1},
        {"interest": 10**6 + 1},
        {"damp": 10**6 + 1},
        {"funding_cap": 10**6 + 1},
        {"liquidation_fee": 10**6 + 1},
        {"symbol": b"BTC\x7f"},
        {"families": 2},
    ],
    ids=" ".join,
)
def test_a_listing_one_past_its_limits_is_not(changed: dict[str, object]) -> None:
    venue = Venue()
    payload = encode_listing(listing(1, **changed))
    assert venue.item(InboxKind.LIST_MARKET, payload) == Status.BAD_LISTING


@pytest.mark.parametrize(
    ("interest", "lower", "upper", "scale"),
    [
        (9, 0, 0, 0),
        (10, 10, 10, 0),
        (11, 10, 10, 10**6),
        (10, 10, 13, 0),
        (11, 10, 13, 333_334),
        (13, 10, 13, 10**6),
        (14, 10, 13, 10**6),
    ],
)
def test_rates_rise_strictly_between_the_bounds_of_open_interest(
    interest: int, lower: int, upper: int, scale: int
) -> None:
    row = replace(Venue().state.rows[0], mark=1, interest_lower=lower, interest_upper=upper)
    assert interest_scale(replace(row, long=Side(lots=interest))) == scale
    assert interest_scale(replace(row, short=Side(lots=interest))) == scale


def test_the_highest_price_that_a_row_can_carry_is_a_price() -> None:
    venue = priced()
    assert venue.price(PRICE_MAX) == Status.OK
    assert venue.price(1) == Status.OK
