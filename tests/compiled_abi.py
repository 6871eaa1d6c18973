"""What a compiled contract says of its functions, in the words of `contracts/`."""

from typing import Any

from contracts.compiler import Artifact


def abi_type(parameter: dict[str, Any]) -> str:
    """The canonical type of an ABI parameter, tuples written out."""
    if not parameter["type"].startswith("tuple"):
        return str(parameter["type"])
    inner = ",".join(abi_type(component) for component in parameter["components"])
    return f"({inner}){parameter['type'].removeprefix('tuple')}"


def abi_functions(artifact: Artifact, *, reading: bool) -> dict[str, tuple[str, ...]]:
    """Signature -> types returned, a returned struct counted as its fields."""
    found = {}
    for entry in artifact.abi:
        if entry["type"] == "function":
            if (entry["stateMutability"] in ("view", "pure")) != reading:
                continue
            signature = f"{entry['name']}({','.join(map(abi_type, entry['inputs']))})"
            returned = entry["outputs"]
            if returned and returned[0]["type"] == "tuple":
                returned = returned[0]["components"]
            found[signature] = tuple(map(abi_type, returned))
    return found
