"""Orders are admitted on L1 as in Python: same status, machine and leaves, byte by byte."""

from unittest.mock import patch

import histories
import pytest
from admission_world import (
    ALICE,
    CANCELLER,
    KINDS,
    LAST,
    LATE,
    MARK,
    TRADER,
    admission,
    an_amend,
    an_order,
    answer,
    change_account,
    change_row,
    is_admission,
    row_of,
    rules,
    started,
)
from builders import DOLLAR, FAR, NOW, key, listing, sign_transaction
from evm_engines import Reverted
from histories import History
from msgspec.structs import replace
from step_contracts import Case, RecordedVenue

from contracts.compiler import RUNTIME_BYTES_MAX, compile_contract
from state.accounts import SessionKey
from state.limits import ACCOUNT_ORDERS_MAX, ACCOUNT_POSITIONS_MAX, ORDER_STEPS_MAX
from state.markets import Mode
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.status import Status
from state.store import Changes

MARKET_ORDER = encode_flags(Flags(BUY, is_market=True, life=Life.IOC))
CLOSING = encode_flags(Flags(SELL, life=Life.IOC, reduce_only=True))
ADMIT_GAS_MAX = 1_050_000
BASE_GAS = 21_000


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"flags": 0x80}, "alice", Status.MALFORMED),
        ({"flags": 0x60}, "alice", Status.MALFORMED),
        ({"ticks": 0}, "alice", Status.MALFORMED),
        ({"flags": MARKET_ORDER}, "alice", Status.MALFORMED),
        ({"account": 99 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"account": 0, "epoch": 1}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"epoch": 5}, "bot", Status.UNKNOWN_KEY),
        ({"epoch": TRADER, "sequence": 5}, "alice", Status.BAD_SIGNATURE),
        ({"sequence": 0}, "bot", Status.BAD_SIGNATURE),
        ({"sequence": 1, "expiry": 0}, "alice", Status.SEQUENCE_USED),
        ({"sequence": 5, "epoch": TRADER}, "bot", Status.SEQUENCE_USED),
        ({"epoch": CANCELLER, "expiry": 0}, "bot", Status.NOT_PERMITTED),
        ({"epoch": LATE}, "bot", Status.NOT_PERMITTED),
        ({"epoch": LAST}, "bot", Status.OK),
        ({"epoch": TRADER, "sequence": 6}, "bot", Status.OK),
        ({"expiry": NOW - 1, "market": 5}, "alice", Status.EXPIRED),
        ({"expiry": NOW}, "alice", Status.OK),
        # No market at a free place, at one that another market has, and past the board.
        ({"market": 5, "expiry": 2**40 - 1}, "alice", Status.UNKNOWN_MARKET),
        ({"market": 64}, "alice", Status.UNKNOWN_MARKET),
        ({"market": 2**16 - 1}, "alice", Status.UNKNOWN_MARKET),
        ({"expiry": NOW + 90 * 86_400 + 1}, "alice", Status.EXPIRY_TOO_FAR),
        ({"expiry": NOW + 90 * 86_400}, "alice", Status.OK),
        ({"ticks": MARK * 110 // 100 + 1, "lots": 0}, "alice", Status.PRICE_OUT_OF_BAND),
        ({"ticks": MARK * 110 // 100}, "alice", Status.OK),
        ({"flags": SELL, "ticks": MARK * 90 // 100 - 1}, "alice", Status.PRICE_OUT_OF_BAND),
        ({"flags": SELL, "ticks": MARK * 90 // 100}, "alice", Status.OK),
        ({"lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 20_000_001}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 20_000_000}, "alice", Status.MARGIN_TOO_LOW),
        ({"lots": 20_000_000, "flags": SELL}, "alice", Status.MARGIN_TOO_LOW),
        ({"flags": MARKET_ORDER, "ticks": 0}, "alice", Status.OK),
        ({"flags": MARKET_ORDER | SELL, "ticks": 0}, "alice", Status.OK),
        # Alice is long in market 9 alone: 3,000 lots.
        ({"flags": CLOSING}, "alice", Status.NOTHING_TO_REDUCE),
        ({"market": 9, "flags": CLOSING ^ SELL}, "alice", Status.NOTHING_TO_REDUCE),
        ({"market": 9, "flags": CLOSING, "lots": 2**40}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"market": 9, "flags": CLOSING, "lots": 10**12}, "alice", Status.OK),
        ({"market": 9, "flags": CLOSING, "lots": 2_999}, "alice", Status.OK),
        ({"sequence": 2**64 - 1}, "alice", Status.OK),
        ({}, "alice", Status.OK),
    ],
    ids=str,
)
def test_an_order_gets_the_same_answer(
    changed: dict[str, int], signer: str, status: Status
) -> None:
    assert answer(started(), an_order(**changed), signer) == status


def test_every_flag_byte_means_the_same() -> None:
    venue = started()
    for sequence, flags in enumerate([*range(128), 128, 192, 255], 100):
        for ticks in (0, MARK - 1):
            answer(venue, an_order(flags=flags, ticks=ticks, sequence=2 * sequence + (ticks == 0)))


# --- the market and the account ---


def test_an_order_that_could_outrun_the_budget_is_an_identity_step() -> None:
    venue = started()
    for left, status in ((1, "OUT_OF_STEPS"), (ORDER_STEPS_MAX, "OUT_OF_STEPS")):
        venue.state.machine.steps_left = left
        assert answer(venue, an_order(flags=0x80)) == Status[status]
    venue.state.machine.steps_left = ORDER_STEPS_MAX + 1
    assert answer(venue, an_order()) == Status.OK


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("age", [0, 3_600, 3_601])
@pytest.mark.parametrize("mark", [0, MARK * 100])
def test_only_a_fresh_market_takes_an_order(mode: Mode, age: int, mark: int) -> None:
    venue = started()
    change_row(venue, mode=mode, time=NOW - age, mark=mark, slow_mark=mark)
    status = answer(venue, an_order())
    assert (status == Status.OK) == (mode == Mode.LIVE and age <= 3_600 and mark > 0)
    assert status in (Status.OK, Status.MARKET_CLOSED)


# At a tenth below the first of these a sell's edge is the greatest tick that there is.
@pytest.mark.parametrize("mark", [1_864_135_000, 1, 99, 101, 2**24 * 100, 2**24 * 110, 2**56 - 1])
@pytest.mark.parametrize("band", [1, 100_000, 999_999])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_band_ends_at_the_same_tick(mark: int, band: int, side: int) -> None:
    venue = started(band=band)
    change_row(venue, mark=mark, slow_mark=mark)
    ioc = encode_flags(Flags(side, is_market=True, life=Life.IOC))
    answer(venue, an_order(flags=ioc, ticks=0))
    for sequence, ticks in enumerate((1, 2, 2**24 - 1, mark // 100 % 2**24 or 1), 71):
        flags = encode_flags(Flags(side, life=Life.IOC))
        answer(venue, an_order(flags=flags, ticks=ticks, sequence=sequence))


@pytest.mark.parametrize("life", Life)
@pytest.mark.parametrize("reduce_only", [False, True])
@pytest.mark.parametrize(("lots", "held"), [(1, 0), (2, 3), (3, 3), (4, 3), (9, 3), (2, -3)])
def test_small_orders_are_refused_alike(
    life: Life, reduce_only: bool, lots: int, held: int
) -> None:
    venue = started(min_notional=MARK * 100 * 4)
    position = replace(venue.state.account(ALICE).positions[0], lots=held)
    change_account(venue, ALICE, positions=(position, *venue.state.account(ALICE).positions[1:]))
    flags = encode_flags(Flags(SELL, life=life, reduce_only=reduce_only))
    answer(venue, an_order(flags=flags, lots=lots))


@pytest.mark.parametrize("most", [29, 30, 31])
def test_a_position_grows_up_to_its_limit(most: int) -> None:
    venue = started()
    changes, market = Changes(venue.state), venue.state.market(0)
    assert market is not None
    changes.write_market(replace(market, position_max=most))
    venue.state.apply(changes)
    status = answer(venue, an_order())
    assert status == (Status.OK if most >= 30 else Status.POSITION_LIMIT)


def test_margin_is_asked_to_the_last_nano() -> None:
    for cash in range(52 * DOLLAR - 4, 56 * DOLLAR, DOLLAR // 4):
        venue = started()
        change_account(venue, ALICE, positions=(), orders=(), cash=cash)
        answer(venue, an_order(lots=20_000))
    venue = started()
    change_account(venue, ALICE, positions=(), orders=(), cash=0)
    needed = lowest_cash(venue)
    for cash, status in ((needed - 1, Status.MARGIN_TOO_LOW), (needed, Status.OK)):
        change_account(venue, ALICE, cash=cash, owner_sequence=0)
        assert answer(venue, an_order(lots=20_000)) == status


def lowest_cash(venue: RecordedVenue) -> int:
    """Five percent of the value, and the dearer fee."""
    market, value = venue.state.market(0), 20_000 * row_of(venue).mark
    assert market is not None
    return value * 50_000 // 10**6 + value * max(market.taker_fee, market.maker_fee) // 10**6


# --- the fullest account ---


def full() -> RecordedVenue:
    """Alice stands in sixteen markets with four orders in each."""
    names = [f"COIN{n}-USD".encode() for n in range(ACCOUNT_POSITIONS_MAX + 1)]
    markets = tuple(listing(n, symbol=name) for n, name in enumerate(names))
    venue = RecordedVenue(markets=markets)
    venue.open("alice", 1_000)
    for number in range(ACCOUNT_ORDERS_MAX):
        market = number % ACCOUNT_POSITIONS_MAX
        assert venue.buy("alice", 10, MARK, market=market).status == Status.OK
    keys = tuple(SessionKey(n, key("bot").address, 5, FAR, 1) for n in range(1, 5))
    change_account(venue, ALICE, key_epoch=4, keys=keys)
    return venue


def test_a_full_account_is_refused_more_and_costs_no_more_than_is_allowed() -> None:
    venue = full()
    ioc = encode_flags(Flags(BUY, life=Life.IOC))
    elsewhere = ACCOUNT_POSITIONS_MAX
    assert answer(venue, an_order(), "alice") == Status.TOO_MANY_ORDERS
    assert answer(venue, an_order(sequence=71, market=elsewhere)) == Status.TOO_MANY_ORDERS
    tx = an_order(sequence=72, market=elsewhere, flags=ioc)
    assert answer(venue, tx) == Status.TOO_MANY_POSITIONS
    order = an_order(sequence=73, flags=ioc, epoch=4, lots=1)
    amend = an_amend(sequence=74, epoch=4, order_sequence=60, ticks=MARK + 1)
    for each in (order, amend):
        case = admission(venue, each, sign_transaction(each, key("bot")))
        rules().check(case)
        gas = rules().engine.evm.result.gas_used - BASE_GAS  # type: ignore[attr-defined]
        print(f"ADMIT, {len(case.leaves):,} bytes of leaves: {gas:,} gas with the calldata")
        assert case.status == Status.OK and gas <= ADMIT_GAS_MAX
    assert len(compile_contract("steps/admission").runtime_code) <= RUNTIME_BYTES_MAX


# --- histories ---


def of_history(seed: int) -> list[Case]:
    with patch.object(histories, "Venue", RecordedVenue):
        history = History(seed)
    history.run(700)
    assert isinstance(history.venue, RecordedVenue)
    return [case for case in history.venue.cases if is_admission(case)]


def test_the_orders_and_amends_of_random_histories_end_alike() -> None:
    cases = [case for seed in range(4) for case in of_history(seed)]
    for case in cases:
        rules().check(case)
    assert len(cases) > 1_500
    assert {case.given[0] for case in cases} == set(KINDS)
    assert {case.status for case in cases} >= {
        *(Status.OK, Status.MALFORMED, Status.BAD_SIGNATURE, Status.SEQUENCE_USED),
        *(Status.UNKNOWN_KEY, Status.NOT_PERMITTED, Status.EXPIRED, Status.EXPIRY_TOO_FAR),
        *(Status.UNKNOWN_MARKET, Status.MARKET_CLOSED, Status.PRICE_OUT_OF_BAND),
        *(Status.LOTS_OUT_OF_RANGE, Status.NOTIONAL_TOO_SMALL, Status.NOTHING_TO_REDUCE),
        *(Status.MARGIN_TOO_LOW, Status.UNKNOWN_ORDER, Status.POSITION_LIMIT),
    }


def test_another_kind_is_not_this_contracts() -> None:
    case = admission(started(), an_order(), sign_transaction(an_order(), key("alice")))
    for kind in (0, 4, 11, 255):
        other = replace(case, given=bytes([kind]) + case.given[1:])
        with pytest.raises(Reverted, match="not a kind of this contract"):
            rules().apply(other)


def test_a_witness_without_what_an_order_reads_is_none() -> None:
    case = admission(started(), an_order(), sign_transaction(an_order(), key("alice")))
    with pytest.raises(Reverted, match="witness: leaf missing"):
        rules().apply(replace(case, leaves=bytes(5)))
