"""A claimant's next move, at every edge."""

import pytest

from prover.claims import ConfirmClaim, MakeClaim, Move, ProveClaim, Standing, next_move

WINDOW = 100
CLAIMED = 1_000


def standing(
    *,
    claimed_at: int | None = CLAIMED,
    rivals: int = 1,
    has_won: bool = False,
    unclaimed: int = 9,
    claimable: int = 8,
) -> Standing:
    return Standing(
        confirmed=4,
        claimed_at=claimed_at,
        rivals=rivals,
        has_won=has_won,
        unclaimed=unclaimed,
        claimable=claimable,
    )


@pytest.mark.parametrize(
    ("case", "now", "move"),
    [
        # Batch 5 is claimed and its window ends at 1,100.
        (standing(), CLAIMED + WINDOW - 1, None),
        (standing(), CLAIMED + WINDOW, ConfirmClaim(5)),
        (standing(), CLAIMED + WINDOW + 1, ConfirmClaim(5)),
        # Settling comes first, since it frees a bond.
        (standing(unclaimed=7), CLAIMED + WINDOW, ConfirmClaim(5)),
        (standing(unclaimed=7), CLAIMED + WINDOW - 1, MakeClaim(7)),
        # A rival stalls what is settled, not what is claimed.
        (standing(rivals=2), CLAIMED + WINDOW, None),
        (standing(rivals=2, unclaimed=7), CLAIMED + WINDOW, MakeClaim(7)),
        # Unless the right one has won against it.
        (standing(rivals=2, has_won=True), CLAIMED + WINDOW - 1, None),
        (standing(rivals=2, has_won=True), CLAIMED + WINDOW, ConfirmClaim(5)),
        # Only wrong claims, or none: the right one is ours to make.
        (standing(claimed_at=None, unclaimed=5, rivals=1), CLAIMED + WINDOW, MakeClaim(5)),
        (standing(claimed_at=None, unclaimed=5, rivals=0), 0, MakeClaim(5)),
        # Not deep enough in L1, or not posted at all.
        (standing(claimed_at=None, unclaimed=5, claimable=5), 0, MakeClaim(5)),
        (standing(claimed_at=None, unclaimed=5, claimable=4), 0, None),
    ],
)
def test_the_next_move_follows_from_what_stands(case: Standing, now: int, move: Move) -> None:
    assert next_move(case, now=now, window=WINDOW) == move


@pytest.mark.parametrize(
    ("case", "move"),
    [
        # Whatever was claimed, and whenever: proofs follow the last settled batch.
        (standing(), ProveClaim(5)),
        (standing(claimed_at=None, unclaimed=5, rivals=0), ProveClaim(5)),
        (standing(rivals=2), ProveClaim(5)),
        (standing(claimable=5), ProveClaim(5)),
        # Not deep enough in L1, or not posted at all.
        (standing(claimable=4), None),
        (standing(claimable=0), None),
    ],
)
@pytest.mark.parametrize("now", [0, CLAIMED + WINDOW])
def test_where_claims_are_proven_nothing_is_waited_for(
    case: Standing, move: Move, now: int
) -> None:
    assert next_move(case, now=now, window=WINDOW, takes_proofs=True) == move
