"""Examples for the document of `rpc.discover`: params that work, and results of the right form.

Params are told by name, so a new method has an example without a word; a result is made up
from its schema, so it always has every field there is.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_ADDRESS = "0x" + "19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
_SIGNATURE = "0x" + "11" * 65
_CANCEL_ALL = {
    "account": 256,
    "keyEpoch": 0,
    "sequence": "7",
    "everyMarket": True,
    "market": 0,
    "expiry": 1_800_000_600,
}

PARAMS: dict[str, Any] = {
    "market": "BTC-USD-PERP",
    "account": 256,
    "owner": _ADDRESS,
    "side": "buy",
    "kind": "cancelAll",
    "fields": {"account": 256},
    "message": _CANCEL_ALL,
    "signature": _SIGNATURE,
    "items": [{"kind": "cancelAll", "message": _CANCEL_ALL, "signature": _SIGNATURE}],
    "order": {"epoch": 0, "sequence": "1"},
    "time": 1_800_000_000,
    "price": "50000000",
    "channel": "fills",
    "subscription": "0x1",
    "interval": "1m",
    "seconds": 60,
    "number": 1,
    "index": 0,
}
"""An example of every param that some method cannot do without."""

BESIDES: dict[str, tuple[str, ...]] = {
    "venue_preview": ("fields",),
    "venue_order": ("order",),
    "venue_submit": ("signature",),
    "venue_submitPrice": ("price",),
}
"""Params that a method takes or leaves, and that its example has: without one it means nothing."""

_WORDS = {
    "symbol": "BTC-USD-PERP",
    "kind": "order",
    "status": "ok",
    "standing": "resting",
    "message": "done",
    "mode": "live",
    "side": "buy",
    "life": "GTC",
    "selfTrade": "cancel-resting",
    "name": "Order",
    "type": "uint32",
    "price": "50000",
    "size": "0.25",
}
_NUMBERS = {"sequence": 1, "account": 256, "taker": 256, "maker": 512}


def example(name: str, params: Schema, result: Schema, schemas: Mapping[str, Schema]) -> Any:
    """An OpenRPC example pairing of one method."""
    shown = [*params.get("required", ()), *BESIDES.get(name, ())]
    wanted = [field for field in params["properties"] if field in shown]
    return {
        "name": f"{name} by name",
        "params": [{"name": field, "value": PARAMS[field]} for field in wanted],
        "result": {"name": "result", "value": sample(result, schemas)},
    }


def sample(schema: Schema, schemas: Mapping[str, Schema], name: str = "") -> Any:
    """A value that fits `schema`, which describes a field called `name`."""
    if "$ref" in schema:
        return sample(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    if "examples" in schema:
        return schema["examples"][0]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], schemas, name)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {field: sample(kind, schemas, field) for field, kind in fields.items()}
        case "array":
            return [sample(schema["items"], schemas, name)] if "items" in schema else []
        case "integer":
            return _NUMBERS.get(name, 0)
        case "boolean":
            return True
        case "string":
            return _WORDS.get(name, "12.5")
    return None
