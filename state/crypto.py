"""The one hash of the venue.

eth-hash with its pysha3 backend, named here because the automatic choice may take
one that is six times slower.
"""

from eth_hash.backends import pysha3

keccak = pysha3.backend.keccak256

ZERO_HASH = bytes(32)
ZERO_ADDRESS = bytes(20)
