"""A step on which the sides differ, in a file that repeats it."""

from pathlib import Path
from typing import Any

import msgspec

from node.files import write_whole
from node.parity.case import Case, Ran, Refused
from node.parity.run import Mismatch
from state.crypto import keccak

TOLD = ("seed", "history", "number", "kind", "status", "mutation")


class NoStep(ValueError):
    """The file is not one that holds a step."""


def write_mismatch(directory: Path, found: Mismatch) -> Path:
    """A file named after the step; the same step gets the same name."""
    directory.mkdir(parents=True, exist_ok=True)
    body = document(found)
    digest = keccak(body).hex()[:8]
    name = f"{found.kind}-{found.mutation or 'step'}-{found.history}-{found.number}-{digest}.json"
    path = directory / name.lower().replace(" ", "-").replace(":", "")
    write_whole(path, body)
    return path


def document(found: Mismatch) -> bytes:
    """JSON: what was found, and the step; bytes as 0x and hex digits."""
    answers = {"rules": found.rules, "python": found.python, "engine": found.engine}
    told = {name: getattr(found, name) for name in TOLD}
    body = told | {"answers": answers, "case": found.case}
    return msgspec.json.format(msgspec.json.encode(_hexed(body)))


def read_case(path: Path) -> Case:
    """The step in a file. NoStep where there is none in it."""
    try:
        held = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])["case"]
        return msgspec.convert(_unhexed(held), Case, builtin_types=(bytes,))
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
        detail = f"{path}: {error or type(error).__name__}; name a file that --out wrote"
        raise NoStep(detail) from error


def _hexed(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {name: _hexed(held) for name, held in value.items()}
    if isinstance(value, msgspec.Struct):
        fields = {name: _hexed(getattr(value, name)) for name in value.__struct_fields__}
        kind = {Ran: "ran", Refused: "refused"}.get(type(value))
        return {"outcome": kind} | fields if kind else fields
    return value


def _unhexed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    if isinstance(value, dict):
        return {name: _unhexed(held) for name, held in value.items()}
    return value
