"""All that the contract of disputes keeps, and how a call on its twin is undone."""

from collections.abc import Sequence
from copy import copy
from typing import Protocol, Self

from msgspec import Struct, structs

from prover.dispute.standing import Entered
from prover.dispute.views import DisputeView, EntryView, MatchView


class Refused(Exception):
    """A call that L1 takes back, with its reason: `module: text`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require(holds: bool, reason: str) -> None:
    """As `assert` in Vyper: the call is taken back where this does not hold."""
    if not holds:
        raise Refused(reason)


class Call(Struct, frozen=True, kw_only=True):
    """Who calls with how many wei, in an L1 block of this time (seconds) and base fee (wei)."""

    sender: bytes
    now: int
    value: int = 0
    base_fee: int = 0


class ClaimRecord(Struct, frozen=True):
    """What the rollup keeps of a claim: its batch, and 1 pending, 2 confirmed, 3 rejected."""

    batch: int
    status: int


CLAIM_PENDING = 1
CLAIM_CONFIRMED = 2


class Shown(Struct, frozen=True, kw_only=True):
    """One step as it is shown to L1: the root before it, the branch that proves that root to be
    the trace's (empty for leaf 0), and the witness.
    """

    previous: bytes
    previous_branch: Sequence[bytes] = ()
    witness: object = None


class Rollup(Protocol):
    """What the rollup answers."""

    def contested_at(self, parent: bytes) -> int:
        """Since when the children of a claim are rivals; 0 where they are none."""
        ...

    def claim_record(self, claim: bytes) -> ClaimRecord:
        """All zero where there is no such claim."""
        ...

    def confirmed_batch(self) -> int:
        """The batch of the confirmed head."""
        ...

    def void_batch(self, batch: int) -> bool:
        """Whether L1 knows that the batch is void."""
        ...

    def is_at_rest(self, root: bytes, witness: object) -> bool:
        """Whether the machine under `root` is at no batch. Refused where `witness` is another's."""
        ...

    def prove_step(self, root: bytes, witness: object) -> bytes:
        """The root after the next step. Refused where `witness` is another's."""
        ...


class Ledger(Struct, kw_only=True):
    """`insurance` gets what is left of lost bonds; `balance` in wei; `costs` of entries in gas;
    `earned` by match, side and mover in wei. `entered` and `published` are what L1 logged.
    """

    insurance: bytes
    balance: int = 0
    credits: dict[bytes, int] = {}
    disputes: dict[bytes, DisputeView] = {}
    entries: dict[bytes, EntryView] = {}
    costs: dict[bytes, int] = {}
    matches: dict[bytes, MatchView] = {}
    earned: dict[tuple[bytes, int, bytes], int] = {}
    entered: dict[bytes, Entered] = {}
    published: dict[bytes, Sequence[bytes]] = {}

    def copied(self) -> Self:
        """Another one that stays as this one is now."""
        fields = {name: copy(getattr(self, name)) for name in self.__struct_fields__}
        return structs.replace(self, **fields)

    def credit(self, account: bytes, amount: int) -> None:
        """`amount` wei more to withdraw for `account`."""
        assert amount >= 0, "no bond pays more than it is"
        if amount:
            self.credits[account] = self.credits.get(account, 0) + amount
