"""Who signs: a named account of a devnet, or a key in a file. Never a key on the command line."""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from node.cli.failures import Failure, WronglyPut
from node.cli.options import stronger
from node.devnet.people import CHAIN_ID, person

KEY_HELP = "write the 32-byte private key as 64 hex digits and nothing else"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and the name to call it by. `is_public` marks a key that everybody knows."""

    name: str
    address: bytes
    private_key: bytes = field(repr=False)
    is_public: bool = False

    def check_chain(self, chain_id: int) -> None:
        """Refuse to sign with a public key for a chain where money may be real."""
        if self.is_public and chain_id != CHAIN_ID:
            raise Failure(
                f"{self.name}'s key is public and this is chain {chain_id}, not a devnet "
                f"({CHAIN_ID}); name a key of your own with --key-file"
            )


def signer(name: str | None, key_file: Path | None) -> Signer:
    """The one that is named, by exactly one of the two ways.

    A flag outdoes the environment, and that the configuration file, where each names one.
    """
    if name is not None and key_file is not None:
        nearer = stronger("name", "key_file")
        name = name if nearer != "key_file" else None
        key_file = key_file if nearer != "name" else None
    if (name is None) == (key_file is None):
        raise WronglyPut("say who signs: either --from NAME (a devnet account) or --key-file FILE")
    if key_file is not None:
        return _from_file(key_file)
    assert name is not None
    return devnet_signer(name)


def devnet_signer(name: str) -> Signer:
    """One of the public test accounts, by name or role."""
    found = person(name)
    return Signer(found.name, found.address, found.private_key, is_public=True)


def _from_file(path: Path) -> Signer:
    from coincurve import PrivateKey

    from node.signatures import address_of

    text = _read(path).strip()
    digits = text.removeprefix("0x")
    try:
        key = bytes.fromhex(digits)
        if len(key) != 32 or len(digits) != 64:
            raise ValueError
        PrivateKey(key)
    except ValueError:
        raise Failure(f"{path} holds no key: {KEY_HELP}") from None
    return Signer(path.name, address_of(key), key)


def _read(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Failure(f"{path} can be read by other users: chmod 600 {path}")
        return path.read_text()
    except UnicodeDecodeError:
        raise Failure(f"{path} holds no key: {KEY_HELP}") from None
    except OSError as error:
        raise Failure(f"cannot read the key file {path}: {error.strerror}") from None
