"""What a claimant does next, from what stands on L1 alone."""

from msgspec import Struct


class Standing(Struct, frozen=True, kw_only=True):
    """How far the right claims have come. Batches follow `confirmed`, the last settled one.

    `claimed_at` is when the right claim on the first of them was made, in seconds of L1,
    None while there is none; `rivals` counts all claims on it up to two, right or wrong, and
    `has_won` says that the right one has won their dispute. `unclaimed` is the first batch
    without its right claim, `claimable` the last that is deep enough in L1 to be claimed.
    """

    confirmed: int
    claimed_at: int | None
    rivals: int
    unclaimed: int
    claimable: int
    has_won: bool = False


class MakeClaim(Struct, frozen=True):
    """Claim our output of `batch`; the claim on the batch before it stands."""

    batch: int


class ConfirmClaim(Struct, frozen=True):
    """Settle the right claim on `batch`."""

    batch: int


class ProveClaim(Struct, frozen=True):
    """Have our output of `batch` proven, which settles it at once; the batch before is settled."""

    batch: int


Move = MakeClaim | ConfirmClaim | ProveClaim


def next_move(
    standing: Standing, *, now: int, window: int, takes_proofs: bool = False
) -> Move | None:
    """Settle what may be settled, else claim the first batch that nobody claimed rightly.

    L1 settles a claim that has stood for `window` seconds and has no rival, or won. Where it
    `takes_proofs` nothing is waited for, and batches are proven in their order.
    """
    if takes_proofs:
        is_there = standing.confirmed < standing.claimable
        return ProveClaim(standing.confirmed + 1) if is_there else None
    claimed_at = standing.claimed_at
    is_decided = standing.rivals == 1 or standing.has_won
    if claimed_at is not None and is_decided and now >= claimed_at + window:
        return ConfirmClaim(standing.confirmed + 1)
    if standing.unclaimed <= standing.claimable:
        return MakeClaim(standing.unclaimed)
    return None
