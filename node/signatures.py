"""Signature recovery and signing over secp256k1, through coincurve's C library.

Signatures are EIP-2098: r, then s with the parity of y in its top bit; s must be in
the lower half (EIP-2), so that a signature has one form.
"""

import threading

from coincurve import PrivateKey, PublicKey
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from state.crypto import ZERO_ADDRESS, keccak

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER = (CURVE_ORDER // 2).to_bytes(32, "big")


class Recoverer:
    """Recovers signers through the C library itself, in buffers of its own: for one thread."""

    def __init__(self) -> None:
        self._signature = ffi.new("secp256k1_ecdsa_recoverable_signature *")
        self._key = ffi.new("secp256k1_pubkey *")
        self._point = ffi.new("unsigned char[65]")
        self._size = ffi.new("size_t *")
        self._coordinates = ffi.buffer(self._point + 1, 64)

    def recover(self, digest: bytes, signature: bytes) -> bytes:
        """The address that signed `digest`, or the zero address for what is no signature."""
        if len(signature) != 64 or len(digest) != 32:
            return ZERO_ADDRESS
        parity, s = signature[32] >> 7, signature[32:]
        if parity:
            s = bytes((s[0] & 0x7F,)) + s[1:]
        if s > _HALF_ORDER:
            return ZERO_ADDRESS
        # The library checks the rest: r and s below the order and not zero, a point for them.
        context, key = GLOBAL_CONTEXT.ctx, self._key
        plain = signature[:32] + s
        if not lib.secp256k1_ecdsa_recoverable_signature_parse_compact(
            context, self._signature, plain, parity
        ) or not lib.secp256k1_ecdsa_recover(context, key, self._signature, digest):
            return ZERO_ADDRESS
        self._size[0] = 65
        lib.secp256k1_ec_pubkey_serialize(
            context, self._point, self._size, key, lib.SECP256K1_EC_UNCOMPRESSED
        )
        return keccak(self._coordinates[:])[12:]


class _OfThread(threading.local):
    """The library lets other threads run while it works, so each has its own buffers."""

    def __init__(self) -> None:
        self.recover = Recoverer().recover


_of_thread = _OfThread()


def recover(digest: bytes, signature: bytes) -> bytes:
    """The address that signed `digest`, or the zero address for what is no signature."""
    return _of_thread.recover(digest, signature)


def sign(digest: bytes, private_key: bytes) -> bytes:
    """The EIP-2098 signature of `digest`."""
    signature: bytes = PrivateKey(private_key).sign_recoverable(digest, hasher=None)
    packed = int.from_bytes(signature[32:64], "big") | signature[64] << 255
    return signature[:32] + packed.to_bytes(32, "big")


def address_of(private_key: bytes) -> bytes:
    """The address of a private key."""
    return _address(PrivateKey(private_key).public_key)


def _address(key: PublicKey) -> bytes:
    point: bytes = key.format(compressed=False)
    return keccak(point[1:])[12:]


def compact(signature: bytes) -> bytes:
    """A 65-byte r | s | v signature, as wallets make it, in 64 bytes. ValueError if it is not.

    v is 27 or 28, or 0 or 1; s must be in the lower half.
    """
    if len(signature) != 65:
        raise ValueError(f"a signature has 64 or 65 bytes, not {len(signature)}")
    parity = signature[64] - 27 if signature[64] >= 27 else signature[64]
    if parity not in (0, 1):
        raise ValueError(f"v is 27 or 28 (or 0 or 1), not {signature[64]}")
    s = int.from_bytes(signature[32:64], "big")
    if s > CURVE_ORDER // 2:
        raise ValueError("s is in the upper half of the curve's order; sign with a low s (EIP-2)")
    return signature[:32] + (s | parity << 255).to_bytes(32, "big")
