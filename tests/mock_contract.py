"""A contract of the mocks that hands out what modules of contracts do among themselves."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from evm_engines import NOBODY, Pyrevm
from step_contracts import abi_type

from contracts.abi import keccak
from contracts.compiler import compile_contract

ROOT = Path(__file__).resolve().parents[1]


class Harness:
    """A contract of `tests/contracts/mocks/`, its functions by name."""

    def __init__(self, name: str) -> None:
        artifact = compile_contract(f"tests/contracts/mocks/{name}", ROOT)
        self.functions = {entry["name"]: entry for entry in artifact.abi}
        self.engine = Pyrevm()
        self.address = self.engine.deploy(artifact.creation_code, sender=NOBODY)

    def call(self, name: str, *given: object) -> Sequence[Any]:
        """What the function returns, its one value out of the tuple."""
        inputs = [abi_type(parameter) for parameter in self.functions[name]["inputs"]]
        outputs = [abi_type(parameter) for parameter in self.functions[name]["outputs"]]
        data = keccak(f"{name}({','.join(inputs)})".encode())[:4] + encode(inputs, given)
        return decode(outputs, self.engine.call(self.address, data))


@cache
def harness(name: str) -> Harness:
    return Harness(name)
