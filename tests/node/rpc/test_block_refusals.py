"""Every refusal of a block trade: whose it is, or which leg's, and that nothing moved."""

from collections.abc import Callable
from typing import Any

import pytest
from builders import DOLLAR, FAR, NOW, Key, Venue, key, listing, sign_transaction
from msgspec.structs import replace
from rpc_world import Sequencer, running

from node.rpc.statuses import BLOCK_REFUSALS, REFUSALS
from state.accounts import SessionKey
from state.legs import Leg, legs_of
from state.orders import BUY, SELL
from state.status import IDENTITY_LAST, Status
from state.transactions import BlockTrade, Header

ALICE, BOB, NOBODY = 1 << 8, 2 << 8, 9 << 8
A, B, EVE = key("alice"), key("bob"), key("eve")
AT_MARK = 500_000


def venue(alice: int = 10_000, bob: int = 10_000, **options: Any) -> Venue:
    """Two markets; Alice will make, Bob will take."""
    second = listing(1, symbol=b"ETH-USD-PERP", **options)
    made = Venue(markets=(listing(**options), second))
    made.open("alice", alice)
    made.open("bob", bob)
    return made


def block(*legs: Leg, **changed: Any) -> BlockTrade:
    """Bob buys 10 lots of the first market and sells 10 of the second, unless said otherwise."""
    chosen = legs or (Leg(0, BUY, AT_MARK, 10), Leg(1, SELL, AT_MARK, 10))
    made = BlockTrade(ALICE, 0, 50, BOB, 0, 60, FAR, len(chosen), legs_of(*chosen))
    return replace(made, **changed)


def trade(made: Venue, *legs: Leg) -> Status:
    tx = block(*legs)
    return made.run(tx, sign_transaction(tx, A, taker=B)).status


def used() -> Venue:
    made = venue()
    for _ in range(60):
        made.cancel("bob", 1)
    return made


def with_keys(**fields: int) -> Venue:
    """Bob has a session key of epoch 3."""
    made = venue()
    chosen = {"sequence": 0, "expiry": FAR, "permissions": 1} | fields
    session = SessionKey(3, key("session").address, **chosen)
    made.state.accounts[BOB] = replace(made.state.accounts[BOB], keys=(session,), key_epoch=3)
    return made


def later() -> Venue:
    made = venue()
    made.run(Header(NOW + 10))
    return made


def stale_second() -> Venue:
    """Only the first market has a fresh price."""
    made = venue()
    made.run(Header(NOW + 3_601))
    made.price(made.mark)
    return made


def crowded() -> Venue:
    names = [f"M{number}".encode() for number in range(18)]
    made = Venue(markets=tuple(listing(n, symbol=name) for n, name in enumerate(names)))
    made.open("alice", 10_000)
    made.open("bob", 10_000)
    for market in range(16):
        made.buy("bob", 1, 480_000, market=market)
    return made


def no_steps() -> Venue:
    made = venue()
    made.state.machine.steps_left = 7
    return made


Row = tuple[Callable[[], Venue], BlockTrade, tuple[Key, Key], Status, str | None, Any, Any]

TABLE: list[Row] = [
    # --- identity ---
    (no_steps, block(), (A, B), Status.OUT_OF_STEPS, None, ..., None),
    (
        venue,
        block(Leg(1, BUY, AT_MARK, 1), Leg(0, BUY, AT_MARK, 1)),
        (A, B),
        *(Status.MALFORMED, "legs"),
        *("legs by ascending market, each market once", {"markets": [1, 0]}),
    ),
    (venue, block(maker=NOBODY), (A, B), Status.UNKNOWN_ACCOUNT, "maker", ..., NOBODY),
    (venue, block(taker=NOBODY), (A, B), Status.UNKNOWN_ACCOUNT, "taker", ..., NOBODY),
    (venue, block(taker_epoch=3), (A, B), Status.UNKNOWN_KEY, "takerKeyEpoch", [0], 3),
    (venue, block(), (EVE, B), Status.BAD_SIGNATURE, "makerSignature", ..., ...),
    (venue, block(), (A, EVE), Status.BAD_SIGNATURE, "takerSignature", ..., ...),
    (venue, block(), (B, A), Status.BAD_SIGNATURE, "makerSignature", ..., ...),
    (
        used,
        block(),
        (A, B),
        *(Status.SEQUENCE_USED, "takerSequence", {"lastSequence": "60"}, "60"),
    ),
    (
        venue,
        block(taker=ALICE, taker_sequence=50),
        (A, A),
        *(Status.SEQUENCE_USED, "takerSequence", ..., "50"),
    ),
    # --- both are who they say ---
    (
        lambda: with_keys(permissions=3),
        block(taker_epoch=3),
        (A, key("session")),
        *(Status.NOT_PERMITTED, "takerKeyEpoch"),
        {"expiry": f"at least {NOW}", "permissions": "bit 2 set"},
        {"expiry": FAR, "permissions": 3, "now": NOW},
    ),
    (later, block(expiry=NOW + 9), (A, B), Status.EXPIRED, "expiry", ..., NOW + 9),
    (
        venue,
        block(taker=ALICE),
        (A, A),
        *(Status.SAME_ACCOUNT, "taker", "two accounts", {"maker": ALICE, "taker": ALICE}),
    ),
    # --- leg by leg ---
    (
        venue,
        block(Leg(0, BUY, AT_MARK, 1), Leg(7, BUY, AT_MARK, 1)),
        (A, B),
        *(Status.UNKNOWN_MARKET, "legs[1].market"),
        *(["0 BTC-USD-PERP", "1 ETH-USD-PERP"], 7),
    ),
    (stale_second, block(), (A, B), Status.MARKET_CLOSED, "legs[1].market", ..., ...),
    (
        venue,
        block(Leg(0, BUY, 449_999, 10)),
        (A, B),
        *(Status.PRICE_OUT_OF_BAND, "legs[0].ticks"),
        {
            "price": "45000 to 55000",
            "ticks": "450000 to 550000",
            "mark": "50000",
            "bandPpm": 100_000,
        },
        {"price": "44999.9", "ticks": 449_999},
    ),
    (
        venue,
        block(Leg(0, BUY, AT_MARK, 0)),
        (A, B),
        *(Status.LOTS_OUT_OF_RANGE, "legs[0].lots"),
        *({"lots": "at least 1", "size": "at least 0.000001"}, 0),
    ),
    (
        lambda: venue(min_notional=DOLLAR),
        block(Leg(0, BUY, AT_MARK, 19)),
        (A, B),
        *(Status.NOTIONAL_TOO_SMALL, "legs[0].lots"),
        {"notional": "1", "size": "at least 0.00002"},
        {"notional": "0.95", "size": "0.000019"},
    ),
    (
        crowded,
        block(Leg(16, BUY, AT_MARK, 1)),
        (A, B),
        *(Status.TOO_MANY_POSITIONS, "legs[0].market", "at most 16 markets"),
        {"inUse": list(range(16)), "asked": 16},
    ),
    (
        lambda: venue(open_interest_max=9),
        block(),
        (A, B),
        *(Status.OPEN_INTEREST_TOO_LARGE, "legs[0].lots"),
        *("at most 9 lots held long in this market", {"lots": 10, "openInterestLots": 0}),
    ),
    (
        lambda: venue(order_lots_max=5, position_max=9),
        block(),
        (A, B),
        *(Status.POSITION_TOO_LARGE, "legs[0].lots"),
        "at most 9 lots either way, for both",
        {
            str(BOB): {"lots": "0", "after": "10", "cash": "10000"},
            str(ALICE): {"lots": "0", "after": "-10", "cash": "10000"},
        },
    ),
    # --- in the end ---
    (
        lambda: venue(bob=1),
        block(Leg(0, BUY, AT_MARK, 400)),
        (A, B),
        *(Status.TAKER_MARGIN_TOO_LOW, "taker", ..., ...),
    ),
    (
        lambda: venue(alice=1),
        block(Leg(0, BUY, AT_MARK, 400)),
        (A, B),
        *(Status.MAKER_MARGIN_TOO_LOW, "maker", ..., ...),
    ),
]


@pytest.mark.parametrize("row", TABLE, ids=[f"{row[3].name}-{row[4]}" for row in TABLE])
async def test_a_refused_block_trade_says_whose_or_which(row: Row) -> None:
    made, tx, (maker, taker), status, field, expected, got = row
    node = Sequencer(made())
    before = dict(node.state.accounts)
    async with running(node) as rpc:
        error = await rpc.refused(tx, maker, taker=taker)
    data = error["data"]
    assert (error["code"], data["reason"]) == (1000 + status, status.name.lower())
    told = BLOCK_REFUSALS.get(status) or REFUSALS[status]
    assert (error["message"], data["mend"]) == told
    assert data["field"] == field
    if expected is not ...:
        assert data["expected"] == expected
    if got is not ...:
        assert data["got"] == got
    is_consumed = status > IDENTITY_LAST
    assert data["sequenceConsumed"] is is_consumed
    # Nothing but sequence numbers moved.
    for number, account in before.items():
        after = node.state.accounts[number]
        assert (after.cash, after.positions) == (account.cash, account.positions)
        is_party = number in (tx.maker, tx.taker)
        assert (after != account) is (is_consumed and is_party)


def test_every_refusal_that_a_block_trade_can_have_is_in_the_table() -> None:
    assert {row[3] for row in TABLE} >= set(BLOCK_REFUSALS)
    assert {row[3] for row in TABLE if row[3] <= IDENTITY_LAST} == {
        status for status in Status if Status.OK < status <= IDENTITY_LAST
    }


async def test_a_margin_refusal_names_the_party_and_every_term_after_the_trade() -> None:
    """400 lots at 0.05 USD need 1 USD; of Bob's dollar 0.01 goes into the fee."""
    async with running(Sequencer(venue(bob=1))) as rpc:
        error = await rpc.refused(block(Leg(0, BUY, AT_MARK, 400)), A, taker=B)
    data = error["data"]
    assert (data["party"], data["got"]["account"]) == ("taker", BOB)
    assert data["got"]["before"]["equity"] == "1"
    after = data["got"]["withTrade"]
    assert (after["equity"], after["initialMargin"], after["healthy"]) == ("0.99", "1", False)
    assert data["expected"]["stale"] == data["got"]["stale"] == []
    assert (data["makerNextSequence"], data["takerNextSequence"]) == ("51", "61")


async def test_a_margin_refusal_values_the_party_at_the_worse_of_mark_and_slow_mark() -> None:
    """Alice, long from 50,000, is worth at the slow mark what she was, whatever the mark says."""
    made = venue(alice=26)
    assert trade(made, Leg(0, SELL, AT_MARK, 5_000)) == Status.OK
    made.run(Header(NOW + 10))
    assert made.price(54_000_000) == Status.OK
    tx = block(Leg(1, BUY, AT_MARK, 5_000), maker_sequence=51, taker_sequence=61)
    async with running(Sequencer(made)) as rpc:
        error = await rpc.refused(tx, A, taker=B)
    data = error["data"]
    assert (data["reason"], data["party"]) == ("maker_margin_too_low", "maker")
    assert "the worse of mark and slow mark" in data["expected"]["rule"]
    before, after = data["got"]["before"], data["got"]["withTrade"]
    # 250 USD cost 0.025 in fees each; at the mark she would have 20 more, and be healthy.
    assert (before["equity"], after["equity"], after["initialMargin"]) == ("25.975", "25.95", "26")
    assert before["healthy"] and not after["healthy"]
    held = after["positions"][0]
    assert (held["mark"]["nano"], held["valuedAt"]["nano"]) == ("54000000", "50000000")


async def test_a_margin_refusal_names_the_market_that_is_stale() -> None:
    """Legs are in fresh markets, but what a party holds besides is asked too."""
    made = venue()
    assert trade(made, Leg(1, BUY, AT_MARK, 10)) == Status.OK
    made.run(Header(NOW + 3_601))
    made.price(made.mark)
    tx = block(Leg(0, BUY, AT_MARK, 10), maker_sequence=51, taker_sequence=61)
    async with running(Sequencer(made)) as rpc:
        error = await rpc.refused(tx, A, taker=B)
    data = error["data"]
    assert (data["reason"], data["party"]) == ("taker_margin_too_low", "taker")
    assert data["expected"]["rule"].endswith("every mark is fresh")
    after = data["got"]["withTrade"]
    assert after["healthy"] and not after["fresh"]
    [stale] = data["got"]["stale"]
    assert (stale["market"], stale["mode"]) == (1, "live")
    assert (stale["priceAge"]["age"], stale["priceAge"]["ageMax"]) == (3_601, 3_600)


async def test_a_leg_that_the_leg_before_it_left_no_room_for_is_named() -> None:
    """What a leg changes counts for the next: Bob has one free place and two legs to put there."""
    made = crowded()
    assert made.cancel("bob", 1).status == Status.OK
    legs = (Leg(16, BUY, AT_MARK, 1), Leg(17, BUY, AT_MARK, 1))
    async with running(Sequencer(made)) as rpc:
        error = await rpc.refused(block(*legs), A, taker=B)
    assert error["data"]["reason"] == "too_many_positions"
    assert (error["data"]["leg"], error["data"]["field"]) == (1, "legs[1].market")
