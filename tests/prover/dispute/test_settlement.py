"""What a challenger does about claims, case by case."""

import pytest
from msgspec.structs import replace

from prover.dispute.settlement import (
    Confirm,
    MakeClaim,
    Reject,
    Reopen,
    RightClaim,
    SettlementMove,
    SettlementStanding,
    VoidBatch,
    Withdraw,
    WithdrawBonds,
    next_settlement_moves,
)
from prover.dispute.views import ResultStatus
from state.crypto import keccak

WINDOW = 100
RIGHT, WRONG, PARENT = keccak(b"right"), keccak(b"wrong"), keccak(b"parent")
ALONE = RightClaim(
    batch=7,
    parent=PARENT,
    claim=RIGHT,
    claimed_at=1_000,
    rivals=1,
    first_at=1_000,
    contested_at=0,
    result=ResultStatus.OPEN,
    winner=bytes(32),
)
UNCLAIMED = replace(ALONE, claimed_at=None)
RIVALS = replace(ALONE, rivals=2, contested_at=1_010)
QUIET = SettlementStanding(
    claim_window=WINDOW,
    confirmed=6,
    right=[],
    malformed={},
    rejectable=[],
    credits=0,
    bonds=0,
)


@pytest.mark.parametrize(
    ("right", "now", "moves"),
    [
        ([], 5_000, []),
        # Nobody has claimed: that is a claimant's part.
        ([replace(UNCLAIMED, rivals=0, first_at=0)], 5_000, []),
        # A wrong claim stands alone, and then among others, for as long as rivals are taken.
        ([UNCLAIMED], 1_100, [MakeClaim(7)]),
        ([UNCLAIMED], 1_101, []),
        ([replace(UNCLAIMED, rivals=2, contested_at=1_010)], 1_110, [MakeClaim(7)]),
        ([replace(UNCLAIMED, rivals=2, contested_at=1_010)], 1_111, []),
        # The batch after one that is not claimed has nothing to stand on.
        ([replace(UNCLAIMED, rivals=0, first_at=0), replace(UNCLAIMED, batch=8)], 1_050, []),
        # And a wrong claim on the right one is answered before that has confirmed.
        ([ALONE, replace(UNCLAIMED, batch=8)], 1_050, [MakeClaim(8)]),
        ([ALONE], 1_099, []),
        ([ALONE], 1_100, [Confirm(7)]),
        ([RIVALS], 5_000, []),
        ([replace(RIVALS, result=ResultStatus.WON, winner=RIGHT)], 5_000, [Confirm(7)]),
        ([replace(RIVALS, result=ResultStatus.WON, winner=RIGHT)], 1_099, []),
        ([replace(RIVALS, result=ResultStatus.WON, winner=WRONG)], 5_000, []),
        ([replace(RIVALS, result=ResultStatus.NOBODY_WON)], 5_000, [Reopen(PARENT)]),
        # What is to be contested anew takes rivals again, of which ours may be one.
        (
            [replace(UNCLAIMED, contested_at=1_010, result=ResultStatus.NOBODY_WON)],
            5_000,
            [Reopen(PARENT)],
        ),
    ],
)
def test_claims_are_answered_and_settled(
    right: list[RightClaim], now: int, moves: list[SettlementMove]
) -> None:
    assert next_settlement_moves(replace(QUIET, right=right), now) == moves


def test_a_batch_is_voided_before_all_else_unless_it_has_confirmed() -> None:
    standing = replace(QUIET, malformed={8: 2, 7: 0, 6: 1}, right=[UNCLAIMED])
    moves = next_settlement_moves(standing, 1_050)
    assert moves == [VoidBatch(7, 0), VoidBatch(8, 2), MakeClaim(7)]


def test_what_brings_money_comes_last() -> None:
    standing = replace(QUIET, right=[ALONE], rejectable=[WRONG], credits=1, bonds=1)
    moves = next_settlement_moves(standing, 5_000)
    assert moves == [Confirm(7), Reject(WRONG), WithdrawBonds(), Withdraw()]
