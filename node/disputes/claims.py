"""What a challenger knows of the claims, and what L1 is sent about them."""

from collections.abc import Iterable, Sequence

from contracts import calls, disputes
from node.disputes.reading import Seen
from node.errors import Halt
from node.followed import Followed
from node.follower import FollowerService
from node.rollup_events import BatchPosted, Contested
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
)
from prover.dispute.views import ResultStatus
from state.batch import decode_header, encode_output, output_hash
from state.chunks import decode_chunk, split_payload
from state.crypto import ZERO_HASH, keccak
from state.lz4_block import CodecError


def right_contests(followed: Followed) -> list[Contested]:
    """Every contest of a parent that is the right claim on its batch, reopened ones once each."""
    return [
        contest
        for contest in followed.contests
        if contest.batch <= followed.number
        and contest.parent == followed.claim_on(contest.batch - 1)
    ]


def settlement_standing(
    followed: Followed,
    seen: Sequence[Seen],
    malformed: Sequence[BatchPosted],
    *,
    credited: int,
    bonds: int,
) -> SettlementStanding:
    """What stands, of batches that somebody claims wrongly and of those that they wait for.

    `malformed` are the batches that L1 does not know to be void. Where nobody disputes anything,
    `right` is empty: to claim and to confirm is then a claimant's part.
    """
    confirmed = followed.confirmed
    disputed = {
        claim.batch
        for claim in followed.wrong_claims
        if claim.batch > confirmed and claim.parent == followed.claim_on(claim.batch - 1)
    }
    numbers = sorted(disputed | {confirmed + 1}) if disputed else []
    results = {each.standing.parent: each for each in seen}
    return SettlementStanding(
        claim_window=followed.terms.parameters.claim_window,
        confirmed=confirmed,
        right=[
            _right(followed, number, results.get(followed.claim_on(number - 1)))
            for number in numbers
        ],
        malformed={event.number: bad_chunk(event)[0] for event in malformed},
        rejectable=[
            claim.claim
            for claim in followed.wrong_claims
            if claim.batch <= confirmed and claim.claim not in followed.rejections
        ],
        credits=credited,
        bonds=bonds,
    )


def _right(followed: Followed, number: int, seen: Seen | None) -> RightClaim:
    """The last contest of the parent counts: `seen` has them in their order."""
    parent, claim = followed.claim_on(number - 1), followed.claim_on(number)
    made = followed.claims.get(claim)
    children = [one.time for one in followed.claims.values() if one.parent == parent]
    return RightClaim(
        batch=number,
        parent=parent,
        claim=claim,
        claimed_at=made.time if made is not None else None,
        rivals=min(len(children), 2),
        first_at=min(children, default=0),
        contested_at=seen.contest.time if seen is not None else 0,
        result=ResultStatus(seen.result.status) if seen is not None else ResultStatus.OPEN,
        winner=seen.result.claim if seen is not None else ZERO_HASH,
    )


def malformed_batches(follower: FollowerService, followed: Followed) -> list[BatchPosted]:
    """Every unsettled batch that is void, and that L1 has no proof of."""
    unknown = {
        batch.record.number
        for batch in followed.batches[followed.confirmed :]
        if batch.record.void and batch.record.number not in followed.voided
    }
    if not unknown:
        return []
    kept = follower.kept_events(followed.batches[min(unknown) - 1].record.posted_block)
    return [event for event in kept if isinstance(event, BatchPosted) and event.number in unknown]


def bad_chunk(event: BatchPosted) -> tuple[int, bytes]:
    """The first chunk of a void batch that is none, counted from 0, and its compressed bytes."""
    header = decode_header(event.header)
    chunks = split_payload(event.payload, [chunk.size for chunk in header.chunks])
    for index, (data, chunk) in enumerate(zip(chunks, header.chunks, strict=True)):
        try:
            decode_chunk(data, chunk.raw_hash)
        except CodecError:
            return index, data
    raise AssertionError(f"every chunk of batch {event.number} decodes")


def settlement_calldata(
    followed: Followed, malformed: Iterable[BatchPosted], move: SettlementMove
) -> bytes:
    """What L1 is sent for a move: the rollup, but `Withdraw` goes to the contract of disputes."""
    match move:
        case VoidBatch():
            event = next(one for one in malformed if one.number == move.number)
            _, compressed = bad_chunk(event)
            return calls.prove_malformed(
                number=move.number, header=event.header, chunk=move.chunk, compressed=compressed
            )
        case MakeClaim():
            batch = followed.batches[move.batch - 1]
            return calls.claim(
                parent_claim=batch.parent_claim,
                output=encode_output(batch.output),
                header=batch.header,
            )
        case Confirm():
            batch = followed.batches[move.batch - 1]
            return calls.confirm(
                parent_claim=batch.parent_claim, output_hash=output_hash(batch.output)
            )
        case Reject():
            made = followed.claims[move.claim]
            return calls.reject(parent_claim=made.parent, output_hash=keccak(made.output))
        case Reopen():
            return calls.reopen(move.parent)
        case Withdraw():
            return disputes.withdraw()
        case WithdrawBonds():
            return calls.claim_bond_withdraw()


def check_confirmed(followed: Followed, batch: int, claim: bytes) -> None:
    """Halt where L1 has confirmed another claim than the right one."""
    if claim != followed.claim_on(batch):
        raise Halt(
            f"WRONG_CLAIM_CONFIRMED: L1 confirmed claim 0x{claim.hex()} on batch "
            f"{batch}, executed here 0x{followed.claim_on(batch).hex()}; a bond on "
            "what follows it would be lost: find out which of the two is wrong"
        )
