"""Amends are admitted on L1 as in Python: same status, machine and leaves, byte by byte."""

import pytest
from admission_world import (
    ALICE,
    CANCELLER,
    LAST,
    LATE,
    MARK,
    TICKS,
    TRADER,
    admission,
    an_amend,
    answer,
    change_account,
    change_row,
    row_of,
    rules,
    started,
)
from builders import DOLLAR, FAR, NOW, key, sign_transaction
from evm_engines import Reverted
from msgspec.structs import replace

from state.limits import ORDER_STEPS_MAX
from state.markets import Mode
from state.orders import BUY, SELL, Life
from state.status import Status, is_identity

LEAST_LOTS = 1
BEYOND = MARK * 110 // 100 + 1


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"ticks": 0, "account": 0}, "mallory", Status.MALFORMED),
        ({"account": 99 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"epoch": 9}, "bot", Status.UNKNOWN_KEY),
        ({"epoch": TRADER}, "alice", Status.BAD_SIGNATURE),
        ({"sequence": 0}, "bob", Status.BAD_SIGNATURE),
        ({"sequence": 1}, "alice", Status.SEQUENCE_USED),
        ({"epoch": CANCELLER, "expiry": NOW - 1}, "bot", Status.NOT_PERMITTED),
        ({"epoch": LATE}, "bot", Status.NOT_PERMITTED),
        ({"expiry": NOW - 1, "order_sequence": 2}, "alice", Status.EXPIRED),
        # Without the order there is no market whose limits could be passed.
        ({"order_sequence": 2, "lots": 0, "expiry": 2**40 - 1}, "alice", Status.UNKNOWN_ORDER),
        ({"order_sequence": 0}, "alice", Status.UNKNOWN_ORDER),
        ({"order_epoch": TRADER}, "alice", Status.UNKNOWN_ORDER),
        ({"order_epoch": 2**32 - 1, "order_sequence": 2**64 - 1}, "alice", Status.UNKNOWN_ORDER),
        # Where it stands.
        ({"lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 0, "expiry": NOW}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({}, "alice", Status.OK),
        ({"lots": LEAST_LOTS}, "alice", Status.OK),
        ({"lots": 9, "expiry": NOW}, "alice", Status.OK),
        ({"lots": 9, "epoch": TRADER}, "bot", Status.OK),
        ({"lots": 9, "epoch": LAST}, "bot", Status.OK),
        # Anew.
        ({"expiry": 2**40 - 1, "ticks": BEYOND}, "alice", Status.EXPIRY_TOO_FAR),
        ({"ticks": BEYOND, "lots": 0}, "alice", Status.PRICE_OUT_OF_BAND),
        ({"ticks": TICKS + 1, "lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"expiry": FAR, "lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 20_000_001}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 20_000_000}, "alice", Status.MARGIN_TOO_LOW),
        ({"lots": 11}, "alice", Status.OK),
        ({"lots": 9, "expiry": FAR}, "alice", Status.OK),
        ({"ticks": TICKS - 1}, "alice", Status.OK),
        ({"ticks": MARK + 5, "lots": 1, "epoch": TRADER}, "bot", Status.OK),
    ],
    ids=str,
)
def test_an_amend_gets_the_same_answer(
    changed: dict[str, int], signer: str, status: Status
) -> None:
    assert answer(started(), an_amend(**changed), signer) == status


@pytest.mark.parametrize(
    ("closed", "anew"),
    [
        ({"mode": Mode.HALTED}, Status.MARKET_CLOSED),
        ({"time": NOW - 3_601}, Status.MARKET_CLOSED),
        ({"mark": 0}, Status.MARKET_CLOSED),
        ({}, Status.OK),
    ],
)
def test_less_keeps_its_place_in_a_closed_market_too(closed: dict[str, int], anew: Status) -> None:
    venue = started()
    change_row(venue, **closed)
    assert answer(venue, an_amend(lots=9)) == Status.OK
    assert answer(venue, an_amend(sequence=71, lots=10)) == anew


@pytest.mark.parametrize(("lots", "status"), [(2, Status.NOTIONAL_TOO_SMALL), (3, Status.OK)])
@pytest.mark.parametrize("ticks", [TICKS, TICKS - 1])
def test_what_is_left_is_worth_the_least_notional(lots: int, status: Status, ticks: int) -> None:
    assert answer(started(min_notional=ticks * 100 * 3), an_amend(ticks=ticks, lots=lots)) == status


def test_an_amend_that_could_outrun_the_budget_is_an_identity_step() -> None:
    venue = started()
    venue.state.machine.steps_left = ORDER_STEPS_MAX
    assert answer(venue, an_amend(ticks=0)) == Status.OUT_OF_STEPS
    venue.state.machine.steps_left = ORDER_STEPS_MAX + 1
    assert answer(venue, an_amend()) == Status.OK


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("life", [Life.GTC, Life.POST_ONLY])
@pytest.mark.parametrize("reduce_only", [False, True])
def test_an_amended_order_keeps_its_flags(side: int, life: Life, reduce_only: bool) -> None:
    """Alice is long in market 9, so that a sale there reduces."""
    venue, sequence = started(), 40
    venue.sequences = iter([sequence])  # type: ignore[assignment]
    price = MARK + (9 if side == SELL else -9)
    venue.order("alice", side, 7, price, life=life, reduce_only=reduce_only, market=9)
    for at, (ticks, lots) in enumerate(((price, 6), (price, 8), (price + 1, 2), (MARK, 2)), 71):
        answer(venue, an_amend(order_sequence=sequence, sequence=at, ticks=ticks, lots=lots))


@pytest.mark.parametrize("equity", [-1, 0, 1, DOLLAR])
def test_more_is_asked_for_margin_and_less_is_not(equity: int) -> None:
    venue = started()
    held = venue.state.account(ALICE).position(9)
    assert held is not None
    change_account(venue, ALICE, cash=equity - held.lots * row_of(venue, 9).mark)
    assert answer(venue, an_amend(lots=9)) == Status.OK
    assert answer(venue, an_amend(sequence=71, lots=11)) == Status.MARGIN_TOO_LOW
    assert answer(venue, an_amend(sequence=72, lots=1)) == Status.OK


def test_an_identity_status_writes_nothing_and_a_refusal_the_number_alone() -> None:
    for changed in ({"sequence": 0}, {"lots": 0}, {"order_sequence": 3}, {"account": 0}):
        venue = started()
        tx = an_amend(**changed)
        case = admission(venue, tx, sign_transaction(tx, key("alice")))
        _, changes = rules().apply(case)
        assert (changes == bytes(6)) == is_identity(Status(case.status))
        assert changes[-1:] == b"\0" and changes[:1] == b"\0"


def test_a_witness_without_the_order_is_none() -> None:
    tx = an_amend(lots=9)
    case = admission(started(), tx, sign_transaction(tx, key("alice")))
    orders = case.leaves.rindex(b"\1\0\0")
    with pytest.raises(Reverted):
        rules().apply(replace(case, leaves=case.leaves[:orders] + bytes(2)))
