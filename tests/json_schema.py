"""Whether a JSON value fits a JSON schema: the words of it that our documents use, no others."""

import re
from collections.abc import Mapping
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
NOTES = {"title", "description", "default", "examples"}
CHECKS = {
    *("$ref", "type", "anyOf", "enum", "const", "pattern", "minimum", "maximum", "minLength"),
    *("properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
}


def faults(value: Any, schema: Any, root: Mapping[str, Any], at: str = "$") -> list[str]:
    """What does not fit, each with its place; `root` is the document that references lead into."""
    if schema is True or schema == {}:
        return []
    unknown = set(schema) - NOTES - CHECKS
    assert not unknown, f"this reader of schemas does not know {unknown}"
    found = [] if "$ref" not in schema else faults(value, followed(schema["$ref"], root), root, at)
    if "anyOf" in schema and all(faults(value, one, root, at) for one in schema["anyOf"]):
        found.append(f"{at}: {value!r} is none of {schema['anyOf']}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "type" in schema and not _is_of(value, schema["type"]):
        return [*found, f"{at}: {value!r} is no {schema['type']}"]
    if isinstance(value, dict):
        found += _of_object(value, schema, root, at)
    if isinstance(value, list):
        found += _of_array(value, schema, root, at)
    return found + _of_scalar(value, schema, at)


def followed(reference: str, root: Mapping[str, Any]) -> Any:
    """What a reference such as #/components/schemas/Name leads to. KeyError if to nothing."""
    assert reference.startswith("#/"), reference
    place: Any = root
    for step in reference[2:].split("/"):
        place = place[step]
    return place


def _is_of(value: Any, kind: str | list[str]) -> bool:
    kinds = [kind] if isinstance(kind, str) else kind
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, TYPES[one]) for one in kinds)


def _of_object(value: dict[str, Any], schema: Any, root: Any, at: str) -> list[str]:
    properties = schema.get("properties", {})
    found = [f"{at}: no {name}" for name in schema.get("required", ()) if name not in value]
    rest = schema.get("additionalProperties", True)
    for name, one in value.items():
        if name in properties:
            found += faults(one, properties[name], root, f"{at}.{name}")
        elif rest is False:
            found.append(f"{at}: unknown {name}")
        else:
            found += faults(one, rest, root, f"{at}.{name}")
    return found


def _of_array(value: list[Any], schema: Any, root: Any, at: str) -> list[str]:
    found = []
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        found.append(f"{at}: {len(value)} items")
    for index, one in enumerate(value):
        found += faults(one, schema.get("items", True), root, f"{at}[{index}]")
    return found


def _of_scalar(value: Any, schema: Any, at: str) -> list[str]:
    found = []
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{at}: {value!r} is not of the form {schema['pattern']}")
        if len(value) < schema.get("minLength", 0):
            found.append(f"{at}: {value!r} is too short")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        least, most = schema.get("minimum", value), schema.get("maximum", value)
        if not least <= value <= most:
            found.append(f"{at}: {value} is not within {least} to {most}")
    return found
