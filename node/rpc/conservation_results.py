"""What conserves the venue's money, as a batch was executed and as it is claimed on L1."""

from node.rpc.results import Result
from node.rpc.wire import Address, Hash


class Conservation(Result, frozen=True):
    """Sums over the whole venue after a batch: USD, and lots of all markets together.

    held = cash + pools + insurance + fees + withdrawn. `conserved` where held = deposited and
    long_lots = short_lots; else `verdict` says what is not. `withdrawn` has left the accounts,
    whether L1 has paid it or not. `bad_debt` and `dust` say where sums came from and are no part
    of what is held.
    """

    deposited: str
    cash: str
    pools: str
    insurance: str
    fees: str
    withdrawn: str
    held: str
    bad_debt: str
    dust: str
    long_lots: str
    short_lots: str
    conserved: bool
    verdict: str


class ClaimDifference(Result, frozen=True):
    """A field of a claim that is not as executed."""

    field: str
    claimed: str
    executed: str


class ClaimOnBatch(Result, frozen=True):
    """A claim on L1. `status` is pending, confirmed or rejected; `right`: as executed here.

    A wrong claim may conserve: `differences` tell what is wrong with it.
    """

    claim: Hash
    parent: Hash
    claimant: Address
    claimed_block: int
    claimed_at: int
    status: str
    right: bool
    differences: list[ClaimDifference]
    conservation: Conservation


class BatchClaims(Result, frozen=True):
    """Every claim on a batch beside what was executed, which is null in an older node's record.

    `paid` is what L1 has paid so far of the withdrawals up to the batch, in USD, `pending` what
    of `executed.withdrawn` it has not. `followed` is false on a node that follows no claims, such
    as a sequencer: then there are none, and `paid` and `pending` are null.
    """

    batch: int
    followed: bool
    executed: Conservation | None
    paid: str | None
    pending: str | None
    claims: list[ClaimOnBatch]
