"""Claims on L1, right and wrong, beside what was executed here."""

from node.rpc.amounts import usd
from node.rpc.conservation_results import BatchClaims, ClaimDifference, ClaimOnBatch
from node.rpc.params import BatchParams
from node.rpc.views.conservation import conservation
from node.rpc.views.rollup import find_batch
from node.rpc.wire import Address, Hash
from node.view import MadeClaim, SettlementView, VenueView
from state.units import NANO_PER_MICRO


def claims(view: VenueView, params: BatchParams) -> BatchClaims:
    """Every claim on a batch; none on a node that follows no claims."""
    record = find_batch(view, params.number)
    paid = pending = None
    made: list[ClaimOnBatch] = []
    if isinstance(view, SettlementView):
        made = [_claim(one) for one in view.claims_on(record.number)]
        nano = view.paid(record.withdrawals) * NANO_PER_MICRO
        paid = usd(nano)
        pending = usd(record.figures.withdrawn - nano) if record.figures else None
    return BatchClaims(
        batch=record.number,
        followed=isinstance(view, SettlementView),
        executed=conservation(record.figures) if record.figures else None,
        paid=paid,
        pending=pending,
        claims=made,
    )


def _claim(made: MadeClaim) -> ClaimOnBatch:
    return ClaimOnBatch(
        claim=Hash(made.claim),
        parent=Hash(made.parent),
        claimant=Address(made.claimant),
        claimed_block=made.claimed_block,
        claimed_at=made.claimed_at,
        status=made.status,
        right=not made.differences,
        differences=[ClaimDifference(*one) for one in made.differences],
        conservation=conservation(made.figures),
    )
