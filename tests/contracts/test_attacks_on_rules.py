"""What a liar says of signers, clocks and prices: rules with one of them altered, refuted.

The number of an id is the case of the table in docs/testing.md.
"""

from typing import Any

import pytest
from attack_world import MARK, Act, AttackedVenue, Lie, Table, always, listed, quoted, refute
from block_world import change_row
from builders import FAR, NOW, PUBLISHER, Key, key, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMIT_CANCEL
from state.authentication import Verifier, authorise
from state.orders import BUY, SELL, Flags, encode_flags
from state.status import Status
from state.store import Changes
from state.transactions import Header, NewOrder, SignedPrice


def order(venue: AttackedVenue, **changed: int) -> NewOrder:
    fields = {"account": 2 << 8, "epoch": 0, "sequence": next(venue.sequences), "market": 0}
    terms = {"flags": encode_flags(Flags(BUY)), "ticks": MARK - 9, "lots": 5, "expiry": FAR}
    return NewOrder(**(fields | terms | changed))


def signed_by(signer: Key, **changed: int) -> Act:
    def act(venue: AttackedVenue) -> None:
        tx = order(venue, **changed)
        venue.run(tx, sign_transaction(tx, signer))

    return act


def twice(venue: AttackedVenue) -> None:
    tx = order(venue)
    for _ in range(2):
        venue.run(tx, sign_transaction(tx, key("bob")))


def with_a_key_to_cancel(venue: AttackedVenue) -> None:
    venue.add_key("bob", "bot", PERMIT_CANCEL)
    signed_by(key("bot"), epoch=1)(venue)


def with_a_revoked_key(venue: AttackedVenue) -> None:
    venue.add_key("bob", "bot")
    venue.revoke_key("bob", 1)


def expired_is_ok(*given: Any, **named: Any) -> Status:
    status = authorise(*given, **named)
    return Status.OK if status == Status.EXPIRED else status


SIGNERS: Table = {
    "26 the same order again": (twice, {"state.authentication.last_sequence": always(0)}),
    "26 no number consumed": (
        signed_by(key("bob")),
        {"state.authentication.with_sequence": lambda account, *_: account},
    ),
    "26 after its expiry": (
        signed_by(key("bob"), expiry=NOW - 1),
        {"state.transactions.order.authorise": expired_is_ok},
    ),
    "25 signed by another": (
        signed_by(key("carol")),
        {"state.authentication.signer_status": always(Status.OK)},
    ),
    "25 not signed by its owner": (
        signed_by(key("bob")),
        {"state.authentication.signer_status": always(Status.BAD_SIGNATURE)},
    ),
    "23 of an account that is none": (
        signed_by(key("bob"), account=9 << 8),
        {"state.steps._apply": always(Status.OK)},
    ),
    "25 by a key that may not": (
        with_a_key_to_cancel,
        {"state.authentication._is_permitted": always(True)},
    ),
    "25 a revoked key that stays": (
        with_a_revoked_key,
        {"state.transactions.revoke_key.without_key": lambda account, _: account},
    ),
    "30 left out": (signed_by(key("bob")), {"state.steps._apply": always(Status.OK)}),
    "30 said to be malformed": (
        signed_by(key("bob")),
        {"state.steps._apply": always(Status.MALFORMED)},
    ),
}


@pytest.mark.parametrize(("act", "lie"), listed(SIGNERS))
def test_what_nobody_signed_cannot_be_claimed(act: Act, lie: Lie) -> None:
    """Cases 25 and 26."""
    refute(quoted(), act, lie)


# --- orders that rest ---

CANCELS: Table = {
    "26 a cancelled order that stays": (
        lambda v: v.cancel("alice", 1),
        {"state.transactions.cancel.remove_order": always(None)},
    ),
    "27 the order of somebody else": (
        lambda v: v.cancel("bob", 1),
        {"state.steps.apply_cancel": lambda changes, *_: leave(changes)},
    ),
    "27 all but one": (
        lambda v: v.cancel_all("carol"),
        {"state.cancelling.remove_order": always(None)},
    ),
    "27 more, and the place in the queue": (
        lambda v: v.amend("alice", 1, MARK, 20),
        {"state.transactions.amend._keeps_priority": always(True)},
    ),
    "27 less, and to the end of the queue": (
        lambda v: v.amend("alice", 1, MARK, 5),
        {"state.transactions.amend._keeps_priority": always(False)},
    ),
}


def leave(changes: Changes) -> Status:
    """Takes the front of the asks off the book, whosever it is."""
    front = changes.front(0, SELL)
    assert front is not None
    changes.write_order(0, SELL, front[0], None)
    return Status.OK


@pytest.mark.parametrize(("act", "lie"), listed(CANCELS))
def test_the_end_of_an_order_cannot_be_told_otherwise(act: Act, lie: Lie) -> None:
    """Cases 26 and 27."""
    refute(quoted(), act, lie)


# --- clock and prices ---


def takes_the_price(changes: Changes, tx: SignedPrice, _: bytes, __: Verifier) -> Status:
    row = changes.row(tx.market)
    assert row is not None
    changes.write_row(replace(row, mark=tx.price, index=tx.price, time=tx.time))
    return Status.OK


def takes_the_time(changes: Changes, tx: Header) -> Status:
    changes.machine.time = tx.time
    return Status.OK


def price(price: int = 51_000_000, time: int = NOW + 5, by: Key = PUBLISHER) -> Act:
    def act(venue: AttackedVenue) -> None:
        venue.run(Header(NOW + 9))
        change_row(venue, slow_mark=49_000_001)
        tx = SignedPrice(0, price, time)
        venue.run(tx, sign_transaction(tx, by))

    return act


TAKEN: Lie = {"state.steps.apply_price": takes_the_price}
SLOW = "state.transactions.price.next_slow_mark"

PRICES: Table = {
    "25 a price of a stranger": (price(by=key("mallory")), TAKEN),
    "29 a price of yesterday": (price(time=NOW - 86_400), TAKEN),
    "29 a price of tomorrow": (price(time=NOW + 86_400), TAKEN),
    "35 a price of zero": (price(price=0), TAKEN),
    "35 a price passed over": (price(), {"state.steps.apply_price": always(Status.OK)}),
    "35 a slow mark that leaps": (price(), {SLOW: lambda _, mark, __: mark}),
    "33 a slow mark a nano off": (price(), {SLOW: always(49_008_266)}),
    "29 the clock goes back": (
        lambda v: v.run(Header(NOW - 1)),
        {"state.steps.apply_header": takes_the_time},
    ),
    "29 the clock stands still": (
        lambda v: v.run(Header(NOW + 1)),
        {"state.steps.apply_header": always(Status.OK)},
    ),
}


@pytest.mark.parametrize(("act", "lie"), listed(PRICES))
def test_neither_clock_nor_price_can_be_told_otherwise(act: Act, lie: Lie) -> None:
    """Cases 25, 29, 33 and 35."""
    refute(quoted(), act, lie)
