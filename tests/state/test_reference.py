"""The venue against a second one written from the protocol's page: never a difference.

TALLYSTICK_OPERATIONS=100000 makes the slice below the long run, which -rP counts by kind and
status; TALLYSTICK_SEED is one history at its full length.
"""

import os
from collections import Counter
from functools import cache

import pytest
from reference_driver import Twins
from reference_history import RandomHistory
from reference_markets import MANY
from reference_scenes import Scene

from state.status import Status
from state.transactions.kinds import InboxKind, Kind

OPERATIONS = int(os.environ.get("TALLYSTICK_OPERATIONS", "4000"))
HISTORIES = max(8, OPERATIONS // 2_000)
ALONE = "TALLYSTICK_SEED" in os.environ
SEEDS = [int(os.environ["TALLYSTICK_SEED"])] if ALONE else range(HISTORIES)
LENGTH = 2_000 if ALONE else OPERATIONS // HISTORIES
SEEDS_MAX = HISTORIES + 40

CROWDED_STATUSES = "NewOrder FRONTS_EXHAUSTED", "NewOrder TOO_MANY_ORDERS"
CROWDED, SPREAD = 12, 10
"""Seeds of a market with room for a crowd, and of a venue with many markets."""

OUT_OF_REACH = {
    Status.WITHDRAWALS_FULL: "takes 2^32 withdrawals; a counter set by hand reaches it elsewhere",
}

SEQUENCED = {
    Kind.HEADER: "Header",
    Kind.PRICE: "SignedPrice",
    Kind.ORDER: "NewOrder",
    Kind.CANCEL: "Cancel",
    Kind.WITHDRAW: "Withdraw",
    Kind.TRANSFER: "Transfer",
    Kind.CANCEL_ALL: "CancelAll",
    Kind.AMEND: "Amend",
    Kind.ADD_KEY: "AddKey",
    Kind.REVOKE_KEY: "RevokeKey",
    Kind.BLOCK_TRADE: "BlockTrade",
}


@cache
def ran(seed: int) -> Twins:
    """The twins after a history of this seed."""
    history = RandomHistory(seed)
    history.run(LENGTH)
    return history.twins


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_leaves_venue_and_model_alike_after_every_operation(seed: int) -> None:
    assert ran(seed).fills > 0, f"seed {seed} never traded"
    for expected in ("NewOrder OK", "Amend OK", "SignedPrice OK"):
        assert ran(seed).statuses[expected] > 0, f"seed {seed} never reached {expected}"


@cache
def crowded() -> RandomHistory:
    history = RandomHistory(CROWDED)
    seen, scenes = history.twins.statuses, history.twins.scenes.seen
    while not (all(seen[name] for name in CROWDED_STATUSES) and scenes[Scene.CANCELLED_MANY]):
        history.crowd()
        assert len(history.twins.past) < 4_000, "no order ever met all the fronts it may"
    return history


def test_an_order_that_meets_a_crowd_ends_alike() -> None:
    assert all(crowded().twins.statuses[name] for name in CROWDED_STATUSES)


@cache
def spread() -> RandomHistory:
    history = RandomHistory(SPREAD)
    assert len(history.twins.markets) == MANY
    while not history.twins.statuses["NewOrder TOO_MANY_POSITIONS"]:
        history.spread_out()
        assert len(history.twins.past) < 4_000, "no account ever stood in every market it may"
    return history


def test_an_account_without_a_free_place_is_refused_alike() -> None:
    assert spread().twins.statuses["NewOrder TOO_MANY_POSITIONS"]


@pytest.mark.skipif(ALONE, reason="one history does not meet everything")
def test_histories_trade_enough_to_mean_anything() -> None:
    twins = [ran(seed) for seed in SEEDS]
    statuses: Counter[str] = sum((twin.statuses for twin in twins), Counter())
    fills = sum(twin.fills for twin in twins)
    print(f"{sum(twin.operations for twin in twins)} operations, {fills} fills")
    print("\n".join(f"{count:7} {name}" for name, count in sorted(statuses.items())))
    assert fills > OPERATIONS // 20


@pytest.mark.skipif(ALONE, reason="one history does not meet everything")
def test_histories_reach_every_kind_every_status_and_every_scene() -> None:
    statuses = crowded().twins.statuses + spread().twins.statuses
    scenes = Counter(crowded().twins.scenes.seen)
    kinds = {*SEQUENCED.values(), *(kind.name for kind in InboxKind)}
    assert set(SEQUENCED) == set(Kind)
    missing: set[str] = {"everything"}
    for seed in range(SEEDS_MAX):
        if not missing:
            break
        statuses += ran(seed).statuses
        scenes += ran(seed).scenes.seen
        done = {kind for kind in kinds if statuses[f"{kind} OK"]}
        met = {name.split()[1] for name in statuses}
        missing = kinds - done | {s.name for s in Status if s not in OUT_OF_REACH} - met
        missing |= {scene.name for scene in Scene if not scenes[scene]}
    assert not missing, f"{SEEDS_MAX} histories never met {sorted(missing)}"
    assert not {status.name for status in OUT_OF_REACH} & met
