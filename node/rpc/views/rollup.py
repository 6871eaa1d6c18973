"""The deployment, the heads and the batches."""

from node.modes import mode_of, settled_by
from node.rpc.errors import InvalidParams, NotFound
from node.rpc.params import (
    BATCHES_DEFAULT,
    BATCHES_MAX,
    BatchesParams,
    BatchParams,
    NoParams,
)
from node.rpc.rollup_results import BatchSummary, RollupConfig, RollupDomain, SyncStatus
from node.rpc.views.conservation import conservation
from node.rpc.wire import Address, Hash
from node.view import BatchRecord, Heads, VenueView
from state.batch import VERSION
from state.crypto import ZERO_HASH
from state.eip712 import NAME
from state.eip712 import VERSION as DOMAIN_VERSION


def sync_status(view: VenueView, _: NoParams) -> SyncStatus:
    machine, heads = view.state.machine, view.heads
    return SyncStatus(
        role=view.role,
        batch=machine.batch,
        time=machine.time,
        sealed=machine.batch_hash == ZERO_HASH,
        unsafe=heads.unsafe,
        safe=heads.safe,
        finalized=heads.finalized,
        confirmed=heads.confirmed,
        l1_block=heads.l1_block,
        problems=view.problems(),
    )


def config(view: VenueView, _: NoParams) -> RollupConfig:
    domain = view.domain
    return RollupConfig(
        role=view.role,
        version=VERSION,
        chain_id=domain.chain_id,
        rollup=Address(domain.rollup),
        token=Address(view.token),
        genesis_hash=Hash(domain.genesis_hash),
        mode=mode_of(view.proof_system),
        proof_system=view.proof_system or None,
        domain=RollupDomain(
            name=NAME,
            version=DOMAIN_VERSION,
            chain_id=domain.chain_id,
            verifying_contract=Address(domain.rollup),
            separator=Hash(domain.separator),
        ),
    )


def batch(view: VenueView, params: BatchParams) -> BatchSummary:
    return summary(find_batch(view, params.number), view.heads, view.proof_system)


def batches(view: VenueView, params: BatchesParams) -> list[BatchSummary]:
    """Up to `count` batches, ascending; those this node has no record of are left out."""
    count = BATCHES_DEFAULT if params.count is None else params.count
    if not 1 <= count <= BATCHES_MAX:
        raise InvalidParams(
            "count_out_of_range",
            f"count {count} is not within 1 to {BATCHES_MAX}",
            f"ask for 1 to {BATCHES_MAX} batches, and page on with from",
            expected=f"1 to {BATCHES_MAX}",
            got=count,
        )
    last = view.heads.unsafe
    first = max(1, last - count + 1) if params.first is None else params.first
    numbers = range(first, min(first + count - 1, last) + 1)
    records = (view.batch(number) for number in numbers)
    return [
        summary(record, view.heads, view.proof_system) for record in records if record is not None
    ]


def find_batch(view: VenueView, number: int) -> BatchRecord:
    record = view.batch(number)
    if record is None:
        raise NotFound(
            "unknown_batch",
            f"this node has no batch {number}",
            "rollup_syncStatus tells the last batch; batch 0 is the genesis and has no record",
            expected=f"1 to {view.heads.unsafe}",
            got=number,
        )
    return record


def summary(record: BatchRecord, heads: Heads, proof_system: str) -> BatchSummary:
    is_settled = record.number <= heads.confirmed
    return BatchSummary(
        number=record.number,
        certainty=certainty(record.number, heads),
        settlement=settled_by(proof_system) if is_settled else None,
        batch_hash=Hash(record.batch_hash) if record.batch_hash else None,
        state_root=Hash(record.state_root),
        withdrawals_root=Hash(record.withdrawals_root),
        withdrawals=record.withdrawals,
        steps=record.steps,
        transactions=record.transactions,
        orders=record.orders,
        fills=record.fills,
        items=record.items,
        raw_bytes=record.raw_bytes,
        compressed_bytes=record.compressed_bytes,
        time_min=record.time_min,
        time_max=record.time_max,
        void=record.void or None,
        posted_block=record.posted_block or None,
        posted_transaction=Hash(record.posted_transaction) if record.posted_transaction else None,
        conservation=conservation(record.figures) if record.figures else None,
    )


def certainty(number: int, heads: Heads) -> str:
    """The strongest that can be said of a batch."""
    for name in ("confirmed", "finalized", "safe"):
        if number <= getattr(heads, name):
            return name
    return "unsafe"
