"""The contract of disputes and its twin: random transcripts of calls, sound and not."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from dispute_transcript import Transcript

from contracts import disputes

SEEDS, CALLS = range(60), 120
TWIN = Path(__file__).resolve().parents[2] / "prover" / "dispute"

AT_DEPLOYMENT = {"disputes: bond is below the dearest match"}


@cache
def outcomes(seed: int) -> Counter[tuple[str, str]]:
    """How often each function was taken (the reason is empty) or refused, by its reason."""
    transcript = Transcript(seed)
    transcript.run(CALLS)
    return transcript.world.outcomes


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_transcript_is_taken_refused_and_shown_alike(seed: int) -> None:
    """Call by call the same reason, and the same views after it."""
    assert outcomes(seed).total() > CALLS // 2


def test_the_transcripts_reach_every_function_and_refusal() -> None:
    """Else the test above would say less than it seems to."""
    found: Counter[tuple[str, str]] = Counter()
    for seed in SEEDS:
        found.update(outcomes(seed))
    taken = {name for name, reason in found if not reason}
    assert taken == {function.name for function in disputes.FUNCTIONS}
    named = {
        reason
        for module in ("rules", "entries", "matches")
        for reason in re.findall(r'"([a-z]+: [^"\n]+)"', (TWIN / f"{module}.py").read_text())
    }
    assert named - AT_DEPLOYMENT <= {reason for _, reason in found}
    assert found.total() > 6_000
