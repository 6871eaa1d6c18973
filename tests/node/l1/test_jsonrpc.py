"""JSON-RPC 2.0 as bytes: the specification's examples, and everything that is not JSON."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from l1_world import Rpc
from shared_files import shared_json, shared_path

from node.l1.config import L1Config
from node.l1.jsonrpc import BATCH_MAX, DEPTH_MAX, Method, RpcError, answer

PARSE_ERROR = {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None}


def subtract(minuend: int, subtrahend: int) -> int:
    return minuend - subtrahend


def total(*numbers: int) -> int:
    return sum(numbers)


def refuse(reason: str) -> None:
    raise RpcError(-32000, reason, {"hint": "try again"})


def break_down() -> None:
    raise ZeroDivisionError("a secret of ours")


METHODS: dict[str, Method] = {
    "subtract": subtract,
    "sum": total,
    "get_data": lambda: ["hello", 5],
    "update": lambda *_: None,
    "notify_hello": lambda *_: None,
    "notify_sum": lambda *_: None,
    "refuse": refuse,
    "break_down": break_down,
}


async def _at_once(bound: Any) -> Any:
    return bound()


async def ask(body: bytes | str) -> Any:
    """The reply as JSON, or None if there is none."""
    reply = await answer(body.encode() if isinstance(body, str) else body, METHODS, _at_once)
    return None if reply is None else json.loads(reply)


async def test_the_examples_of_the_specification() -> None:
    cases = shared_json("vectors/jsonrpc2/spec_examples.json")["cases"]
    assert len(cases) == 15
    for case in cases:
        found, expected = await ask(case["send"]), case["expect"]
        if case.get("any_order"):
            found, expected = sorted(found, key=_canonical), sorted(expected, key=_canonical)
        assert found == expected, case["name"]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def request(**fields: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1} | fields)


@pytest.mark.parametrize(
    ("body", "code", "identity"),
    [
        ("", -32700, None),
        ("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), -32700, None),
        ("[" * 200_000, -32700, None),
        ('{"a":' * 200_000, -32700, None),
        (b"\xff\xfe", -32700, None),
        ('"\\ud800"', -32700, None),
        ("1", -32600, None),
        ("null", -32600, None),
        ('{"id": 1, "method": "sum"}', -32600, 1),
        ('{"jsonrpc": "1.0", "id": 1, "method": "sum"}', -32600, 1),
        (request(method=None), -32600, 1),
        (request(method="sum", params="text"), -32600, 1),
        (request(method="sum", params=None), -32600, 1),
        (request(method="sum", id=[]), -32600, None),
        (request(method="sum", id=True), -32600, None),
        (request(method="sum", id=2**64), -32600, None),
        (request(method="nothing"), -32601, 1),
        (request(method="subtract", params=[1]), -32602, 1),
        (request(method="subtract", params=[1, 2, 3]), -32602, 1),
        (request(method="subtract", params={"minuend": 1, "other": 2}), -32602, 1),
        (request(method="refuse", params=["no"]), -32000, 1),
        (request(method="break_down"), -32603, 1),
        (f"[{','.join(['1'] * (BATCH_MAX + 1))}]", -32600, None),
    ],
)
async def test_a_bad_request_gets_its_code_and_its_id(
    body: bytes | str, code: int, identity: Any
) -> None:
    reply = await ask(body)
    assert (reply["error"]["code"], reply["id"]) == (code, identity)


async def test_brackets_inside_a_string_are_not_depth() -> None:
    text = "[" * 1_000 + '"\\'
    assert (await ask(request(method="sum", params=[], id=text)))["id"] == text


async def test_a_refusal_carries_its_data() -> None:
    reply = await ask(request(method="refuse", params=["no"]))
    assert reply["error"] == {"code": -32000, "message": "no", "data": {"hint": "try again"}}


async def test_a_bug_of_ours_tells_nothing() -> None:
    reply = await ask(request(method="break_down"))
    assert reply["error"] == {"code": -32603, "message": "Internal error"}


@pytest.mark.parametrize("identity", [0, -1, 2**63, "text", None, 1.5, ""])
async def test_the_id_comes_back_as_it_was(identity: Any) -> None:
    reply = await ask(request(method="sum", params=[1], id=identity))
    assert reply == {"jsonrpc": "2.0", "id": identity, "result": 1}


@pytest.mark.parametrize("method", ["nothing", "refuse", "break_down", "subtract"])
async def test_a_notification_is_never_answered(method: str) -> None:
    assert await ask(json.dumps({"jsonrpc": "2.0", "method": method})) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
async def test_any_bytes_have_an_answer(body: bytes) -> None:
    reply = await ask(body)
    assert reply is None or reply["error"]["code"] in (-32700, -32600)


async def test_what_is_not_json_is_a_parse_error_and_never_a_500(rpc: Rpc) -> None:
    folder = shared_path("vectors/JSONTestSuite/test_parsing")
    files = sorted(folder.glob("n_*.json"))
    assert len(files) > 180
    for path in files:
        status, body, _ = await rpc.post(path.read_bytes())
        assert (status, json.loads(body)) == (200, PARSE_ERROR), path.name


async def test_what_is_json_is_never_a_parse_error(rpc: Rpc) -> None:
    folder = shared_path("vectors/JSONTestSuite/test_parsing")
    for path in sorted(folder.glob("y_*.json")):
        status, body, _ = await rpc.post(path.read_bytes())
        replies = json.loads(body)
        first = replies[0] if isinstance(replies, list) else replies
        assert (status, first["error"]["code"]) == (200, -32600), path.name


# --- HTTP around it ---


async def test_a_batch_is_answered_in_order_without_its_notifications(rpc: Rpc) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "method": "evm_mine"},
        {"jsonrpc": "2.0", "id": "two", "method": "eth_blockNumber"},
        {"jsonrpc": "2.0", "id": 3, "method": "eth_nothing"},
    ]
    status, body, headers = await rpc.post(json.dumps(batch).encode())
    replies = json.loads(body)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert [reply["id"] for reply in replies] == [1, "two", 3]
    assert [replies[0]["result"], replies[1]["result"]] == ["0x7a69", "0x1"]
    assert replies[2]["error"]["code"] == -32601


async def test_a_lone_notification_gets_no_content(rpc: Rpc) -> None:
    status, body, _ = await rpc.post(b'{"jsonrpc": "2.0", "method": "eth_chainId"}')
    assert (status, body) == (204, b"")


async def test_a_body_beyond_the_limit_is_refused(rpc: Rpc, config: L1Config) -> None:
    status, body, _ = await rpc.post(b" " * (config.body_bytes_max + 1))
    assert status == 413
    assert json.loads(body)["error"]["code"] == -32600


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}],
    ids=["a form of another site", "a compressed body"],
)
async def test_a_body_of_another_type_is_refused(rpc: Rpc, headers: dict[str, str]) -> None:
    status, _, _ = await rpc.post(b"{}", **headers)
    assert status == 415


async def test_other_sites_are_not_let_in_unless_named(rpc: Rpc) -> None:
    status, headers = await rpc.options(Origin="https://wallet.example")
    assert status == 204
    assert headers["Allow"] == "POST, OPTIONS"
    assert not [name for name in headers if name.startswith("Access-Control")]


class TestWithAnOriginAllowed:
    @pytest.fixture
    def config(self) -> L1Config:
        return L1Config(port=0, allowed_origins=("https://wallet.example",))

    async def test_its_preflight_succeeds(self, rpc: Rpc) -> None:
        _, headers = await rpc.options(Origin="https://wallet.example")
        assert headers["Access-Control-Allow-Origin"] == "https://wallet.example"
        assert headers["Access-Control-Allow-Headers"] == "Content-Type"

    async def test_another_does_not(self, rpc: Rpc) -> None:
        _, headers = await rpc.options(Origin="https://other.example")
        assert "Access-Control-Allow-Origin" not in headers


CHAIN_ID = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'


@pytest.mark.parametrize("scheme", ["chrome-extension", "moz-extension", "safari-web-extension"])
async def test_a_wallet_in_a_browser_is_served(rpc: Rpc, scheme: str) -> None:
    origin = f"{scheme}://nkbihfbeogaeaoehlefnkodbefgpgknn"
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    status, headers = await rpc.options(**asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, origin)
    assert "Access-Control-Allow-Private-Network" not in headers
    status, headers = await rpc.options(
        **asked | {"Access-Control-Request-Private-Network": "true"}
    )
    assert headers["Access-Control-Allow-Private-Network"] == "true"
    status, body, headers = await rpc.post(CHAIN_ID, Origin=origin)
    assert status == 200 and b"0x7a69" in body
    assert headers["Access-Control-Allow-Origin"] == origin and headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost:3000", "null", "", "http://chrome-extension://x"],
)
async def test_a_page_of_any_site_is_not_even_answered(rpc: Rpc, origin: str) -> None:
    status, body, headers = await rpc.post(CHAIN_ID, Origin=origin)
    assert (status, b"--allow-origin" in body) == (403, True)
    assert not [name for name in headers if name.startswith("Access-Control")]


class TestWithASlowBody:
    @pytest.fixture
    def config(self) -> L1Config:
        return L1Config(port=0, body_seconds_max=0.05)

    async def test_it_is_given_up(self, rpc: Rpc) -> None:
        port = urlsplit(rpc.url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()
        await writer.wait_closed()
