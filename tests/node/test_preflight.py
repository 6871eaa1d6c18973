"""A node starts with the curve and the hash in C, or says what is missing and does not."""

import os
import subprocess
import sys

import pytest

from node.preflight import NotFit, faults, require

WITHOUT = """
import sys
sys.modules[{module!r}] = None
sys.argv = ["tallystick", {command!r}, "--help"]
from node.cli.main import main
main()
"""


def run(command: str, module: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that lacks `module`."""
    code = WITHOUT.format(module=module, command=command)
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_locked_is_fit() -> None:
    assert list(faults()) == []
    require()


def test_a_slow_backend_of_the_curve_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECC_BACKEND_CLASS", "eth_keys.backends.native.NativeECCBackend")
    with pytest.raises(NotFit, match="NativeECCBackend, expected its backend over coincurve"):
        require()


def test_another_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("state.crypto.keccak", lambda _: bytes(32))
    monkeypatch.setattr("node.signatures.recover", lambda *_: bytes(20))
    found = {fault.name: fault.found for fault in faults()}
    assert found == {
        "keccak": "the hash of nothing is " + "00" * 32,
        "secp256k1": "a known signature recovers 0x" + "00" * 20,
    }


@pytest.mark.parametrize(
    ("command", "module", "name"),
    [("sequence", "coincurve", "secp256k1"), ("follow", "sha3", "keccak")],
)
def test_a_node_does_not_start_without_a_library(command: str, module: str, name: str) -> None:
    ended = run(command, module)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert ended.stderr.startswith("error: NOT_FIT: ") and f"{name}: " in ended.stderr
    assert "make setup" in ended.stderr


def test_other_commands_do_not_ask() -> None:
    ended = run("book", "eth_keys")
    assert ended.returncode == 0 and "Usage: tallystick book" in ended.stdout
