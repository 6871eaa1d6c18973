"""Calls and answers of contracts as bytes: selectors, topics, arguments, revert reasons."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_hash.backends import pysha3
from eth_hash.main import Keccak256

keccak = Keccak256(pysha3.backend)

ERROR_SELECTOR = keccak(b"Error(string)")[:4]

T = TypeVar("T")


class UnexpectedAnswer(ValueError):
    """Bytes from L1 that are not what the signature promises."""


class Function:
    """A contract's function: its name, the types it takes and the types it returns."""

    def __init__(self, name: str, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)

    @property
    def signature(self) -> str:
        """`name(type,type)`, what the selector is the hash of."""
        return f"{self.name}({','.join(self.inputs)})"

    @cached_property
    def selector(self) -> bytes:
        """keccak(signature)[:4]"""
        return keccak(self.signature.encode())[:4]

    def encode(self, *values: Any) -> bytes:
        """Calldata; eth_abi's EncodingError where a value is not of its type."""
        return self.selector + encode(self.inputs, values)

    def decode(self, answer: bytes) -> tuple[Any, ...]:
        """What the function returned, addresses as 20 bytes."""
        return decode_values(self.outputs, answer, self.signature)


class View(Generic[T]):
    """A function that only reads, with the shape of its answer."""

    def __init__(
        self,
        name: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        shape: Callable[..., T],
    ) -> None:
        self.function = Function(name, inputs, outputs)
        self.shape = shape

    def call(self, *values: Any) -> bytes:
        """Calldata that asks for it."""
        return self.function.encode(*values)

    def answer(self, data: bytes) -> T:
        """The answer in its shape. UnexpectedAnswer where `data` is not one."""
        return self.shape(*self.function.decode(data))


def decode_values(types: Sequence[str], data: bytes, source: str) -> tuple[Any, ...]:
    """Values of `types`, addresses as 20 bytes. UnexpectedAnswer names `source`."""
    try:
        values = decode(types, data)
    except (DecodingError, OverflowError, UnicodeDecodeError) as error:
        raise UnexpectedAnswer(
            f"{source}: expected ({','.join(types)}), found {len(data)} bytes: {error}; "
            "is this the address of a rollup of this version?"
        ) from error
    return tuple(
        bytes.fromhex(value[2:]) if kind == "address" else value
        for kind, value in zip(types, values, strict=True)
    )


def revert_reason(data: bytes) -> str | None:
    """The `module: reason` of revert data; None where it carries no readable string."""
    if data[:4] != ERROR_SELECTOR:
        return None
    try:
        (reason,) = decode_values(("string",), data[4:], "Error(string)")
    except UnexpectedAnswer:
        return None
    return str(reason)
