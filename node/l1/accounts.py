"""The ten funded accounts of every Ethereum devnet.

Their keys are public knowledge: whoever sends them value elsewhere loses it.
"""

from dataclasses import dataclass, field
from functools import cache

MNEMONIC = "test test test test test test test test test test test junk"
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
BALANCE = 10_000 * 10**18
"""Wei that each one has at genesis."""


@dataclass(frozen=True, slots=True)
class DevAccount:
    name: str
    address: bytes
    private_key: bytes = field(repr=False)


@cache
def dev_accounts() -> tuple[DevAccount, ...]:
    """In order of derivation: m/44'/60'/0'/0/0 is alice."""
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
    from eth_keys.datatypes import PrivateKey

    seed = seed_from_mnemonic(MNEMONIC, "")
    keys = [key_from_seed(seed, f"m/44'/60'/0'/0/{index}") for index in range(len(NAMES))]
    return tuple(
        DevAccount(name, PrivateKey(key).public_key.to_canonical_address(), key)
        for name, key in zip(NAMES, keys, strict=True)
    )
