"""All claims on a batch as readers see them: what they say, and where that is not so."""

from node.conservation import figures_of_output
from node.followed import Followed
from node.proving.readable import Difference
from node.proving.venue import wrong
from node.rollup_events import Claimed
from node.view import MadeClaim
from state.batch import decode_output
from state.packing import NotCanonical

NO_BATCH = Difference("batch", "posted", "not there")


def made_claims(followed: Followed, number: int) -> list[MadeClaim]:
    """Every claim on batch `number`, in L1's order.

    One whose output does not read is left out: L1 takes none.
    """
    found = []
    for claimed in followed.claims.values():
        if claimed.batch != number:
            continue
        try:
            output = decode_output(claimed.output)
        except NotCanonical:
            continue
        found.append(
            MadeClaim(
                claim=claimed.claim,
                parent=claimed.parent,
                claimant=claimed.claimant,
                claimed_block=claimed.block,
                claimed_at=claimed.time,
                status=_status(followed, claimed),
                differences=tuple(
                    (one.field, str(one.one), str(one.other))
                    for one in _differences(followed, claimed)
                ),
                figures=figures_of_output(output),
            )
        )
    return found


def paid(followed: Followed, withdrawals: int) -> int:
    """What L1 has paid so far of the first `withdrawals`, in micro-USDC."""
    return sum(made.amount for index, made in followed.payments.items() if index < withdrawals)


def _status(followed: Followed, claimed: Claimed) -> str:
    """A claim is rejected, whether L1 was told or not, once another one is confirmed."""
    if claimed.claim in followed.confirmations:
        return "confirmed"
    is_rejected = claimed.claim in followed.rejections
    return "rejected" if is_rejected or claimed.batch <= followed.counts.confirmed else "pending"


def _differences(followed: Followed, claimed: Claimed) -> tuple[Difference, ...]:
    batch = followed.batch(claimed.batch)
    if batch is None:
        return (NO_BATCH,)
    return wrong(claimed, batch.output, batch.parent_claim)
