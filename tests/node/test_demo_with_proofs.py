"""`tallystick demo --mode validity-mock`: the story in which nothing is waited for."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from npm_packages import program
from whole_venue import run

from node.artifacts import cache_directory
from node.cli.main import tallystick
from node.config import ANVIL, EMBEDDED


def has(name: str) -> bool:
    """Whether there is such a program."""
    try:
        return program(name).exists()
    except pytest.skip.Exception:
        return False


MODE = ("--mode", "validity-mock")


@pytest.mark.timeout(240)
def test_the_demonstration_holds_where_claims_are_proven(tmp_path: Path) -> None:
    """With a window of an hour, which nobody waits for; on anvil where it is present."""
    kind = ANVIL if has(ANVIL) else EMBEDDED
    file = tmp_path / "demo.json"
    options = (*MODE, "--l1", kind, "--claim-window", "3600", "--json", str(file))
    done = run(cache_directory(os.environ), "demo", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    assert found["settlement"] == "proven (MOCK-ATTESTED)"
    assert found["sequencer_root"] == found["follower_root"] == found["claimed_root"]
    assert found["conserved"] is True and found["withdrawn_usdc"] == "1000"
    assert "is proven (MOCK-ATTESTED), no window passes" in done.stdout
    lies = {name: why for name, why in found["refused"].items() if name.startswith("a false claim")}
    assert list(lies.values()) == ["validity: not proven"] * 2
    assert "a mock: the claimant's key says" in done.stdout and "L1 paid alice" in done.stdout


@pytest.mark.parametrize("command", ["demo", "devnet"])
def test_a_lie_under_bond_and_a_proof_do_not_go_together(command: str) -> None:
    words = [command, *MODE, "--evil", "root"]
    result = CliRunner().invoke(tallystick, words, prog_name="tallystick")
    assert result.exit_code == 2 and "leave --mode out" in result.stderr


@pytest.mark.parametrize(
    "words", [["demo", "--real-time"], ["devnet", "--no-challenger"]], ids=lambda words: words[0]
)
def test_what_belongs_to_a_lie_is_refused_without_one(words: list[str]) -> None:
    result = CliRunner().invoke(tallystick, words, prog_name="tallystick")
    assert result.exit_code == 2 and f"{words[1]} is for the story of a lie" in result.stderr
