"""Every item of the inbox on L1: what Python answers and writes, whatever its payload says."""

import pytest
from block_world import change_account
from builders import key, listing
from evm_engines import Engine, Pyrevm, Reverted
from hypothesis import given, settings
from hypothesis import strategies as st
from item_contracts import answer, peopled
from msgspec.structs import replace
from recorded_steps import recorded_steps
from step_contracts import RecordedVenue, Rules, recorded_case

from contracts.abi import keccak
from state.packing import u
from state.status import Status
from state.steps import Step
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing
from state.transactions.revoke_key import KeyRevocation, encode_key_revocation
from state.transactions.rotate_owner import RotateOwner, encode_rotate_owner

ALICE, NOBODY = 1 << 8, 7 << 8
PAYLOAD_MAX = 1_024


@pytest.fixture(scope="module")
def items() -> Rules:
    """The contract, on the quicker engine."""
    return Rules(Pyrevm(), "items")


# --- accounts ---


@pytest.mark.parametrize(
    ("account", "owner", "amount", "status"),
    [
        (ALICE, "alice", 5, Status.OK),
        (ALICE, "alice", 0, Status.OK),
        (ALICE, "mallory", 2**64 - 1, Status.OK),
        (NOBODY, "carol", 1, Status.OK),
        (2**32 - 1, "carol", 2**64 - 1, Status.OK),
        (ALICE, "", 5, Status.BAD_ITEM),
        (NOBODY, "", 5, Status.BAD_ITEM),
    ],
)
def test_deposits(items: Rules, account: int, owner: str, amount: int, status: Status) -> None:
    address = key(owner).address if owner else bytes(20)
    payload = encode_deposit(Deposit(account, address, amount))
    assert answer(items, peopled(), InboxKind.DEPOSIT, payload) == status


@pytest.mark.parametrize(
    ("account", "epoch", "sender", "status"),
    [
        (NOBODY, 9, "mallory", Status.UNKNOWN_ACCOUNT),
        (ALICE, 9, "mallory", Status.NO_SUCH_KEY),
        (ALICE, 0, "alice", Status.NO_SUCH_KEY),
        (ALICE, 1, "mallory", Status.NOT_OWNER),
        (ALICE, 1, "bot", Status.NOT_OWNER),
        (ALICE, 1, "alice", Status.OK),
        (ALICE, 2, "alice", Status.OK),
    ],
)
def test_key_revocations(
    items: Rules, account: int, epoch: int, sender: str, status: Status
) -> None:
    payload = encode_key_revocation(KeyRevocation(account, epoch))
    sent = (InboxKind.REVOKE_KEY, payload, key(sender).address)
    assert answer(items, peopled(), *sent) == status


@pytest.mark.parametrize(
    ("account", "owner", "status"),
    [
        (NOBODY, "", Status.UNKNOWN_ACCOUNT),
        (NOBODY, "carol", Status.UNKNOWN_ACCOUNT),
        (ALICE, "", Status.BAD_ITEM),
        (ALICE, "alice", Status.OK),
        (ALICE, "carol", Status.OK),
    ],
)
def test_rotations(items: Rules, account: int, owner: str, status: Status) -> None:
    address = key(owner).address if owner else bytes(20)
    payload = encode_rotate_owner(RotateOwner(account, address))
    assert answer(items, peopled(), InboxKind.ROTATE_OWNER, payload) == status


# --- any bytes ---


@pytest.mark.parametrize("kind", [*InboxKind, 0, 6, 255])
def test_a_payload_of_every_length_has_an_answer(items: Rules, kind: int) -> None:
    venue = peopled()
    noise = b"".join(keccak(u(at, 8)) for at in range(32))
    for length in (*range(220), *range(220 + kind % 8, PAYLOAD_MAX, 8), PAYLOAD_MAX):
        answer(items, venue, kind, noise[-length:] if length else b"")


@settings(deadline=None)
@given(payload=st.binary(max_size=64), kind=st.sampled_from(InboxKind), spare=st.binary(max_size=3))
def test_a_payload_of_almost_the_right_form_has_an_answer(
    items: Rules, payload: bytes, kind: InboxKind, spare: bytes
) -> None:
    venue = RecordedVenue()
    number = u(venue.open("alice", 5), 32)
    answer(items, venue, kind, payload, key("alice").address)
    for width in (4, 20, 28):
        answer(items, venue, kind, number + payload.ljust(width, b"\1")[:width] + spare)


# --- what proves nothing, both engines, and histories ---


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        (InboxKind.DEPOSIT, encode_deposit(Deposit(ALICE, b"\1" * 20, 1)), "leaf missing"),
        (InboxKind.LIST_MARKET, encode_listing(listing(1)), "leaf missing"),
        (InboxKind.SET_PARAMETERS, encode_listing(listing(1)), "leaf missing"),
    ],
)
def test_without_what_python_reads_nothing_is_said_about_an_item(
    items: Rules, kind: InboxKind, payload: bytes, reason: str
) -> None:
    venue = RecordedVenue()
    answer(items, venue, kind, payload)
    with pytest.raises(Reverted, match=reason):
        items.apply(replace(venue.cases[-1], leaves=bytes(5)))


def test_cash_past_its_field_is_no_state_that_steps_lead_to(items: Rules) -> None:
    venue = peopled()
    answer(items, venue, InboxKind.DEPOSIT, encode_deposit(Deposit(ALICE, key("alice").address, 1)))
    case = venue.cases[-1]
    cash = venue.state.account(ALICE).cash
    assert case.leaves.count(u(cash - 1_000, 128)) == 1
    full = case.leaves.replace(u(cash - 1_000, 128), u(2**127 - 1_000, 128))
    with pytest.raises(Reverted):
        items.apply(replace(case, leaves=full))


def test_both_engines_run_it_alike(engine: Engine) -> None:
    items = Rules(engine, "items")
    venue = peopled()
    change_account(venue, "alice", key_epoch=2)
    for kind in (*InboxKind, 9):
        answer(items, venue, kind, encode_listing(listing(3)))
    for case in venue.cases:
        if case.step == Step.INBOX:
            items.check(case)


def test_over_a_random_history_every_item_is_as_in_python(items: Rules) -> None:
    seen = set()
    for recorded in recorded_steps(seed=5, transactions=300):
        if recorded.step == Step.INBOX:
            case = recorded_case(recorded)
            items.check(case)
            seen.add((case.given[0], Status(case.status)))
    assert len(seen) > 4, seen
