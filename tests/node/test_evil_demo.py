"""The story of a lie in real processes over real sockets, on either L1."""

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from npm_packages import program
from whole_venue import run

from node.artifacts import cache_directory
from node.config import ANVIL, EMBEDDED

BOND = 10**17
"""Of a claim, and of an entry."""


def story(tmp_path: Path, kind: str, l1: str) -> tuple[dict[str, Any], str]:
    """What a story came to, and what it told."""
    file = tmp_path / "evil.json"
    words = ("demo", "--evil", kind, "--l1", l1, "--json", str(file))
    done = run(cache_directory(os.environ), *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(file.read_text()), done.stdout


def check_paid(found: dict[str, Any]) -> None:
    """The liar lost its bonds, to the wei, and the challenger nothing but gas."""
    bonds = found["bonds"]
    assert bonds["liar_lost"] == (len(found["rejected"]) + 1) * BOND
    assert bonds["to_movers"] + bonds["to_insurance"] == bonds["liar_lost"]
    assert bonds["to_movers"] > 0 and bonds["honest_back"] == 2 * BOND
    assert -found["wei"]["dave"] <= bonds["honest_net"] < bonds["liar_lost"]
    assert bonds["honest_net"] + found["wei"]["dave"] <= bonds["to_movers"]
    assert found["gas"]["dave"] > 0 and found["gas"]["judy"] > 0


@pytest.mark.timeout(240)
def test_a_withdrawal_beyond_margin_is_never_paid(tmp_path: Path) -> None:
    found, told = story(tmp_path, "margin", EMBEDDED)
    assert found["paid"] == 1_000_000_000
    assert found["fake_refused"] == "escrow: claim is not confirmed"
    assert found["wrong_root"] != found["right_root"]
    assert found["wrong_claim"] in found["rejected"]
    decided = found["decided"]
    assert (decided["how"], decided["kind"]) == ("step", "withdraw")
    assert decided["status"] == "margin_too_low" and decided["rules"] == ["WDR-1", "WDR-2"]
    check_paid(found)

    # Who moves, which steps are left, what L1 decides: the range only ever narrows.
    moves = [move for move in found["moves"] if move["last"]]
    assert {move["who"] for move in moves} == {"dave", "judy"}
    assert all(one["who"] != other["who"] for one, other in pairwise(moves))
    widths = [move["last"] - move["first"] for move in moves]
    assert widths == sorted(widths, reverse=True) and widths[-1] == 0
    assert moves[-1]["first"] == decided["step"]
    for words in ("judy moves: steps 1-", "is confirmed", "is rejected", "WDR-1", "The lie is"):
        assert words in told
    assert "\x1b" not in told


@pytest.mark.timeout(240)
def test_who_stalls_loses_by_the_clock_on_anvil(tmp_path: Path) -> None:
    program(ANVIL)
    found, told = story(tmp_path, "stall", ANVIL)
    assert found["decided"]["how"] == "time" and found["decided"]["kind"] == "MATCH"
    assert [move["who"] for move in found["moves"] if move["last"]].count("judy") == 1
    assert found["jumped"] > 0 and "time is over" in told
    check_paid(found)
