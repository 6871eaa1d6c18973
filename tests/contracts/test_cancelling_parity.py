"""Cancels on L1 are those of Python, one at a time and all at once, byte by byte."""

from unittest.mock import patch

import histories
import pytest
from builders import FAR, NOW
from cancelling_world import (
    ALICE,
    ALL,
    BLOCKER,
    BUILDERS,
    CANCELLER,
    EVERYTHING,
    LATE,
    MARK,
    TRADER,
    Builder,
    a_cancel,
    a_cancel_all,
    check,
    names,
    resting,
    rules,
    started,
)
from evm_engines import ENGINES, Engine, Reverted
from histories import History
from msgspec.structs import replace
from step_contracts import Case, RecordedVenue

from contracts.compiler import RUNTIME_BYTES_MAX, compile_contract
from state.limits import ACCOUNT_ORDERS_MAX, CANCEL_ALL_STEPS_MAX
from state.machine import Phase
from state.status import Status
from state.steps import Step
from state.transactions import CancelAll, Header
from state.transactions.kinds import Kind

PHASE = 20
"""Where a machine's words hold the order in progress, whose first word is its phase."""

SIGNED = [
    ({"account": 99 << 8, "epoch": 9}, "alice", Status.UNKNOWN_ACCOUNT),
    ({"account": 0}, "alice", Status.UNKNOWN_ACCOUNT),
    ({"epoch": 9, "sequence": 0}, "bot", Status.UNKNOWN_KEY),
    ({"epoch": 2**32 - 1}, "bot", Status.UNKNOWN_KEY),
    ({"sequence": 0}, "bob", Status.BAD_SIGNATURE),
    ({"epoch": TRADER}, "alice", Status.BAD_SIGNATURE),
    ({"epoch": TRADER, "sequence": 6, "expiry": 0}, "bot", Status.SEQUENCE_USED),
    ({"epoch": CANCELLER, "sequence": 5}, "bot", Status.SEQUENCE_USED),
    ({"sequence": 4}, "alice", Status.SEQUENCE_USED),
    ({"epoch": BLOCKER, "expiry": 0}, "bot", Status.NOT_PERMITTED),
    ({"expiry": NOW}, "alice", Status.EXPIRED),
    ({"epoch": TRADER, "expiry": NOW}, "bot", Status.EXPIRED),
    ({"expiry": NOW + 1, "sequence": 5}, "alice", Status.OK),
    ({"epoch": TRADER, "sequence": 7}, "bot", Status.OK),
    ({"epoch": CANCELLER, "sequence": 6}, "bot", Status.OK),
    ({"epoch": EVERYTHING}, "bot", Status.OK),
]


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(("changed", "signer", "status"), SIGNED)
def test_a_cancel_is_refused_for_its_first_fault(
    build: Builder, changed: dict[str, int], signer: str, status: Status
) -> None:
    venue = resting()
    assert venue.send(signer, build(**changed)).status == status
    assert (names(venue) == ALL) == (status != Status.OK)
    check(venue)


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(("after", "status"), [(0, Status.OK), (1, Status.NOT_PERMITTED)])
def test_a_session_key_ends_with_its_last_second(
    build: Builder, after: int, status: Status
) -> None:
    venue = started(LATE)
    venue.buy("alice", 10, MARK)
    venue.run(Header(NOW + after))
    del venue.cases[:]
    assert venue.send("bot", build(epoch=LATE)).status == status
    check(venue)


# --- one order ---


@pytest.mark.parametrize(
    ("name", "left"),
    [
        *[(name, [other for other in ALL if other != name]) for name in ALL],
        *[(name, ALL) for name in ((0, 5), (0, 0), (TRADER, 1), (0, 6), (2**32 - 1, 2**64 - 1))],
    ],
)
def test_it_takes_the_order_of_that_name(
    name: tuple[int, int], left: list[tuple[int, int]]
) -> None:
    venue = resting()
    tx = a_cancel(order_epoch=name[0], order_sequence=name[1])
    status = Status.UNKNOWN_ORDER if left == ALL else Status.OK
    assert venue.send("alice", tx).status == status
    assert names(venue) == left
    check(venue)


def test_an_order_that_was_partly_filled_leaves_with_what_is_left_of_it() -> None:
    venue = resting()
    venue.sell("bob", 4, MARK - 1)
    del venue.cases[:]
    assert venue.send("alice", a_cancel()).status == Status.OK
    position = venue.state.account(ALICE).position(0)
    assert position is not None and (position.lots, position.bid_lots) == (4, 60)
    check(venue)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_both_engines_give_the_same_answers(engine: type[Engine]) -> None:
    venue = resting()
    assert venue.send("alice", a_cancel(sequence=70)).status == Status.OK
    assert venue.send("alice", a_cancel(sequence=71)).status == Status.UNKNOWN_ORDER
    assert venue.send("alice", a_cancel_all(sequence=72)).status == Status.OK
    check(venue, engine)


# --- all of them ---


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({}, []),
        ({"market": 9}, []),
        ({"every_market": 0, "market": 0}, [(0, 2), (0, 4)]),
        ({"every_market": 0, "market": 9}, [(0, 1), (0, 3), (TRADER, 6)]),
        ({"every_market": 0, "market": 777}, ALL),
    ],
)
def test_it_takes_the_orders_of_one_market_or_of_every_one(
    changed: dict[str, int], left: list[tuple[int, int]]
) -> None:
    venue = resting()
    assert venue.send("alice", a_cancel_all(**changed)).status == Status.OK
    assert names(venue) == left
    assert len(venue.cases) == 1 + len(ALL) - len(left)
    check(venue)


@pytest.mark.parametrize("every_market", [0, 1])
def test_with_none_it_is_done_at_once(every_market: int) -> None:
    venue = started()
    assert venue.send("alice", a_cancel_all(every_market=every_market)).status == Status.OK
    assert venue.cases[-1].step == Step.TRANSACTION
    rules().check(venue.cases[-1])


@pytest.mark.parametrize(
    ("left", "changed", "status"),
    [
        (2, {"every_market": 2}, Status.OUT_OF_STEPS),
        (CANCEL_ALL_STEPS_MAX, {"account": 0}, Status.OUT_OF_STEPS),
        (CANCEL_ALL_STEPS_MAX + 1, {"every_market": 2, "account": 0}, Status.MALFORMED),
        (CANCEL_ALL_STEPS_MAX + 1, {"every_market": 255}, Status.MALFORMED),
        (CANCEL_ALL_STEPS_MAX + 1, {}, Status.OK),
    ],
)
def test_what_cannot_be_said_or_done_asks_for_no_account(
    left: int, changed: dict[str, int], status: Status
) -> None:
    venue = resting()
    venue.state.machine.steps_left = left
    assert venue.send("alice", a_cancel_all(**changed)).status == status
    check(venue)


def test_the_fullest_account_is_emptied_step_by_step() -> None:
    venue = started()
    for at in range(ACCOUNT_ORDERS_MAX):
        assert venue.buy("alice", 1 + at, MARK - at, market=at % 2 * 9).status == Status.OK
    del venue.cases[:]
    assert venue.cancel_all("alice").status == Status.OK
    assert len(venue.cases) == 1 + ACCOUNT_ORDERS_MAX
    check(venue)


# --- histories ---


def of_history(seed: int) -> list[Case]:
    """The cancels of a random history, and some of everything."""
    with patch.object(histories, "Venue", RecordedVenue):
        history = History(seed)
    for at in range(100):
        history.run(5)
        history.cancel()
        if at % 10 == 0:
            signed = history.account(), 0, next(history.venue.sequences)
            history.send(CancelAll(*signed, at // 10 % 2, 0, FAR))
    assert isinstance(history.venue, RecordedVenue)
    return [case for case in history.venue.cases if is_cancelling(case)]


def test_the_cancels_of_random_histories_end_alike() -> None:
    cases = [case for seed in range(3) for case in of_history(seed)]
    for case in cases:
        rules().check(case)
    assert {case.step for case in cases} == {Step.TRANSACTION, Step.ORDER}
    assert {case.status for case in cases} == {
        *(Status.OK, Status.MALFORMED, Status.UNKNOWN_ACCOUNT, Status.UNKNOWN_KEY),
        *(Status.BAD_SIGNATURE, Status.SEQUENCE_USED, Status.NOT_PERMITTED),
        *(Status.EXPIRED, Status.UNKNOWN_ORDER),
    }


def is_cancelling(case: Case) -> bool:
    if case.step == Step.ORDER:
        return bool(case.machine[PHASE][0] == Phase.CANCEL)
    return case.step == Step.TRANSACTION and case.given[0] in (Kind.CANCEL, Kind.CANCEL_ALL)


# --- the contract ---


def test_what_is_not_in_the_witness_is_asked_for_in_vain() -> None:
    venue = resting()
    venue.send("alice", a_cancel_all())
    for case in venue.cases:
        with pytest.raises(Reverted, match="witness: leaf missing"):
            rules().apply(replace(case, leaves=bytes(5)))


def test_a_cancel_all_without_an_order_left_is_no_state_that_steps_lead_to() -> None:
    venue = resting()
    venue.send("alice", a_cancel_all())
    case = venue.cases[-1]
    registers = (*case.machine[PHASE][:4], 777, 0, *case.machine[PHASE][6:])
    machine = (*case.machine[:PHASE], registers, *case.machine[PHASE + 1 :])
    with pytest.raises(Reverted, match="cancelling: a cancel all in progress has an order left"):
        rules().apply(replace(case, machine=machine))


@pytest.mark.parametrize("kind", [0, Kind.HEADER, Kind.WITHDRAW, Kind.AMEND, 255])
def test_a_kind_of_another_contract_is_refused(kind: int) -> None:
    venue = resting()
    venue.send("alice", a_cancel())
    case = venue.cases[-1]
    with pytest.raises(Reverted, match="cancelling: not a kind of this contract"):
        rules().apply(replace(case, given=bytes([kind]) + case.given[1:]))


def test_the_contract_may_be_deployed() -> None:
    assert len(compile_contract("steps/cancelling").runtime_code) <= RUNTIME_BYTES_MAX
