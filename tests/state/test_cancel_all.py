"""Cancel all: whose orders, of which market, in which order, one a step."""

import pytest
from builders import FAR, NOW, Venue, key, listing, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMIT_CANCEL, PERMIT_TRADE, SessionKey, last_sequence
from state.invariants import check_invariants
from state.limits import ACCOUNT_ORDERS_MAX, CANCEL_ALL_STEPS_MAX
from state.machine import NO_ORDER, OrderInProgress, Phase
from state.markets import Mode
from state.orders import BUY, SELL
from state.status import Status, is_identity
from state.steps import Step, halt, next_step
from state.store import Changes
from state.transactions import CancelAll, Header

MARK = 500_000
ALICE, BOB = 1 << 8, 2 << 8
TRADER, CANCELLER, NOTHING, LATE = 3, 4, 5, 6
"""Epochs of alice's session keys."""


def started() -> Venue:
    """Two markets; alice and bob may place what they like."""
    venue = Venue(markets=(listing(), listing(9, symbol=b"ETH-USD-PERP")))
    for name in ("alice", "bob"):
        venue.open(name, 10_000)
    return venue


@pytest.fixture
def venue() -> Venue:
    """Alice has (0, 1) and (0, 3) in market 0, (0, 2) and (0, 4) in market 9, bob (0, 5)."""
    venue = started()
    bot = key("bot").address
    keys = (
        SessionKey(TRADER, bot, 5, FAR, PERMIT_TRADE),
        SessionKey(CANCELLER, bot, 5, NOW, PERMIT_CANCEL),
        SessionKey(NOTHING, bot, 5, FAR, 0),
        SessionKey(LATE, bot, 5, NOW - 1, PERMIT_TRADE | PERMIT_CANCEL),
    )
    account = replace(venue.state.account(ALICE), key_epoch=LATE, keys=keys)
    venue.state.accounts[ALICE] = account
    venue.buy("alice", 10, MARK - 1)
    venue.buy("alice", 10, MARK - 1, market=9)
    venue.sell("alice", 10, MARK + 1)
    venue.sell("alice", 10, MARK + 1, market=9)
    venue.buy("bob", 10, MARK - 2)
    return venue


def a_cancel_all(**changed: int) -> CancelAll:
    """Of every market, by alice's own key."""
    fields = {"account": ALICE, "epoch": 0, "sequence": 70}
    fields |= {"every_market": 1, "market": 0, "expiry": FAR}
    return CancelAll(**(fields | changed))


def status_of(venue: Venue, tx: CancelAll, signer: str = "alice") -> Status:
    return venue.run(tx, sign_transaction(tx, key(signer))).status


def resting(venue: Venue, number: int = ALICE) -> list[int]:
    return [order.sequence for order in venue.state.account(number).orders]


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"every_market": 2, "account": 0}, "alice", Status.MALFORMED),
        ({"every_market": 255}, "alice", Status.MALFORMED),
        ({"account": 99 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"epoch": 9}, "bot", Status.UNKNOWN_KEY),
        ({}, "bob", Status.BAD_SIGNATURE),
        ({"epoch": TRADER, "sequence": 5}, "bot", Status.SEQUENCE_USED),
        ({"epoch": NOTHING, "expiry": NOW - 1}, "bot", Status.NOT_PERMITTED),
        ({"epoch": LATE}, "bot", Status.NOT_PERMITTED),
        ({"expiry": NOW - 1}, "alice", Status.EXPIRED),
        ({"expiry": NOW}, "alice", Status.OK),
        ({"epoch": TRADER}, "bot", Status.OK),
        ({"epoch": CANCELLER}, "bot", Status.OK),
    ],
    ids=str,
)
def test_a_cancel_all_is_refused_for_its_first_fault(
    venue: Venue, changed: dict[str, int], signer: str, status: Status
) -> None:
    tx, before = a_cancel_all(**changed), venue.state.account(ALICE)
    assert status_of(venue, tx, signer) == status
    assert resting(venue) == ([] if status == Status.OK else [1, 2, 3, 4])
    if is_identity(status):
        assert venue.state.account(ALICE) == before
    else:
        assert last_sequence(venue.state.account(ALICE), tx.epoch) == tx.sequence
        assert status_of(venue, tx, signer) == Status.SEQUENCE_USED
    assert resting(venue, BOB) == [5], "nobody cancels for others"
    check_invariants(venue.state)


@pytest.mark.parametrize(
    ("changed", "left", "steps"),
    [
        ({}, [], 5),
        ({"market": 9}, [], 5),
        ({"market": 777}, [], 5),
        ({"every_market": 0, "market": 0}, [2, 4], 3),
        ({"every_market": 0, "market": 9}, [1, 3], 3),
        ({"every_market": 0, "market": 777}, [1, 2, 3, 4], 1),
    ],
    ids=str,
)
def test_it_takes_the_orders_of_one_market_or_of_every_one(
    venue: Venue, changed: dict[str, int], left: list[int], steps: int
) -> None:
    tx = a_cancel_all(**changed)
    receipt = venue.run(tx, sign_transaction(tx, key("alice")))
    assert (receipt.status, receipt.fills, receipt.steps) == (Status.OK, (), steps)
    assert resting(venue) == left
    check_invariants(venue.state)


def test_orders_go_one_a_step_in_the_order_of_their_names(venue: Venue) -> None:
    registers: list[OrderInProgress] = []
    seen: list[list[int]] = []

    def watch(step: Step, changes: Changes) -> None:
        assert step == (Step.ORDER if registers else Step.TRANSACTION)
        registers.append(changes.machine.order)
        seen.append(resting(venue))
        check_invariants(venue.state)

    venue.on_step = watch
    assert venue.cancel_all("alice").status == Status.OK
    assert seen == [[1, 2, 3, 4], [2, 3, 4], [3, 4], [4], []]
    working = OrderInProgress(phase=Phase.CANCEL, account=ALICE, flags=1)
    assert registers == [working] * 4 + [NO_ORDER]


@pytest.mark.parametrize("count", [0, 1, ACCOUNT_ORDERS_MAX])
def test_it_takes_a_step_for_each_order_after_its_own(count: int) -> None:
    venue = started()
    for at in range(count):
        assert venue.buy("alice", 1, MARK - at, market=at % 2 * 9).status == Status.OK
    receipt = venue.cancel_all("alice")
    assert (receipt.status, receipt.steps) == (Status.OK, 1 + count)
    assert resting(venue) == [] == list(venue.state.account(ALICE).positions)
    assert all(venue.state.front(market, side) is None for market in (0, 9) for side in (BUY, SELL))
    check_invariants(venue.state)


@pytest.mark.parametrize("closed", ["stale", "halted"])
def test_a_closed_market_keeps_nobodys_orders(venue: Venue, closed: str) -> None:
    if closed == "stale":
        venue.run(Header(NOW + 3_700))
    else:
        venue.state.rows[9] = replace(venue.state.rows[9], mode=Mode.HALTED)
    assert venue.cancel_all("alice").status == Status.OK
    assert resting(venue) == []


def test_positions_and_what_was_filled_stay(venue: Venue) -> None:
    venue.sell("bob", 4, MARK - 1)
    cash = venue.cash("alice")
    assert venue.cancel_all("alice", 0).status == Status.OK
    assert (venue.lots("alice"), venue.cash("alice")) == (4, cash)
    assert resting(venue) == [2, 4]
    check_invariants(venue.state)


@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize(
    ("left", "status"),
    [
        (2, Status.OUT_OF_STEPS),
        (CANCEL_ALL_STEPS_MAX, Status.OUT_OF_STEPS),
        (CANCEL_ALL_STEPS_MAX + 1, Status.OK),
    ],
)
def test_the_budget_must_hold_its_worst_case_and_halt(
    count: int, left: int, status: Status
) -> None:
    venue = started()
    for _ in range(count):
        venue.buy("alice", 1, MARK)
    venue.state.machine.steps_left = left
    before = venue.state.account(ALICE)
    assert venue.cancel_all("alice").status == status
    assert resting(venue) == ([] if status == Status.OK else [1, 2, 3][:count])
    if status == Status.OUT_OF_STEPS:
        assert venue.state.account(ALICE) == before


def test_the_fullest_one_ends_on_the_last_step_before_halt() -> None:
    venue = started()
    for _ in range(ACCOUNT_ORDERS_MAX):
        venue.buy("alice", 1, MARK)
    venue.state.machine.steps_left = CANCEL_ALL_STEPS_MAX + 1
    assert venue.cancel_all("alice").steps == CANCEL_ALL_STEPS_MAX
    machine = venue.state.machine
    assert machine.steps_left == 1 and next_step(machine) == Step.HALT
    venue.state.apply(halt(venue.state))
    assert machine.order == NO_ORDER
