"""The claimant: says on L1, under bond, what every batch led to, and settles it in time.

Where the rollup takes proofs it proves instead, and nothing is bonded or waited for.
"""

from dataclasses import dataclass, field

import structlog

from contracts import calls, dispute_views, views
from contracts.dispute_views import ResultStatus
from contracts.views import ClaimStatus, ConfirmedHead
from node.acting import ActingService, CheckChain, any_chain
from node.claim_prover import ClaimProver
from node.clock import Clock
from node.database import OpenDatabase, open_leveldb
from node.disputes.claims import check_confirmed
from node.followed import Followed
from node.follower import FollowerConfig
from node.l1.client import L1Client
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from prover.claims import ConfirmClaim, MakeClaim, Move, ProveClaim, Standing, next_move
from state.batch import encode_output, output_hash
from state.crypto import ZERO_ADDRESS

log = structlog.get_logger(__name__)

# What a claimant hears when another one was faster, or L1's clock is behind ours.
BEATEN = frozenset(
    {
        "claims: already claimed",
        "claims: not a pending claim",
        "validity: parent is not the last",
    }
)
EARLY = "claims: window is open"

DONE = {MakeClaim: "claimed", ConfirmClaim: "confirmed", ProveClaim: "proven"}


@dataclass(frozen=True, slots=True)
class ClaimantConfig:
    """A batch is claimed once its block has `confirmations` blocks on top of it."""

    follower: FollowerConfig
    private_key: bytes = field(repr=False)
    confirmations: int = 0


class ClaimantService(ActingService):
    """Executes every batch itself and claims nothing else. Nothing is remembered between runs:
    what to do next is read off L1, and what was done already, L1 refuses.
    """

    def __init__(
        self,
        config: ClaimantConfig,
        clock: Clock,
        *,
        client: L1Client | None = None,
        open_database: OpenDatabase = open_leveldb,
        check_chain: CheckChain = any_chain,
    ) -> None:
        super().__init__(
            config.follower,
            clock,
            client=client,
            open_database=open_database,
            check_chain=check_chain,
        )
        self.config = config
        self._sender: TransactionSender | None = None
        self._prover: ClaimProver | None = None
        self._claimed_to = 0

    async def act(self) -> bool:
        """Make the next move, if there is one. Halt where a wrong claim was confirmed."""
        followed = self.follower.followed
        if followed is None:
            return False
        head = await self.follower.reader.read(views.CONFIRMED_HEAD)
        if head.batch > followed.number:
            return False
        check_confirmed(followed, head.batch, head.claim)
        move = await self._next_move(followed, head)
        if move is None:
            return await self._collect_bonds()
        # Or a claimant whose money is out in bonds could never claim, or object, again.
        if isinstance(move, MakeClaim) and await self._is_short(followed):
            await self._collect_bonds()
        return await self._make(followed, move)

    async def _is_short(self, followed: Followed) -> bool:
        """Whether what is at hand is not plainly enough for another claim and its gas."""
        balance = await self.follower.client.balance(self._sending(followed).address)
        return balance < 2 * followed.terms.parameters.claim_bond

    async def _next_move(self, followed: Followed, head: ConfirmedHead) -> Move | None:
        latest = await self.follower.reader.block("latest")
        claimable = followed.number_at(latest.number - self.config.confirmations)
        if followed.terms.takes_proofs:
            standing = Standing(
                confirmed=head.batch,
                claimed_at=None,
                rivals=0,
                unclaimed=head.batch + 1,
                claimable=claimable,
            )
            return next_move(standing, now=latest.timestamp, window=0, takes_proofs=True)
        parent = await self.follower.reader.read(views.CLAIM_RECORD, head.claim)
        has_rivals = parent.children > 1
        has_won = has_rivals and await self._has_won(followed, head)
        self._tell(_rivals(followed, head.batch + 1) if has_rivals and not has_won else [])
        standing = Standing(
            confirmed=head.batch,
            claimed_at=await self._claimed_at(followed, head.batch + 1),
            rivals=parent.children,
            has_won=has_won,
            unclaimed=await self._unclaimed(followed, head.batch),
            claimable=claimable,
        )
        # L1's next block is later than its last; the estimate of gas tells if it is too early.
        now = max(latest.timestamp, int(self.clock.now()))
        return next_move(standing, now=now, window=followed.terms.parameters.claim_window)

    async def _has_won(self, followed: Followed, head: ConfirmedHead) -> bool:
        """Whether the dispute over the batch behind the confirmed head is won, and by our claim."""
        disputes, number = followed.terms.disputes, head.batch + 1
        if disputes == ZERO_ADDRESS or number > followed.number:
            return False
        contested_at = await self.follower.reader.read(views.CONTESTED_AT, head.claim)
        asked = dispute_views.RESULT.call(head.claim, contested_at)
        answer = await self.follower.client.call(disputes, asked)
        found = dispute_views.RESULT.answer(answer)
        return found.status == ResultStatus.WON and found.claim == followed.claim_on(number)

    async def _unclaimed(self, followed: Followed, confirmed: int) -> int:
        """The first batch after `confirmed` that nobody claimed rightly."""
        # Claims that were seen need no second look, unless L1 took the last of them back.
        known = max(self._claimed_to, confirmed)
        if await self._claimed_at(followed, known) is None:
            known = confirmed
        while await self._claimed_at(followed, known + 1) is not None:
            known += 1
        self._claimed_to = known
        return known + 1

    async def _claimed_at(self, followed: Followed, number: int) -> int | None:
        """When the right claim on a batch was made, in seconds of L1; None if it was not."""
        if number > followed.number:
            return None
        record = await self.follower.reader.read(views.CLAIM_RECORD, followed.claim_on(number))
        return None if record.status == ClaimStatus.UNKNOWN else record.time

    async def _make(self, followed: Followed, move: Move) -> bool:
        batch = followed.batches[move.batch - 1]
        match move:
            case MakeClaim():
                data = calls.claim(
                    parent_claim=batch.parent_claim,
                    output=encode_output(batch.output),
                    header=batch.header,
                )
                bond = followed.terms.parameters.claim_bond
                done = await self._send(followed, data, value=bond)
            case ConfirmClaim():
                data = calls.confirm(
                    parent_claim=batch.parent_claim, output_hash=output_hash(batch.output)
                )
                done = await self._send(followed, data)
            case ProveClaim():
                done = await self._send(followed, await self._proof(followed, move.batch))
        if done:
            log.info(
                DONE[type(move)],
                batch=move.batch,
                claim=batch.claim.hex(),
                **_proof_system(followed),
            )
        return done

    async def _proof(self, followed: Followed, number: int) -> bytes:
        if self._prover is None:
            prover = ClaimProver(self.follower, self.config.private_key)
            await prover.check(followed)
            self._prover = prover
        return await self._prover.calldata(followed, number)

    async def _collect_bonds(self) -> bool:
        followed = self.follower.followed
        assert followed is not None
        address = self._sending(followed).address
        bonds = await self.follower.reader.read(views.CLAIM_BONDS, address)
        if bonds == 0:
            return False
        log.info("collecting bonds", wei=bonds)
        return await self._send(followed, calls.claim_bond_withdraw())

    async def _send(self, followed: Followed, data: bytes, *, value: int = 0) -> bool:
        """True once it is mined; False where L1 already has it, or it is too early."""
        try:
            await self._sending(followed).send(followed.terms.rollup, data, value=value)
        except TransactionReverted as refusal:
            if refusal.reason in BEATEN or refusal.reason == EARLY:
                log.debug("not needed, or not yet", reason=refusal.reason)
                return False
            raise
        return True

    def _sending(self, followed: Followed) -> TransactionSender:
        if self._sender is None:
            self._sender = TransactionSender(
                self.follower.client,
                self.config.private_key,
                self.clock,
                chain_id=followed.terms.chain_id,
            )
        return self._sender

    def _failure(self, error: Exception) -> str:
        followed = self.follower.followed
        if followed is None or self._sender is None:
            return f"CLAIM_FAILED: {error}; it is tried again"
        bond, address = followed.terms.parameters.claim_bond, self._sender.address.hex()
        if followed.terms.takes_proofs:
            return f"CLAIM_FAILED: {error}; it is tried again, and 0x{address} needs some for gas"
        return (
            f"CLAIM_FAILED: {error}; it is tried again, and 0x{address} needs {bond} wei for "
            "every claim that is not settled, and some for gas"
        )


def _proof_system(followed: Followed) -> dict[str, str]:
    """What a log says of how a claim was settled, where that was a proof."""
    terms = followed.terms
    return {"proof_system": terms.proof_system} if terms.takes_proofs else {}


def _rivals(followed: Followed, batch: int) -> list[str]:
    told = f"RIVAL_CLAIMS: batch {batch} has several claims, and L1 confirms none while "
    if followed.terms.disputes == ZERO_ADDRESS:
        return [told + "they differ; nothing is lost, and withdrawals wait until that is decided"]
    return [
        told + "their dispute is open; withdrawals wait, and a right claim that nobody plays for "
        "loses: have a tallystick challenge running"
    ]
