"""What L1 does to an account: a key ends at its owner's word, or it follows its owner number."""

import pytest
from builders import FAR, Venue, key, sign_transaction
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from state.crypto import ZERO_ADDRESS
from state.invariants import check_invariants
from state.orders import BUY
from state.packing import NotCanonical
from state.status import Status
from state.transactions import AddKey, NewOrder, RevokeKey, Transfer, Withdraw
from state.transactions.kinds import InboxKind
from state.transactions.revoke_key import (
    KeyRevocation,
    decode_key_revocation,
    encode_key_revocation,
)
from state.transactions.rotate_owner import RotateOwner, decode_rotate_owner, encode_rotate_owner

MARK = 500_000
ALICE, BOB, NOBODY = 1 << 8, 2 << 8, 99 << 8
HEIR = key("heir").address


@pytest.fixture
def venue() -> Venue:
    """Alice is long four, bids for six as (0, 1), and has given two keys away."""
    venue = Venue()
    venue.open("alice", 1_000)
    venue.open("bob", 1_000)
    assert venue.buy("alice", 10, MARK).status == Status.OK
    assert venue.sell("bob", 4, MARK).status == Status.OK
    assert venue.add_key("alice", "bot").status == Status.OK
    assert venue.add_key("alice", "second bot").status == Status.OK
    return venue


def revoke(venue: Venue, payload: bytes, sender: str) -> Status:
    return venue.item(InboxKind.REVOKE_KEY, payload, key(sender).address)


def rotate(venue: Venue, number: int, owner: bytes, sender: str = "anybody") -> Status:
    payload = encode_rotate_owner(RotateOwner(number, owner))
    return venue.item(InboxKind.ROTATE_OWNER, payload, key(sender).address)


REVOKED = encode_key_revocation(KeyRevocation(ALICE, 1))


@pytest.mark.parametrize(
    ("payload", "sender", "status"),
    [
        (b"", "alice", Status.BAD_ITEM),
        (REVOKED[:-1], "alice", Status.BAD_ITEM),
        (REVOKED + b"\0", "mallory", Status.BAD_ITEM),
        (encode_key_revocation(KeyRevocation(NOBODY, 9)), "mallory", Status.UNKNOWN_ACCOUNT),
        (encode_key_revocation(KeyRevocation(ALICE, 9)), "mallory", Status.NO_SUCH_KEY),
        (encode_key_revocation(KeyRevocation(ALICE, 0)), "alice", Status.NO_SUCH_KEY),
        (encode_key_revocation(KeyRevocation(BOB, 1)), "bob", Status.NO_SUCH_KEY),
        (REVOKED, "mallory", Status.NOT_OWNER),
        (REVOKED, "bot", Status.NOT_OWNER),
        (REVOKED, "alice", Status.OK),
    ],
)
def test_l1_revokes_a_key_for_its_owner_alone(
    venue: Venue, payload: bytes, sender: str, status: Status
) -> None:
    accounts, time = dict(venue.state.accounts), venue.state.machine.time
    assert revoke(venue, payload, sender) == status
    if status == Status.OK:
        account = accounts[ALICE]
        accounts[ALICE] = replace(account, keys=account.keys[1:])
    assert venue.state.accounts == accounts and venue.state.machine.time == time
    check_invariants(venue.state)


def test_a_key_revoked_by_l1_is_as_gone_as_one_revoked_on_l2(venue: Venue) -> None:
    tx = NewOrder(ALICE, 1, 60, 0, BUY, MARK, 1, FAR)
    assert venue.send("bot", tx).status == Status.OK
    assert revoke(venue, REVOKED, "alice") == Status.OK
    assert revoke(venue, REVOKED, "alice") == Status.NO_SUCH_KEY
    assert venue.revoke_key("alice", 1).status == Status.NO_SUCH_KEY
    assert venue.send("bot", replace(tx, sequence=61)).status == Status.UNKNOWN_KEY
    assert venue.state.account(ALICE).order(1, 60) is not None, "its resting orders stay"
    assert venue.add_key("alice", "bot").status == Status.OK
    assert [k.epoch for k in venue.state.account(ALICE).keys] == [2, 3]


@pytest.mark.parametrize(
    ("number", "owner", "sender", "status"),
    [
        (NOBODY, ZERO_ADDRESS, "mallory", Status.UNKNOWN_ACCOUNT),
        (ALICE | 1, HEIR, "alice", Status.UNKNOWN_ACCOUNT),
        (ALICE, ZERO_ADDRESS, "mallory", Status.BAD_ITEM),
        (ALICE, ZERO_ADDRESS, "alice", Status.BAD_ITEM),
        (ALICE, HEIR, "alice", Status.OK),
        (ALICE, HEIR, "heir", Status.OK),
        (ALICE, HEIR, "bot", Status.OK),
        (ALICE, HEIR, "mallory", Status.OK),
    ],
)
def test_an_account_follows_its_number_at_anybodys_call(
    venue: Venue, number: int, owner: bytes, sender: str, status: Status
) -> None:
    accounts = dict(venue.state.accounts)
    assert rotate(venue, number, owner, sender) == status
    if status == Status.OK:
        # Orders, positions, cash, numbers and the epochs given out are the account's.
        accounts[ALICE] = replace(accounts[ALICE], owner=owner, keys=())
    assert venue.state.accounts == accounts
    check_invariants(venue.state)


@pytest.mark.parametrize("sender", ["alice", "bot", "mallory"])
def test_to_its_own_owner_an_account_follows_without_losing_a_key(
    venue: Venue, sender: str
) -> None:
    accounts = dict(venue.state.accounts)
    assert len(accounts[ALICE].keys) == 2
    assert rotate(venue, ALICE, key("alice").address, sender) == Status.OK
    assert venue.state.accounts == accounts


@pytest.mark.parametrize("cut", [0, 4, 23, 25])
def test_a_rotation_of_another_form_is_none(venue: Venue, cut: int) -> None:
    payload = (encode_rotate_owner(RotateOwner(ALICE, HEIR)) + b"\0")[:cut]
    status = venue.item(InboxKind.ROTATE_OWNER, payload, key("alice").address)
    assert status == Status.BAD_ITEM
    assert venue.state.account(ALICE).owner == key("alice").address


def test_what_the_old_owner_signed_is_nobodys(venue: Venue) -> None:
    order = NewOrder(ALICE, 0, 60, 0, BUY, MARK, 1, FAR)
    withdrawal = Withdraw(ALICE, 61, key("alice").address, 5, FAR)
    flying = [(tx, sign_transaction(tx, key("alice"))) for tx in (order, withdrawal)]
    by_key = replace(order, epoch=1)
    assert rotate(venue, ALICE, HEIR) == Status.OK
    before = venue.state.account(ALICE)
    assert [venue.run(*sent).status for sent in flying] == [Status.BAD_SIGNATURE] * 2
    assert venue.send("bot", by_key).status == Status.UNKNOWN_KEY
    assert venue.state.account(ALICE) == before
    assert venue.send("heir", order).status == Status.OK
    assert venue.send("heir", withdrawal).status == Status.OK


def test_sequence_numbers_and_epochs_go_on_under_the_new_owner(venue: Venue) -> None:
    last = venue.state.account(ALICE).owner_sequence
    assert rotate(venue, ALICE, HEIR) == Status.OK
    low = Transfer(ALICE, last, ALICE | 1, 1, FAR)
    assert venue.send("heir", low).status == Status.SEQUENCE_USED
    assert venue.send("heir", replace(low, sequence=last + 1)).status == Status.OK
    assert venue.state.account(ALICE | 1).owner == HEIR
    assert venue.send("heir", RevokeKey(ALICE, last + 2, 1, FAR)).status == Status.NO_SUCH_KEY
    added = AddKey(ALICE, last + 3, key("bot").address, FAR, 1, FAR)
    assert venue.send("heir", added).status == Status.OK
    assert [k.epoch for k in venue.state.account(ALICE).keys] == [3]


def test_the_orders_of_the_old_owner_trade_and_are_the_new_ones_to_cancel(venue: Venue) -> None:
    assert rotate(venue, ALICE, HEIR) == Status.OK
    [fill] = venue.sell("bob", 2, MARK).fills
    assert fill.maker == ALICE and venue.lots("alice") == 6
    venue.numbers["heir"] = 1
    assert venue.cancel("heir", 1).status == Status.OK
    check_invariants(venue.state)


def test_no_transfer_crosses_to_a_subaccount_of_another_owner(venue: Venue) -> None:
    assert venue.send("alice", Transfer(ALICE, 60, ALICE | 1, 5, FAR)).status == Status.OK
    assert rotate(venue, ALICE, HEIR) == Status.OK
    over, back = Transfer(ALICE, 61, ALICE | 1, 5, FAR), Transfer(ALICE | 1, 61, ALICE, 5, FAR)
    assert venue.send("heir", over).status == Status.NOT_OWN_ACCOUNT
    assert venue.send("alice", back).status == Status.NOT_OWN_ACCOUNT
    assert rotate(venue, ALICE | 1, HEIR) == Status.OK
    assert venue.send("heir", replace(over, sequence=62)).status == Status.OK


def test_no_account_is_opened_to_be_handed_over(venue: Venue) -> None:
    assert rotate(venue, NOBODY, HEIR) == Status.UNKNOWN_ACCOUNT
    assert venue.state.account(NOBODY).is_absent


@given(st.binary(max_size=40), st.sampled_from([InboxKind.REVOKE_KEY, InboxKind.ROTATE_OWNER]))
def test_any_payload_is_an_answer_and_changes_no_account(payload: bytes, kind: InboxKind) -> None:
    venue = Venue()
    venue.open("alice", 10)
    before = dict(venue.state.accounts)
    assert venue.item(kind, payload, bytes(19) + b"\1") in (
        *(Status.BAD_ITEM, Status.UNKNOWN_ACCOUNT, Status.NO_SUCH_KEY, Status.NOT_OWNER),
    )
    assert venue.state.accounts == before


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(min_size=20, max_size=20))
def test_items_come_back_as_they_went(number: int, epoch: int, owner: bytes) -> None:
    revocation, rotation = KeyRevocation(number, epoch), RotateOwner(number, owner)
    assert decode_key_revocation(encode_key_revocation(revocation)) == revocation
    assert decode_rotate_owner(encode_rotate_owner(rotation)) == rotation
    with pytest.raises(NotCanonical):
        decode_rotate_owner(encode_key_revocation(revocation))
    with pytest.raises(NotCanonical):
        decode_key_revocation(encode_rotate_owner(rotation))
