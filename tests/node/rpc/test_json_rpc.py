"""JSON-RPC 2.0 to the letter: the specification's examples, and every broken body there is."""

from typing import Any

import msgspec
import pytest
from rpc_world import Sequencer, running
from shared_files import shared_json, shared_path

from node.errors import Halt, Retry
from node.rpc.dispatch import Method, answer, method_table
from node.rpc.params import NoParams, Params
from node.rpc.wire import U32


class Subtract(Params, frozen=True):
    minuend: int
    subtrahend: int


class Sum(Params, frozen=True):
    a: int
    b: int
    c: int


class Account(Params, frozen=True):
    account: U32


def _raise(fault: Exception) -> Any:
    raise fault


METHODS = method_table(
    [
        Method("subtract", Subtract, int, lambda _, p: p.minuend - p.subtrahend, ""),
        Method("sum", Sum, int, lambda _, p: p.a + p.b + p.c, ""),
        Method("get_data", NoParams, list[Any], lambda *_: ["hello", 5], ""),
        Method("update", NoParams, None, lambda *_: None, ""),
        Method("account", Account, int, lambda _, p: int(p.account), ""),
        Method("unencodable", NoParams, None, lambda *_: object(), ""),
        Method("broken", NoParams, None, lambda *_: _raise(KeyError("a secret")), ""),
        Method("recursing", NoParams, None, lambda *_: _raise(RecursionError()), ""),
        Method("busy", NoParams, None, lambda *_: _raise(Retry("the journal is full")), ""),
        Method("stopped", NoParams, None, lambda *_: _raise(Halt("the journal is torn")), ""),
    ]
)


async def ask(body: str | bytes) -> Any:
    reply = await answer(body.encode() if isinstance(body, str) else body, METHODS, None)
    return None if reply is None else msgspec.json.decode(reply)


async def error_of(method: str, params: Any = ()) -> Any:
    request = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    reply = await ask(msgspec.json.encode(request))
    assert reply["id"] == 7
    return reply["error"]


def _without_data(reply: Any) -> Any:
    """A reply as the specification prints it, once every error was seen to have its data."""
    if isinstance(reply, list):
        return [_without_data(one) for one in reply]
    if isinstance(reply, dict) and "error" in reply:
        error = reply["error"]
        assert error["data"]["reason"] and error["data"]["mend"]
        return reply | {"error": {"code": error["code"], "message": error["message"]}}
    return reply


async def test_the_examples_of_the_specification() -> None:
    cases = shared_json("vectors/jsonrpc2/spec_examples.json")["cases"]
    assert len(cases) == 15
    for case in cases:
        assert _without_data(await ask(case["send"])) == case["expect"], case["name"]


async def test_no_body_that_is_not_json_gets_past_the_parser() -> None:
    """JSONTestSuite over a socket: n_ files are refused, y_ files are read, i_ files either."""
    files = sorted(shared_path("vectors/JSONTestSuite/test_parsing").glob("*.json"))
    assert len(files) > 300
    node = Sequencer()
    async with running(node) as rpc:
        for file in files:
            status, reply = await rpc.post(file.read_bytes())
            assert status == 200, file.name
            codes = {"n": {-32700}, "y": {-32600}, "i": {-32600, -32700}}[file.name[0]]
            replies = reply if isinstance(reply, list) else [reply]
            assert {one["error"]["code"] for one in replies} <= codes, file.name


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (b"", -32700, "not_json"),
        (b"\xff\xfe", -32700, "not_json"),
        (b'{"jsonrpc": "2.0", "method": "sum", "id": NaN}', -32700, "not_json"),
        (b"[" * 65 + b"]" * 65, -32700, "not_json"),
        (b'{"a":' * 100_000, -32700, "not_json"),
        (b"1" * 5_000, -32700, "not_json"),
        (b'"\\ud800"', -32700, "not_json"),
        (b"[]", -32600, "empty_batch"),
        (b"[" + b"1," * 100 + b"1]", -32600, "batch_too_large"),
        (b"null", -32600, "not_an_object"),
        (b"{}", -32600, "wrong_version"),
        (b'{"jsonrpc": "1.0", "method": "sum", "id": 1}', -32600, "wrong_version"),
        (b'{"jsonrpc": "2.0", "method": 5, "id": 1}', -32600, "bad_method"),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600, "bad_method"),
        (b'{"jsonrpc": "2.0", "method": "sum", "params": 5, "id": 1}', -32600, "bad_params"),
        (b'{"jsonrpc": "2.0", "method": "sum", "params": null, "id": 1}', -32600, "bad_params"),
        (b'{"jsonrpc": "2.0", "method": "get_data", "id": {}}', -32600, "bad_id"),
        (b'{"jsonrpc": "2.0", "method": "get_data", "id": true}', -32600, "bad_id"),
        (b'{"jsonrpc": "2.0", "method": "get_data", "id": 1' + b"0" * 40 + b"}", -32600, "bad_id"),
    ],
)
async def test_what_is_no_request_is_told_so(body: bytes, code: int, reason: str) -> None:
    error = (await ask(body))["error"]
    assert (error["code"], error["data"]["reason"]) == (code, reason)
    assert error["data"]["mend"]


@pytest.mark.parametrize(
    ("params", "reason", "said"),
    [
        ([1], "missing_field", "missing required field `subtrahend`"),
        ([1, 2, 3], "too_many_params", "subtract takes 2 params, got 3"),
        ({"minuend": 1}, "missing_field", "missing required field `subtrahend`"),
        ({"minuend": 1, "subtrahend": 2, "x": 3}, "unknown_field", "unknown field `x`"),
        (
            {"minuend": 1, "subtrahend": "2"},
            "wrong_type",
            "$.subtrahend: Expected `int`, got `str`",
        ),
        ({"minuend": 1, "subtrahend": 1.0}, "wrong_type", "Expected `int`, got `float`"),
        ({"minuend": 1, "subtrahend": None}, "wrong_type", "Expected `int`, got `null`"),
        ({"minuend": 1, "x" * 10**5: 3}, "unknown_field", "unknown field"),
    ],
)
async def test_params_that_do_not_fit_are_named(params: Any, reason: str, said: str) -> None:
    error = await error_of("subtract", params)
    assert error["code"] == -32602
    assert error["data"]["reason"] == reason
    assert said in error["message"]
    assert len(error["message"]) < 400


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (1.0, "float_not_exact"),
        (1e300, "float_not_exact"),
        (2**32, "integer_out_of_range"),
        (-1, "integer_out_of_range"),
        (10**30, "integer_out_of_range"),
        ("4294967296", "integer_out_of_range"),
        ("0x100000000", "integer_out_of_range"),
        ("-1", "not_an_integer"),
        ("01", "not_an_integer"),
        ("1.0", "not_an_integer"),
        ("0x", "not_an_integer"),
        ("1" * 100, "not_an_integer"),
        ("", "not_an_integer"),
        (True, "not_an_integer"),
        (None, "not_an_integer"),
        ([], "not_an_integer"),
        ({}, "not_an_integer"),
    ],
)
async def test_an_integer_is_exact_and_fits(account: Any, reason: str) -> None:
    error = await error_of("account", {"account": account})
    assert (error["code"], error["data"]["reason"]) == (-32602, reason)
    assert error["data"]["path"] == "$.account"
    assert error["data"]["expected"] and error["data"]["got"]


@pytest.mark.parametrize("account", [256, "256", "0x100", "0x000100"])
async def test_an_integer_comes_as_number_digits_or_hex(account: Any) -> None:
    reply = await ask(
        msgspec.json.encode(
            {"jsonrpc": "2.0", "id": 1, "method": "account", "params": {"account": account}}
        )
    )
    assert reply["result"] == 256


@pytest.mark.parametrize(
    ("method", "code", "reason"),
    [
        ("nothing", -32601, "unknown_method"),
        ("__class__", -32601, "unknown_method"),
        ("x" * 10**5, -32601, "unknown_method"),
        ("broken", -32603, "internal_error"),
        ("recursing", -32603, "internal_error"),
        ("unencodable", -32603, "internal_error"),
        ("busy", -32007, "unavailable"),
        ("stopped", -32008, "halted"),
    ],
)
async def test_a_method_that_fails_says_no_more_than_it_should(
    method: str, code: int, reason: str
) -> None:
    error = await error_of(method)
    assert (error["code"], error["data"]["reason"]) == (code, reason)
    text = str(error)
    assert "a secret" not in text and "Traceback" not in text and len(text) < 500


async def test_notifications_have_no_answer_whatever_becomes_of_them() -> None:
    for method in ("get_data", "broken", "unknown", "subtract"):
        assert await ask(f'{{"jsonrpc": "2.0", "method": "{method}"}}') is None
    batch = '[{"jsonrpc": "2.0", "method": "broken"}, {"jsonrpc": "2.0", "method": "unknown"}]'
    assert await ask(batch) is None


async def test_a_notification_has_an_empty_http_answer() -> None:
    async with running(Sequencer()) as rpc:
        assert await rpc.post(b'{"jsonrpc": "2.0", "method": "venue_markets"}') == (204, None)


async def test_requests_with_one_id_are_each_answered() -> None:
    one = '{"jsonrpc": "2.0", "method": "get_data", "id": 1}'
    replies = await ask(f"[{one}, {one}, [{one}], 5]")
    assert [reply["id"] for reply in replies] == [1, 1, None, None]
    assert [reply.get("result") for reply in replies[:2]] == [["hello", 5]] * 2


@pytest.mark.parametrize("identity", [0, -1, 1.5, "x", "", None, 2**64 - 1, -(2**63)])
async def test_an_id_comes_back_as_it_was(identity: Any) -> None:
    request = {"jsonrpc": "2.0", "method": "get_data", "id": identity}
    assert (await ask(msgspec.json.encode(request)))["id"] == identity


async def test_one_bad_reply_in_a_batch_harms_no_other() -> None:
    def request(number: int, method: str) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": number, "method": method}

    batch = [request(1, "unencodable"), request(2, "get_data")]
    replies = await ask(msgspec.json.encode(batch))
    assert replies[0]["error"]["code"] == -32603
    assert replies[1] == {"jsonrpc": "2.0", "id": 2, "result": ["hello", 5]}


async def test_discovery_lists_every_method_with_its_params() -> None:
    """Each listed method exists, and one that needs a param says which is missing."""
    async with running(Sequencer()) as rpc:
        for method in (await rpc.result("rpc.discover"))["methods"]:
            required = [param["name"] for param in method["params"] if param["required"]]
            if required:
                reply = await rpc.call(method["name"])
                assert f"`{required[0]}`" in reply["error"]["message"]
