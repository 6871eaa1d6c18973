"""No input, however made, gets an internal error: every fault has a name."""

import asyncio
import logging
from typing import Any

import msgspec
import pytest
from builders import FAR, NOW, Venue, key, sign_transaction
from fake_clock import FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st
from rpc_world import Sequencer, submission

from node.rpc import wire
from node.rpc.context import Context
from node.rpc.dispatch import answer
from node.rpc.message_types import MESSAGES, TYPES, Kind, structs_of, type_name
from node.rpc.messages import message_of, transaction_of
from node.rpc.methods import METHODS
from state.eip712 import LIVES, SELF_TRADES
from state.transactions import Transfer

ALICE = 1 << 8

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.integers(-(2**130), 2**130),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["0x", "0x00", "0x" + "11" * 20, "0x" + "22" * 64, "0x" + "33" * 65, "1.5"]),
    st.sampled_from(["buy", "sell", "order", "cancel", "withdraw", "transfer", "price", "fills"]),
    st.sampled_from(["BTC-USD-PERP", "0", "GTC", "FOK", "limit", "market", str(ALICE), "1e9"]),
)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def names_of(method: str) -> list[str]:
    return list(METHODS[method].params.__struct_encode_fields__)


def params_of(method: str) -> st.SearchStrategy[Any]:
    """Any JSON, by place, or under the names of the method's own params."""
    named = st.fixed_dictionaries({}, optional=dict.fromkeys(names_of(method), JSON_VALUES))
    return st.one_of(named, named, st.lists(JSON_VALUES, max_size=4), JSON_VALUES)


REQUESTS = st.sampled_from(sorted(METHODS)).flatmap(
    lambda method: st.tuples(st.just(method), params_of(method))
)


@pytest.fixture(scope="module")
def context() -> Context:
    """One node for all inputs; what they change in it is part of the exercise."""
    venue = Venue()
    venue.open("alice", 10_000)
    venue.open("bob", 10_000)
    venue.sell("bob", 10, 500_000)
    venue.buy("alice", 4, 500_000)
    venue.withdraw("alice", 5)
    node = Sequencer(venue)
    node.seal()
    venue.boot()
    return Context(node, FakeClock(NOW))


def replies(body: bytes, context: Context) -> list[Any]:
    reply = asyncio.run(answer(body, METHODS, context))
    if reply is None:
        return []
    decoded = msgspec.json.decode(reply)
    return decoded if isinstance(decoded, list) else [decoded]


def check(reply: Any) -> None:
    """A result, or an error that is not ours and says how to mend it."""
    assert reply["jsonrpc"] == "2.0"
    if "error" in reply:
        error = reply["error"]
        assert error["code"] != -32603, error
        assert error["message"] and error["data"]["reason"] and error["data"]["mend"]
        assert len(error["message"]) < 1_000


@given(request=REQUESTS)
@settings(max_examples=400, deadline=None)
def test_params_of_any_kind_get_an_answer(request: Any, context: Context) -> None:
    method, params = request
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    (reply,) = replies(msgspec.json.encode(body), context)
    check(reply)


FIELDS = {
    "order": ["account", "market", "side", "size", "price", "type", "life", "reduceOnly"],
    "cancel": ["account", "order", "keyEpoch", "sequence"],
    "withdraw": ["account", "amount", "recipient", "expiry"],
    "transfer": ["account", "toAccount", "amount", "sequence"],
    "price": ["market", "price", "time"],
    "cancelAll": ["account", "market", "keyEpoch", "expiry"],
    "amend": ["account", "order", "price", "size", "sequence", "expiry"],
    "addKey": ["account", "key", "keyExpiry", "mayTrade", "mayCancel", "mayBlockTrade"],
    "revokeKey": ["account", "keyEpoch", "sequence"],
    "blockTrade": ["maker", "taker", "legs", "makerSequence", "takerKeyEpoch", "expiry"],
}
PLAUSIBLE: dict[str, st.SearchStrategy[Any]] = {
    "account": st.sampled_from([ALICE, 512, "256", 7, 1.5]),
    "market": st.sampled_from([0, "BTC-USD-PERP", 1, "x"]),
    "side": st.sampled_from(["buy", "sell"]),
    "size": st.sampled_from(["1", "0.000001", "0.0000001", "0", 5, 1.5]),
    "price": st.sampled_from(["50000", "0.05", "1", "0", "9" * 40, 1]),
    "life": st.sampled_from(["GTC", "IOC", "FOK", "post-only"]),
    "order": st.fixed_dictionaries(
        {"epoch": st.sampled_from([0, 1]) | SCALARS, "sequence": st.sampled_from([4, 1]) | SCALARS}
    ),
    "key": st.sampled_from(["0x" + "11" * 20, "0x" + "00" * 20, "0x11"]),
    "maker": st.sampled_from([ALICE, 512, 7]),
    "taker": st.sampled_from([ALICE, 512, "x"]),
}
PLAUSIBLE["legs"] = st.lists(
    st.fixed_dictionaries(
        {
            "market": PLAUSIBLE["market"],
            "takerSide": PLAUSIBLE["side"],
            "price": PLAUSIBLE["price"],
            "size": PLAUSIBLE["size"],
        }
    ),
    max_size=5,
)
DRAFTS = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        st.fixed_dictionaries(
            {}, optional={name: PLAUSIBLE.get(name, SCALARS) for name in FIELDS[kind]}
        ),
    )
)


@given(draft=DRAFTS)
@settings(max_examples=300, deadline=None)
def test_drafts_of_any_kind_get_an_answer(draft: Any, context: Context) -> None:
    kind, fields = draft
    params = {"kind": kind, "fields": fields}
    body = {"jsonrpc": "2.0", "id": 1, "method": "venue_typedData", "params": params}
    (reply,) = replies(msgspec.json.encode(body), context)
    check(reply)


KIND, MESSAGE = message_of(Transfer(ALICE, 2**63, ALICE + 1, 1, FAR))
SIGNATURE = wire.Hex(sign_transaction(Transfer(ALICE, 2**63, ALICE + 1, 1, FAR), key("alice")))


@given(
    changed=st.dictionaries(st.sampled_from(sorted(wire.plain(MESSAGE))), JSON_VALUES, max_size=3)
)
@settings(max_examples=150, deadline=None)
def test_messages_changed_at_will_get_an_answer(changed: Any, context: Context) -> None:
    message = wire.plain(MESSAGE) | changed
    params = {"kind": KIND, "message": message, "signature": SIGNATURE}
    body = {"jsonrpc": "2.0", "id": 1, "method": "venue_submit", "params": params}
    (reply,) = replies(wire.encode(body), context)
    check(reply)


NUMBERS = st.sampled_from([0, 1, 4, ALICE, 512, 2**24 - 1, 2**32 - 1, NOW, FAR, 2**40 - 1])
BYTES = st.sampled_from(["0x" + "11" * 20, "0x" + "00" * 20])
WORDS = {"side": ["buy", "sell"], "takerSide": ["buy", "sell"], "orderType": ["limit", "market"]}
WORDS |= {"life": list(LIVES.values()), "selfTrade": list(SELF_TRADES.values())}


def message_like(kind: Kind, struct: str) -> st.SearchStrategy[Any]:
    """A message of the right form that says anything."""
    values: dict[str, st.SearchStrategy[Any]] = {}
    for field in structs_of(TYPES[kind])[struct]:
        name, form = field["name"], field["type"]
        if form == "Leg[]":
            values[name] = st.lists(message_like(kind, "Leg"), max_size=5)
        elif name in WORDS:
            values[name] = st.sampled_from(WORDS[name])
        else:
            values[name] = {"bool": st.booleans(), "address": BYTES}.get(form, NUMBERS)
    return st.fixed_dictionaries(values)


@st.composite
def signed_at_will(draw: st.DrawFn) -> dict[str, Any]:
    """Params of venue_submit: any message of a kind, signed by somebody who is there."""
    kind: Kind = draw(st.sampled_from(sorted(MESSAGES)))
    message = draw(message_like(kind, type_name(kind)))
    try:
        tx = transaction_of(wire.convert(message, MESSAGES[kind]))
    except msgspec.ValidationError:
        tx = Transfer(ALICE, 2**63, ALICE + 1, 1, FAR)
    signers = [key(draw(st.sampled_from(["alice", "bob", "publisher"]))) for _ in range(2)]
    params = submission(tx, signers[0], signers[1])
    if draw(st.booleans()):
        params["clientOrderId"] = draw(st.sampled_from(["a", "b", "", "x" * 40]))
    return params | {"kind": kind, "message": message}


@given(items=st.lists(signed_at_will(), min_size=1, max_size=4), stops=st.booleans())
@settings(max_examples=300, deadline=None)
def test_messages_that_say_anything_get_an_answer(
    items: Any, stops: bool, context: Context
) -> None:
    """Alone, and again together: what was executed alone is answered again."""
    alone = [{"method": "venue_submit", "params": params} for params in items]
    together = {"method": "venue_submitBatch", "params": {"items": items, "stopOnError": stops}}
    for call in [*alone, together]:
        (reply,) = replies(wire.encode({"jsonrpc": "2.0", "id": 1} | call), context)
        check(reply)
        for item in reply.get("result", []) if call is together else []:
            if item["error"] is not None:
                check({"jsonrpc": "2.0", "error": item["error"]})


@given(value=JSON_VALUES)
@settings(max_examples=150, deadline=None)
def test_any_json_gets_an_answer(value: Any, context: Context) -> None:
    for reply in replies(msgspec.json.encode(value), context):
        check(reply)


@given(body=st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_bytes_get_an_answer(body: bytes, context: Context) -> None:
    for reply in replies(body, context):
        check(reply)


def test_a_fault_of_ours_would_have_been_seen(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    """The tests above can fail: a node whose parts raise gets the code they look for."""
    with caplog.at_level(logging.CRITICAL):
        broken = Context(Sequencer(fault=KeyError("bug")), FakeClock(NOW))
        params = {"kind": KIND, "message": MESSAGE, "signature": SIGNATURE}
        body = {"jsonrpc": "2.0", "id": 1, "method": "venue_submit", "params": params}
        (reply,) = replies(wire.encode(body), broken)
    with pytest.raises(AssertionError, match="-32603"):
        check(reply)
    assert context.view.role == "sequencer"
