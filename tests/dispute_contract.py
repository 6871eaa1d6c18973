"""The contract of disputes as each engine can run it."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from evm_engines import Engine, Pyrevm

from contracts.compiler import SOURCES, compile_contract


@cache
def creation_code(engine: type[Engine]) -> bytes:
    """Calls on pyrevm see no base fee, so there the contract reads the gas price in its place."""
    if engine is not Pyrevm:
        return compile_contract("disputes").creation_code
    with TemporaryDirectory() as folder:
        for source in SOURCES.rglob("*.vy"):
            copy = Path(folder) / source.relative_to(SOURCES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(source.read_text().replace("block.basefee", "tx.gasprice"))
        return compile_contract("disputes", Path(folder)).creation_code
