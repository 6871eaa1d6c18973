"""What OpenRPC 1.3 demands of a document, as a JSON schema; extensions are allowed where it does.

https://spec.open-rpc.org: the objects and their required fields, as far as a document of ours
could have them.
"""

from typing import Any


def _object(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """An object of these fields; beside them only extensions, which `stripped` has taken out."""
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
FLAG = {"type": "boolean"}
REFERENCE = _object(["$ref"], {"$ref": {"type": "string", "pattern": "^#/components/"}})
ANY_SCHEMA = {"type": "object"}
CONTENT = _object(
    ["name", "schema"],
    {
        **dict.fromkeys(("name", "summary", "description"), TEXT),
        "required": FLAG,
        "deprecated": FLAG,
        "schema": ANY_SCHEMA,
    },
)
EXAMPLE = _object(
    ["value"], {**dict.fromkeys(("name", "summary", "description"), TEXT), "value": {}}
)
PAIRING = _object(
    ["name", "params"],
    {
        **dict.fromkeys(("name", "summary", "description"), TEXT),
        "params": {"type": "array", "items": EXAMPLE},
        "result": EXAMPLE,
    },
)
ERROR = _object(["code", "message"], {"code": {"type": "integer"}, "message": TEXT, "data": {}})
METHOD = _object(
    ["name", "params"],
    {
        "name": {"type": "string", "pattern": "^[a-z]+[._][A-Za-z]+$"},
        "summary": TEXT,
        "description": TEXT,
        "paramStructure": {"enum": ["by-name", "by-position", "either"]},
        "params": {"type": "array", "items": {"anyOf": [CONTENT, REFERENCE]}},
        "result": {"anyOf": [CONTENT, REFERENCE]},
        "errors": {"type": "array", "items": {"anyOf": [ERROR, REFERENCE]}},
        "examples": {"type": "array", "items": PAIRING},
        "deprecated": {"type": "boolean"},
    },
)
SERVER = _object(["url"], {**dict.fromkeys(("name", "summary", "description"), TEXT), "url": TEXT})
DOCUMENT = _object(
    ["openrpc", "info", "methods"],
    {
        "openrpc": {"type": "string", "pattern": r"^1\.3\.[0-9]+$"},
        "info": _object(
            ["title", "version"], dict.fromkeys(("title", "version", "description"), TEXT)
        ),
        "servers": {"type": "array", "items": SERVER, "minItems": 1},
        "methods": {"type": "array", "items": METHOD, "minItems": 1},
        "components": _object(
            [],
            {
                "schemas": {"type": "object", "additionalProperties": ANY_SCHEMA},
                "errors": {"type": "object", "additionalProperties": ERROR},
            },
        ),
    },
)


def stripped(value: Any) -> Any:
    """`value` without extensions: fields whose names begin with x-."""
    if isinstance(value, dict):
        return {k: stripped(v) for k, v in value.items() if not k.startswith("x-")}
    return [stripped(one) for one in value] if isinstance(value, list) else value


def references(value: Any) -> list[str]:
    """Every reference in a document."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for part in value.values() for one in references(part)]
    return [one for part in value for one in references(part)] if isinstance(value, list) else []
