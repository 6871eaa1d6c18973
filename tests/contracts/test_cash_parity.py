"""Withdrawals and transfers on L1 are those of Python, byte by byte."""

from collections.abc import Callable
from unittest.mock import patch

import histories
import pytest
from builders import DOLLAR, NOW, key, sign_transaction
from cash_world import (
    ABSENT,
    ALICE,
    BOB,
    BUILDERS,
    KINDS,
    MARK,
    ROTATED,
    SECOND,
    ZERO,
    answer,
    change_account,
    rules,
    spare,
    started,
    transfer,
    withdraw,
)
from evm_engines import ENGINES, Engine, Reverted
from histories import History
from msgspec.structs import replace
from step_contracts import Case, RecordedVenue

from contracts.compiler import RUNTIME_BYTES_MAX, compile_contract
from state.accounts import Account
from state.limits import WITHDRAWALS_MAX
from state.markets import Mode
from state.status import Status
from state.steps import Step
from state.store import Changes
from state.transactions import Header, Transaction
from state.transactions.kinds import Kind

# --- what every one of them asks first ---


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"account": 99 << 8, "sequence": 0}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"account": 0}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"sequence": 0}, "bob", Status.BAD_SIGNATURE),
        ({"account": ROTATED}, "alice", Status.BAD_SIGNATURE),
        ({"account": ALICE}, "anybody", Status.BAD_SIGNATURE),
        ({"sequence": 5, "expiry": 0}, "alice", Status.SEQUENCE_USED),
        ({"sequence": 2**64 - 1, "expiry": NOW - 1}, "alice", Status.EXPIRED),
        ({"sequence": 6, "expiry": NOW}, "alice", Status.OK),
        ({}, "alice", Status.OK),
        ({"sequence": 2**64 - 1, "expiry": 2**40 - 1}, "alice", Status.OK),
    ],
)
def test_a_transaction_that_is_nobodys_or_late_is_refused_alike(
    build: Callable[..., Transaction], changed: dict[str, int], signer: str, status: Status
) -> None:
    venue = started()
    change_account(venue, ALICE, owner_sequence=4, sequence_floor=5)
    venue.state.machine.time = NOW
    assert answer(venue, build(**changed), signer) == status


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_both_engines_give_the_same_answers(engine: type[Engine]) -> None:
    venue = started()
    for sequence, build in enumerate(BUILDERS, 70):
        assert answer(venue, build(sequence=sequence), engine=engine) == Status.OK
        assert answer(venue, build(sequence=sequence), engine=engine) == Status.SEQUENCE_USED


@pytest.mark.parametrize("forged", [bytes(64), b"\xff" * 64, bytes(63) + b"\1", b"\1" + bytes(63)])
def test_what_is_no_signature_is_nobodys(forged: bytes) -> None:
    venue = started()
    assert venue.run(withdraw(), forged).status == Status.BAD_SIGNATURE
    rules().check(venue.cases[-1])


# --- withdrawals ---


def full(venue: RecordedVenue) -> None:
    venue.state.machine.withdrawals = WITHDRAWALS_MAX


def stale(venue: RecordedVenue) -> None:
    """By a second, in the market that was priced last."""
    row = venue.state.row(9)
    assert row is not None
    venue.price(MARK)
    venue.run(Header(row.time + row.price_age_max + 1))


def just_fresh(venue: RecordedVenue) -> None:
    row = venue.state.row(0)
    assert row is not None
    venue.run(Header(row.time + row.price_age_max))


def halted(venue: RecordedVenue) -> None:
    changes, row = Changes(venue.state), venue.state.row(0)
    assert row is not None
    changes.write_row(replace(row, mode=Mode.HALTED))
    venue.state.apply(changes)


def nothing(venue: RecordedVenue) -> None:
    assert venue.state.machine.status == Status.OK


@pytest.mark.parametrize(
    ("prepare", "changed", "status"),
    [
        (stale, {"amount": 0}, Status.MARGIN_TOO_LOW),
        (halted, {"amount": 0}, Status.MARGIN_TOO_LOW),
        (just_fresh, {}, Status.OK),
        (full, {"amount": 2**64 - 1}, Status.MARGIN_TOO_LOW),
        (full, {"amount": 0, "recipient": ZERO}, Status.AMOUNT_OUT_OF_RANGE),
        (full, {"recipient": ZERO}, Status.WITHDRAWALS_FULL),
        (nothing, {"recipient": ZERO}, Status.NO_RECIPIENT),
        (nothing, {"recipient": b"\xff" * 20}, Status.OK),
        (stale, {"account": SECOND}, Status.OK),
        (nothing, {"account": SECOND, "amount": 5 * 10**6}, Status.OK),
        (nothing, {"account": SECOND, "amount": 5 * 10**6 + 1}, Status.MARGIN_TOO_LOW),
    ],
)
def test_a_withdrawal_is_refused_for_its_first_fault(
    prepare: Callable[[RecordedVenue], None], changed: dict[str, object], status: Status
) -> None:
    venue = started()
    prepare(venue)
    assert answer(venue, withdraw(**changed)) == status


@pytest.mark.parametrize("marks", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_money_ends_at_the_same_unit(marks: tuple[int, int]) -> None:
    """Whichever of mark and slow mark is the worse one, in either market."""
    venue = started()
    for market, direction in zip((0, 9), marks, strict=True):
        venue.price(MARK + (-1) ** direction * MARK // 25, market)
    most = spare(venue)
    assert answer(venue, withdraw(amount=most // 1_000 + 1)) == Status.MARGIN_TOO_LOW
    assert answer(venue, transfer(amount=most + 1, sequence=71)) == Status.MARGIN_TOO_LOW
    kept = most % 1_000
    assert answer(venue, withdraw(amount=most // 1_000, sequence=72)) == Status.OK
    assert answer(venue, transfer(amount=kept + 1, sequence=73)) == Status.MARGIN_TOO_LOW
    assert answer(venue, transfer(amount=kept, sequence=74)) == (
        Status.OK if kept else Status.AMOUNT_OUT_OF_RANGE
    )
    assert spare(venue) == 0


def test_the_last_withdrawal_has_the_last_index() -> None:
    venue = started()
    for _ in range(3):
        assert answer(venue, withdraw(sequence=next(venue.sequences) + 70)) == Status.OK
    assert [w.index for w in venue.state.withdrawals] == [0, 1, 2]


# --- transfers ---


@pytest.mark.parametrize(
    ("prepare", "changed", "status"),
    [
        (nothing, {"amount": 2**80 - 1, "to_account": ALICE}, Status.MARGIN_TOO_LOW),
        (stale, {"amount": 0, "to_account": ALICE}, Status.MARGIN_TOO_LOW),
        (nothing, {"amount": 0, "to_account": ALICE}, Status.SAME_ACCOUNT),
        (nothing, {"amount": 0, "to_account": BOB}, Status.NOT_OWN_ACCOUNT),
        (nothing, {"to_account": BOB}, Status.NOT_OWN_ACCOUNT),
        (nothing, {"to_account": 0}, Status.NOT_OWN_ACCOUNT),
        (nothing, {"to_account": 77 << 8}, Status.NOT_OWN_ACCOUNT),
        (nothing, {"to_account": ROTATED, "amount": 0}, Status.NOT_OWN_ACCOUNT),
        (nothing, {"to_account": SECOND, "amount": 0}, Status.AMOUNT_OUT_OF_RANGE),
        (nothing, {"to_account": ABSENT, "amount": 0}, Status.AMOUNT_OUT_OF_RANGE),
        (nothing, {"to_account": ABSENT}, Status.OK),
        (nothing, {"to_account": ALICE | 255, "amount": 1}, Status.OK),
        (stale, {"account": SECOND, "to_account": ALICE}, Status.OK),
        (nothing, {"account": SECOND, "to_account": ABSENT, "amount": 5 * DOLLAR}, Status.OK),
    ],
)
def test_a_transfer_is_refused_for_its_first_fault(
    prepare: Callable[[RecordedVenue], None], changed: dict[str, int], status: Status
) -> None:
    venue = started()
    prepare(venue)
    assert answer(venue, transfer(**changed)) == status


def test_an_account_that_a_transfer_opens_has_its_owner_and_nothing_else() -> None:
    venue = started()
    assert answer(venue, transfer(to_account=ABSENT, amount=9)) == Status.OK
    assert venue.state.account(ABSENT) == Account(owner=key("alice").address, cash=9)
    assert answer(venue, transfer(account=ABSENT, to_account=ALICE, amount=9)) == Status.OK


# --- histories ---


def of_history(seed: int) -> list[Case]:
    """What a random history holds of these kinds, and some more of each."""
    with patch.object(histories, "Venue", RecordedVenue):
        history = History(seed)
    actions = [history.withdraw, history.transfer, history.add_key, history.revoke_key]
    for _ in range(100):
        history.run(3)
        history.random.choice(actions)()
    assert isinstance(history.venue, RecordedVenue)
    return [case for case in history.venue.cases if is_cash(case)]


def test_the_transactions_of_random_histories_end_alike() -> None:
    cases = [case for seed in range(3) for case in of_history(seed)]
    for case in cases:
        rules().check(case)
    assert {case.given[0] for case in cases} == set(KINDS)
    assert {case.status for case in cases} >= {
        *(Status.OK, Status.MALFORMED, Status.UNKNOWN_ACCOUNT, Status.BAD_SIGNATURE),
        *(Status.SEQUENCE_USED, Status.EXPIRED, Status.MARGIN_TOO_LOW, Status.SAME_ACCOUNT),
        *(Status.NOT_OWN_ACCOUNT, Status.AMOUNT_OUT_OF_RANGE, Status.TOO_MANY_KEYS),
        *(Status.BAD_KEY, Status.NO_SUCH_KEY),
    }


def is_cash(case: Case) -> bool:
    return case.step == Step.TRANSACTION and case.given[0] in KINDS


# --- the contract ---


def last_case() -> Case:
    venue = started()
    assert answer(venue, transfer()) == Status.OK
    return venue.cases[-1]


def test_what_is_not_in_the_witness_is_asked_for_in_vain() -> None:
    case = last_case()
    with pytest.raises(Reverted, match="witness: leaf missing"):
        rules().apply(replace(case, leaves=bytes(5)))
    other = transfer(to_account=ABSENT)
    given = case.given[:13] + ABSENT.to_bytes(4, "big") + case.given[17:32]
    signature = sign_transaction(other, key("alice"))
    with pytest.raises(Reverted, match="witness: leaf missing"):
        rules().apply(replace(case, given=given + signature))


@pytest.mark.parametrize("kind", [0, Kind.HEADER, Kind.CANCEL, Kind.AMEND, 255])
def test_a_kind_of_another_contract_is_refused(kind: int) -> None:
    case = last_case()
    with pytest.raises(Reverted, match="cash: not a kind of this contract"):
        rules().apply(replace(case, given=bytes([kind]) + case.given[1:]))


def test_the_contract_may_be_deployed() -> None:
    assert len(compile_contract("steps/cash").runtime_code) <= RUNTIME_BYTES_MAX
