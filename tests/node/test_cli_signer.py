"""Who signs: devnet names, key files, and nothing that would give a secret away."""

from pathlib import Path

import pytest

from node.cli.failures import Failure, WronglyPut
from node.cli.signer import devnet_signer, signer
from node.devnet.people import CHAIN_ID, ROLES, TRADERS, UnknownPerson, person, role_of
from node.l1.accounts import dev_accounts
from node.signatures import address_of

ALICE = "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
KEY = bytes(31) + b"\x01"


def key_file(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_alice_is_the_first_account_of_every_ethereum_devnet() -> None:
    assert devnet_signer("alice").address.hex() == ALICE


@pytest.mark.parametrize("name", [account.name for account in dev_accounts()])
def test_every_named_key_is_the_key_of_its_address(name: str) -> None:
    found = devnet_signer(name)
    assert address_of(found.private_key) == found.address
    assert found.is_public


def test_roles_and_traders_are_different_people() -> None:
    people = [*TRADERS, *ROLES.values()]
    assert len(set(people)) == len(people)
    assert [role_of(name) for name in TRADERS] == ["trader"] * len(TRADERS)
    for role, name in ROLES.items():
        assert person(role) == person(name)
        assert role_of(name) == role


def test_nobody_of_an_unknown_name_signs() -> None:
    with pytest.raises(UnknownPerson, match=r"'mallory'; expected one of alice, bob.*sequencer"):
        devnet_signer("mallory")


def test_a_key_file_signs(tmp_path: Path) -> None:
    for text in (KEY.hex(), f"0x{KEY.hex()}\n"):
        found = signer(None, key_file(tmp_path, text))
        assert found.private_key == KEY
        assert found.address == address_of(KEY)
        assert not found.is_public


@pytest.mark.parametrize(
    "text",
    ["", "hello", "0x" + "00" * 32, "ff" * 32, "11" * 31, "11" * 33, " ".join(["1111"] * 16)],
)
def test_a_file_without_a_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(Failure, match="64 hex digits") as refused:
        signer(None, key_file(tmp_path, text))
    assert not text or text not in str(refused.value)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = key_file(tmp_path, KEY.hex(), mode=0o644)
    with pytest.raises(Failure, match="chmod 600"):
        signer(None, path)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"cannot read the key file .*gone"):
        signer(None, tmp_path / "gone")


@pytest.mark.parametrize("both", [True, False])
def test_exactly_one_signer_is_named(tmp_path: Path, both: bool) -> None:
    path = key_file(tmp_path, KEY.hex())
    with pytest.raises(WronglyPut, match=r"--from NAME .* or --key-file"):
        signer("alice" if both else None, path if both else None)


def test_public_keys_sign_for_devnets_only(tmp_path: Path) -> None:
    alice = devnet_signer("alice")
    alice.check_chain(CHAIN_ID)
    with pytest.raises(Failure, match="alice's key is public and this is chain 1"):
        alice.check_chain(1)
    signer(None, key_file(tmp_path, KEY.hex())).check_chain(1)


def test_a_signer_does_not_show_its_key() -> None:
    alice = devnet_signer("alice")
    assert alice.private_key.hex() not in repr(alice)
    assert repr(alice.private_key) not in repr(alice)
