"""Withdrawals: where each stands on its way to L1, and the proof that gets it paid."""

from node.rpc.amounts import usdc
from node.rpc.errors import NotFound
from node.rpc.params import WithdrawalParams, WithdrawalProofParams
from node.rpc.rollup_results import (
    ClaimSummary,
    PaymentSummary,
    WithdrawalProof,
    WithdrawalStatus,
)
from node.rpc.views.rollup import find_batch
from node.rpc.wire import U64, Address, Hash, Hex
from node.view import (
    BatchRecord,
    ClaimRecord,
    PaymentRecord,
    SettlementView,
    VenueView,
)
from state.tree import Tree
from state.withdrawals import Withdrawal


def withdrawal(view: VenueView, params: WithdrawalParams) -> WithdrawalStatus:
    """The next stage is named by what it waits for."""
    found = find_withdrawal(view, params.index)
    record = batch_of(view, found.index)
    claim = claim_on(view, record)
    payment = view.payment(found.index) if isinstance(view, SettlementView) else None
    status, waits_for = _stage(view, record, claim, payment)
    return WithdrawalStatus(
        index=found.index,
        account=found.account,
        recipient=Address(found.recipient),
        amount=usdc(found.amount),
        micro=U64(found.amount),
        status=status,
        waits_for=waits_for,
        batch=record.number if record else None,
        claim=_claim(claim) if claim else None,
        payment=_payment(payment) if payment else None,
    )


def withdrawal_proof(view: VenueView, params: WithdrawalProofParams) -> WithdrawalProof:
    """The branch of a withdrawal to the withdrawals root after a batch."""
    found = find_withdrawal(view, params.index)
    record = _proving_batch(view, found, params.batch)
    tree = view.commitment().withdrawals
    if record is not None:
        tree = tree_after(tree, record, len(view.state.withdrawals))
    claim = claim_on(view, record)
    return WithdrawalProof(
        index=found.index,
        key=Hex(found.index.to_bytes(tree.depth // 8, "big")),
        leaf=Hex(tree.leaf(found.index)),
        siblings=[Hash(sibling) for sibling in tree.branch(found.index)],
        withdrawals_root=Hash(tree.root),
        batch=record.number if record else None,
        confirmed=record is not None and record.number <= view.heads.confirmed,
        parent_claim=Hash(claim.parent) if claim and claim.parent else None,
        output=Hex(claim.output) if claim and claim.output else None,
    )


def find_withdrawal(view: VenueView, index: int) -> Withdrawal:
    withdrawals = view.state.withdrawals
    if index >= len(withdrawals):
        raise NotFound(
            "unknown_withdrawal",
            f"there is no withdrawal {index}; there are {len(withdrawals)}, numbered from 0",
            "use the index that the receipt of the withdrawal names",
            expected=f"below {len(withdrawals)}",
            got=index,
        )
    return withdrawals[index]


def batch_of(view: VenueView, index: int) -> BatchRecord | None:
    """The first batch that has withdrawal `index`; None while that batch is not sealed."""
    low, high, found = 1, view.heads.unsafe, None
    while low <= high:
        middle = (low + high) // 2
        record = view.batch(middle)
        if record is not None and record.withdrawals > index:
            found, high = record, middle - 1
        else:
            low = middle + 1
    return found


def claim_on(view: VenueView, record: BatchRecord | None) -> ClaimRecord | None:
    """The claim on a batch, where there is one and the node follows claims."""
    if record is None or not isinstance(view, SettlementView):
        return None
    return view.claim(record.number)


def tree_after(tree: Tree, record: BatchRecord, count: int) -> Tree:
    """The withdrawals tree after a batch, from one of `count` leaves: the later ones go."""
    return tree.update(dict.fromkeys(range(record.withdrawals, count), b""))


def _proving_batch(view: VenueView, found: Withdrawal, number: int | None) -> BatchRecord | None:
    if number is None:
        first = batch_of(view, found.index)
        confirmed = view.batch(view.heads.confirmed)
        if confirmed is not None and confirmed.withdrawals > found.index:
            return confirmed
        return first
    record = find_batch(view, number)
    if record.withdrawals <= found.index:
        raise NotFound(
            "withdrawal_not_in_batch",
            f"withdrawal {found.index} comes after batch {number}",
            "name a later batch; rollup_withdrawal tells the first that has it",
            expected=f"a batch with more than {found.index} withdrawals",
            got=f"batch {number} with {record.withdrawals}",
        )
    return record


def _stage(
    view: VenueView,
    record: BatchRecord | None,
    claim: ClaimRecord | None,
    payment: PaymentRecord | None,
) -> tuple[str, str | None]:
    if payment is not None:
        return "paid", None
    if record is None:
        return "sequenced", "the sequencer, to seal the batch in progress"
    number, heads = record.number, view.heads
    if number <= heads.confirmed:
        return "confirmed", "anyone, to call the rollup's withdraw with rollup_withdrawalProof"
    if claim is not None:
        until = f" (L1 time {claim.confirmable_at})" if claim.confirmable_at else ""
        return "claimed", f"the end of the window of the claim on batch {number}{until}"
    if number <= heads.safe and view.proof_system:
        return "posted", f"a claimant, to prove the output of batch {number} ({view.proof_system})"
    if number <= heads.safe:
        return "posted", f"a claimant, to claim the output of batch {number}"
    return "sealed", f"the sequencer, to post batch {number} to L1"


def _claim(claim: ClaimRecord) -> ClaimSummary:
    return ClaimSummary(
        batch=claim.batch,
        claim=Hash(claim.claim),
        claimed_block=claim.claimed_block or None,
        claimed_at=claim.claimed_at or None,
        confirmable_at=claim.confirmable_at or None,
        confirmed_block=claim.confirmed_block or None,
    )


def _payment(payment: PaymentRecord) -> PaymentSummary:
    transaction = Hash(payment.transaction) if payment.transaction else None
    return PaymentSummary(block=payment.block, transaction=transaction)
