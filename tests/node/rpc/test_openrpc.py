"""The document of rpc.discover is OpenRPC, and each of its examples works on a real node."""

import re
from typing import Any

import pytest
from builders import MICRO_DOLLAR, Venue, key
from json_schema import faults, followed
from openrpc_form import DOCUMENT, references, stripped
from rpc_world import Sequencer, running

from node.rpc import wire
from node.rpc.errors import REFUSED, Code
from node.rpc.methods import METHODS
from node.rpc.statuses import BLOCK_REFUSALS, REFUSALS
from node.rpc.streams.results import CHANNELS

WRITES = {
    *("venue_submit", "venue_submitBatch", "venue_cancel", "venue_submitPrice"),
    *("venue_cancelOnDisconnect", "venue_deadManSwitch"),
}
STREAMS = {"venue_subscribe", "venue_unsubscribe"}


async def document() -> Any:
    async with running(Sequencer()) as rpc:
        return await rpc.result("rpc.discover")


def node() -> Sequencer:
    """Two traders, a book, a fill, a withdrawal and a sealed batch: all that examples speak of."""
    venue = Venue()
    for name in ("alice", "bob"):
        venue.open(name, 10_000)
    venue.sell("bob", 1_000, 500_000)
    venue.buy("alice", 400, 500_000)
    venue.buy("alice", 400, 490_000)
    venue.withdraw("alice", 5 * MICRO_DOLLAR)
    found = Sequencer(venue)
    found.seal()
    return found


async def test_it_is_an_openrpc_document() -> None:
    found = await document()
    assert faults(stripped(found), DOCUMENT, found) == []
    for reference in references(found):
        assert followed(reference, found) is not None
    for part in ("schemas", "errors"):
        assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in found["components"][part])


async def test_it_lists_every_method_with_its_params_in_their_order() -> None:
    found = await document()
    listed = {method["name"]: method for method in found["methods"]}
    assert list(listed) == list(METHODS)
    for name, method in METHODS.items():
        params = listed[name]["params"]
        assert [param["name"] for param in params] == list(method.params.__struct_encode_fields__)
        # By place what is required comes first, or nobody could leave the rest out.
        required = [param["required"] for param in params]
        assert required == sorted(required, reverse=True)
        assert listed[name]["summary"] == method.summary != ""


async def test_every_error_is_there_once_with_its_code() -> None:
    errors = (await document())["components"]["errors"]
    codes = [error["code"] for error in errors.values()]
    refused = {REFUSED + status for status in REFUSALS | BLOCK_REFUSALS}
    assert sorted(codes) == sorted({int(code) for code in Code} | refused)


async def test_an_example_fits_the_schemas_beside_it() -> None:
    found = await document()
    for method in found["methods"]:
        schemas = {param["name"]: param["schema"] for param in method["params"]}
        required = {param["name"] for param in method["params"] if param["required"]}
        for pairing in method["examples"]:
            given = {param["name"]: param["value"] for param in pairing["params"]}
            assert required <= set(given), method["name"]
            for name, value in given.items():
                assert faults(value, schemas[name], found) == [], method["name"]
            result = pairing["result"]["value"]
            assert faults(result, method["result"]["schema"], found) == [], method["name"]


@pytest.mark.parametrize("name", sorted(set(METHODS) - WRITES - STREAMS))
async def test_a_reading_methods_example_works_and_its_result_is_as_documented(name: str) -> None:
    async with running(node()) as rpc:
        found = await rpc.result("rpc.discover")
        (method,) = [method for method in found["methods"] if method["name"] == name]
        params = {param["name"]: param["value"] for param in method["examples"][0]["params"]}
        if "owner" in params:
            params["owner"] = wire.Hex(key("alice").address)
        named = await rpc.result(name, **params)
        placed = await rpc.result(name, *_places(method, params))
    assert faults(named, method["result"]["schema"], found) == []
    assert placed == named


def _places(method: Any, params: dict[str, Any]) -> list[Any]:
    """The same params by place; null for one that was left out before another."""
    names = [param["name"] for param in method["params"]]
    last = max((names.index(name) for name in params), default=-1)
    return [params.get(name) for name in names[: last + 1]]


@pytest.mark.parametrize("name", sorted((WRITES | STREAMS) & set(METHODS)))
async def test_what_a_writing_methods_example_meets_is_documented(name: str) -> None:
    """Its signature is nobody's, and there is no WebSocket: every answer is a listed error."""
    async with running(node()) as rpc:
        found = await rpc.result("rpc.discover")
        (method,) = [method for method in found["methods"] if method["name"] == name]
        params = {param["name"]: param["value"] for param in method["examples"][0]["params"]}
        reply = await rpc.call(name, **params)
    listed = {followed(error["$ref"], found)["code"] for error in method["errors"]}
    if "error" in reply:
        assert reply["error"]["code"] in listed
    else:
        assert faults(reply["result"], method["result"]["schema"], found) == []


async def test_kinds_and_notifications_lead_to_schemas() -> None:
    found = await document()
    for kind in found["x-kinds"].values():
        assert followed(kind["fields"], found)["type"] == "object"
        assert followed(kind["message"], found)["type"] == "object"
    notices = found["x-notifications"]
    assert {notice["name"] for notice in notices} == {"venue_subscription"}
    assert [notice["channel"] for notice in notices] == list(CHANNELS)
    shapes = [followed(notice["params"]["$ref"], found) for notice in notices]
    assert all({"sequence", "type", "data"} <= set(shape["required"]) for shape in shapes)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1.5, {"type": "integer"}),
        (True, {"type": "integer"}),
        ("x", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ({"a": 1}, {"type": "object", "required": ["b"]}),
        ({"a": 1}, {"type": "object", "properties": {}, "additionalProperties": False}),
        ({"a": "x"}, {"type": "object", "properties": {"a": {"type": "integer"}}}),
        ([1, "x"], {"type": "array", "items": {"type": "integer"}}),
        ([], {"type": "array", "minItems": 1}),
        ("0x1", {"type": "string", "pattern": "^0x([0-9a-f]{2})*$"}),
        (5, {"type": "integer", "maximum": 4}),
        ("b", {"enum": ["a"]}),
        (1, {"$ref": "#/a"}),
    ],
)
def test_the_reader_of_schemas_sees_what_does_not_fit(value: Any, schema: Any) -> None:
    assert faults(value, schema, {"a": {"type": "string"}})
