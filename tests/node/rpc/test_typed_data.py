"""Typed data as a wallet gets it: what it signs is what the rules hash, to the last bit."""

from typing import Any

import pytest
from builders import DOMAIN, FAR, NOW, PUBLISHER, Venue, key, listing
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data
from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st
from rpc_world import Rpc, Sequencer, running

from node.rpc import wire
from node.rpc.message_types import MESSAGES, TYPES, Kind, structs_of, type_name
from node.rpc.messages import digest_of, message_of, transaction_of
from node.rpc.typed_data import typed_data_of
from state.accounts import SessionKey
from state.crypto import keccak
from state.legs import Leg, legs_of
from state.orders import Flags, Life, SelfTrade, encode_flags
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

ALICE = 1 << 8
DAY, MINUTES = 86_400, 600


def alices_venue() -> Venue:
    venue = Venue(markets=(listing(), listing(1, symbol=b"ETH-USD-PERP", lot_exponent=5)))
    venue.open("alice", 10_000)
    return venue


async def message(kind: str, clock: FakeClock | None = None, **fields: Any) -> Any:
    async with running(Sequencer(alices_venue()), clock=clock) as rpc:
        return (await rpc.result("venue_typedData", kind=kind, fields=fields))["message"]


def wallet_digest(typed_data: Any) -> bytes:
    """What eth_account signs for this JSON."""
    signable = encode_typed_data(full_message=typed_data)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


# --- every kind, signed by a wallet ---


async def test_an_order_as_a_wallet_shows_it() -> None:
    fields = {"account": ALICE, "market": "ETH-USD-PERP", "side": "sell"}
    fields |= {"price": "50000.01", "size": "0.25"}
    async with running(Sequencer(alices_venue())) as rpc:
        found = await rpc.result("venue_typedData", kind="order", fields=fields)
    assert set(found) == {"types", "primaryType", "domain", "message"}
    assert found["primaryType"] == "Order"
    assert found["domain"] == {
        "name": "Tallystick",
        "version": "1",
        "chainId": 31337,
        "verifyingContract": "0x" + DOMAIN.rollup.hex(),
    }
    assert found["types"]["Order"][0] == {"name": "account", "type": "uint32"}
    assert [field["name"] for field in found["types"]["EIP712Domain"]] == list(found["domain"])
    assert found["message"] == {
        "account": ALICE,
        "keyEpoch": 0,
        "sequence": "1",
        "market": 1,
        "side": "sell",
        "orderType": "limit",
        "life": "GTC",
        "reduceOnly": False,
        "selfTrade": "cancel-resting",
        "ticks": 5_000_001,
        "lots": 25_000,
        "expiry": NOW + DAY,
    }


KINDS: list[tuple[Kind, dict[str, Any]]] = [
    ("order", {"account": ALICE, "market": 0, "side": "buy", "price": "49000", "size": "0.001"}),
    ("order", {"account": ALICE, "market": 0, "side": "sell", "size": "0.001", "life": "FOK"}),
    ("withdraw", {"account": ALICE, "amount": "12.5"}),
    ("transfer", {"account": ALICE, "toAccount": ALICE + 1, "amount": "0.000000001"}),
    ("price", {"market": 0, "price": "50000.123", "time": NOW + 1}),
    ("cancelAll", {"account": ALICE}),
    ("cancelAll", {"account": ALICE, "market": "ETH-USD-PERP"}),
    ("addKey", {"account": ALICE, "key": "0x" + "ab" * 20}),
    ("addKey", {"account": ALICE, "key": "0x" + "ab" * 20, "mayTrade": False, "keyExpiry": FAR}),
    ("addKey", {"account": ALICE, "key": "0x" + "ab" * 20, "mayBlockTrade": True}),
]


async def wallet_submits(rpc: Rpc, kind: Kind, fields: dict[str, Any], name: str) -> Any:
    """Typed data from the node, through eth_account, and back."""
    typed_data = await rpc.result("venue_typedData", kind=kind, fields=fields)
    signed = EthAccount.sign_typed_data(key(name).private, full_message=typed_data)
    message = wire.convert(typed_data["message"], MESSAGES[kind])
    assert wallet_digest(typed_data) == digest_of(DOMAIN, transaction_of(message))
    signature = "0x" + bytes(signed.signature).hex()
    assert len(signature) == 2 + 2 * 65
    return await rpc.result(
        "venue_submit", kind=kind, message=typed_data["message"], signature=signature
    )


@pytest.mark.parametrize(("kind", "fields"), KINDS)
async def test_a_wallets_signature_is_accepted(kind: Kind, fields: dict[str, Any]) -> None:
    venue = alices_venue()
    venue.open("bob", 10_000)
    venue.buy("bob", 5_000, 499_000)
    venue.run(Header(NOW + 1))
    async with running(Sequencer(venue)) as rpc:
        name = "publisher" if kind == "price" else "alice"
        receipt = await wallet_submits(rpc, kind, fields, name)
    assert (receipt["status"], receipt["kind"], receipt["journaled"]) == ("ok", kind, True)


async def test_a_wallet_cancels_what_it_ordered() -> None:
    async with running(Sequencer(alices_venue())) as rpc:
        placed = await wallet_submits(rpc, *KINDS[0], "alice")
        assert placed["restingLots"] == 1_000
        fields = {"account": ALICE, "order": placed["order"]}
        cancelled = await wallet_submits(rpc, "cancel", fields, "alice")
        assert cancelled["status"] == "ok"
        assert (await rpc.result("venue_account", account=ALICE))["orders"] == []


async def test_a_wallet_amends_what_it_ordered() -> None:
    async with running(Sequencer(alices_venue())) as rpc:
        placed = await wallet_submits(rpc, *KINDS[0], "alice")
        fields = {"account": ALICE, "order": placed["order"], "size": "0.0004"}
        amended = await wallet_submits(rpc, "amend", fields, "alice")
        assert (amended["order"], amended["keptPriority"]) == (placed["order"], True)
        assert (amended["restingLots"], amended["message"]) == (
            400,
            "changed where it rests, with its priority kept",
        )
        fields |= {"price": "49000.1"}
        amended = await wallet_submits(rpc, "amend", fields, "alice")
        assert (amended["keptPriority"], amended["restingLots"]) == (False, 400)


async def test_a_wallet_adds_a_key_that_trades_until_it_is_revoked() -> None:
    async with running(Sequencer(alices_venue())) as rpc:
        session = "0x" + key("session").address.hex()
        fields: dict[str, Any] = {"account": ALICE, "key": session}
        added = await wallet_submits(rpc, "addKey", fields, "alice")
        assert added["keyEpoch"] == 1
        (held,) = (await rpc.result("venue_account", account=ALICE))["keys"]
        assert (held["epoch"], held["address"]) == (1, session)
        assert (held["mayTrade"], held["mayCancel"], held["permissions"]) == (True, True, 3)
        assert held["mayBlockTrade"] is False
        assert held["expiry"] == NOW + 30 * DAY
        placed = await wallet_submits(rpc, "order", KINDS[0][1] | {"keyEpoch": 1}, "session")
        assert placed["order"] == {"epoch": 1, "sequence": "1"}
        await wallet_submits(rpc, "revokeKey", {"account": ALICE, "keyEpoch": 1}, "alice")
        found = await rpc.result("venue_account", account=ALICE)
        assert found["keys"] == [] and len(found["orders"]) == 1
        gone = await wallet_submits(rpc, "cancelAll", {"account": ALICE}, "alice")
        assert (gone["cancelled"], gone["message"]) == (1, "cancelled: 1")


BLOCK: dict[str, Any] = {
    "maker": ALICE,
    "taker": 2 << 8,
    "legs": [
        {"market": "ETH-USD-PERP", "takerSide": "sell", "price": "5000.01", "size": "0.25"},
        {"market": 0, "takerSide": "buy", "price": "50000", "size": "0.5"},
    ],
}


async def test_two_wallets_sign_one_block_trade() -> None:
    """Both hash its legs as structs of their own; its fills are told to subscribers."""
    venue = alices_venue()
    venue.open("bob", 100_000)
    node = Sequencer(venue)
    feed = node.fills.subscribe()
    async with running(node) as rpc:
        typed_data = await rpc.result("venue_typedData", kind="blockTrade", fields=BLOCK)
        assert [field["name"] for field in typed_data["types"]["Leg"]] == [
            *("market", "takerSide", "ticks", "lots")
        ]
        assert [leg["market"] for leg in typed_data["message"]["legs"]] == [0, 1]
        message = wire.convert(typed_data["message"], MESSAGES["blockTrade"])
        assert wallet_digest(typed_data) == digest_of(DOMAIN, transaction_of(message))
        maker, taker = (
            "0x" + bytes(signed.signature).hex()
            for name in ("alice", "bob")
            for signed in [EthAccount.sign_typed_data(key(name).private, full_message=typed_data)]
        )
        receipt = await rpc.result(
            "venue_submit",
            kind="blockTrade",
            message=typed_data["message"],
            makerSignature=maker,
            takerSignature=taker,
        )
    assert (receipt["status"], receipt["message"]) == ("ok", "traded, every leg")
    assert [(one["symbol"], one["side"], one["block"]) for one in receipt["fills"]] == [
        ("BTC-USD-PERP", "buy", True),
        ("ETH-USD-PERP", "sell", True),
    ]
    told = [feed.get_nowait() for _ in range(2)]
    assert [one.fill.market for one in told if one] == [0, 1] and feed.empty()


@pytest.mark.parametrize(
    "given", [{}, {"signature": 1}, {"makerSignature": 1}, {"takerSignature": 1, "signature": 1}]
)
async def test_a_block_trade_carries_two_signatures_and_anything_else_one(
    given: dict[str, int],
) -> None:
    venue = alices_venue()
    venue.open("bob", 100_000)
    signatures = dict.fromkeys(given, "0x" + "11" * 64)
    async with running(Sequencer(venue)) as rpc:
        for kind, fields in (("blockTrade", BLOCK), KINDS[0]):
            if kind == "order" and list(given) == ["signature"]:
                continue
            made = await rpc.result("venue_typedData", kind=kind, fields=fields)
            error = await rpc.error(
                "venue_submit", kind=kind, message=made["message"], **signatures
            )
            assert error["data"]["reason"] == "signatures_expected"
            assert error["data"]["got"] == sorted(given, key=["signature"].count, reverse=True)


# --- digests over the whole space of messages ---

U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
U40 = st.integers(0, 2**40 - 1)
FLAGS = st.builds(
    Flags,
    side=st.sampled_from([0, 1]),
    is_market=st.booleans(),
    life=st.sampled_from(Life),
    reduce_only=st.booleans(),
    self_trade=st.sampled_from(SelfTrade),
).map(encode_flags)
TRANSACTIONS = st.one_of(
    st.builds(
        NewOrder,
        *(U32, U32, U64, st.integers(0, 2**16 - 1), FLAGS),
        *(st.integers(0, 2**24 - 1), st.integers(0, 2**48 - 1), U40),
    ),
    st.builds(Cancel, U32, U32, U64, U32, U64, U40),
    st.builds(Withdraw, U32, U64, st.binary(min_size=20, max_size=20), U64, U40),
    st.builds(Transfer, U32, U64, U32, st.integers(0, 2**80 - 1), U40),
    st.builds(CancelAll, U32, U32, U64, st.integers(0, 1), st.integers(0, 2**16 - 1), U40),
    st.builds(
        Amend,
        *(U32, U32, U64, U32, U64),
        *(st.integers(0, 2**24 - 1), st.integers(0, 2**48 - 1), U40),
    ),
    st.builds(
        *(AddKey, U32, U64, st.binary(min_size=20, max_size=20), U40, st.integers(0, 7), U40)
    ),
    st.builds(RevokeKey, U32, U64, U32, U40),
    st.lists(
        st.builds(
            Leg,
            *(st.integers(0, 2**16 - 1), st.sampled_from([0, 1])),
            *(st.integers(0, 2**24 - 1), st.integers(0, 2**48 - 1)),
        ),
        min_size=1,
        max_size=4,
    ).flatmap(
        lambda legs: st.builds(
            *(BlockTrade, U32, U32, U64, U32, U32, U64, U40),
            *(st.just(len(legs)), st.just(legs_of(*legs))),
        )
    ),
    st.builds(SignedPrice, st.integers(0, 2**16 - 1), st.integers(0, 2**56 - 1), U40),
)


@given(tx=TRANSACTIONS)
def test_every_message_comes_back_and_hashes_as_a_wallet_hashes_it(tx: Any) -> None:
    kind, sent = message_of(tx)
    typed_data = wire.plain(typed_data_of(DOMAIN, kind, sent))
    received = wire.convert(typed_data["message"], MESSAGES[kind])
    assert transaction_of(received) == tx
    # What the state is given are its own integers, not those of the wire.
    values = vars_of(transaction_of(received))
    for leg in (leg for value in values if isinstance(value, tuple) for leg in value):
        values += vars_of(leg)
    assert all(type(value) in (int, bytes, tuple) for value in values)
    assert wallet_digest(typed_data) == digest_of(DOMAIN, tx)


def vars_of(tx: Any) -> list[Any]:
    return [getattr(tx, name) for name in tx.__struct_fields__]


@pytest.mark.parametrize("kind", MESSAGES)
def test_messages_have_the_fields_of_their_type(kind: Kind) -> None:
    name = type_name(kind)
    names = [field["name"] for field in structs_of(TYPES[kind])[name]]
    assert names == list(MESSAGES[kind].__struct_encode_fields__)
    assert name[0].lower() + name[1:] == kind


# --- defaults ---


@pytest.mark.parametrize(
    ("fields", "life", "expiry"),
    [
        ({"price": "50000"}, "GTC", NOW + DAY),
        ({"price": "50000", "type": "limit", "life": "post-only"}, "post-only", NOW + DAY),
        ({"price": "50000", "life": "IOC"}, "IOC", NOW + MINUTES),
        ({"type": "market"}, "IOC", NOW + MINUTES),
        ({"life": "FOK"}, "FOK", NOW + MINUTES),
        ({"price": "50000", "expiry": FAR - 1}, "GTC", FAR - 1),
    ],
)
async def test_an_order_lives_as_long_as_its_kind_needs(
    fields: dict[str, Any], life: str, expiry: int
) -> None:
    found = await message("order", account=ALICE, market=0, side="buy", size="1", **fields)
    assert (found["life"], found["expiry"]) == (life, expiry)
    assert found["orderType"] == ("limit" if "price" in fields else "market")
    assert (found["ticks"] == 0) == ("price" not in fields)


async def test_a_market_may_shorten_the_life_of_its_orders() -> None:
    venue = Venue(markets=(listing(order_life_max=60),))
    venue.open("alice", 10)
    fields = {"account": ALICE, "market": 0, "side": "buy", "size": "1", "price": "1"}
    async with running(Sequencer(venue)) as rpc:
        found = await rpc.result("venue_typedData", kind="order", fields=fields)
    assert found["message"]["expiry"] == NOW + 60


async def test_a_quiet_venues_clock_is_not_what_expiries_count_from() -> None:
    """No header for a week: the venue's time stands still, but a wallet signs today."""
    later = FakeClock(NOW + 7 * DAY)
    found = await message("withdraw", later, account=ALICE, amount="1")
    assert found["expiry"] == NOW + 7 * DAY + MINUTES
    behind = FakeClock(NOW - 50)
    found = await message("withdraw", behind, account=ALICE, amount="1")
    assert found["expiry"] == NOW + MINUTES


async def test_money_goes_to_the_owner_unless_said_otherwise() -> None:
    found = await message("withdraw", account=ALICE, amount="1.5")
    assert found["recipient"] == "0x" + key("alice").address.hex()
    assert found["amount"] == "1500000"
    elsewhere = "0x" + "ab" * 20
    found = await message("withdraw", account=ALICE, amount="1", recipient=elsewhere)
    assert found["recipient"] == elsewhere


async def test_the_sequence_number_is_the_next_of_the_key() -> None:
    venue = alices_venue()
    venue.buy("alice", 1, 490_000)
    account = venue.state.accounts[ALICE]
    keys = (SessionKey(2, key("session").address, 70, FAR, 1),)
    venue.state.accounts[ALICE] = type(account)(
        owner=account.owner, owner_sequence=account.owner_sequence, keys=keys
    )
    order = {"account": ALICE, "market": 0, "side": "buy", "size": "1", "price": "1"}
    async with running(Sequencer(venue)) as rpc:
        for fields, expected in (
            ({}, "2"),
            ({"keyEpoch": 2}, "71"),
            ({"sequence": 5}, "5"),
            ({"sequence": str(2**64 - 1)}, str(2**64 - 1)),
        ):
            found = await rpc.result("venue_typedData", kind="order", fields=order | fields)
            assert found["message"]["sequence"] == expected


# --- what is refused ---

ORDER: dict[str, Any] = {"account": ALICE, "market": 0, "side": "buy", "price": "1", "size": "1"}
WITHDRAW: dict[str, Any] = {"account": ALICE, "amount": "1"}
TRANSFER: dict[str, Any] = {"account": ALICE, "toAccount": ALICE + 1, "amount": "1"}


@pytest.mark.parametrize(
    ("kind", "fields", "reason", "path"),
    [
        ("amend", {"account": ALICE, "order": {"epoch": 0, "sequence": 9}}, "unknown_order", None),
        ("addKey", {"account": ALICE, "key": "0x00"}, "wrong_length", "$.fields.key"),
        ("addKey", {"account": ALICE}, "missing_field", "$.fields"),
        ("revokeKey", {"account": ALICE}, "missing_field", "$.fields"),
        ("cancelAll", {"account": ALICE, "market": "DOGE"}, "unknown_market", None),
        ("blockTrade", BLOCK, "unknown_account", None),
        ("blockTrade", BLOCK | {"legs": []}, "wrong_type", "$.fields.legs"),
        ("blockTrade", BLOCK | {"legs": BLOCK["legs"] * 3}, "wrong_type", "$.fields.legs"),
        (
            *("blockTrade", BLOCK | {"taker": ALICE, "legs": BLOCK["legs"] * 2}),
            *("market_repeated", None),
        ),
        ("order", ORDER | {"price": "0.15"}, "off_tick", None),
        ("order", ORDER | {"size": "0.0000001"}, "off_lot", None),
        ("order", ORDER | {"price": 1.5}, "float_not_exact", "$.fields.price"),
        ("order", ORDER | {"price": 1e10}, "float_not_exact", "$.fields.price"),
        ("order", ORDER | {"size": 0.1}, "float_not_exact", "$.fields.size"),
        ("order", ORDER | {"account": 256.0}, "float_not_exact", "$.fields.account"),
        ("order", ORDER | {"price": "1e3"}, "not_a_decimal", "$.fields.price"),
        ("order", ORDER | {"price": "-1"}, "not_a_decimal", "$.fields.price"),
        ("order", ORDER | {"price": "0"}, "price_out_of_range", None),
        ("order", ORDER | {"price": "99999999"}, "price_out_of_range", None),
        ("order", ORDER | {"size": "0"}, "size_out_of_range", None),
        ("order", ORDER | {"size": "1" + "0" * 30}, "size_out_of_range", None),
        ("order", ORDER | {"market": "DOGE"}, "unknown_market", None),
        ("order", ORDER | {"account": 9}, "unknown_account", None),
        ("order", ORDER | {"side": "BUY"}, "unknown_value", "$.fields.side"),
        ("order", ORDER | {"life": "DAY"}, "unknown_value", "$.fields.life"),
        ("order", ORDER | {"type": "market"}, "type_and_price_disagree", None),
        ("order", ORDER | {"price": None, "type": "limit"}, "type_and_price_disagree", None),
        ("order", ORDER | {"price": None, "life": "GTC"}, "life_needs_a_price", None),
        ("order", ORDER | {"price": None, "life": "post-only"}, "life_needs_a_price", None),
        ("order", ORDER | {"reduceOnly": 1}, "wrong_type", "$.fields.reduceOnly"),
        ("order", ORDER | {"sequence": 2**64}, "integer_out_of_range", "$.fields.sequence"),
        ("order", ORDER | {"expiry": 2**40}, "integer_out_of_range", "$.fields.expiry"),
        ("order", ORDER | {"leverage": 5}, "unknown_field", "$.fields"),
        ("order", {"account": ALICE}, "missing_field", "$.fields"),
        ("withdraw", WITHDRAW | {"amount": "0.0000001"}, "off_unit", None),
        ("withdraw", WITHDRAW | {"amount": "0"}, "amount_out_of_range", None),
        ("withdraw", WITHDRAW | {"amount": 12.5}, "float_not_exact", "$.fields.amount"),
        ("withdraw", WITHDRAW | {"recipient": "0x00"}, "wrong_length", "$.fields.recipient"),
        ("withdraw", WITHDRAW | {"recipient": "me"}, "not_hex", "$.fields.recipient"),
        ("transfer", TRANSFER | {"amount": "0.0000000001"}, "off_unit", None),
        ("cancel", {"account": ALICE, "order": {"epoch": 0}}, "missing_field", "$.fields.order"),
        ("cancel", {"account": ALICE, "order": 5}, "wrong_type", "$.fields.order"),
        ("price", {"market": 0, "price": "1.0001", "time": NOW}, "off_unit", None),
        ("swap", {}, "unknown_value", "$.kind"),
    ],
)
async def test_fields_that_cannot_be_meant_are_refused(
    kind: str, fields: dict[str, Any], reason: str, path: str | None
) -> None:
    async with running(Sequencer(alices_venue())) as rpc:
        error = await rpc.error("venue_typedData", kind=kind, fields=fields)
    assert error["data"]["reason"] == reason
    assert error["data"].get("path") == path
    assert error["code"] == (2001 if reason.startswith("unknown_") and path is None else -32602)


async def test_what_is_off_the_tick_comes_with_the_ticks_beside_it() -> None:
    async with running(Sequencer(alices_venue())) as rpc:
        fields = ORDER | {"price": "50000.07"}
        error = await rpc.error("venue_typedData", kind="order", fields=fields)
        assert error["data"]["nearest"] == ["50000", "50000.1"]
        for price in error["data"]["nearest"]:
            await rpc.result("venue_typedData", kind="order", fields=ORDER | {"price": price})


def test_publishers_sign_typed_data_too() -> None:
    tx = SignedPrice(0, 50_000_000, NOW)
    kind, sent = message_of(tx)
    typed_data = wire.plain(typed_data_of(DOMAIN, kind, sent))
    signed = EthAccount.sign_typed_data(PUBLISHER.private, full_message=typed_data)
    assert wallet_digest(typed_data) == bytes(signed.message_hash) == digest_of(DOMAIN, tx)
