"""Deposits, withdrawals and transfers: cash that comes, goes, and moves between accounts."""

import pytest
from builders import DOLLAR, FAR, MICRO_DOLLAR, NOW, Venue, key, sign_transaction
from msgspec.structs import replace

from state.invariants import check_invariants
from state.limits import WITHDRAWALS_MAX
from state.status import Status, is_identity
from state.transactions import Header, Transfer, Withdraw

MARK = 500_000
ALICE = 1 << 8


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    venue.open("alice", 1_000)
    venue.open("bob", 1_000)
    return venue


def test_a_deposit_opens_an_account_and_a_second_one_adds_to_it(venue: Venue) -> None:
    venue.open("carol", 5)
    venue.open("carol", 7)
    assert venue.cash("carol") == 12 * DOLLAR
    assert venue.state.account(3 << 8).owner == key("carol").address


def test_subaccounts_are_separate_accounts(venue: Venue) -> None:
    number = venue.open("alice", 9, subaccount=255)
    assert number == ALICE | 255
    assert venue.cash("alice") == 1_000 * DOLLAR
    assert venue.state.account(number).cash == 9 * DOLLAR


def test_a_withdrawal_leaves_the_account_and_gets_the_next_index(venue: Venue) -> None:
    assert venue.withdraw("alice", 100 * MICRO_DOLLAR).status == Status.OK
    assert venue.withdraw("bob", 1).status == Status.OK
    first, second = venue.state.withdrawals
    assert (first.index, first.account, first.amount) == (0, ALICE, 100 * MICRO_DOLLAR)
    assert (second.index, second.recipient, second.amount) == (1, key("bob").address, 1)
    assert venue.cash("alice") == 900 * DOLLAR
    assert venue.state.machine.withdrawn == 100 * DOLLAR + 1_000
    check_invariants(venue.state)


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({}, "bob", Status.BAD_SIGNATURE),
        ({"account": 77 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"sequence": 0}, "alice", Status.SEQUENCE_USED),
        ({"expiry": NOW - 1}, "alice", Status.EXPIRED),
        ({"amount": 1_000 * MICRO_DOLLAR + 1}, "alice", Status.MARGIN_TOO_LOW),
        ({"amount": 2**64 - 1}, "alice", Status.MARGIN_TOO_LOW),
        ({"amount": 0}, "alice", Status.AMOUNT_OUT_OF_RANGE),
        ({"amount": 1_000 * MICRO_DOLLAR}, "alice", Status.OK),
    ],
)
def test_a_withdrawal_is_refused_for_its_first_fault(
    venue: Venue, changed: dict[str, int], signer: str, status: Status
) -> None:
    fields = {"account": ALICE, "sequence": 5, "amount": 10, "expiry": FAR} | changed
    tx = Withdraw(recipient=key("alice").address, **fields)
    before = venue.cash("alice")
    assert venue.run(tx, sign_transaction(tx, key(signer))).status == status
    assert (venue.cash("alice") == before) == (status != Status.OK)
    consumed = venue.state.account(ALICE).owner_sequence == 5
    assert consumed == (not is_identity(status))


def test_withdrawals_end_when_their_indices_do(venue: Venue) -> None:
    venue.state.machine.withdrawals = WITHDRAWALS_MAX
    assert venue.withdraw("alice", 1).status == Status.WITHDRAWALS_FULL


def test_margin_stays_behind(venue: Venue) -> None:
    venue.sell("bob", 20_000, MARK)
    venue.buy("alice", 20_000, MARK)
    # 20,000 lots at 0.05 dollars need 50 dollars; buying them cost 0.50 in fees.
    assert venue.withdraw("alice", 949_500_001).status == Status.MARGIN_TOO_LOW
    assert venue.withdraw("alice", 949_500_000).status == Status.OK
    check_invariants(venue.state)


def test_resting_orders_keep_their_margin_too(venue: Venue) -> None:
    venue.buy("alice", 20_000, MARK)
    assert venue.withdraw("alice", 950_000_001).status == Status.MARGIN_TOO_LOW
    assert venue.withdraw("alice", 950_000_000).status == Status.OK


def test_a_pumped_mark_lifts_no_profit_out(venue: Venue) -> None:
    venue.sell("bob", 100_000, MARK)
    venue.buy("alice", 100_000, MARK)
    venue.withdraw("alice", 700 * MICRO_DOLLAR)
    before = venue.cash("alice")
    venue.price(60_000_000)
    # The mark says 1,000 dollars of profit; the slow mark has hardly moved.
    assert venue.withdraw("alice", 700 * MICRO_DOLLAR).status == Status.MARGIN_TOO_LOW
    assert venue.cash("alice") == before
    for _ in range(60):
        venue.run(Header(venue.state.machine.time + 600))
        venue.price(60_000_000)
    assert venue.withdraw("alice", 700 * MICRO_DOLLAR).status == Status.OK


def test_a_stale_mark_keeps_a_position_holder_in_but_not_a_flat_one(venue: Venue) -> None:
    venue.open("carol", 10)
    venue.sell("bob", 10, MARK)
    venue.buy("alice", 10, MARK)
    venue.run(Header(NOW + 4_000))
    assert venue.withdraw("alice", 1).status == Status.MARGIN_TOO_LOW
    assert venue.withdraw("carol", 1).status == Status.OK


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, Status.OK),
        ({"to_account": ALICE}, Status.SAME_ACCOUNT),
        ({"to_account": 2 << 8}, Status.NOT_OWN_ACCOUNT),
        ({"to_account": 0}, Status.NOT_OWN_ACCOUNT),
        ({"amount": 0}, Status.AMOUNT_OUT_OF_RANGE),
        ({"amount": 1_000 * DOLLAR + 1}, Status.MARGIN_TOO_LOW),
        ({"amount": 2**80 - 1}, Status.MARGIN_TOO_LOW),
        ({"expiry": NOW - 1}, Status.EXPIRED),
    ],
)
def test_a_transfer_moves_cash_between_ones_own_accounts_alone(
    venue: Venue, changed: dict[str, int], status: Status
) -> None:
    fields = {"account": ALICE, "sequence": 5, "to_account": ALICE | 1, "amount": 7}
    tx = Transfer(**(fields | {"expiry": FAR} | changed))
    assert venue.run(tx, sign_transaction(tx, key("alice"))).status == status
    moved = 7 if status == Status.OK else 0
    assert venue.cash("alice") == 1_000 * DOLLAR - moved
    assert venue.state.account(ALICE | 1).cash == moved
    check_invariants(venue.state)


def test_a_subaccount_opened_by_transfer_belongs_to_the_same_owner(venue: Venue) -> None:
    assert venue.transfer("alice", ALICE | 9, 5 * DOLLAR).status == Status.OK
    assert venue.state.account(ALICE | 9).owner == key("alice").address


def test_money_leaves_by_the_owners_signature_alone(venue: Venue) -> None:
    number = venue.numbers["alice"] << 8
    sequence = next(venue.sequences)
    for tx in (
        Withdraw(number, sequence, key("bob").address, 5, FAR),
        Transfer(number, sequence, number | 1, 5, FAR),
    ):
        before = venue.cash("alice")
        assert venue.run(tx, sign_transaction(tx, key("bob"))).status == Status.BAD_SIGNATURE
        assert venue.cash("alice") == before
        assert venue.state.account(number | 1).is_absent and venue.state.withdrawals == []
    assert venue.run(tx, sign_transaction(tx, key("alice"))).status == Status.OK


@pytest.mark.parametrize(
    ("owner", "status"), [("alice", Status.OK), ("mallory", Status.NOT_OWN_ACCOUNT)]
)
def test_a_transfer_stays_with_one_owner_where_a_number_has_two(
    venue: Venue, owner: str, status: Status
) -> None:
    other = venue.open("alice", 1, subaccount=1)
    account = venue.state.accounts[other]
    venue.state.accounts[other] = replace(account, owner=key(owner).address)
    assert venue.transfer("alice", other, 5).status == status
    assert venue.state.account(other).cash == DOLLAR + (5 if status == Status.OK else 0)
    check_invariants(venue.state)
