"""The whole story in real processes over real sockets, as anybody would start it."""

import json
from pathlib import Path

import drawn
import pytest
import whole_venue
from drawn import masked
from npm_packages import program
from whole_venue import run

from node.config import ANVIL, L1_KINDS

BYTES_PER_ORDER_MAX = 100


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kind", L1_KINDS)
def test_the_demonstration_holds(tmp_path: Path, kind: str) -> None:
    if kind == ANVIL:
        program(ANVIL)
    file = tmp_path / "demo.json"
    picture = tmp_path / "demo.svg"
    options = ("--l1", kind, "--json", str(file), "--picture", str(picture))
    done = run(tmp_path / "cache", "demo", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())

    assert found["orders"] >= 300 and found["fills"] > 0 and found["batches"] > 0
    assert found["bytes_posted"] > 0
    assert found["bytes_per_order"] == round(found["bytes_posted"] / found["orders"], 2)
    assert found["bytes_per_order"] <= BYTES_PER_ORDER_MAX

    assert found["sequencer_root"] == found["follower_root"] == found["claimed_root"]
    assert len(found["sequencer_root"]) == 66
    assert found["conserved"] is True
    assert found["withdrawn"] == 1_000_000_000 and found["withdrawn_usdc"] == "1000"
    assert sorted(found["refused"].values()) == ["bad_signature", "off_tick", "sequence_used"]

    words = ["deposit", "trade in", "withdraws", "batches", "agrees", "claim", "conserved", "paid"]
    steps = [f"{number} " for number in range(1, len(words) + 1)]
    lines = [line for line in done.stdout.splitlines() if line[:2] in steps]
    assert len(lines) == len(words), done.stdout
    assert all(word in line for word, line in zip(words, lines, strict=True)), done.stdout
    assert "\x1b" not in done.stdout

    # The picture in the README shows what is told today.
    shown = [masked(line) for line in drawn.lines(whole_venue.ROOT / "docs/demo.svg")]
    told = [masked(line) for line in drawn.lines(picture)]
    assert told == shown, "draw it anew: tallystick demo --picture docs/demo.svg"
