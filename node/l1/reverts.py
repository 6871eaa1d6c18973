"""Why a call reverted, from the bytes it returned."""

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

_ERROR = bytes.fromhex("08c379a0")  # Error(string)
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)
_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}
REASON_MAX = 1_000


def reason(output: bytes) -> str | None:
    """The text of Error(string) or Panic(uint256), or None where `output` is neither."""
    try:
        if output.startswith(_ERROR):
            (text,) = decode(["string"], output[4:])
            return str(text)[:REASON_MAX]
        if output.startswith(_PANIC):
            (code,) = decode(["uint256"], output[4:])
            return _PANICS.get(code, f"unknown panic code: {code:#x}")
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return None
    return None


def message(output: bytes) -> str:
    """As geth and anvil say it: "execution reverted", and the reason if there is one."""
    said = reason(output)
    return "execution reverted" if said is None else f"execution reverted: {said}"
