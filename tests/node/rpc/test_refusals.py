"""Every refusal of the rules, as a table: what was expected, what came, how to mend it."""

from collections.abc import Callable
from typing import Any

import pytest
from builders import DOLLAR, FAR, MICRO_DOLLAR, NOW, PUBLISHER, Key, Venue, key, listing
from msgspec.structs import replace
from rpc_world import Sequencer, running

from node.rpc import wire
from node.rpc.messages import Signed, message_of
from node.rpc.statuses import BLOCK_REFUSALS, DROPPED, NEVER_SUBMITTED, REFUSALS, RETRYABLE
from state.accounts import SessionKey
from state.limits import WITHDRAWALS_MAX
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.status import IDENTITY_LAST, Status
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    Header,
    NewOrder,
    RevokeKey,
    SignedPrice,
    Transfer,
    Withdraw,
)

ALICE, BOB, NOBODY = 1 << 8, 2 << 8, 9 << 8
A = key("alice")


def venue(**options: Any) -> Venue:
    """Alice has a dollar, which is margin for 400 lots; Bob plenty, and an order in the book."""
    made = Venue(markets=(listing(**options),))
    made.open("alice", 1)
    made.open("bob", 10_000)
    made.sell("bob", 10, 510_000)
    return made


def order(
    lots: int = 1,
    ticks: int = 490_000,
    *,
    side: int = BUY,
    account: int = ALICE,
    epoch: int = 0,
    sequence: int = 50,
    market: int = 0,
    expiry: int = FAR,
    **flags: Any,
) -> NewOrder:
    byte = encode_flags(Flags(side, ticks == 0, **flags))
    return NewOrder(account, epoch, sequence, market, byte, ticks, lots, expiry)


def used() -> Venue:
    made = venue()
    made.buy("alice", 1, 480_000)
    return made


def full_of_orders() -> Venue:
    made = venue()
    for ticks in range(64):
        made.buy("alice", 1, 480_000 + ticks)
    return made


def full_of_markets() -> Venue:
    names = [f"M{number}".encode() for number in range(17)]
    made = Venue(markets=tuple(listing(n, symbol=name) for n, name in enumerate(names)))
    made.open("alice", 1)
    for market in range(16):
        made.buy("alice", 1, 480_000, market=market)
    return made


def stale() -> Venue:
    made = venue()
    made.run(Header(NOW + 3_601))
    return made


def later() -> Venue:
    made = venue()
    made.run(Header(NOW + 10))
    return made


def with_key(**fields: int) -> Venue:
    made = venue()
    account = made.state.accounts[ALICE]
    chosen = {"sequence": 0, "expiry": FAR, "permissions": 1} | fields
    made.state.accounts[ALICE] = replace(
        account, keys=(SessionKey(3, key("session").address, **chosen),)
    )
    return made


def holding() -> Venue:
    """Alice is long 10 lots."""
    made = venue()
    made.buy("alice", 10, 510_000)
    return made


def no_steps() -> Venue:
    made = venue()
    made.state.machine.steps_left = 200
    return made


def no_withdrawals() -> Venue:
    made = venue()
    made.state.machine.withdrawals = WITHDRAWALS_MAX
    return made


def quoting(position_max: int = 100) -> Venue:
    """Alice has bids for 70 of the 100 lots that she may ever hold, or could before."""
    made = venue(position_max=100, order_lots_max=100)
    made.buy("alice", 70, 490_000)
    market = made.state.markets[0]
    made.state.markets[0] = replace(market, position_max=position_max)
    return made


def stale_with_order() -> Venue:
    made = used()
    made.run(Header(NOW + 3_601))
    return made


def full_of_keys() -> Venue:
    made = venue()
    for number in range(4):
        tx = AddKey(ALICE, 10 + number, key(f"key {number}").address, FAR, 3, FAR)
        assert made.send("alice", tx).status == Status.OK
    return made


def cancel(order_sequence: int = 99, **changed: int) -> Cancel:
    return replace(Cancel(ALICE, 0, 50, 0, order_sequence, FAR), **changed)


def withdraw(micro: int = 1, **changed: Any) -> Withdraw:
    return replace(Withdraw(ALICE, 50, A.address, micro, FAR), **changed)


def transfer(to_account: int = ALICE + 1, nano: int = 1, **changed: int) -> Transfer:
    return replace(Transfer(ALICE, 50, to_account, nano, FAR), **changed)


def amend(order_sequence: int = 2, **changed: int) -> Amend:
    """Of the order of `used`, or `quoting`: one lot more than the first, at its price."""
    chosen = {"order_sequence": order_sequence} | changed
    return replace(Amend(ALICE, 0, 50, 0, 2, 480_000, 2, FAR), **chosen)


def cancel_all(**changed: int) -> CancelAll:
    return replace(CancelAll(ALICE, 0, 50, 1, 0, FAR), **changed)


def add_key(**changed: Any) -> AddKey:
    return replace(AddKey(ALICE, 50, key("session").address, FAR, 3, FAR), **changed)


def revoke_key(key_epoch: int = 1, **changed: int) -> RevokeKey:
    return replace(RevokeKey(ALICE, 50, key_epoch, FAR), **changed)


def price(nano: int = 50_000_000, time: int = NOW + 10, market: int = 0) -> SignedPrice:
    return SignedPrice(market, nano, time)


TOO_DEAR = {"ticks": 550_001}
Row = tuple[Callable[[], Venue], Signed, Key, Status, Any, Any]

TABLE: list[Row] = [
    # --- identity ---
    (no_steps, order(), A, Status.OUT_OF_STEPS, REFUSALS[Status.OUT_OF_STEPS][0], None),
    (
        venue,
        order(ticks=0),
        A,
        Status.MALFORMED,
        "a limit order has at least one tick; a market order has none and is IOC or FOK",
        {"orderType": "market", "ticks": 0, "life": "GTC"},
    ),
    (
        used,
        amend(ticks=0),
        A,
        Status.MALFORMED,
        "at least one tick: what rests has a price",
        {"ticks": 0},
    ),
    (venue, order(account=NOBODY), A, Status.UNKNOWN_ACCOUNT, ..., NOBODY),
    (venue, withdraw(account=0), A, Status.UNKNOWN_ACCOUNT, ..., 0),
    (with_key, order(epoch=2), A, Status.UNKNOWN_KEY, [0, 3], 2),
    (venue, order(), key("eve"), Status.BAD_SIGNATURE, ..., ...),
    (venue, cancel(), key("eve"), Status.BAD_SIGNATURE, ..., ...),
    (used, order(sequence=2), A, Status.SEQUENCE_USED, {"lastSequence": "2"}, "2"),
    (used, transfer(sequence=1), A, Status.SEQUENCE_USED, {"lastSequence": "2"}, "1"),
    # --- who and when ---
    (
        lambda: with_key(permissions=0),
        order(epoch=3),
        key("session"),
        Status.NOT_PERMITTED,
        {"expiry": f"at least {NOW}", "permissions": "bit 0 set"},
        {"expiry": FAR, "permissions": 0, "now": NOW},
    ),
    (
        lambda: with_key(expiry=NOW - 1),
        cancel(epoch=3),
        key("session"),
        Status.NOT_PERMITTED,
        ...,
        ...,
    ),
    (
        later,
        order(expiry=NOW + 9),
        A,
        Status.EXPIRED,
        f"an expiry of at least {NOW + 10}, the venue's time",
        NOW + 9,
    ),
    (later, cancel(expiry=NOW), A, Status.EXPIRED, ..., NOW),
    (later, withdraw(expiry=NOW), A, Status.EXPIRED, ..., NOW),
    (later, transfer(expiry=NOW), A, Status.EXPIRED, ..., NOW),
    (
        lambda: venue(order_life_max=60),
        order(expiry=NOW + 61),
        A,
        Status.EXPIRY_TOO_FAR,
        f"an expiry of at most {NOW + 60}",
        NOW + 61,
    ),
    # --- market, price, size ---
    (venue, order(market=7), A, Status.UNKNOWN_MARKET, ["0 BTC-USD-PERP"], 7),
    (
        stale,
        order(),
        A,
        Status.MARKET_CLOSED,
        {"mode": "live", "ageMax": 3_600},
        {
            "mode": "live",
            "priceAge": {"time": NOW, "age": 3_601, "ageMax": 3_600, "fresh": False},
        },
    ),
    (
        venue,
        order(ticks=550_001),
        A,
        Status.PRICE_OUT_OF_BAND,
        {"price": "at most 55000", "ticks": 550_000, "mark": "50000", "bandPpm": 100_000},
        {"price": "55000.1", "ticks": 550_001},
    ),
    (
        venue,
        order(ticks=449_999, side=SELL),
        A,
        Status.PRICE_OUT_OF_BAND,
        {"price": "at least 45000", "ticks": 450_000, "mark": "50000", "bandPpm": 100_000},
        {"price": "44999.9", "ticks": 449_999},
    ),
    (
        lambda: venue(order_lots_max=20),
        order(21),
        A,
        Status.LOTS_OUT_OF_RANGE,
        {"lots": "1 to 20", "size": "0.000001 to 0.00002"},
        {"lots": 21, "size": "0.000021"},
    ),
    (venue, order(0), A, Status.LOTS_OUT_OF_RANGE, ..., {"lots": 0, "size": "0"}),
    (
        lambda: venue(min_notional=DOLLAR),
        order(20),
        A,
        Status.NOTIONAL_TOO_SMALL,
        {"notional": "1", "size": "at least 0.000021"},
        {"notional": "0.98", "size": "0.00002"},
    ),
    (
        lambda: venue(min_notional=DOLLAR),
        order(18, 0, life=Life.IOC),
        A,
        Status.NOTIONAL_TOO_SMALL,
        {"notional": "1", "size": "at least 0.000019"},
        {"notional": "0.99", "size": "0.000018"},
    ),
    # --- room ---
    (
        full_of_orders,
        order(sequence=90),
        A,
        Status.TOO_MANY_ORDERS,
        "fewer than 64 open orders",
        64,
    ),
    (
        full_of_markets,
        order(market=16),
        A,
        Status.TOO_MANY_POSITIONS,
        "at most 16 markets",
        {"inUse": list(range(16)), "asked": 16},
    ),
    (
        holding,
        order(reduce_only=True),
        A,
        Status.NOTHING_TO_REDUCE,
        "a short position in market 0",
        {"lots": 10, "side": "buy"},
    ),
    (
        venue,
        order(side=SELL, reduce_only=True),
        A,
        Status.NOTHING_TO_REDUCE,
        "a long position in market 0",
        {"lots": 0, "side": "sell"},
    ),
    (
        quoting,
        order(lots=31),
        A,
        Status.POSITION_LIMIT,
        "at most 100 lots with open orders",
        "101",
    ),
    # --- amends: the old order stays as it stood ---
    (used, amend(order_sequence=9), A, Status.UNKNOWN_ORDER, [{"epoch": 0, "sequence": "2"}], ...),
    (used, amend(expiry=NOW - 1), A, Status.EXPIRED, ..., NOW - 1),
    (
        used,
        amend(expiry=NOW + 91 * 86_400),
        A,
        Status.EXPIRY_TOO_FAR,
        f"an expiry of at most {NOW + 90 * 86_400}",
        NOW + 91 * 86_400,
    ),
    (
        used,
        amend(ticks=550_001),
        A,
        Status.PRICE_OUT_OF_BAND,
        ...,
        {"price": "55000.1", **TOO_DEAR},
    ),
    (used, amend(lots=0), A, Status.LOTS_OUT_OF_RANGE, ..., {"lots": 0, "size": "0"}),
    (
        quoting,
        amend(ticks=489_999, lots=101),
        A,
        Status.LOTS_OUT_OF_RANGE,
        {"lots": "1 to 100", "size": "0.000001 to 0.0001"},
        {"lots": 101, "size": "0.000101"},
    ),
    (
        lambda: quoting(position_max=50),
        amend(ticks=489_999, lots=71),
        A,
        Status.POSITION_LIMIT,
        "at most 50 lots with open orders",
        "71",
    ),
    (stale_with_order, amend(lots=2), A, Status.MARKET_CLOSED, ..., ...),
    (
        lambda: with_key(permissions=2),
        replace(amend(), epoch=3),
        key("session"),
        Status.NOT_PERMITTED,
        {"expiry": f"at least {NOW}", "permissions": "bit 0 set"},
        {"expiry": FAR, "permissions": 2, "now": NOW},
    ),
    # --- cancel all ---
    (venue, cancel_all(account=NOBODY), A, Status.UNKNOWN_ACCOUNT, ..., NOBODY),
    (venue, cancel_all(), key("eve"), Status.BAD_SIGNATURE, ..., ...),
    (later, cancel_all(expiry=NOW), A, Status.EXPIRED, ..., NOW),
    (
        lambda: with_key(permissions=0),
        cancel_all(epoch=3),
        key("session"),
        Status.NOT_PERMITTED,
        {"expiry": f"at least {NOW}", "permissions": "bit 0 or 1 set"},
        {"expiry": FAR, "permissions": 0, "now": NOW},
    ),
    # --- session keys ---
    (venue, add_key(), key("eve"), Status.BAD_SIGNATURE, ..., ...),
    (later, add_key(expiry=NOW), A, Status.EXPIRED, ..., NOW),
    (
        full_of_keys,
        add_key(),
        A,
        Status.TOO_MANY_KEYS,
        {"keys": "fewer than 4", "keyEpoch": f"below {2**32 - 1}"},
        {"keys": [1, 2, 3, 4], "keyEpoch": 4},
    ),
    (
        venue,
        add_key(key=bytes(20)),
        A,
        Status.BAD_KEY,
        {
            "key": "an address",
            "keyExpiry": f"at least {NOW}",
            "permissions": "mayTrade, mayCancel or mayBlockTrade",
        },
        {
            "key": "0x" + "00" * 20,
            "keyExpiry": FAR,
            "mayTrade": True,
            "mayCancel": True,
            "mayBlockTrade": False,
        },
    ),
    (venue, add_key(permissions=0), A, Status.BAD_KEY, ..., ...),
    (later, add_key(key_expiry=NOW + 9), A, Status.BAD_KEY, ..., ...),
    (later, revoke_key(expiry=NOW), A, Status.EXPIRED, ..., NOW),
    (with_key, revoke_key(4), A, Status.NO_SUCH_KEY, [3], 4),
    # --- cancels, withdrawals, transfers ---
    (
        used,
        cancel(9),
        A,
        Status.UNKNOWN_ORDER,
        [{"epoch": 0, "sequence": "2"}],
        {"epoch": 0, "sequence": "9"},
    ),
    (
        venue,
        transfer(ALICE),
        A,
        Status.SAME_ACCOUNT,
        f"an account from {ALICE} to {ALICE + 255} of the same owner, but not {ALICE}",
        ALICE,
    ),
    (venue, transfer(BOB), A, Status.NOT_OWN_ACCOUNT, ..., BOB),
    (venue, transfer(nano=0), A, Status.AMOUNT_OUT_OF_RANGE, "an amount above zero", "0"),
    (venue, withdraw(0), A, Status.AMOUNT_OUT_OF_RANGE, "an amount above zero", "0"),
    (no_withdrawals, withdraw(), A, Status.WITHDRAWALS_FULL, ..., WITHDRAWALS_MAX),
    (
        venue,
        withdraw(recipient=bytes(20)),
        A,
        Status.NO_RECIPIENT,
        "an address that can be paid",
        "0x" + "00" * 20,
    ),
    # --- prices ---
    (later, price(market=3), PUBLISHER, Status.UNKNOWN_MARKET, ["0 BTC-USD-PERP"], 3),
    (
        later,
        price(),
        A,
        Status.UNKNOWN_PUBLISHER,
        {"publishers": ["0x" + PUBLISHER.address.hex()]},
        ...,
    ),
    (later, price(time=NOW), PUBLISHER, Status.PRICE_NOT_NEWER, f"a time after {NOW}", NOW),
    (
        later,
        price(time=NOW + 11),
        PUBLISHER,
        Status.PRICE_FROM_FUTURE,
        f"a time of at most {NOW + 10}, the venue's",
        NOW + 11,
    ),
    (stale, price(time=NOW + 0), PUBLISHER, Status.PRICE_NOT_NEWER, ..., NOW),
    (later, price(0), PUBLISHER, Status.PRICE_OUT_OF_RANGE, ..., "0"),
]


@pytest.mark.parametrize(
    "row", TABLE, ids=[f"{type(row[1]).__name__}-{row[3].name}" for row in TABLE]
)
async def test_a_refusal_says_what_was_wrong(row: Row) -> None:
    made, tx, signer, status, expected, got = row
    node = Sequencer(made())
    async with running(node) as rpc:
        error = await rpc.refused(tx, signer)
    data = error["data"]
    assert (error["code"], data["reason"]) == (1000 + status, status.name.lower())
    assert (error["message"], data["mend"]) == REFUSALS[status]
    assert data["status"] == status
    assert data["retryable"] is (status in RETRYABLE)
    if expected is not ...:
        assert data["expected"] == expected
    if got is not ...:
        assert data["got"] == got
    assert data["field"] in {None, "signature", *wire.plain(message_of(tx)[1])}
    if isinstance(tx, SignedPrice):
        assert "sequenceConsumed" not in data
    else:
        assert not isinstance(tx, BlockTrade)
        assert data["sequenceConsumed"] is (status > IDENTITY_LAST)
        if data["sequenceConsumed"]:
            assert data["nextSequence"] == str(tx.sequence + 1)


def test_every_status_is_told_and_refusals_are_each_in_the_table() -> None:
    told = set(REFUSALS) | set(BLOCK_REFUSALS) | set(DROPPED) | NEVER_SUBMITTED
    assert told | {Status.OK} == set(Status)
    tried = {row[3] for row in TABLE} | {Status.MARGIN_TOO_LOW, Status.PRICE_STALE}
    assert tried == set(REFUSALS)


async def test_a_stale_price_is_told_the_oldest_that_would_do() -> None:
    made = venue()
    made.run(Header(NOW + 5_000))
    async with running(Sequencer(made)) as rpc:
        error = await rpc.refused(price(time=NOW + 1_399), PUBLISHER)
    assert error["data"]["reason"] == "price_stale"
    assert error["data"]["expected"] == f"a time of at least {NOW + 1_400}"


# --- signatures ---


async def test_a_signature_of_somebody_else_names_both() -> None:
    eve, alice = key("eve"), "0x" + A.address.hex()
    async with running(Sequencer(venue())) as rpc:
        error = await rpc.refused(order(), eve)
    assert error["data"]["expected"] == {"signer": alice, "owner": alice}
    assert error["data"]["got"]["recovered"] == "0x" + eve.address.hex()
    assert error["data"]["got"]["chainId"] == 31337


async def test_a_session_keys_signature_is_held_to_that_key() -> None:
    async with running(Sequencer(with_key())) as rpc:
        error = await rpc.refused(order(epoch=3), A)
    assert error["data"]["expected"] == {
        "signer": "0x" + key("session").address.hex(),
        "owner": "0x" + A.address.hex(),
    }
    assert error["data"]["got"]["recovered"] == "0x" + A.address.hex()


async def test_a_message_changed_after_signing_is_nobodys() -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        for changed in (
            {"lots": 2},
            {"side": "sell"},
            {"reduceOnly": True},
            {"life": "post-only"},
            {"expiry": FAR + 1},
        ):
            error = await rpc.refused(order(), A, **changed)
            assert error["data"]["reason"] == "bad_signature"
            recovered = error["data"]["got"]["recovered"]
            assert recovered not in (None, "0x" + A.address.hex())
    assert node.state.account(ALICE).owner_sequence == 0


async def test_a_signature_of_no_point_recovers_nobody() -> None:
    async with running(Sequencer(venue())) as rpc:
        kind, message = message_of(order())
        error = await rpc.error(
            "venue_submit", kind=kind, message=message, signature=wire.Hex(bytes(64))
        )
    assert error["data"]["reason"] == "bad_signature"
    assert error["data"]["got"]["recovered"] is None


async def test_another_order_of_the_same_sequence_number_is_refused() -> None:
    async with running(Sequencer(venue())) as rpc:
        assert "result" in await rpc.submit(order(), A)
        error = await rpc.refused(order(2), A)
    assert (error["data"]["reason"], error["data"]["nextSequence"]) == ("sequence_used", "51")


# --- margin, checked by hand ---


async def test_a_margin_refusal_names_every_term() -> None:
    """401 lots at 0.05 USD need 1.0025 USD of 1 USD."""
    async with running(Sequencer(venue())) as rpc:
        error = await rpc.refused(order(401), A)
    got = error["data"]["got"]
    assert (error["code"], error["data"]["reason"]) == (1043, "margin_too_low")
    assert got["before"] == {
        "cash": "1",
        "equity": "1",
        "initialMargin": "0",
        "freeCollateral": "1",
        "healthy": True,
        "fresh": True,
        "positions": [],
    }
    # 401 lots at 49,000 USD a coin are 19.649 USD, and the taker's fee on that is the dearer one.
    assert got["costTerms"] == {"notional": "19.649", "ratePpm": 500}
    assert (got["cost"], got["missing"]) == ("0.0098245", "0.0123245")
    after = got["withOrder"]
    assert (after["equity"], after["initialMargin"]) == ("1", "1.0025")
    assert (after["freeCollateral"], after["healthy"]) == ("-0.0025", False)
    (position,) = after["positions"]
    assert (position["worstLots"], position["exposure"]) == ("401", "20.05")
    assert position["slices"] == [
        {"start": "0", "end": "20.05", "ratePpm": 50_000, "margin": "1.0025"}
    ]


async def test_what_may_leave_is_named_when_more_was_asked() -> None:
    made = holding()
    # Ten lots for 0.51 USD and 0.000255 in fees, worth 0.5 USD at the mark.
    free = "0.964745"
    async with running(Sequencer(made)) as rpc:
        error = await rpc.refused(withdraw(MICRO_DOLLAR), A)
        assert error["data"]["expected"]["withdrawable"] == free
        assert "both at the worse of mark and slow mark" in error["message"]
        without = error["data"]["got"]["without"]
        assert (without["equity"], without["initialMargin"]) == ("-0.010255", "0.025")
        assert error["data"]["got"]["amount"] == "1"
        error = await rpc.refused(transfer(nano=964_745_001, sequence=51), A)
        assert error["data"]["got"]["without"]["freeCollateral"] == "-0.000000001"
        assert "result" in await rpc.submit(withdraw(964_745, sequence=52), A)
        found = await rpc.result("venue_account", account=ALICE)
        assert found["withdrawable"] == "0"
