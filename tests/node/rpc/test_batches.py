"""`venue_submitBatch`, `venue_order` and client order ids, as a client meets them."""

from typing import Any

import pytest
from builders import FAR, Venue, key
from rpc_world import Follower, Rpc, Sequencer, running, submission

from node.errors import Halt
from node.rpc import wire
from node.rpc.client import VenueError
from node.rpc.results import OrderId
from node.rpc.wire import U64
from node.sequencing.intake import Unavailable, UnavailableReason
from state.orders import BUY, SELL, Flags, Life, encode_flags
from state.transactions import Amend, Cancel, NewOrder, Transfer

ALICE, BOB = 1 << 8, 2 << 8
A = key("alice")
AT = 500_000


def venue() -> Venue:
    """Alice and Bob with 10,000 USD each; Bob asks 300 lots."""
    made = Venue()
    made.open("alice", 10_000)
    made.open("bob", 10_000)
    made.sell("bob", 300, AT)
    return made


def order(sequence: int, lots: int = 10, ticks: int = AT - 1, **flags: Any) -> NewOrder:
    return NewOrder(ALICE, 0, sequence, 0, encode_flags(Flags(BUY, **flags)), ticks, lots, FAR)


def item(tx: Any, client_order_id: str | None = None, **changed: Any) -> dict[str, Any]:
    return submission(tx, A, None, client_order_id, **changed)


async def batch(rpc: Rpc, *items: Any, **options: Any) -> list[Any]:
    """What became of each: its receipt's status, or the reason of its error."""
    found = await rpc.result("venue_submitBatch", items=list(items), **options)
    for one in found:
        assert (one["result"] is None) != (one["error"] is None)
        assert one["error"] is None or one["error"]["data"]["mend"]
    return [
        one["error"]["data"]["reason"] if one["error"] else one["result"]["status"] for one in found
    ]


MIXED = [
    item(order(10)),
    item(order(11, lots=9), lots=8),
    item(order(12)) | {"kind": "swap"},
    item(order(10, lots=11)),
    {"kind": "order"},
    item(Cancel(ALICE, 0, 13, 0, 10, FAR)),
    item(Cancel(ALICE, 0, 14, 0, 10, FAR)),
    item(order(15), "n\u00e4me"),
    item(order(15, 400, AT, life=Life.IOC)),
    item(order(16)),
]
OUTCOMES = [
    *("ok", "bad_signature", "unknown_value", "sequence_used", "missing_field"),
    *("ok", "unknown_order", "bad_client_order_id", "remainder_dropped", "ok"),
]


async def test_every_item_has_its_own_outcome() -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        assert await batch(rpc, *MIXED) == OUTCOMES
        assert [o.sequence for o in node.state.account(ALICE).orders] == [16]


async def test_an_item_has_the_error_it_would_have_had_alone() -> None:
    async with running(Sequencer(venue())) as rpc, running(Sequencer(venue())) as alone:
        together = await rpc.result("venue_submitBatch", items=MIXED)
        for one, params in zip(together, MIXED, strict=True):
            reply = await alone.call("venue_submit", **params)
            assert one["result"] == reply.get("result")
            if one["error"] is not None:
                data, expected = one["error"]["data"], reply["error"]["data"]
                assert one["error"]["code"] == reply["error"]["code"]
                assert data["reason"] == expected["reason"]
                # A path begins where the params of venue_submit do.
                at = data.get("path", "").partition("]")[2]
                assert at == expected.get("path", "").removeprefix("$")


async def test_a_batch_stops_at_its_first_error_if_asked_to() -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        items = [item(order(10)), item(order(10, lots=3)), item(order(11))]
        left = ["ok", "sequence_used", "not_attempted"]
        assert await batch(rpc, *items, stopOnError=True) == left
        assert node.state.account(ALICE).owner_sequence == 10
        items = [item(order(12)), {}, item(order(13)), item(order(14))]
        left = ["ok", "missing_field", "not_attempted", "not_attempted"]
        assert await batch(rpc, *items, stopOnError=True) == left
        # What is dropped is no error, and what was executed before is none either.
        items = [item(order(12)), item(order(15, 400, AT, life=Life.IOC)), item(order(16))]
        assert await batch(rpc, *items, stopOnError=True) == ["ok", "remainder_dropped", "ok"]


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "missing_field"),
        ({"items": []}, "items_out_of_range"),
        ({"items": [{}] * 101}, "items_out_of_range"),
        ({"items": [5]}, "wrong_type"),
        ({"items": {}}, "wrong_type"),
        ({"items": [{}], "stopOnError": 1}, "wrong_type"),
    ],
)
async def test_what_is_no_batch_is_refused_whole(params: dict[str, Any], reason: str) -> None:
    async with running(Sequencer(venue())) as rpc:
        error = await rpc.error("venue_submitBatch", **params)
    assert (error["code"], error["data"]["reason"]) == (-32602, reason)


async def test_a_hundred_items_fit() -> None:
    async with running(Sequencer(venue())) as rpc:
        items = [item(Transfer(ALICE, at, ALICE + 1, 1, FAR)) for at in range(10, 110)]
        assert await batch(rpc, *items) == ["ok"] * 100


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Unavailable(UnavailableReason.OVERLOADED, "4,096 wait"), -32007),
        (Halt("the journal is torn"), -32008),
    ],
)
async def test_a_node_that_takes_nothing_refuses_the_whole_batch(
    fault: Exception, code: int
) -> None:
    async with running(Sequencer(venue(), fault=fault)) as rpc:
        error = await rpc.error("venue_submitBatch", items=[item(order(10))])
    assert error["code"] == code


async def test_a_follower_takes_no_batch() -> None:
    async with running(Follower(venue())) as rpc:
        error = await rpc.error("venue_submitBatch", items=[item(order(10))])
    assert error["data"]["reason"] == "read_only"


# --- again, and by client order id ---


async def test_the_same_message_gets_the_same_answer_marked_as_told_before() -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        tx = order(10, 350, AT)
        told = (await rpc.submit(tx, A, client_order_id="mine"))["result"]
        again = (await rpc.submit(tx, A, client_order_id="mine"))["result"]
        plain = (await rpc.submit(tx, A))["result"]
        assert (told["clientOrderId"], told["filledLots"], told["restingLots"]) == ("mine", 300, 50)
        assert again == plain == told | {"resubmission": True}
        refused = order(11, 10**13)
        first, second = [await rpc.refused(refused, A) for _ in range(2)]
        assert second["data"].pop("resubmission") is True and first == second
    assert len(node.submitted) == 2


async def test_a_refusal_told_again_does_not_depend_on_what_is_there_now() -> None:
    """The key that was refused is gone meanwhile: the reason stays, and nothing breaks."""
    made = venue()
    made.add_key("alice", "session", permissions=2)
    tx = NewOrder(ALICE, 1, 1, 0, encode_flags(Flags(BUY)), AT - 1, 1, FAR)
    async with running(Sequencer(made)) as rpc:
        first = await rpc.refused(tx, key("session"))
        assert first["data"]["got"]["permissions"] == 2
        made.revoke_key("alice", 1)
        again = await rpc.refused(tx, key("session"))
    assert again["data"]["reason"] == first["data"]["reason"] == "not_permitted"
    assert (again["data"]["got"], again["data"]["resubmission"]) == (None, True)


async def test_a_client_order_id_names_one_message() -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        await rpc.submit(order(10), A, client_order_id="mine")
        error = await rpc.refused(order(11), A, client_order_id="mine")
        data = error["data"]
        assert (error["code"], data["reason"]) == (2004, "client_order_id_used")
        assert data["usedBy"]["sequence"] == {"epoch": 0, "sequence": "10"}
        assert data["sequenceConsumed"] is False
        items = [item(order(12), "other"), item(order(13), "other"), item(order(14), "third")]
        assert await batch(rpc, *items) == ["ok", "client_order_id_used", "ok"]


@pytest.mark.parametrize("name", ["x", "a" * 36, "7f3c1e0a-1111-4222-8333-444455556666", " ~!"])
async def test_a_client_order_id_is_any_short_printable_text(name: str) -> None:
    async with running(Sequencer(venue())) as rpc:
        told = (await rpc.submit(order(10), A, client_order_id=name))["result"]
        assert told["clientOrderId"] == name
        (resting,) = (await rpc.result("venue_account", account=ALICE))["orders"]
        assert resting["clientOrderId"] == name
        found = await rpc.result("venue_order", account=ALICE, clientOrderId=name)
        assert found["order"] == {"epoch": 0, "sequence": "10"}


@pytest.mark.parametrize(
    ("tx", "name", "reason"),
    [
        (order(10), "", "bad_client_order_id"),
        (order(10), "a" * 37, "bad_client_order_id"),
        (order(10), "tab\t", "bad_client_order_id"),
        (order(10), "line\n", "bad_client_order_id"),
        (order(10), "\u00fc", "bad_client_order_id"),
        (Cancel(ALICE, 0, 10, 0, 1, FAR), "mine", "client_order_id_not_taken"),
        (Transfer(ALICE, 10, ALICE + 1, 1, FAR), "mine", "client_order_id_not_taken"),
    ],
)
async def test_what_is_no_client_order_id_is_refused(tx: Any, name: str, reason: str) -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        error = await rpc.refused(tx, A, client_order_id=name)
    assert (error["code"], error["data"]["reason"]) == (-32602, reason)
    assert error["data"]["path"] == "$.clientOrderId" and node.submitted == []


# --- where an order stands ---


async def standing(rpc: Rpc, sequence: int) -> Any:
    name = {"epoch": 0, "sequence": sequence}
    return await rpc.result("venue_order", account=ALICE, order=name)


async def test_an_order_is_followed_to_its_end() -> None:
    made = venue()
    async with running(Sequencer(made)) as rpc:
        client = rpc.client
        await rpc.submit(order(10, 350, AT), A, client_order_id="mine")
        found = await standing(rpc, 10)
        assert found == await rpc.result("venue_order", account=ALICE, clientOrderId="mine")
        assert (found["standing"], found["status"], found["batch"]) == ("resting", "ok", 1)
        assert (found["filledLots"], found["filledSize"], found["openLots"]) == (300, "0.0003", 50)
        assert found["resting"]["id"] == found["order"] and found["resting"]["lots"] == 50
        sell = NewOrder(BOB, 0, 90, 0, encode_flags(Flags(SELL)), AT, 50, FAR)
        await rpc.submit(sell, key("bob"))
        found = await standing(rpc, 10)
        assert (found["standing"], found["filledLots"], found["openLots"]) == ("filled", 350, 0)
        typed = await client.order(ALICE, OrderId(epoch=0, sequence=U64(10)))
        assert wire.plain(typed) == found
        assert wire.plain(await client.order(ALICE, client_order_id="mine")) == found


async def test_every_end_has_its_name() -> None:
    async with running(Sequencer(venue())) as rpc:
        await rpc.submit(order(10, 5), A)
        await rpc.submit(Cancel(ALICE, 0, 11, 0, 10, FAR), A)
        await rpc.submit(order(12, 400, AT, life=Life.IOC), A)
        await rpc.submit(order(13, 10**13), A)
        await rpc.submit(order(14, 5), A)
        amend = Amend(ALICE, 0, 15, 0, 14, AT - 2, 6, FAR)
        await rpc.submit(amend, A, client_order_id="amended")
        ends = {at: (await standing(rpc, at))["standing"] for at in range(9, 16)}
        found = await rpc.result("venue_order", account=ALICE, clientOrderId="amended")
        unknown = await rpc.result("venue_order", account=ALICE, clientOrderId="nobody's")
    assert ends == {
        9: "unknown",
        10: "removed",
        11: "unknown",
        12: "dropped",
        13: "refused",
        14: "resting",
        15: "unknown",
    }
    assert (found["order"]["sequence"], found["openLots"]) == ("14", 6)
    assert (unknown["standing"], unknown["order"]) == ("unknown", None)


async def test_a_follower_knows_what_rests() -> None:
    made = venue()
    made.buy("alice", 10, AT - 1)
    async with running(Follower(made)) as rpc:
        found = await standing(rpc, 2)
        assert (found["standing"], found["status"], found["openLots"]) == ("resting", None, 10)
        assert (await standing(rpc, 3))["standing"] == "unknown"


@pytest.mark.parametrize(
    ("params", "code", "reason"),
    [
        ({"account": ALICE}, -32602, "one_name_expected"),
        (
            {"account": ALICE, "order": {"epoch": 0, "sequence": 1}, "clientOrderId": "x"},
            *(-32602, "one_name_expected"),
        ),
        ({"account": 9, "clientOrderId": "x"}, 2001, "unknown_account"),
        ({"account": ALICE, "order": 5}, -32602, "wrong_type"),
    ],
)
async def test_an_order_is_asked_for_by_one_name(
    params: dict[str, Any], code: int, reason: str
) -> None:
    async with running(Sequencer(venue())) as rpc:
        error = await rpc.error("venue_order", **params)
    assert (error["code"], error["data"]["reason"]) == (code, reason)


async def test_the_client_sends_batches_and_amends() -> None:
    node = Sequencer(venue())
    async with running(node) as rpc:
        client = rpc.client
        items = [await client.item(A.private, order(at), f"id {at}") for at in (10, 11)]
        told = await client.submit_batch([*items, items[0]])
        assert [one.result.resubmission for one in told if one.result] == [False, False, True]
        resting = OrderId(epoch=0, sequence=U64(10))
        smaller = await client.sign_and_amend(
            A.private, account=ALICE, order=resting, size="0.000004", client_order_id="smaller"
        )
        assert (smaller.kept_priority, smaller.resting_lots) == (True, 4)
        moved = await client.sign_and_amend(
            A.private, account=ALICE, order=resting, price="49999.8", expiry=FAR - 5
        )
        assert (moved.kept_priority, moved.resting_lots, moved.order) == (False, 4, resting)
        with pytest.raises(VenueError, match="no open order 0:99"):
            await client.sign_and_amend(
                A.private, account=ALICE, order=OrderId(epoch=0, sequence=U64(99)), size="1"
            )
        gone = await client.sign_and_cancel_all(A.private, account=ALICE, market=0)
        assert (gone.cancelled, gone.message) == (2, "cancelled: 2")
