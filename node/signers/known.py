"""The `recover` of a node whose workers look ahead: what they found, or else found here.

Nothing depends on the workers: an address is looked up by what was signed and by the
signature, and recovered in this process where nobody has done it yet.
"""

from collections.abc import Iterable

from msgspec import Struct

from node.signatures import recover
from node.signers.frames import Known
from node.signers.pool import SignerPool
from state.eip712 import Domain


class KnownSigners:
    """Holds what was recovered for the transactions that are about to run."""

    def __init__(self) -> None:
        self._known: Known = {}
        self.hits = 0
        self.misses = 0

    def expect(self, found: Iterable[Known]) -> None:
        """These run next; what was held before is let go."""
        self._known = {}
        for known in found:
            self._known |= known

    def recover(self, digest: bytes, signature: bytes) -> bytes:
        """`state.authentication.Recover`."""
        address = self._known.get(digest + signature)
        if address is None:
            self.misses += 1
            return recover(digest, signature)
        self.hits += 1
        return address


class Signers(Struct, frozen=True):
    """The workers, and what they found."""

    pool: SignerPool
    known: KnownSigners


def signers(on: Domain, workers: int) -> Signers | None:
    """With as many `workers`, which are not started yet; None for a node that does without."""
    return Signers(SignerPool(on, workers), KnownSigners()) if workers else None
