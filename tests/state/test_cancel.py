"""Cancel, and the keys that may: who takes an order off the book, and what it costs them."""

import pytest
from builders import FAR, NOW, Venue, key, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMIT_CANCEL, PERMIT_TRADE, SessionKey, last_sequence
from state.invariants import check_invariants
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.status import Status, is_identity
from state.transactions import Cancel, NewOrder

MARK = 500_000
ALICE = 1 << 8
TRADER, READER, LATE, LAST_SECOND = 3, 4, 5, 6
"""Epochs of alice's session keys."""


@pytest.fixture
def venue() -> Venue:
    """Alice has four session keys and one bid of ten lots, known by (0, 1)."""
    venue = Venue()
    venue.open("alice", 1_000)
    venue.open("bob", 1_000)
    bot = key("bot").address
    keys = (
        SessionKey(TRADER, bot, 5, FAR, PERMIT_TRADE),
        SessionKey(READER, bot, 5, FAR, 0xFFFF & ~(PERMIT_TRADE | PERMIT_CANCEL)),
        SessionKey(LATE, bot, 5, NOW - 1, PERMIT_TRADE),
        SessionKey(LAST_SECOND, bot, 5, NOW, PERMIT_TRADE),
    )
    account = replace(venue.state.account(ALICE), key_epoch=LAST_SECOND, keys=keys)
    venue.state.accounts[ALICE] = account
    assert venue.buy("alice", 10, MARK).status == Status.OK
    return venue


def a_cancel(**changed: int) -> Cancel:
    """The cancel of alice's bid by her own key."""
    fields = {"account": ALICE, "epoch": 0, "sequence": 7}
    fields |= {"order_epoch": 0, "order_sequence": 1, "expiry": FAR}
    return Cancel(**(fields | changed))


def an_order(**changed: int) -> NewOrder:
    """A bid of ten lots by alice's own key."""
    fields = {"account": ALICE, "epoch": 0, "sequence": 7, "market": 0}
    fields |= {"flags": encode_flags(Flags(BUY)), "ticks": MARK, "lots": 10, "expiry": FAR}
    return NewOrder(**(fields | changed))


def status_of(venue: Venue, tx: Cancel | NewOrder, signer: str) -> Status:
    return venue.run(tx, sign_transaction(tx, key(signer))).status


def resting(venue: Venue) -> set[tuple[int, int]]:
    """Alice's resting orders by (epoch, sequence)."""
    return {(order.epoch, order.sequence) for order in venue.state.account(ALICE).orders}


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"account": 99 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"epoch": 9}, "bot", Status.UNKNOWN_KEY),
        ({}, "bob", Status.BAD_SIGNATURE),
        ({}, "bot", Status.BAD_SIGNATURE),
        ({"epoch": TRADER}, "alice", Status.BAD_SIGNATURE),
        ({"sequence": 1}, "alice", Status.SEQUENCE_USED),
        ({"epoch": TRADER, "sequence": 5}, "bot", Status.SEQUENCE_USED),
        ({"epoch": READER}, "bot", Status.NOT_PERMITTED),
        ({"epoch": LATE}, "bot", Status.NOT_PERMITTED),
        ({"epoch": READER, "expiry": NOW - 1}, "bot", Status.NOT_PERMITTED),
        ({"expiry": NOW - 1}, "alice", Status.EXPIRED),
        ({"expiry": NOW - 1, "order_sequence": 2}, "alice", Status.EXPIRED),
        ({"order_sequence": 2}, "alice", Status.UNKNOWN_ORDER),
        ({"order_epoch": TRADER}, "alice", Status.UNKNOWN_ORDER),
        ({}, "alice", Status.OK),
        ({"expiry": NOW}, "alice", Status.OK),
        ({"epoch": TRADER}, "bot", Status.OK),
        ({"epoch": TRADER, "sequence": 6}, "bot", Status.OK),
        ({"epoch": LAST_SECOND}, "bot", Status.OK),
    ],
)
def test_a_cancel_is_refused_for_its_first_fault_and_then_used_up(
    venue: Venue, changed: dict[str, int], signer: str, status: Status
) -> None:
    tx = a_cancel(**changed)
    before = venue.state.account(ALICE)
    assert status_of(venue, tx, signer) == status
    assert (resting(venue) == set()) == (status == Status.OK)
    if is_identity(status):
        assert venue.state.account(ALICE) == before
    else:
        assert last_sequence(venue.state.account(ALICE), tx.epoch) == tx.sequence
        assert status_of(venue, tx, signer) == Status.SEQUENCE_USED
    check_invariants(venue.state)


@pytest.mark.parametrize("cancelled", [0, TRADER])
def test_orders_of_one_number_under_two_keys_are_two_orders(venue: Venue, cancelled: int) -> None:
    assert status_of(venue, an_order(epoch=TRADER, sequence=20), "bot") == Status.OK
    assert status_of(venue, an_order(sequence=20), "alice") == Status.OK
    assert resting(venue) == {(0, 1), (0, 20), (TRADER, 20)}
    tx = a_cancel(sequence=21, order_epoch=cancelled, order_sequence=20)
    assert status_of(venue, tx, "alice") == Status.OK
    assert resting(venue) == {(0, 1), (TRADER - cancelled, 20)}
    check_invariants(venue.state)


def test_a_key_that_trades_cancels_the_orders_of_other_keys_too(venue: Venue) -> None:
    assert status_of(venue, an_order(sequence=8), "alice") == Status.OK
    tx = a_cancel(epoch=TRADER, sequence=9, order_sequence=8)
    assert status_of(venue, tx, "bot") == Status.OK
    assert resting(venue) == {(0, 1)}


def test_every_key_counts_its_own_sequence_numbers(venue: Venue) -> None:
    table = [
        (TRADER, 5, Status.SEQUENCE_USED),
        (TRADER, 6, Status.OK),
        (TRADER, 6, Status.SEQUENCE_USED),
        (LAST_SECOND, 6, Status.OK),
        (0, 6, Status.OK),
        (0, 90, Status.OK),
        (TRADER, 7, Status.OK),
        (0, 90, Status.SEQUENCE_USED),
        (TRADER, 91, Status.OK),
        (0, 91, Status.OK),
    ]
    for epoch, sequence, status in table:
        tx = an_order(epoch=epoch, sequence=sequence, lots=1)
        signer = "bot" if epoch else "alice"
        assert status_of(venue, tx, signer) == status, (epoch, sequence)
    sequences = {held.epoch: held.sequence for held in venue.state.account(ALICE).keys}
    assert sequences == {TRADER: 91, READER: 5, LATE: 5, LAST_SECOND: 6}
    assert venue.state.account(ALICE).owner_sequence == 91


def test_a_key_of_address_zero_lets_nobody_in(venue: Venue) -> None:
    account = venue.state.account(ALICE)
    nobody = replace(account.keys[0], address=bytes(20))
    venue.state.accounts[ALICE] = replace(account, keys=(nobody, *account.keys[1:]))
    receipt = venue.run(a_cancel(epoch=TRADER), bytes(64))
    assert receipt.status == Status.BAD_SIGNATURE
    assert resting(venue) == {(0, 1)}


def test_an_order_of_a_session_key_rests_and_trades_under_its_epoch(venue: Venue) -> None:
    assert status_of(venue, an_order(epoch=TRADER, sequence=20, ticks=MARK + 1), "bot") == Status.OK
    front = venue.state.front(0, BUY)
    assert front is not None and (front[1].epoch, front[1].sequence) == (TRADER, 20)
    [fill] = venue.sell("bob", 10, MARK + 1).fills
    assert fill.maker_order == (TRADER, 20) and fill.taker_order == (0, 2)
    assert resting(venue) == {(0, 1)}
    check_invariants(venue.state)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_cancel_frees_the_lots_that_are_left_of_an_order(side: int) -> None:
    venue = Venue()
    venue.open("alice", 1_000)
    venue.open("bob", 1_000)
    venue.order("alice", side, 10, MARK)
    venue.order("alice", side, 5, MARK)
    venue.order("bob", 1 - side, 4, MARK, life=Life.IOC)
    assert venue.cancel("alice", 1).status == Status.OK
    [position] = venue.state.account(ALICE).positions
    sign = 1 if side == BUY else -1
    assert position.lots == 4 * sign
    assert (position.bid_lots, position.ask_lots) == ((5, 0) if side == BUY else (0, 5))
    assert len(venue.state.book(0, side)) == 1
    check_invariants(venue.state)
