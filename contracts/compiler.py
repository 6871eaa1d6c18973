"""Vyper sources to bytecode, the same from every working directory.

Compiling takes about a second, so results are kept for the life of the process.
Whoever wants them to live longer stores an `Artifact` under its `fingerprint`.
"""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from vyper import __version__ as vyper_version
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import Settings

from contracts.abi import keccak

SOURCES = Path(__file__).parent
EVM_VERSION = "prague"
RUNTIME_BYTES_MAX = 24_576
"""EIP-170: L1 refuses to deploy a larger contract."""

Interface = tuple[dict[str, Any], ...]


class Artifact(msgspec.Struct, frozen=True):
    """A compiled contract. `slots` places its variables in storage, `module.name` to slot."""

    name: str
    abi: Interface
    creation_code: bytes
    runtime_code: bytes
    slots: dict[str, int]


class SourceMissing(ValueError):
    """There is no such contract in the folder."""


@cache
def compile_contract(name: str, folder: Path = SOURCES) -> Artifact:
    """The contract `name`.vy of `folder`. SourceMissing where there is none."""
    if not (folder / f"{name}.vy").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.vy")))
        raise SourceMissing(f"no contract named {name!r}; expected one of: {known}")

    bundle = FilesystemInputBundle([folder])
    outputs = compile_from_file_input(
        bundle.load_file(f"{name}.vy"),
        input_bundle=bundle,
        settings=Settings(evm_version=EVM_VERSION),
        output_formats=["abi", "bytecode", "bytecode_runtime", "layout"],
    )
    return Artifact(
        name=name,
        abi=tuple(outputs["abi"]),
        creation_code=bytes.fromhex(outputs["bytecode"].removeprefix("0x")),
        runtime_code=bytes.fromhex(outputs["bytecode_runtime"].removeprefix("0x")),
        slots=dict(_slots(outputs["layout"].get("storage_layout", {}))),
    )


def fingerprint(folder: Path = SOURCES) -> str:
    """Changes whenever compiling anything in `folder` could give another result.

    keccak over the compiler's version, its settings, and every source with its name. What a
    source is optimised for stands in its own pragma; otherwise it is gas.
    """
    parts = [vyper_version.encode(), EVM_VERSION.encode()]
    for path in sorted(folder.rglob("*.vy")):
        parts += [path.relative_to(folder).as_posix().encode(), path.read_bytes()]
    return keccak(b"".join(keccak(part) for part in parts)).hex()


def _slots(layout: dict[str, Any], prefix: str = "") -> list[tuple[str, int]]:
    """A module's variables are nested under its name, a variable has a slot."""
    found = []
    for name, entry in layout.items():
        if isinstance(entry.get("slot"), int):
            found.append((prefix + name, entry["slot"]))
        else:
            found += _slots(entry, f"{prefix}{name}.")
    return found
