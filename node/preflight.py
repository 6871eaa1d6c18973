"""Before a node starts: its curve and its hash are the ones in C, and answer as they must.

Both have stand-ins in pure Python that give the same answers hundreds of times slower, and
some libraries take one without a word: a venue would run, and fall behind.
"""

from collections.abc import Callable, Iterator
from importlib import import_module

from msgspec import Struct

from node.errors import Halt

MEND = "install the locked libraries again: make setup"
EXTENSIONS = (".so", ".pyd", ".dylib")

_DIGEST = bytes.fromhex("ce0677bb30baa8cf067c88db9811f4333d131bf8bcf12fe7065d211dce971008")
_SIGNATURE = bytes.fromhex(
    "90f27b8b488db00b00606796d2987f6a5f59ae62ea05effe84fef5b8b0e54998"
    "ca691139ad57a3f0b906637673aa2f63d1f55cb1a69199d4009eea23ceaddc93"
)
_SIGNER = bytes.fromhex("a19d069d48d2e9392ec2bb41ecab0a72119d633b")
_EMPTY = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")


class Fault(Struct, frozen=True):
    """A library that is missing, slow or wrong: what was found where what was `expected`."""

    name: str
    found: str
    expected: str
    mend: str

    def __str__(self) -> str:
        return f"{self.name}: {self.found}, expected {self.expected}; {self.mend}"


class NotFit(Halt):
    """This machine's libraries would make a node that is slow or wrong."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"NOT_FIT: {fault}" for fault in faults))
        self.faults = faults


def require() -> None:
    """Return where a node may start. NotFit names everything that keeps it from it."""
    found = list(faults())
    if found:
        raise NotFit(found)


def faults() -> Iterator[Fault]:
    """What is not as it must be; empty when all is well."""
    checks: tuple[tuple[str, str, Callable[[], str], str], ...] = (
        ("keccak", "pysha3's, in C", _keccak, MEND),
        ("secp256k1", "coincurve's C library", _curve, MEND),
        ("eth-keys", "its backend over coincurve", _backend, f"unset ECC_BACKEND_CLASS, or {MEND}"),
    )
    for name, expected, check, mend in checks:
        try:
            found = check()
        except (ImportError, OSError, AttributeError) as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            yield Fault(name, found, expected, mend)


def _keccak() -> str:
    compiled = import_module("_pysha3").__file__

    from state.crypto import keccak

    if not str(compiled).endswith(EXTENSIONS):
        return f"{compiled}, which is not compiled"
    return "" if keccak(b"") == _EMPTY else f"the hash of nothing is {keccak(b'').hex()}"


def _curve() -> str:
    from coincurve import _libsecp256k1

    from node.signatures import recover

    if not str(_libsecp256k1.__file__).endswith(EXTENSIONS):
        return f"{_libsecp256k1.__file__}, which is not compiled"
    signer = recover(_DIGEST, _SIGNATURE)
    return "" if signer == _SIGNER else f"a known signature recovers 0x{signer.hex()}"


def _backend() -> str:
    from eth_keys.backends import get_backend_class

    found = get_backend_class().__name__
    return "" if found == "CoinCurveECCBackend" else found
