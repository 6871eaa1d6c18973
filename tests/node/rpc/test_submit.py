"""Signed messages in, receipts out: what ran is a result, also where something was dropped."""

from typing import Any

import pytest
from builders import DOLLAR, FAR, NOW, PUBLISHER, Venue, key, listing, sign_transaction
from rpc_world import Follower, Rpc, Sequencer, running

from node.errors import Halt, Retry
from node.rpc import wire
from node.rpc.messages import message_of
from node.sequencing.intake import Unavailable, UnavailableReason
from node.signatures import CURVE_ORDER
from state.orders import BUY, SELL, Flags, Life, SelfTrade, encode_flags
from state.transactions import Cancel, Header, NewOrder, SignedPrice, Transfer, Withdraw

ALICE, BOB = 1 << 8, 2 << 8


def venue(**options: Any) -> Venue:
    """Alice and Bob with 10,000 USD each; Bob asks 300 lots at 50,000 and 200 at 50,010."""
    made = Venue(markets=(listing(**options),))
    made.open("alice", 10_000)
    made.open("bob", 10_000)
    made.sell("bob", 300, 500_000)
    made.sell("bob", 200, 500_100)
    return made


def order(
    side: int, lots: int, ticks: int, *, number: int = ALICE, sequence: int = 10, **flags: Any
) -> NewOrder:
    byte = encode_flags(Flags(side, ticks == 0, **flags))
    return NewOrder(number, 0, sequence, 0, byte, ticks, lots, FAR)


async def receipt(rpc: Rpc, tx: Any, name: str = "alice", **changed: Any) -> Any:
    reply = await rpc.submit(tx, key(name), **changed)
    assert "error" not in reply, reply
    return reply["result"]


async def test_an_order_that_fills_in_part_rests_with_what_is_left() -> None:
    async with running(Sequencer(venue())) as rpc:
        found = await receipt(rpc, order(BUY, 350, 500_000))
    assert found == {
        "kind": "order",
        "status": "ok",
        "statusNumber": 0,
        "message": "filled in part, the rest is resting",
        "account": ALICE,
        "order": {"epoch": 0, "sequence": "10"},
        "clientOrderId": None,
        "fills": [
            {
                "market": 0,
                "symbol": "BTC-USD-PERP",
                "side": "buy",
                "price": "50000",
                "size": "0.0003",
                "ticks": 500_000,
                "lots": 300,
                "taker": ALICE,
                "maker": BOB,
                "takerOrder": {"epoch": 0, "sequence": "10"},
                "makerOrder": {"epoch": 0, "sequence": "1"},
                "takerFee": "0.0075",
                "makerFee": "0.0015",
                "block": False,
            }
        ],
        "filledLots": 300,
        "remainingLots": 50,
        "restingLots": 50,
        "filledSize": "0.0003",
        "remainingSize": "0.00005",
        "keptPriority": None,
        "cancelled": None,
        "keyEpoch": None,
        "withdrawal": None,
        "batch": 1,
        "journaled": True,
        "resubmission": False,
    }


def poor_venue() -> Venue:
    """Alice has margin for 400 lots and their fee, but not for paying one percent more."""
    made = Venue()
    made.open_with("alice", 1_011_000)
    made.open("bob", 10_000)
    made.sell("bob", 300, 500_000)
    made.sell("bob", 2_000, 505_000)
    return made


@pytest.mark.parametrize(
    ("made", "tx", "status", "filled", "resting"),
    [
        (venue, order(BUY, 300, 500_000), "ok", 300, 0),
        (venue, order(BUY, 300, 499_000), "ok", 0, 300),
        (venue, order(BUY, 400, 500_000, life=Life.IOC), "remainder_dropped", 300, 0),
        (venue, order(BUY, 400, 500_000, life=Life.FOK), "killed", 0, 0),
        (venue, order(BUY, 500, 500_100, life=Life.FOK), "ok", 500, 0),
        (venue, order(BUY, 9, 500_000, life=Life.POST_ONLY), "would_trade", 0, 0),
        (venue, order(BUY, 600, 0, life=Life.IOC), "remainder_dropped", 500, 0),
        (
            venue,
            order(BUY, 9, 500_000, number=BOB, self_trade=SelfTrade.CANCEL_TAKING),
            *("self_trade", 0, 0),
        ),
        (
            lambda: venue(open_interest_max=250),
            order(BUY, 300, 500_000),
            *("open_interest_too_large", 0, 0),
        ),
        (poor_venue, order(BUY, 400, 0, life=Life.IOC), "taker_margin_too_low", 300, 0),
    ],
)
async def test_what_ran_is_a_result_whatever_was_dropped(
    made: Any, tx: NewOrder, status: str, filled: int, resting: int
) -> None:
    node = Sequencer(made())
    async with running(node) as rpc:
        found = await receipt(rpc, tx, "alice" if tx.account == ALICE else "bob")
    assert (found["status"], found["filledLots"], found["restingLots"]) == (status, filled, resting)
    assert found["remainingLots"] == tx.lots - filled
    assert sum(fill["lots"] for fill in found["fills"]) == filled
    assert (found["message"].endswith("dropped")) == (status not in ("ok", "killed"))
    expected = {} if not resting else {tx.sequence: resting}
    assert {
        o.sequence: node.state.book(0, BUY).orders[o.key].lots
        for o in node.state.account(tx.account).orders
        if o.side == BUY
    } == expected


async def test_a_withdrawal_tells_its_index() -> None:
    node = Sequencer(venue())
    node.venue.withdraw("bob", 7)
    tx = Withdraw(ALICE, 10, key("alice").address, 2_500_000, FAR)
    async with running(node) as rpc:
        found = await receipt(rpc, tx)
    assert (found["withdrawal"], found["message"], found["order"]) == (1, "done", None)
    assert node.state.withdrawals[1].amount == 2_500_000


async def test_a_transfer_and_a_cancel_are_done() -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        await receipt(rpc, Transfer(ALICE, 10, ALICE + 3, 5 * DOLLAR, FAR))
        assert node.state.account(ALICE + 3).cash == 5 * DOLLAR
        tx = Cancel(BOB, 0, 10, 0, 1, FAR)
        found = await receipt(rpc, tx, "bob")
        assert (found["kind"], found["status"], found["account"]) == ("cancel", "ok", BOB)
    assert [o.sequence for o in node.state.account(BOB).orders] == [2]


async def test_cancel_has_a_name_of_its_own() -> None:
    node = Sequencer(venue())
    tx = Cancel(BOB, 0, 10, 0, 1, FAR)
    _, message = message_of(tx)
    signature = wire.Hex(sign_transaction(tx, key("bob")))
    async with running(node) as rpc:
        found = await rpc.result("venue_cancel", message=message, signature=signature)
        assert found["kind"] == "cancel"
        error = await rpc.error("venue_cancel", message={}, signature=signature)
        assert (error["code"], error["data"]["reason"]) == (-32602, "missing_field")


@pytest.mark.parametrize(
    "price",
    [{"price": 50_000_001}, {"price": "50000001"}, {"price": "0x2faf081"}, {"usd": "50000.001"}],
)
async def test_a_price_comes_as_it_is_signed_or_in_usd(price: dict[str, Any]) -> None:
    node = Sequencer(venue())
    node.venue.run(Header(NOW + 1))
    tx = SignedPrice(0, 50_000_001, NOW + 1)
    signature = wire.Hex(sign_transaction(tx, PUBLISHER))
    params = {"market": "BTC-USD-PERP", "time": NOW + 1, "signature": signature}
    async with running(node) as rpc:
        found = await rpc.result("venue_submitPrice", **params, **price)
    assert (found["kind"], found["status"], found["account"]) == ("price", "ok", None)
    row = node.state.row(0)
    assert row is not None and row.mark == 50_000_001


@pytest.mark.parametrize("price", [{}, {"price": 1, "usd": "1"}])
async def test_a_price_comes_once(price: dict[str, Any]) -> None:
    params = {"market": 0, "time": NOW, "signature": "0x" + "00" * 64}
    async with running(Sequencer()) as rpc:
        error = await rpc.error("venue_submitPrice", **params, **price)
    assert error["data"]["reason"] == "one_price_expected"


def wallet_form(signature: bytes, v: int) -> bytes:
    """65 bytes r | s | v from the 64 of EIP-2098; `v` is 0 or 27 and gets the parity added."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + (s & 2**255 - 1).to_bytes(32, "big") + bytes([v + (s >> 255)])


async def test_integers_and_signatures_come_in_every_form() -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        for sequence, spell, v in ((10, int, None), (11, str, 27), (12, hex, 0)):
            tx = Transfer(ALICE, sequence, ALICE + 1, 1, FAR)
            signature = sign_transaction(tx, key("alice"))
            if v is not None:
                signature = wallet_form(signature, v)
            message = {
                name: spell(value)
                for name, value in (
                    *(("account", ALICE), ("sequence", sequence), ("toAccount", ALICE + 1)),
                    *(("amount", 1), ("expiry", FAR)),
                )
            }
            sent = {"kind": "transfer", "message": message, "signature": wire.Hex(signature)}
            assert (await rpc.result("venue_submit", **sent))["status"] == "ok"
    # All are sequenced as one and the same form.
    assert [tx for tx, _ in node.submitted] == [
        Transfer(ALICE, sequence, ALICE + 1, 1, FAR) for sequence in (10, 11, 12)
    ]
    assert all(len(signature) == 64 for _, signature in node.submitted)


TRANSFER = Transfer(ALICE, 10, ALICE + 1, 1, FAR)
MESSAGE: dict[str, Any] = wire.plain(message_of(TRANSFER)[1])
GOOD = sign_transaction(TRANSFER, key("alice"))
HIGH_S = GOOD[:32] + (CURVE_ORDER - 1).to_bytes(32, "big") + b"\x1b"


@pytest.mark.parametrize(
    ("kind", "message", "signature", "reason", "path"),
    [
        ("transfer", {}, GOOD, "missing_field", "$.message"),
        ("transfer", MESSAGE | {"memo": 1}, GOOD, "unknown_field", "$.message"),
        ("transfer", MESSAGE | {"amount": 1.0}, GOOD, "float_not_exact", "$.message.amount"),
        ("transfer", MESSAGE | {"amount": 1e99}, GOOD, "float_not_exact", "$.message.amount"),
        ("transfer", MESSAGE | {"amount": "1.5"}, GOOD, "not_an_integer", "$.message.amount"),
        ("transfer", MESSAGE | {"amount": 2**80}, GOOD, "integer_out_of_range", "$.message.amount"),
        ("transfer", MESSAGE | {"expiry": 2**40}, GOOD, "integer_out_of_range", "$.message.expiry"),
        ("transfer", MESSAGE | {"account": -1}, GOOD, "integer_out_of_range", "$.message.account"),
        ("transfer", MESSAGE, b"", "bad_signature_form", None),
        ("transfer", MESSAGE, GOOD[:63], "bad_signature_form", None),
        ("transfer", MESSAGE, GOOD + b"\x1b\x1b", "bad_signature_form", None),
        ("transfer", MESSAGE, GOOD + b"\x02", "bad_signature_form", None),
        ("transfer", MESSAGE, HIGH_S, "bad_signature_form", None),
        ("order", MESSAGE, GOOD, "unknown_field", "$.message"),
        ("header", {"time": NOW}, GOOD, "unknown_value", "$.kind"),
    ],
)
async def test_a_message_that_cannot_be_sequenced_never_gets_there(
    kind: str, message: Any, signature: bytes, reason: str, path: str | None
) -> None:
    node = Sequencer(venue())
    sent = {"kind": kind, "message": message, "signature": wire.Hex(signature)}
    async with running(node) as rpc:
        error = await rpc.error("venue_submit", **sent)
    assert (error["code"], error["data"]["reason"]) == (-32602, reason)
    assert error["data"].get("path") == path
    assert node.submitted == []


@pytest.mark.parametrize("signature", ["", "0x0", "ab" * 65, "0x" + "zz" * 65, 5, []])
async def test_a_signature_is_hex(signature: Any) -> None:
    async with running(Sequencer(venue())) as rpc:
        error = await rpc.error(
            "venue_submit", kind="transfer", message=MESSAGE, signature=signature
        )
    assert (error["code"], error["data"]["reason"]) == (-32602, "not_hex")


async def test_a_follower_sends_writers_to_the_sequencer() -> None:
    async with running(Follower(venue())) as rpc:
        error = await rpc.refused(TRANSFER, key("alice"))
    assert (error["code"], error["data"]["reason"]) == (2002, "read_only")
    assert "sequencer" in error["data"]["mend"]


@pytest.mark.parametrize(
    ("fault", "code", "reason", "retryable"),
    [
        (
            Unavailable(UnavailableReason.BACKLOG, "L1 is behind"),
            *(-32007, "unavailable", True),
        ),
        (Retry("waiting for L1"), -32007, "unavailable", True),
        (Halt("the journal is torn"), -32008, "halted", False),
    ],
)
async def test_a_node_that_cannot_sequence_says_whether_to_wait(
    fault: Exception, code: int, reason: str, retryable: bool
) -> None:
    async with running(Sequencer(venue(), fault=fault)) as rpc:
        error = await rpc.refused(TRANSFER, key("alice"))
    assert (error["code"], error["data"]["reason"]) == (code, reason)
    assert error["data"]["retryable"] is retryable
    if isinstance(fault, Unavailable):
        assert error["data"]["cause"] == "backlog"
    assert str(fault) in error["message"]


async def test_a_batch_is_sequenced_in_its_order() -> None:
    node = Sequencer(venue())
    requests = []
    for sequence in range(20, 30):
        kind, message = message_of(tx := order(BUY, 1, 480_000 + sequence, sequence=sequence))
        signature = wire.Hex(sign_transaction(tx, key("alice")))
        params = {"kind": kind, "message": message, "signature": signature}
        requests.append(
            {"jsonrpc": "2.0", "id": sequence, "method": "venue_submit", "params": params}
        )
    async with running(node) as rpc:
        _, replies = await rpc.post(wire.encode(requests))
    assert [reply["result"]["order"]["sequence"] for reply in replies] == [
        str(sequence) for sequence in range(20, 30)
    ]
    assert [o.sequence for o in node.state.account(ALICE).orders] == list(range(20, 30))


async def test_a_reduce_only_order_that_runs_out_of_position_keeps_its_fill() -> None:
    """Alice is short 100 and buys 200 to reduce: 100 fill, and there is nothing more to reduce."""
    made = venue()
    made.buy("bob", 100, 499_000)
    made.sell("alice", 100, 499_000)
    async with running(Sequencer(made)) as rpc:
        found = await receipt(rpc, order(BUY, 200, 500_000, reduce_only=True))
        assert (found["status"], found["filledLots"]) == ("nothing_left_to_reduce", 100)
        again = await rpc.refused(
            order(BUY, 200, 500_000, sequence=11, reduce_only=True), key("alice")
        )
        assert again["data"]["reason"] == "nothing_to_reduce"
        assert made.state.account(ALICE).position(0) is None
        assert SELL not in [o.side for o in made.state.account(ALICE).orders]
