"""ADMIT: every refusal of an order, in the order of the status codes."""

import pytest
from builders import DOMAIN, FAR, NOW, Venue, key, listing, sign_transaction
from msgspec.structs import replace

from node.signatures import CURVE_ORDER
from state.accounts import PERMIT_TRADE, SessionKey
from state.eip712 import domain
from state.limits import ACCOUNT_ORDERS_MAX, ACCOUNT_POSITIONS_MAX, ORDER_STEPS_MAX
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.status import Status, is_identity
from state.transactions import Header, NewOrder

MARK = 500_000
ALICE = 1 << 8


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    venue.open("alice", 1_000)
    return venue


def an_order(**changed: int) -> NewOrder:
    """A buy of ten lots at the mark that alice may place."""
    fields = {
        "account": ALICE,
        "epoch": 0,
        "sequence": 7,
        "market": 0,
        "flags": encode_flags(Flags(BUY)),
        "ticks": MARK,
        "lots": 10,
        "expiry": FAR,
    }
    return NewOrder(**(fields | changed))


def status_of(venue: Venue, tx: NewOrder, signer: str = "alice") -> Status:
    return venue.run(tx, sign_transaction(tx, key(signer))).status


MARKET_ORDER = encode_flags(Flags(BUY, is_market=True, life=Life.IOC))


@pytest.mark.parametrize(
    ("changed", "signer", "status"),
    [
        ({"flags": 0x80}, "alice", Status.MALFORMED),
        ({"flags": 0x60}, "alice", Status.MALFORMED),
        ({"ticks": 0}, "alice", Status.MALFORMED),
        ({"flags": MARKET_ORDER}, "alice", Status.MALFORMED),
        ({"flags": MARKET_ORDER & ~0b1100, "ticks": 0}, "alice", Status.MALFORMED),
        ({"account": 99 << 8}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"account": 0}, "alice", Status.UNKNOWN_ACCOUNT),
        ({"epoch": 1}, "alice", Status.UNKNOWN_KEY),
        ({}, "mallory", Status.BAD_SIGNATURE),
        ({"sequence": 0}, "alice", Status.SEQUENCE_USED),
        ({"expiry": NOW - 1}, "alice", Status.EXPIRED),
        ({"expiry": 2**40 - 1}, "alice", Status.EXPIRY_TOO_FAR),
        ({"market": 5}, "alice", Status.UNKNOWN_MARKET),
        ({"market": 64}, "alice", Status.UNKNOWN_MARKET),
        ({"ticks": MARK * 110 // 100 + 1}, "alice", Status.PRICE_OUT_OF_BAND),
        ({"flags": SELL, "ticks": MARK * 90 // 100 - 1}, "alice", Status.PRICE_OUT_OF_BAND),
        ({"lots": 0}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"lots": 2**48 - 1}, "alice", Status.LOTS_OUT_OF_RANGE),
        ({"flags": 16}, "alice", Status.NOTHING_TO_REDUCE),
        ({"lots": 10**9}, "alice", Status.MARGIN_TOO_LOW),
        ({}, "alice", Status.OK),
        ({"ticks": MARK * 110 // 100}, "alice", Status.OK),
    ],
)
def test_the_first_fault_in_the_order_of_codes_is_the_answer(
    venue: Venue, changed: dict[str, int], signer: str, status: Status
) -> None:
    tx = an_order(**changed)
    assert status_of(venue, tx, signer) == status
    consumed = venue.state.account(ALICE).owner_sequence == tx.sequence != 0
    assert consumed == (not is_identity(status))


def test_a_refused_order_cannot_be_held_and_filled_later(venue: Venue) -> None:
    tx = an_order(lots=10**9)
    assert status_of(venue, tx) == Status.MARGIN_TOO_LOW
    venue.open("alice", 100_000_000)
    assert status_of(venue, tx) == Status.SEQUENCE_USED


def test_sequence_numbers_may_skip_but_never_return(venue: Venue) -> None:
    assert status_of(venue, an_order(sequence=1_000)) == Status.OK
    assert status_of(venue, an_order(sequence=999)) == Status.SEQUENCE_USED
    assert status_of(venue, an_order(sequence=1_000)) == Status.SEQUENCE_USED
    assert status_of(venue, an_order(sequence=2**64 - 1)) == Status.OK


def test_a_raised_floor_kills_every_lower_number_of_every_key(venue: Venue) -> None:
    account = venue.state.account(ALICE)
    session = SessionKey(3, key("bot").address, 5, FAR, PERMIT_TRADE)
    venue.state.accounts[ALICE] = replace(account, sequence_floor=50, key_epoch=3, keys=(session,))
    assert status_of(venue, an_order(sequence=50)) == Status.SEQUENCE_USED
    assert status_of(venue, an_order(sequence=50, epoch=3), "bot") == Status.SEQUENCE_USED
    assert status_of(venue, an_order(sequence=51, epoch=3), "bot") == Status.OK
    assert status_of(venue, an_order(sequence=51)) == Status.OK


@pytest.mark.parametrize(
    ("permissions", "expiry", "status"),
    [
        (PERMIT_TRADE, FAR, Status.OK),
        (0, FAR, Status.NOT_PERMITTED),
        (PERMIT_TRADE, NOW - 1, Status.NOT_PERMITTED),
    ],
)
def test_a_session_key_trades_while_it_is_allowed_to(
    venue: Venue, permissions: int, expiry: int, status: Status
) -> None:
    session = SessionKey(3, key("bot").address, 5, expiry, permissions)
    venue.state.accounts[ALICE] = replace(venue.state.account(ALICE), key_epoch=3, keys=(session,))
    assert status_of(venue, an_order(epoch=3), "bot") == status
    assert venue.state.account(ALICE).keys[0].sequence == 7
    assert venue.state.account(ALICE).owner_sequence == 0


@pytest.mark.parametrize(
    "other",
    [domain(1, DOMAIN.rollup), domain(DOMAIN.chain_id, bytes(20))],
    ids=["other chain", "other contract"],
)
def test_a_signature_for_elsewhere_is_nobodys(venue: Venue, other: object) -> None:
    tx = an_order()
    signature = sign_transaction(tx, key("alice"), on=other)  # type: ignore[arg-type]
    assert venue.run(tx, signature).status == Status.BAD_SIGNATURE


def test_a_high_s_signature_is_nobodys(venue: Venue) -> None:
    tx = an_order()
    signature = sign_transaction(tx, key("alice"))
    packed = int.from_bytes(signature[32:], "big")
    s, parity = packed & (2**255 - 1), packed >> 255
    high = CURVE_ORDER - s
    assert high < 2**256
    flipped = signature[:32] + (high % 2**255 | (1 - parity) << 255).to_bytes(32, "big")
    assert venue.run(tx, flipped).status == Status.BAD_SIGNATURE


@pytest.mark.parametrize("signature", [b"", bytes(64), b"\xff" * 64, bytes(65)])
def test_what_is_no_signature_recovers_nobody(venue: Venue, signature: bytes) -> None:
    assert venue.run(an_order(), signature).status == Status.BAD_SIGNATURE


def test_a_stale_market_takes_no_orders(venue: Venue) -> None:
    venue.run(Header(NOW + 3_601))
    assert status_of(venue, an_order()) == Status.MARKET_CLOSED


def test_a_market_without_a_price_takes_no_orders() -> None:
    venue = Venue(markets=(listing(), listing(1, symbol=b"ETH-USD-PERP")))
    venue.state.rows[1] = replace(venue.state.rows[1], mark=0)
    venue.open("alice", 1_000)
    assert status_of(venue, an_order(market=1)) == Status.MARKET_CLOSED


def test_small_orders_are_refused_unless_they_reduce() -> None:
    venue = Venue(markets=(listing(min_notional=100 * MARK * 10),))
    venue.open("alice", 1_000)
    assert status_of(venue, an_order(lots=9)) == Status.NOTIONAL_TOO_SMALL
    assert status_of(venue, an_order(lots=10, sequence=8)) == Status.OK


def test_the_sixty_fifth_resting_order_is_refused_but_not_one_that_cannot_rest(
    venue: Venue,
) -> None:
    for sequence in range(1, ACCOUNT_ORDERS_MAX + 1):
        assert status_of(venue, an_order(sequence=sequence, lots=1)) == Status.OK
    assert status_of(venue, an_order(sequence=100, lots=1)) == Status.TOO_MANY_ORDERS
    ioc = encode_flags(Flags(BUY, life=Life.IOC))
    assert status_of(venue, an_order(sequence=101, flags=ioc)) == Status.REMAINDER_DROPPED


def test_the_seventeenth_market_is_refused() -> None:
    names = [f"COIN{n}-USD".encode() for n in range(ACCOUNT_POSITIONS_MAX + 1)]
    venue = Venue(markets=tuple(listing(n, symbol=name) for n, name in enumerate(names)))
    venue.open("alice", 1_000)
    for market in range(ACCOUNT_POSITIONS_MAX):
        tx = an_order(sequence=market + 1, market=market)
        assert status_of(venue, tx) == Status.OK
    tx = an_order(sequence=50, market=ACCOUNT_POSITIONS_MAX)
    assert status_of(venue, tx) == Status.TOO_MANY_POSITIONS


def test_an_order_that_could_outrun_the_budget_is_an_identity_step(venue: Venue) -> None:
    venue.state.machine.steps_left = ORDER_STEPS_MAX
    assert status_of(venue, an_order()) == Status.OUT_OF_STEPS
    assert venue.state.account(ALICE).owner_sequence == 0
    venue.state.machine.steps_left = ORDER_STEPS_MAX + 1
    assert status_of(venue, an_order()) == Status.OK
