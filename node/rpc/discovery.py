"""`rpc.discover`: the methods of a node, generated from what they really take and give."""

from collections.abc import Sequence
from typing import Any

import msgspec

from node.rpc import errors, statuses, wire
from node.rpc.dispatch import Method
from node.rpc.message_types import MESSAGES, TYPES
from node.rpc.typed_data import FIELDS

REFERENCE = "#/schemas/{name}"


def discover(methods: Sequence[Method]) -> dict[str, Any]:
    """Methods, kinds of message, the JSON schemas of all that is in them, and every error."""
    types: list[Any] = [kind for method in methods for kind in (method.params, method.result)]
    types += [kind for name in FIELDS for kind in (FIELDS[name], MESSAGES[name])]
    shapes, schemas = msgspec.json.schema_components(
        types, schema_hook=wire.schema_hook, ref_template=REFERENCE
    )
    return {
        "methods": [
            _method(method, schemas[method.params.__name__], result)
            for method, result in zip(methods, shapes[1::2], strict=False)
        ],
        "kinds": {
            name: {
                "fields": REFERENCE.format(name=FIELDS[name].__name__),
                "message": REFERENCE.format(name=MESSAGES[name].__name__),
                "type": TYPES[name],
            }
            for name in FIELDS
        },
        "schemas": schemas,
        "errors": errors.overview(),
        "refusals": statuses.overview(),
    }


def _method(method: Method, params: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    required = params.get("required", [])
    return {
        "name": method.name,
        "summary": method.summary,
        "params": [
            {"name": name, "required": name in required, "schema": schema}
            for name, schema in params["properties"].items()
        ],
        "result": result,
    }
