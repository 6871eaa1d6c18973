"""Of several faults the one checked first is the answer, whatever the others are (CHK-1, CHK-2)."""

from itertools import combinations
from typing import Any

import pytest
from builders import DOLLAR, FAR, NOW, Venue, key, listing, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMIT_CANCEL, SessionKey
from state.orders import BUY, Flags, encode_flags
from state.status import Status, is_identity
from state.transactions import NewOrder

MARK = 500_000
STALE = "stale"

FAULTS: dict[Status, dict[str, Any]] = {
    Status.MALFORMED: {"flags": 0x80},
    Status.UNKNOWN_ACCOUNT: {"account": 99 << 8},
    Status.UNKNOWN_KEY: {"epoch": 5},
    Status.BAD_SIGNATURE: {"signer": "mallory"},
    Status.SEQUENCE_USED: {"sequence": 0},
    Status.NOT_PERMITTED: {"epoch": 1, "signer": "bot"},
    Status.EXPIRED: {"expiry": NOW - 1},
    Status.UNKNOWN_MARKET: {"market": 9},
    Status.EXPIRY_TOO_FAR: {"expiry": 2**40 - 1},
    Status.MARKET_CLOSED: {STALE: True},
    Status.PRICE_OUT_OF_BAND: {"ticks": 10 * MARK},
    Status.LOTS_OUT_OF_RANGE: {"lots": 0},
    Status.NOTIONAL_TOO_SMALL: {"lots": 1},
    Status.MARGIN_TOO_LOW: {"lots": 10**9},
}
"""What makes an order of alice's answer so, in the order in which an order is checked."""

PLACES = list(FAULTS)
PAIRS = [
    pair
    for pair in combinations(PLACES, 2)
    # What is said of one field twice cannot be both.
    if not set(FAULTS[pair[0]]) & set(FAULTS[pair[1]])
]


def attempt(*faults: Status) -> tuple[Venue, NewOrder, Status]:
    """A venue, an order with these faults, and what it is answered."""
    venue = Venue(markets=(listing(min_notional=DOLLAR),))
    number = venue.open("alice", 10_000)
    account = venue.state.account(number)
    session = SessionKey(1, key("bot").address, 0, FAR, PERMIT_CANCEL)
    venue.state.accounts[number] = replace(account, key_epoch=1, keys=(session,))
    terms: dict[str, Any] = {
        "account": number,
        "epoch": 0,
        "sequence": 7,
        "market": 0,
        "flags": encode_flags(Flags(BUY)),
        "ticks": MARK,
        "lots": 10_000,
        "expiry": FAR,
        "signer": "alice",
        STALE: False,
    }
    for fault in faults:
        terms |= FAULTS[fault]
    signer = terms.pop("signer")
    if terms.pop(STALE):
        row = venue.state.rows[0]
        venue.state.rows[0] = replace(row, time=row.time - row.price_age_max - 1)
    tx = NewOrder(**terms)
    return venue, tx, venue.run(tx, sign_transaction(tx, key(signer))).status


def test_without_a_fault_the_order_is_taken() -> None:
    assert attempt()[2] == Status.OK


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_alone_is_the_answer(fault: Status) -> None:
    assert attempt(fault)[2] == fault


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def test_of_two_faults_the_one_checked_first_is_the_answer(pair: tuple[Status, Status]) -> None:
    assert attempt(*pair)[2] == pair[0]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_sequence_number_is_consumed_unless_nobody_is_known_to_have_signed(
    fault: Status,
) -> None:
    venue, tx, status = attempt(fault)
    account = venue.state.account(1 << 8)
    last = account.keys[0].sequence if tx.epoch == 1 else account.owner_sequence
    assert last == (0 if is_identity(status) else tx.sequence)
