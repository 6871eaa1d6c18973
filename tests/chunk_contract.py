"""The contract that decodes chunks, asked like a function."""

from collections.abc import Sequence

from eth_abi.abi import decode, encode
from evm_engines import Engine

from contracts.abi import Function
from contracts.compiler import compile_contract

MALFORMED = Function("malformed", ("bytes", "bytes32"))
DECODE = Function("decode", ("bytes",))
ROW_AT = Function("row_at", ("bytes", "uint256"))
DEPLOYER = b"\x01" * 20


class ChunkContract:
    """One deployment of steps/chunks.vy on an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        code = compile_contract("steps/chunks").creation_code
        self.address = engine.deploy(code, sender=DEPLOYER)

    def malformed(self, compressed: bytes, raw_hash: bytes) -> int:
        """Zero for a chunk, or the number of a CodecReason."""
        (reason,) = self._ask(MALFORMED.encode(compressed, raw_hash), ["uint256"])
        assert isinstance(reason, int)
        return reason

    def decode(self, compressed: bytes) -> tuple[int, bytes]:
        """Zero and the raw bytes of a block, or the number of a CodecReason and none."""
        reason, raw = self._ask(DECODE.encode(compressed), ["uint256", "bytes"])
        assert isinstance(reason, int) and isinstance(raw, bytes)
        return reason, raw

    def row_at(self, raw: bytes, index: int) -> tuple[bytes, bool]:
        """A transaction as kind, row and signatures, and whether it is the last of its chunk."""
        row, is_last = self._ask(ROW_AT.encode(raw, index), ["bytes", "bool"])
        assert isinstance(row, bytes) and isinstance(is_last, bool)
        return row, is_last

    def _ask(self, data: bytes, types: Sequence[str]) -> Sequence[object]:
        answer = self.engine.call(self.address, data)
        values: Sequence[object] = decode(types, answer)
        assert encode(types, values) == answer
        return values
