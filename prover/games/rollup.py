"""The rollup of a toy machine, with one batch to claim: what contracts/claims.vy says of rivals."""

from copy import copy
from functools import lru_cache
from typing import Self

from msgspec import Struct, field, structs

from prover.dispute.entries import ClaimedOutput
from prover.dispute.ledger import CLAIM_CONFIRMED, CLAIM_PENDING, ClaimRecord, require
from prover.games.machine import GENESIS, VOID_STEPS, ToyState, after, shown
from state.crypto import keccak

CLAIM_REJECTED = 3
BATCH = 1
PARENT = keccak(b"the claim of genesis")
NO_CLAIM = ClaimRecord(0, 0)


def _genesis_alone() -> dict[bytes, ClaimRecord]:
    return {PARENT: ClaimRecord(0, CLAIM_CONFIRMED)}


@lru_cache(maxsize=1024)
def output_of(end: ToyState) -> ClaimedOutput:
    """The output that belongs to a state, and its claim; refused where the machine is not at rest
    behind the batch.
    """
    require(end.is_at_rest and end.batch == BATCH, "traces: machine is not at rest")
    return ClaimedOutput(
        parent=PARENT,
        claim=keccak(PARENT + end.root),
        parent_root=GENESIS.root,
        state_root=end.root,
        steps=end.step,
    )


class ToyRollup(Struct, kw_only=True):
    """`steps` of the batch where it is not void, `claim_window` in seconds. It answers the
    contract of disputes; `made` is when each claim was made and by whom.
    """

    steps: int
    claim_window: int
    is_void: bool = False
    is_malformed: bool = False
    rivals_since: int = 0
    confirmed: bytes = PARENT
    records: dict[bytes, ClaimRecord] = field(default_factory=_genesis_alone)
    made: dict[bytes, tuple[int, bytes]] = {}

    def copied(self) -> Self:
        return structs.replace(self, records=copy(self.records), made=copy(self.made))

    @property
    def first_at(self) -> int:
        """When the first claim was made; 0 where there is none."""
        return min((time for time, _ in self.made.values()), default=0)

    def contested_at(self, parent: bytes) -> int:
        return self.rivals_since if parent == PARENT else 0

    def claim_record(self, claim: bytes) -> ClaimRecord:
        return self.records.get(claim, NO_CLAIM)

    def confirmed_batch(self) -> int:
        return self.records[self.confirmed].batch

    def void_batch(self, batch: int) -> bool:
        return self.is_void and batch == BATCH

    def is_at_rest(self, root: bytes, witness: object) -> bool:
        return shown(root, witness).is_at_rest

    def prove_step(self, root: bytes, witness: object) -> bytes:
        return after(shown(root, witness), VOID_STEPS if self.is_void else self.steps).root

    def claim(self, sender: bytes, end: ToyState, now: int) -> None:
        """A second one contests the parent. Others are taken up to `claim_window` seconds from the
        first, or from the contest.
        """
        claim = output_of(end).claim
        require(claim not in self.records, "claims: already claimed")
        require(self.confirmed_batch() < BATCH, "claims: batch is settled")
        if self.made:
            in_time = now - max(self.first_at, self.rivals_since) <= self.claim_window
            require(in_time, "claims: too late for a rival")
            if len(self.made) == 1:
                self.rivals_since = now
        self.records[claim] = ClaimRecord(BATCH, CLAIM_PENDING)
        self.made[claim] = (now, sender)

    def void(self) -> None:
        """L1 finds that a chunk of the batch is none."""
        require(self.confirmed_batch() < BATCH, "malformed: batch is settled")
        require(not self.is_void, "malformed: batch is void already")
        require(self.is_malformed, "malformed: chunk is well-formed")
        self.is_void = True

    def confirm(self, claim: bytes, now: int, winner: bytes | None) -> None:
        """`winner` is the claim that won the dispute, None while nobody has."""
        require(self.claim_record(claim).status == CLAIM_PENDING, "claims: not a pending claim")
        require(self.confirmed == PARENT, "claims: parent is not confirmed")
        require(now - self.made[claim][0] >= self.claim_window, "claims: window is open")
        is_alone = len(self.made) == 1
        require(is_alone or winner == claim, "claims: rivals are undecided")
        self.records[claim] = ClaimRecord(BATCH, CLAIM_CONFIRMED)
        self.confirmed = claim

    def reject(self, claim: bytes) -> None:
        require(self.claim_record(claim).status == CLAIM_PENDING, "claims: not a pending claim")
        require(self.confirmed_batch() >= BATCH, "claims: claim may still confirm")
        self.records[claim] = ClaimRecord(BATCH, CLAIM_REJECTED)

    def reopen(self, now: int, nobody_won: bool) -> None:
        require(nobody_won, "claims: not without a winner")
        self.rivals_since = now
