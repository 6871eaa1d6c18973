"""What a challenger does about claims, from what stands on L1 and from what it executed itself.

A batch whose chunk does not decode is proven void before anything is claimed or entered on it:
until L1 knows, it takes the first step of that batch otherwise than whoever is honest.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from prover.dispute.views import ResultStatus


class RightClaim(Struct, frozen=True, kw_only=True):
    """What our execution of `batch` makes of the right claim on the batch before it, its parent.

    `claim` is the right one, `claimed_at` when somebody made it (None: nobody), `rivals` counts
    all children of the parent up to two, right or wrong; the first of them was made at `first_at`,
    0 where there is none. `contested_at` is 0 while there is one at most. `result` and `winner`
    are what that dispute came to.
    """

    batch: int
    parent: bytes
    claim: bytes
    claimed_at: int | None
    rivals: int
    first_at: int
    contested_at: int
    result: ResultStatus
    winner: bytes

    def takes_rivals(self, now: int, window: int) -> bool:
        """Whether L1 takes another claim beside those that there are: up to `window` seconds from
        the first of them, or from the contest.
        """
        return now <= max(self.first_at, self.contested_at) + window


class SettlementStanding(Struct, frozen=True, kw_only=True):
    """`confirmed` is the batch of the confirmed head, which is the right claim; `right` has the
    batches after it in order. `malformed` names, for each batch that L1 does not know to be
    void, a chunk that is none; `rejectable` are claims that can never confirm, still under
    bond. `credits` (of disputes) and `bonds` (of claims) in wei, window in seconds.
    """

    claim_window: int
    confirmed: int
    right: Sequence[RightClaim]
    malformed: Mapping[int, int]
    rejectable: Sequence[bytes]
    credits: int
    bonds: int


class VoidBatch(Struct, frozen=True):
    """Prove to L1 that `chunk` of batch `number` is none."""

    number: int
    chunk: int


class MakeClaim(Struct, frozen=True):
    """Claim what `batch` came to, against somebody who claims otherwise."""

    batch: int


class Confirm(Struct, frozen=True):
    """Settle the right claim on `batch`."""

    batch: int


class Reject(Struct, frozen=True):
    """Take the bond of a claim that can never confirm."""

    claim: bytes


class Reopen(Struct, frozen=True):
    """Contest a parent anew whose dispute nobody won."""

    parent: bytes


class Withdraw(Struct, frozen=True):
    """Have our credits of disputes sent."""


class WithdrawBonds(Struct, frozen=True):
    """Have the bonds of our settled claims sent."""


SettlementMove = VoidBatch | MakeClaim | Confirm | Reject | Reopen | Withdraw | WithdrawBonds


def next_settlement_moves(standing: SettlementStanding, now: int) -> list[SettlementMove]:
    """All that can be done at `now`, seconds of L1, most urgent first.

    Nothing is claimed where nobody claims otherwise: that is a claimant's part.
    """
    return [
        *_void(standing),
        *_claim(standing, now),
        *_reopen(standing),
        *_confirm(standing, now),
        *(Reject(claim) for claim in standing.rejectable),
        *((WithdrawBonds(),) if standing.bonds else ()),
        *((Withdraw(),) if standing.credits else ()),
    ]


def _void(standing: SettlementStanding) -> Iterator[VoidBatch]:
    for number in sorted(standing.malformed):
        if number > standing.confirmed:
            yield VoidBatch(number, standing.malformed[number])


def _claim(standing: SettlementStanding, now: int) -> Iterator[MakeClaim]:
    """The parents come first: no claim is taken whose parent nobody claimed."""
    for right in standing.right:
        if right.claimed_at is not None:
            continue
        if right.rivals and right.takes_rivals(now, standing.claim_window):
            yield MakeClaim(right.batch)
        return


def _reopen(standing: SettlementStanding) -> Iterator[Reopen]:
    for right in standing.right:
        if right.result == ResultStatus.NOBODY_WON:
            yield Reopen(right.parent)


def _confirm(standing: SettlementStanding, now: int) -> Iterator[Confirm]:
    """The batch after the confirmed head, if its right claim has stood and has no open rival."""
    if not standing.right:
        return
    right = standing.right[0]
    if right.claimed_at is None or now < right.claimed_at + standing.claim_window:
        return
    has_won = right.result == ResultStatus.WON and right.winner == right.claim
    if right.rivals == 1 or has_won:
        yield Confirm(right.batch)
