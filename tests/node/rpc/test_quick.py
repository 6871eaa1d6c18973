"""The quick way of reading a submission against the long one, over texts that JSON only just is."""

import re
from typing import Any

import pytest
from builders import FAR, key
from hypothesis import given
from hypothesis import strategies as st
from queueing_world import call, submit
from rpc_world import submission
from sequenced_world import order

from node.rpc import wire
from node.rpc.dispatch import bind
from node.rpc.envelope import Call, Faulty, read
from node.rpc.errors import RpcError
from node.rpc.methods import METHODS
from node.rpc.quick import Request, RequestBatch, read_calls
from node.rpc.submission import _request, _requests
from state.transactions import Amend, Cancel

FIELD = re.compile(rb'"([A-Za-z]+)":("(?:[^"\\]|\\.)*"|-?[0-9]+|true|false)')
WIDE = bytes.fromhex("11" * 32 + "22" * 32 + "1b")
NUMBERS = (
    *("-0", "0", "-0.0", "1e0", "1E3", "1.0", "01", "+1", "1_0", "0x1", "1e400", "-1", "9" * 400),
    *("4294967295", "4294967296", "18446744073709551615", "18446744073709551616", "16777216"),
    *(
        '"1"',
        '"01"',
        '"1 "',
        '" 1"',
        '"1\\n"',
        '"0x1"',
        '"\\u0031"',
        '"\u0661"',
        '"\uff11"',
        '"-0"',
    ),
    *("true", "null", "[]", "{}", "NaN", "\u0661"),
)
TEXTS = (
    *('"buy"', '"b\\u0075y"', '"Buy"', '"buy\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"\u00e9"'),
    *('""', '"a\\/b"', '"\\t"', '"a\tb"', '"\x7f"', '"cancel"', '"gtc"', "1"),
)
SIGNATURES = (
    *(f'"0x{WIDE.hex()}"', f'"0X{WIDE.hex()}"', f'"0x {WIDE.hex()}"', f'"0x{WIDE.hex()} "'),
    *(
        '"0x' + "1\uff11" * 64 + '"',
        f'"\\u0030x{WIDE.hex()}"',
        '"0x' + "11" * 32 + "ff" * 32 + '1b"',
        '"0x"',
    ),
)
VALUES = st.sampled_from((*NUMBERS, *TEXTS, *SIGNATURES)).map(str.encode)
SPACES = st.sampled_from((" ", "\n", "\t", "\r", "\x0b", "\xa0", "\ufeff", "\x00")).map(str.encode)
CANCEL = Cancel(256, 0, 3, 0, 2, FAR)
AMEND = Amend(256, 0, 4, 0, 2, 500_000, 5, FAR)


def bodies() -> list[bytes]:
    others = [submission(tx, key("alice"), client_order_id=None) for tx in (CANCEL, AMEND)]
    named = submission(order("alice", 1)[0], key("alice")) | {"clientOrderId": "mine"}  # type: ignore[arg-type]
    calls = [submit(1, 1), *(call(2, "venue_submit", **params) for params in (*others, named))]
    batch = call(7, "venue_submitBatch", items=[*others, named], stopOnError=True)
    return [wire.encode(one) for one in (*calls, batch, calls)]


BODIES = bodies()


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """A body with one or two things about it changed."""
    text = draw(st.sampled_from(BODIES))
    for _ in range(draw(st.integers(1, 2))):
        fields = list(FIELD.finditer(text))
        if not fields:
            return text
        field = draw(st.sampled_from(fields))
        start, end = field.span()
        match draw(st.sampled_from(("value", "twice", "unknown", "escaped", "space", "end"))):
            case "value":
                text = text[: field.start(2)] + draw(VALUES) + text[end:]
            case "twice":
                text = text[:start] + b'"%b":%b,' % (field[1], draw(VALUES)) + text[start:]
            case "unknown":
                name = draw(st.sampled_from((b"x", b"kind", b"clientOrderId", b"key_epoch")))
                text = text[:start] + b'"%b":%b,' % (name, draw(VALUES)) + text[start:]
            case "escaped":
                text = text[: start + 1] + b"\\u%04x" % field[1][0] + text[start + 2 :]
            case "space":
                text = text[:start] + draw(SPACES) + text[start:]
            case _:
                text = draw(SPACES) + text + draw(SPACES)
    return text


def said(body: bytes, way: Any) -> Any:
    try:
        return way(body)
    except RpcError as error:
        return error.as_json()


def long_way(found: Call | Faulty) -> Any:
    assert isinstance(found, Call)
    params = bind(METHODS[found.method], found.params)
    if found.method == "venue_submit":
        return _request(params)
    return RequestBatch(_requests(params), params.stop_on_error)  # type: ignore[arg-type]


@given(texts())
def test_what_the_quick_way_reads_the_long_way_reads_too(body: bytes) -> None:
    quick, long = said(body, read_calls), said(body, read)
    if isinstance(quick, dict) or isinstance(long, dict):
        assert quick == long
        return
    assert quick.is_batch == long.is_batch
    for ours, theirs in zip(quick.calls, long.calls, strict=True):
        if isinstance(ours, Call) and isinstance(ours.params, Request | RequestBatch):
            assert (ours.method, repr(ours.identity)) == (theirs.method, repr(theirs.identity))
            assert repr(ours.params) == repr(long_way(theirs))


@pytest.mark.parametrize("body", BODIES)
def test_these_are_read_the_quick_way(body: bytes) -> None:
    for found in read_calls(body).calls:
        assert isinstance(found, Call) and isinstance(found.params, Request | RequestBatch)
