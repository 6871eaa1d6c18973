"""Signature recovery and signing over secp256k1, through coincurve's C library.

Signatures are EIP-2098: r, then s with the parity of y in its top bit; s must be in
the lower half (EIP-2), so that a signature has one form.
"""

from coincurve import PrivateKey, PublicKey

from state.crypto import ZERO_ADDRESS, keccak

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_PARITY = 1 << 255


def recover(digest: bytes, signature: bytes) -> bytes:
    """The address that signed `digest`, or the zero address for what is no signature."""
    if len(signature) != 64:
        return ZERO_ADDRESS
    r = int.from_bytes(signature[:32], "big")
    packed = int.from_bytes(signature[32:], "big")
    s = packed & (_PARITY - 1)
    if not 0 < r < CURVE_ORDER or not 0 < s <= CURVE_ORDER // 2:
        return ZERO_ADDRESS
    plain = signature[:32] + s.to_bytes(32, "big") + bytes([packed >> 255])
    try:
        key = PublicKey.from_signature_and_message(plain, digest, hasher=None)
    except Exception:  # coincurve raises a bare Exception where no point fits
        return ZERO_ADDRESS
    return _address(key)


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
