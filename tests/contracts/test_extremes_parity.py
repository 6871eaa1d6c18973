"""Rules at the ends of their ranges, on L1 as in Python: the largest figures a state can hold."""

from functools import cache

import pytest
from builders import key, listing, sign_transaction
from evm_engines import Pyrevm
from msgspec.structs import replace
from step_contracts import Case, RecordedVenue, Rules

from state.accounts import PERMISSIONS_ALL, Position, SessionKey
from state.legs import Leg, legs_of
from state.limits import (
    ACCOUNT_POSITIONS_MAX,
    CASH_MAX,
    KEY_EPOCH_MAX,
    LOTS_MAX,
    PRICE_MAX,
    TICK_MAX,
    TICKS_MAX,
    TIME_MAX,
    TRANSFER_MAX,
)
from state.machine import OrderInProgress, Phase
from state.margin import health
from state.markets import Tier
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.resting import dearer_fee, distance_cost, with_resting_lots
from state.status import Status
from state.steps import Step
from state.store import Changes
from state.trade import Trade
from state.transactions import BlockTrade, CancelAll, NewOrder, Transaction, Transfer, Withdraw
from state.transactions.list_market import FEE_MAX, NOTIONAL_MAX

ALICE, BOB = 1 << 8, 2 << 8
NUMBERS = tuple(range(2**16 - ACCOUNT_POSITIONS_MAX, 2**16))
TRADED = NUMBERS[0]
SEQUENCE_MAX = 2**64 - 1
STEEP = (
    Tier(0, 50_000, 30_000),
    Tier(2**60, 100_000, 60_000),
    Tier(NOTIONAL_MAX - 2, 333_333, 1),
    Tier(NOTIONAL_MAX - 1, 999_999, 1),
)
PHASE = 20
CONTRACTS = {3: "admission", 4: "cancelling", 5: "cash", 6: "cash", 7: "cancelling", 11: "blocks"}
PHASES = {Phase.MATCH: "matching", Phase.CANCEL: "cancelling", Phase.LEG: "blocks"}


@cache
def rules(name: str) -> Rules:
    return Rules(Pyrevm(), name)


def name_of(case: Case) -> str | None:
    """The contract of rules that takes the step; none for a SAVE."""
    if case.step == Step.TRANSACTION:
        return CONTRACTS[case.given[0]]
    return PHASES.get(case.machine[PHASE][0])


def answer(venue: RecordedVenue, name: str, tx: Transaction, taker: str | None = None) -> Status:
    """Python's status, once the contracts have given the same for every step."""
    del venue.cases[:]
    other = key(taker) if taker else None
    status = venue.run(tx, sign_transaction(tx, key(name), taker=other)).status
    for case in venue.cases:
        contract = name_of(case)
        if contract:
            rules(contract).check(case)
    return status


def order(
    venue: RecordedVenue, number: int, side: int, lots: int, ticks: int = TICKS_MAX, **more: int
) -> Status:
    """An order of as long a life as there is."""
    life = Life(more.pop("life", Life.GTC))
    fields = {"epoch": 0, "sequence": next(venue.sequences), "market": TRADED}
    fields |= {"flags": encode_flags(Flags(side, life=life)), "expiry": TIME_MAX} | more
    name = {ALICE: "alice", BOB: "bob"}[number]
    tx = NewOrder(account=number, ticks=ticks, lots=lots, **fields)
    return answer(venue, name, tx)


def change_account(venue: RecordedVenue, number: int, **changed: object) -> None:
    """What no transaction can do in a moment, sums kept."""
    changes = Changes(venue.state)
    changes.write_account(number, replace(venue.state.account(number), **changed))
    venue.state.apply(changes)


def change_row(venue: RecordedVenue, market: int = TRADED, **changed: object) -> None:
    changes = Changes(venue.state)
    row = changes.row(market)
    assert row is not None
    changes.write_row(replace(row, **changed))
    venue.state.apply(changes)


def greatest(held: int, **terms: object) -> RecordedVenue:
    """On the last day, bob with `held` lots of each market against alice, all at its end."""
    fields: dict[str, object] = {
        "tick": TICK_MAX,
        "order_lots_max": LOTS_MAX,
        "position_max": LOTS_MAX,
        "open_interest_max": 2**63 - 1,
        "band": 999_999,
        "taker_fee": FEE_MAX,
        "maker_fee": FEE_MAX,
        "order_life_max": 2**32 - 1,
        "price_age_max": 2**32 - 1,
        "tiers": STEEP,
        "interest_lower": NOTIONAL_MAX - 2,
        "interest_upper": NOTIONAL_MAX - 1,
    }
    markets = tuple(listing(number, **(fields | terms)) for number in NUMBERS)
    venue = RecordedVenue(markets=markets, mark=PRICE_MAX)
    for name in ("alice", "bob"):
        venue.open(name, 1)
    changes = Changes(venue.state)
    for number in NUMBERS if held else ():
        row = changes.row(number)
        assert row is not None
        long, short = (replace(side, lots=abs(held), legs=1) for side in (row.long, row.short))
        changes.write_row(replace(row, long=long, short=short))
    for number, lots in ((ALICE, -held), (BOB, held)):
        positions = tuple(Position(market, lots) for market in NUMBERS) if lots else ()
        keys = (SessionKey(KEY_EPOCH_MAX, key("bot").address, 0, TIME_MAX, PERMISSIONS_ALL),)
        account = replace(changes.account(number), positions=positions, keys=keys)
        # Twice what the positions are worth, so that either is healthy at a rate of one.
        cash = CASH_MAX // 4 - lots * PRICE_MAX * len(positions)
        changes.write_account(number, replace(account, cash=cash, key_epoch=KEY_EPOCH_MAX))
    venue.state.apply(changes)
    machine = venue.state.machine
    machine.time = machine.time_max = TIME_MAX
    for number in NUMBERS:
        change_row(venue, number, time=TIME_MAX)
    return venue


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("held", [0, 1, -1, 2**47, -(2**47), LOTS_MAX, -LOTS_MAX])
def test_the_largest_positions_grow_shrink_and_turn_over(held: int, side: int) -> None:
    venue = greatest(held, min_notional=2**64 - 1)
    signed = LOTS_MAX if side == BUY else -LOTS_MAX
    fits = abs(held + signed) <= LOTS_MAX
    status = order(venue, ALICE, 1 - side, LOTS_MAX)
    assert status == (Status.OK if fits else Status.POSITION_LIMIT)
    status = order(venue, BOB, side, LOTS_MAX)
    assert status == (Status.OK if fits else Status.POSITION_LIMIT)
    position = venue.state.account(BOB).position(TRADED)
    assert (position.lots if position else 0) == (held + signed if fits else held)


@pytest.mark.parametrize("past", [0, 1])
@pytest.mark.parametrize("end", [CASH_MAX, -CASH_MAX])
@pytest.mark.parametrize("number", [ALICE, BOB])
def test_cash_may_reach_its_maximum_and_not_pass_it(number: int, end: int, past: int) -> None:
    side = SELL if end > 0 else BUY
    # Three lots are closed, so that admission asks for no margin.
    venue = greatest(5 if (number == BOB) == (side == SELL) else -5, taker_fee=0, maker_fee=0)
    value = 3 * TICKS_MAX * TICK_MAX
    maker, taker = (ALICE, BOB) if number == BOB else (BOB, ALICE)
    maker_side = side if number == maker else 1 - side
    assert order(venue, maker, maker_side, 3) == Status.OK
    change_account(venue, number, cash=end - value + past if end > 0 else end + value - past)
    status = order(venue, taker, 1 - maker_side, 3, life=Life.IOC)
    after = venue.state.account(number)
    if end > 0 and not past:
        assert status == Status.OK and after.cash == end
    elif number == taker:
        is_past = Status.POSITION_TOO_LARGE if past else Status.TAKER_MARGIN_TOO_LOW
        assert status == is_past
    else:
        assert status == Status.REMAINDER_DROPPED and after.orders == ()


@pytest.mark.parametrize("lots", [2, 5, 9])
def test_a_position_takes_the_indices_of_its_side(lots: int) -> None:
    venue = greatest(5)
    row = venue.state.row(TRADED)
    assert row is not None
    long = replace(row.long, a=2**64 - 1, k=2**127 - 1, f=-(2**127))
    short = replace(row.short, a=0, k=-(2**127), f=2**127 - 1)
    change_row(venue, long=long, short=short)
    for number, held in ((ALICE, -5), (BOB, 5)):
        positions = venue.state.account(number).positions
        first = Position(TRADED, held, a=7, k=-8, f=9)
        change_account(venue, number, positions=(first, *positions[1:]))
    # A flat position that keeps its slot has the indices of no side.
    assert order(venue, BOB, BUY, 1, 1) == Status.OK
    assert order(venue, ALICE, BUY, lots) == Status.OK
    assert order(venue, BOB, SELL, lots) == Status.OK
    for number, held in ((ALICE, lots - 5), (BOB, 5 - lots)):
        position = venue.state.account(number).position(TRADED)
        side = long if held > 0 else short
        bid = 1 if number == BOB else 0
        expected = Position(TRADED, held, bid_lots=bid)
        if held:
            expected = replace(expected, a=side.a, k=side.k, f=side.f)
        assert position == (None if expected.is_empty else expected)


@pytest.mark.parametrize("lower", [-1, 0, 1])
@pytest.mark.parametrize("upper", [-1, 0, 1, 1_000])
@pytest.mark.parametrize("tiers", range(1, 5))
def test_margin_at_the_ends_of_tiers_and_of_open_interest(
    tiers: int, upper: int, lower: int
) -> None:
    venue = greatest(5, taker_fee=0, maker_fee=0)
    row = venue.state.row(TRADED)
    assert row is not None
    interest, size = 5 * row.mark, 6 * row.mark
    starts = (0, interest - 1, interest, size)[:tiers]
    rates = (50_000, 333_333, 999_999, 1_000_000)
    steep = tuple(Tier(start, rate, 1) for start, rate in zip(starts, rates, strict=False))
    ends = {"interest_lower": interest + min(lower, upper), "interest_upper": interest + upper}
    change_row(venue, tiers=steep, **ends)
    one = venue.state.account(BOB).positions[0]
    change_account(venue, BOB, positions=(one,))
    for cash in (0, -4 * row.mark, -5 * row.mark):
        for more in range(-2, 3):
            change_account(venue, BOB, cash=cash + more)
            order(venue, BOB, BUY, 1, life=Life.IOC)
            withdraw = Withdraw(BOB, next(venue.sequences), key("bob").address, 1, TIME_MAX)
            answer(venue, "bob", withdraw)


@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize("held", [1, LOTS_MAX])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_block_trade_of_the_largest_legs(side: int, held: int, grows: bool) -> None:
    venue = greatest(-held if (side == BUY) == grows else held, min_notional=2**64 - 1)
    legs = [Leg(market, side, TICKS_MAX, LOTS_MAX) for market in NUMBERS[:4]]
    parties = (BOB, 0, SEQUENCE_MAX - 1, ALICE, KEY_EPOCH_MAX, SEQUENCE_MAX)
    tx = BlockTrade(*parties, TIME_MAX, len(legs), legs_of(*legs))
    del venue.cases[:]
    signature = sign_transaction(tx, key("bob"), taker=key("bot"))
    expected = Status.POSITION_TOO_LARGE if grows else Status.OK
    assert venue.run(tx, signature).status == expected
    tx = replace(tx, maker=ALICE, taker=BOB, maker_epoch=KEY_EPOCH_MAX, taker_epoch=0)
    tx = replace(tx, maker_sequence=SEQUENCE_MAX, taker_sequence=SEQUENCE_MAX)
    signature = sign_transaction(tx, key("bot"), taker=key("bob"))
    assert venue.run(tx, signature).status == Status.SEQUENCE_USED
    for case in venue.cases:
        contract = name_of(case)
        if contract:
            rules(contract).check(case)


def test_the_largest_amounts_leave_an_account() -> None:
    venue = greatest(LOTS_MAX)
    to = BOB | 255
    assert answer(venue, "bob", Transfer(BOB, 9_000, to, TRANSFER_MAX, TIME_MAX)) == Status.OK
    change_account(venue, BOB, sequence_floor=SEQUENCE_MAX - 1)
    amount = 2**64 - 1
    tx = Withdraw(BOB, SEQUENCE_MAX, key("bob").address, amount, TIME_MAX)
    assert answer(venue, "bob", tx) == Status.OK
    assert answer(venue, "bob", tx) == Status.SEQUENCE_USED
    change_account(venue, to, cash=amount * 1_000 - 1)
    assert answer(venue, "bob", replace(tx, account=to, sequence=1)) == Status.MARGIN_TOO_LOW
    change_account(venue, to, cash=amount * 1_000)
    assert answer(venue, "bob", replace(tx, account=to, sequence=2)) == Status.OK


def test_as_many_orders_as_there_may_be_are_known_by_the_last_names() -> None:
    venue = greatest(LOTS_MAX)
    for at in range(64):
        key_of, epoch = (("bob", 0), ("bot", KEY_EPOCH_MAX))[at % 2]
        flags = encode_flags(Flags(SELL))
        number = SEQUENCE_MAX - 64 + at
        tx = NewOrder(BOB, epoch, number, TRADED, flags, TICKS_MAX, 1, TIME_MAX)
        assert answer(venue, key_of, tx) == Status.OK
    tx = replace(tx, sequence=SEQUENCE_MAX)
    assert answer(venue, "bot", tx) == Status.TOO_MANY_ORDERS
    assert len(venue.state.account(BOB).orders) == 64
    assert order(venue, ALICE, BUY, 3) == Status.OK
    everything = CancelAll(BOB, 0, SEQUENCE_MAX, 1, 0, TIME_MAX)
    assert answer(venue, "bob", everything) == Status.OK
    assert venue.state.account(BOB).orders == ()


def least_cash(venue: RecordedVenue, side: int, lots: int) -> int:
    """With how little cash alice, whose order is at the front, may meet `lots`."""

    def stands(cash: int) -> bool:
        changes = Changes(venue.state)
        changes.write_account(ALICE, replace(changes.account(ALICE), cash=cash))
        front = venue.state.front(TRADED, side)
        assert front is not None
        taken = OrderInProgress(Phase.MATCH, BOB, market=TRADED, lots=lots)
        return Trade(changes, taken, Flags(1 - side), *front).maker_stands()

    low, high = -CASH_MAX // 2, CASH_MAX // 2
    assert stands(high) and not stands(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if stands(middle) else (middle, high)
    return high


@pytest.mark.parametrize("less", [0, 1])
@pytest.mark.parametrize("fee", [0, 777, FEE_MAX])
@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("held", [0, 5, -5, 100])
def test_a_maker_stands_to_the_last_unit(held: int, side: int, fee: int, less: int) -> None:
    venue = greatest(held, taker_fee=0, maker_fee=fee)
    row = venue.state.row(TRADED)
    assert row is not None
    change_row(venue, interest_lower=row.mark, interest_upper=1_001 * row.mark)
    assert order(venue, ALICE, side, 4) == Status.OK
    least = least_cash(venue, side, 3)
    change_account(venue, ALICE, cash=least - less)
    assert order(venue, BOB, 1 - side, 3, life=Life.IOC) in (Status.OK, Status.REMAINDER_DROPPED)
    position = venue.state.account(ALICE).position(TRADED)
    moved = 0 if less else (3 if side == BUY else -3)
    assert (position.lots if position else 0) == moved - held


@pytest.mark.parametrize("ticks", [TICKS_MAX // 2, TICKS_MAX])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_order_rests_to_the_last_unit_whatever_the_dearer_fee(side: int, ticks: int) -> None:
    for fees in ({"taker_fee": 3, "maker_fee": 777}, {"taker_fee": 777, "maker_fee": 3}):
        venue = greatest(5, **fees)
        mark = (TICKS_MAX * 3 // 4) * TICK_MAX
        change_row(venue, mark=mark, interest_lower=0, interest_upper=NOTIONAL_MAX - 1)
        account = venue.state.account(BOB)
        change_account(venue, BOB, positions=account.positions[:1])
        least = lowest_answer(venue, side, ticks)
        seen = set()
        for cash in range(least - 2, least + 3):
            change_account(venue, BOB, cash=cash)
            seen.add(order(venue, BOB, side, 40, ticks))
            tx = CancelAll(BOB, 0, next(venue.sequences), 1, 0, TIME_MAX)
            answer(venue, "bob", tx)
        assert Status.OK in seen and len(seen) == 2


def lowest_answer(venue: RecordedVenue, side: int, ticks: int) -> int:
    """With how little cash bob's order for 40 lots comes to rest."""
    market, row = venue.state.market(TRADED), venue.state.row(TRADED)
    assert market is not None and row is not None
    cost = dearer_fee(market, 40, ticks) + distance_cost(market, row, side, 40, ticks)
    changes = Changes(venue.state)
    resting = with_resting_lots(changes.account(BOB), TRADED, side, 40)
    after = health(changes, replace(resting, cash=0))
    return after.initial + cost - after.equity


@pytest.mark.parametrize("most", [4, 5, 6])
@pytest.mark.parametrize("lots", [1, 2, 9, 10, 11])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_position_past_its_maximum_may_shrink_and_turn_over(
    side: int, lots: int, most: int
) -> None:
    venue = greatest(5, taker_fee=0, maker_fee=0)
    market = venue.state.market(TRADED)
    assert market is not None
    assert order(venue, ALICE, 1 - side, 20) == Status.OK
    changes = Changes(venue.state)
    changes.write_market(replace(market, position_max=most))
    venue.state.apply(changes)
    order(venue, BOB, side, lots, life=Life.IOC)
    order(venue, BOB, side, lots)
    before = venue.state.account(BOB).position(TRADED)
    assert before is None or abs(before.lots) <= max(5, most)


@pytest.mark.parametrize("more", [0, 1])
def test_a_leg_may_be_worth_just_the_least_there_is(more: int) -> None:
    venue = greatest(5, min_notional=TICKS_MAX * TICK_MAX + more)
    legs = legs_of(Leg(TRADED, BUY, TICKS_MAX, 1))
    parties = (BOB, 0, next(venue.sequences), ALICE, 0, next(venue.sequences))
    tx = BlockTrade(*parties, TIME_MAX, 1, legs)
    status = answer(venue, "bob", tx, taker="alice")
    assert status == (Status.NOTIONAL_TOO_SMALL if more else Status.OK)
