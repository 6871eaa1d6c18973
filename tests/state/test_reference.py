"""The venue against a second one written from the protocol's page: never a difference.

TALLYSTICK_OPERATIONS=100000 makes the slice below the long run; TALLYSTICK_SEED is one history.
"""

import os

import pytest
from reference_history import RandomHistory
from reference_markets import MANY

OPERATIONS = int(os.environ.get("TALLYSTICK_OPERATIONS", "4000"))
HISTORIES = max(5, OPERATIONS // 2_000)
SEEDS = (
    [int(os.environ["TALLYSTICK_SEED"])] if "TALLYSTICK_SEED" in os.environ else range(HISTORIES)
)

CROWDED, SPREAD = 8, 9
"""Seeds of a market with room for a crowd, and of a venue with many markets."""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_leaves_venue_and_model_alike_after_every_operation(seed: int) -> None:
    history = RandomHistory(seed)
    history.run(OPERATIONS // HISTORIES)
    seen = history.twins.statuses
    assert history.twins.fills > 10, f"seed {seed}: too little traded to mean anything"
    for expected in ("NewOrder OK", "NewOrder REMAINDER_DROPPED", "Cancel OK", "SignedPrice OK"):
        assert seen[expected] > 0, f"seed {seed} never reached {expected}"


def test_an_order_that_meets_a_crowd_ends_alike() -> None:
    history = RandomHistory(CROWDED)
    seen = history.twins.statuses
    while not (seen["NewOrder FRONTS_EXHAUSTED"] and seen["NewOrder TOO_MANY_ORDERS"]):
        history.crowd()
        assert len(history.twins.past) < 4_000, "no order ever met all the fronts it may"


def test_an_account_without_a_free_place_is_refused_alike() -> None:
    history = RandomHistory(SPREAD)
    assert len(history.twins.markets) == MANY
    while not history.twins.statuses["NewOrder TOO_MANY_POSITIONS"]:
        history.spread_out()
        assert len(history.twins.past) < 4_000, "no account ever stood in every market it may"
