"""The one hash of the venue.

eth-hash with its pysha3 backend: the backend is named here because the automatic
choice may take one that is six times slower.
"""

import os

os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

from eth_hash.auto import keccak  # noqa: E402  (the backend is read at import)

__all__ = ["ZERO_ADDRESS", "ZERO_HASH", "keccak"]

ZERO_HASH = bytes(32)
ZERO_ADDRESS = bytes(20)
