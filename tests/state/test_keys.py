"""Session keys: who adds and revokes them, what they may, and what they can never do again."""

import pytest
from builders import FAR, NOW, Venue, key, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMISSIONS_ALL, PERMIT_BLOCK, PERMIT_CANCEL, PERMIT_TRADE, SessionKey
from state.invariants import check_invariants
from state.limits import ACCOUNT_KEYS_MAX, KEY_EPOCH_MAX
from state.orders import BUY
from state.status import Status, is_identity
from state.transactions import (
    AddKey,
    Amend,
    Cancel,
    CancelAll,
    Header,
    NewOrder,
    RevokeKey,
    Transaction,
    Transfer,
    Withdraw,
)

MARK = 500_000
ALICE = 1 << 8
BOT = key("bot").address
BOTH = PERMIT_TRADE | PERMIT_CANCEL


@pytest.fixture
def venue() -> Venue:
    """Alice has given epoch 1 to a bot that trades, and it has bid for ten lots as (1, 50)."""
    venue = Venue()
    venue.open("alice", 1_000)
    venue.open("bob", 1_000)
    assert venue.add_key("alice", "bot").status == Status.OK
    assert by_bot(venue, an_order(1, 50)) == Status.OK
    return venue


def an_order(epoch: int, sequence: int) -> NewOrder:
    return NewOrder(ALICE, epoch, sequence, 0, BUY, MARK, 10, FAR)


def by_bot(venue: Venue, tx: Transaction) -> Status:
    return venue.send("bot", tx).status


def epochs(venue: Venue) -> list[int]:
    return [k.epoch for k in venue.state.account(ALICE).keys]


def an_add(**changed: int | bytes) -> AddKey:
    """The owner lets a second bot trade and cancel."""
    fields: dict[str, int | bytes] = {"account": ALICE, "sequence": 70, "key": BOT}
    fields |= {"key_expiry": FAR, "permissions": BOTH, "expiry": FAR}
    return AddKey(**(fields | changed))  # type: ignore[arg-type]


def filled_up(venue: Venue) -> None:
    while len(epochs(venue)) < ACCOUNT_KEYS_MAX:
        assert venue.add_key("alice", "bot").status == Status.OK


def worn_out(venue: Venue) -> None:
    account = replace(venue.state.account(ALICE), key_epoch=KEY_EPOCH_MAX)
    venue.state.accounts[ALICE] = account


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"permissions": 8, "account": 0}, "alice", Status.MALFORMED),
        ({"permissions": 0xFFFF}, "alice", Status.MALFORMED),
        ({"account": 99 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({}, "bot", Status.BAD_SIGNATURE),
        ({}, "bob", Status.BAD_SIGNATURE),
        ({"sequence": 1}, "alice", Status.SEQUENCE_USED),
        ({"expiry": NOW - 1, "key": bytes(20)}, "alice", Status.EXPIRED),
        ({"key": bytes(20)}, "alice", Status.BAD_KEY),
        ({"permissions": 0}, "alice", Status.BAD_KEY),
        ({"key_expiry": NOW - 1}, "alice", Status.BAD_KEY),
        ({"key_expiry": NOW, "expiry": NOW}, "alice", Status.OK),
        ({"key_expiry": 2**40 - 1}, "alice", Status.OK),
        ({"permissions": PERMIT_TRADE}, "alice", Status.OK),
        ({"permissions": PERMIT_CANCEL}, "alice", Status.OK),
        ({"permissions": PERMIT_BLOCK}, "alice", Status.OK),
        ({"permissions": PERMISSIONS_ALL}, "alice", Status.OK),
        ({"key": key("alice").address}, "alice", Status.OK),
    ],
    ids=str,
)
def test_a_key_is_added_by_the_owner_or_refused_for_the_first_fault(
    venue: Venue, changed: dict[str, int | bytes], signer: str, status: Status
) -> None:
    tx, before = an_add(**changed), venue.state.account(ALICE)
    assert venue.send(signer, tx).status == status
    after = venue.state.account(ALICE)
    if is_identity(status):
        assert after == before
        return
    expected = replace(before, owner_sequence=tx.sequence)
    if status == Status.OK:
        added = SessionKey(2, tx.key, 0, tx.key_expiry, tx.permissions)
        expected = replace(expected, key_epoch=2, keys=(*before.keys, added))
    assert after == expected
    assert venue.send(signer, tx).status == Status.SEQUENCE_USED


@pytest.mark.parametrize("full", [filled_up, worn_out])
def test_a_key_without_a_place_or_an_epoch_is_too_many(venue: Venue, full: object) -> None:
    assert callable(full)
    full(venue)
    before = venue.state.account(ALICE)
    assert venue.send("alice", an_add(key=bytes(20))).status == Status.TOO_MANY_KEYS
    assert venue.send("alice", an_add(sequence=71, expiry=NOW - 1)).status == Status.EXPIRED
    assert venue.state.account(ALICE) == replace(before, owner_sequence=71)


def test_the_last_epoch_is_given_once(venue: Venue) -> None:
    account = replace(venue.state.account(ALICE), key_epoch=KEY_EPOCH_MAX - 1)
    venue.state.accounts[ALICE] = account
    assert venue.send("alice", an_add()).status == Status.OK
    assert epochs(venue) == [1, KEY_EPOCH_MAX]
    assert venue.send("alice", an_add(sequence=71)).status == Status.TOO_MANY_KEYS
    assert venue.revoke_key("alice", KEY_EPOCH_MAX).status == Status.SEQUENCE_USED
    tx = RevokeKey(ALICE, 72, KEY_EPOCH_MAX, FAR)
    assert venue.send("alice", tx).status == Status.OK
    assert venue.send("alice", an_add(sequence=73)).status == Status.TOO_MANY_KEYS


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"account": 99 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({}, "bot", Status.BAD_SIGNATURE),
        ({"sequence": 1}, "alice", Status.SEQUENCE_USED),
        ({"expiry": NOW - 1, "key_epoch": 9}, "alice", Status.EXPIRED),
        ({"key_epoch": 9}, "alice", Status.NO_SUCH_KEY),
        ({"key_epoch": 0}, "alice", Status.NO_SUCH_KEY),
        ({"expiry": NOW}, "alice", Status.OK),
    ],
    ids=str,
)
def test_a_key_is_revoked_by_the_owner_or_refused_for_the_first_fault(
    venue: Venue, changed: dict[str, int], signer: str, status: Status
) -> None:
    fields = {"account": ALICE, "sequence": 70, "key_epoch": 1, "expiry": FAR}
    tx, before = RevokeKey(**(fields | changed)), venue.state.account(ALICE)
    assert venue.send(signer, tx).status == status
    after = venue.state.account(ALICE)
    if is_identity(status):
        assert after == before
        return
    keys = () if status == Status.OK else before.keys
    assert after == replace(before, owner_sequence=70, keys=keys)
    assert venue.send(signer, tx).status == Status.SEQUENCE_USED
    check_invariants(venue.state)


def test_the_orders_of_a_revoked_key_stay_and_trade(venue: Venue) -> None:
    assert venue.revoke_key("alice", 1).status == Status.OK
    assert by_bot(venue, Cancel(ALICE, 1, 51, 1, 50, FAR)) == Status.UNKNOWN_KEY
    [fill] = venue.sell("bob", 4, MARK).fills
    assert fill.maker_order == (1, 50)
    assert venue.send("alice", Cancel(ALICE, 0, 80, 1, 50, FAR)).status == Status.OK
    check_invariants(venue.state)


def test_a_key_that_is_added_again_does_not_bring_back_what_it_had_signed(venue: Venue) -> None:
    """An order signed and never sequenced names an epoch that no key gets twice."""
    held = an_order(1, 60)
    signature = sign_transaction(held, key("bot"))
    assert venue.revoke_key("alice", 1).status == Status.OK
    assert venue.add_key("alice", "bot").status == Status.OK
    assert epochs(venue) == [2]
    assert venue.run(held, signature).status == Status.UNKNOWN_KEY
    # Its numbers begin again, and (2, 50) is not the order (1, 50).
    assert by_bot(venue, an_order(2, 0)) == Status.SEQUENCE_USED
    assert by_bot(venue, an_order(2, 50)) == Status.OK
    names = [(order.epoch, order.sequence) for order in venue.state.account(ALICE).orders]
    assert names == [(1, 50), (2, 50)]


def test_epochs_only_rise(venue: Venue) -> None:
    for epoch in range(2, 9):
        assert venue.add_key("alice", "bot").status == Status.OK
        assert epochs(venue)[-1] == epoch
        assert venue.revoke_key("alice", epoch).status == Status.OK
    assert epochs(venue) == [1] and venue.state.account(ALICE).key_epoch == 8


PLACES = (NewOrder(ALICE, 2, 5, 0, BUY, MARK, 10, FAR), Amend(ALICE, 2, 5, 1, 50, MARK, 9, FAR))
CANCELS = (Cancel(ALICE, 2, 5, 1, 50, FAR), CancelAll(ALICE, 2, 5, 1, 0, FAR))


@pytest.mark.parametrize(
    ("permissions", "places", "cancels"),
    [
        (PERMIT_TRADE, Status.OK, Status.OK),
        (PERMIT_CANCEL, Status.NOT_PERMITTED, Status.OK),
        (BOTH, Status.OK, Status.OK),
        (PERMIT_BLOCK, Status.NOT_PERMITTED, Status.NOT_PERMITTED),
    ],
)
def test_a_key_may_what_its_bits_say(permissions: int, places: Status, cancels: Status) -> None:
    for transactions, status in ((PLACES, places), (CANCELS, cancels)):
        for tx in transactions:
            venue = Venue()
            venue.open("alice", 1_000)
            venue.add_key("alice", "other")
            venue.add_key("alice", "bot", permissions)
            assert venue.send("other", an_order(1, 50)).status == Status.OK
            assert by_bot(venue, tx) == status, tx
            assert venue.state.account(ALICE).keys[1].sequence == 5, "consumed either way"


@pytest.mark.parametrize(("later", "status"), [(60, Status.OK), (61, Status.NOT_PERMITTED)])
@pytest.mark.parametrize("tx", [*PLACES, *CANCELS], ids=lambda tx: type(tx).__name__)
def test_a_key_ends_with_the_second_of_its_expiry(
    venue: Venue, tx: Transaction, later: int, status: Status
) -> None:
    assert venue.add_key("alice", "bot", BOTH, NOW + 60).status == Status.OK
    venue.run(Header(NOW + later))
    assert by_bot(venue, tx) == status


@pytest.mark.parametrize(
    "tx",
    [
        Withdraw(ALICE, 60, key("bot").address, 1, FAR),
        Transfer(ALICE, 60, ALICE | 1, 1, FAR),
        AddKey(ALICE, 60, BOT, FAR, BOTH, FAR),
        RevokeKey(ALICE, 60, 1, FAR),
    ],
    ids=lambda tx: type(tx).__name__,
)
def test_no_key_moves_money_or_keys(venue: Venue, tx: Transaction) -> None:
    before = venue.state.account(ALICE)
    assert by_bot(venue, tx) == Status.BAD_SIGNATURE
    assert venue.state.account(ALICE) == before


def test_one_key_may_stand_under_several_epochs(venue: Venue) -> None:
    assert venue.add_key("alice", "bot", PERMIT_CANCEL).status == Status.OK
    assert by_bot(venue, an_order(2, 51)) == Status.NOT_PERMITTED
    assert by_bot(venue, an_order(1, 51)) == Status.OK
    assert [k.sequence for k in venue.state.account(ALICE).keys] == [51, 51]
