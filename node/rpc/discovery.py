"""`rpc.discover`: an OpenRPC document, generated from what the methods really take and give.

What OpenRPC has no place for stands under names that begin with `x-`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from node.config import FOLLOWER_URL, SEQUENCER_URL
from node.rpc import errors, statuses, wire
from node.rpc.dispatch import Method
from node.rpc.errors import Code
from node.rpc.examples import example
from node.rpc.message_types import MESSAGES, TYPES
from node.rpc.streams.results import NOTICE
from node.rpc.typed_data import FIELDS

OPENRPC = "1.3.2"
VERSION = "1.0.0"
"""Of the methods as they stand here, not of the node."""

REFERENCE = "#/components/schemas/{name}"
ERROR = "#/components/errors/{name}"
DESCRIPTION = (
    "A Layer 2 rollup node for a derivatives venue. No floating-point number is ever taken or "
    "given: money, prices and sizes are exact decimal strings."
)

_ALWAYS = (Code.INVALID_PARAMS, Code.INTERNAL_ERROR)
_FINDS = frozenset({"market", "account", "number", "index", "batch", "fields"})
_WRITES = frozenset({"signature", "items"})


def discover(methods: Sequence[Method], channels: Mapping[str, Any]) -> dict[str, Any]:
    """Methods, kinds of message, the data of channels, the schemas of all that, every error."""
    types: list[Any] = [kind for method in methods for kind in (method.params, method.result)]
    types += [kind for name in FIELDS for kind in (FIELDS[name], MESSAGES[name])]
    types += channels.values()
    shapes, schemas = msgspec.json.schema_components(
        types, schema_hook=wire.schema_hook, ref_template=REFERENCE
    )
    results = shapes[1 : 2 * len(methods) : 2]
    return {
        "openrpc": OPENRPC,
        "info": {"title": "Tallystick", "version": VERSION, "description": DESCRIPTION},
        "servers": [
            {"name": "sequencer", "url": SEQUENCER_URL},
            {"name": "follower", "url": FOLLOWER_URL, "summary": "takes no transactions"},
        ],
        "methods": [
            _method(method, schemas[method.params.__name__], result, schemas)
            for method, result in zip(methods, results, strict=True)
        ],
        "components": {"schemas": schemas, "errors": _errors()},
        "x-kinds": {
            name: {
                "fields": REFERENCE.format(name=FIELDS[name].__name__),
                "message": REFERENCE.format(name=MESSAGES[name].__name__),
                "type": TYPES[name],
            }
            for name in FIELDS
        },
        "x-notifications": [
            {"name": NOTICE, "channel": name, "params": shape}
            for name, shape in zip(channels, shapes[len(shapes) - len(channels) :], strict=True)
        ],
    }


def _method(
    method: Method, params: dict[str, Any], result: dict[str, Any], schemas: dict[str, Any]
) -> dict[str, Any]:
    required = params.get("required", [])
    return {
        "name": method.name,
        "summary": method.summary,
        "description": params.get("description", method.summary),
        "paramStructure": "either",
        "params": [
            {"name": name, "required": name in required, "schema": schema}
            for name, schema in params["properties"].items()
        ],
        "result": {"name": "result", "required": True, "schema": result},
        "errors": [
            {"$ref": ERROR.format(name=name)} for name in _errors_of(set(params["properties"]))
        ],
        "examples": [example(method.name, params, result, schemas)],
    }


def _errors_of(params: set[str]) -> list[str]:
    """The names of what a method with these params may answer, besides a result."""
    codes = list(_ALWAYS)
    refusals: list[str] = []
    if params & _FINDS:
        codes.append(Code.NOT_FOUND)
    if params & _WRITES:
        codes += [Code.READ_ONLY, Code.UNAVAILABLE, Code.HALTED]
        refusals = [refused["name"] for refused in statuses.overview()]
    if "clientOrderId" in params or "items" in params:
        codes.append(Code.CLIENT_ORDER_ID_USED)
    if params & {"channel", "subscription", "armed"}:
        codes += [Code.NEEDS_WEBSOCKET, Code.TOO_MANY]
    return [code.name.lower() for code in codes] + refusals


def _errors() -> dict[str, Any]:
    """Every error object: its `data` has what all of this code have in common."""
    found = {
        entry["name"]: {"code": entry["code"], "message": entry["name"].replace("_", " ")}
        for entry in errors.overview()
    }
    for entry in statuses.overview():
        data = {name: entry[name] for name in ("mend", "retryable", "consumesSequence")}
        found[entry["name"]] = {
            "code": entry["code"],
            "message": entry["message"],
            "data": {"reason": entry["name"], **data},
        }
    return found
