"""What everything else is made of: recovery, hashing and signing on one core."""

from node.benchmark.figures import Figure, Gauge, of_r, per_cpu_second
from node.signatures import sign
from state.crypto import keccak
from state.radix import hash_level

PRIVATE_KEY = keccak(b"benchmark signer")


def raw_keccak(hashes: int) -> float:
    """keccak of 64 bytes, hashes per second of CPU, as the tree hashes a level."""
    preimages = [at.to_bytes(64) for at in range(hashes)]
    return per_cpu_second(lambda: len(hash_level(preimages)))


def signing(signatures: int) -> float:
    """EIP-2098 signatures of a digest per second of CPU."""
    digests = [at.to_bytes(32) for at in range(1, signatures + 1)]
    return per_cpu_second(lambda: len([sign(digest, PRIVATE_KEY) for digest in digests]))


def measure_primitives(gauge: Gauge, *, hashes: int, signatures: int, rounds: int) -> list[Figure]:
    """Hashing and signing, with R around each."""
    return [
        of_r(
            "keccak of 64 bytes", gauge.interleaved(lambda: raw_keccak(hashes), rounds), "hashes/s"
        ),
        of_r("signing", gauge.interleaved(lambda: signing(signatures), rounds), "signatures/s"),
    ]
