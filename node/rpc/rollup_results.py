"""What the `rollup_*` methods give: heads, batches, proofs and what a withdrawal waits for."""

from node.rpc.conservation_results import Conservation
from node.rpc.results import Result
from node.rpc.wire import U64, Address, Hash, Hex


class SyncStatus(Result, frozen=True):
    """The last batch at each degree of certainty, and what keeps the node from its work.

    `batch` and `time` are those of the state that this node serves; `sealed` says that it
    stands between two batches, so that its root is one that can be claimed.
    """

    role: str
    batch: int
    time: int
    sealed: bool
    unsafe: int
    safe: int
    finalized: int
    confirmed: int
    l1_block: int
    problems: list[str]


class RollupDomain(Result, frozen=True):
    """The EIP-712 domain that every signature is bound to."""

    name: str
    version: str
    chain_id: int
    verifying_contract: Address
    separator: Hash


class RollupConfig(Result, frozen=True):
    """The deployment: where it lives, and what its signatures and batches hang on.

    `mode` is optimistic, validity-mock or validity; `proof_system` is what its verifier calls
    itself, null where claims stand under bond. MOCK-ATTESTED is no proof: one key's word.
    """

    role: str
    version: int
    chain_id: int
    rollup: Address
    token: Address
    genesis_hash: Hash
    mode: str
    proof_system: str | None
    domain: RollupDomain


class BatchSummary(Result, frozen=True):
    """A batch. `certainty` is unsafe, safe, finalized or confirmed.

    `settlement` says how it was confirmed, claimed or proven (by what); null before that.
    `conservation` is as executed here; null in a record that an older version kept.
    """

    number: int
    certainty: str
    settlement: str | None
    batch_hash: Hash | None
    state_root: Hash
    withdrawals_root: Hash
    withdrawals: int
    steps: int
    transactions: int
    orders: int
    fills: int
    items: int
    raw_bytes: int
    compressed_bytes: int
    time_min: int
    time_max: int
    void: str | None
    posted_block: int | None
    posted_transaction: Hash | None
    conservation: Conservation | None


class Roots(Result, frozen=True):
    """What a state root is made of.

    state_root = keccak(version u16 | accounts_root | markets_root | board_root | keccak(machine))
    """

    batch: int
    sealed: bool
    version: int
    accounts_root: Hash
    markets_root: Hash
    board_root: Hash
    machine: Hex
    state_root: Hash


class AccountProof(Result, frozen=True):
    """The leaf at `key` and its 32 siblings, root to leaf; an absent account's leaf is 0x."""

    account: int
    key: Hex
    leaf: Hex
    siblings: list[Hash]
    roots: Roots


class MarketProof(Result, frozen=True):
    """The leaf at `key` and its 16 siblings, root to leaf. It holds both roots of its book."""

    market: int
    key: Hex
    leaf: Hex
    siblings: list[Hash]


class BestOrderProof(Result, frozen=True):
    """The first order of a side: every sibling on the left of its branch is empty.

    For an empty side the leaf is 0x at the last key, so that all siblings are on the left.
    """

    market: MarketProof
    side: str
    empty: bool
    key: Hex
    leaf: Hex
    siblings: list[Hash]
    book_root: Hash
    roots: Roots


class WithdrawalProof(Result, frozen=True):
    """The leaf at `key` and its 32 siblings in the withdrawals tree after `batch`.

    L1 pays it once a claim with this root is confirmed; `parent_claim` and `output` are what
    its `withdraw` asks for beside the leaf and the siblings, null before there is a claim.
    `batch` is null for the tree of the state as it stands, within a batch that is not sealed.
    """

    index: int
    key: Hex
    leaf: Hex
    siblings: list[Hash]
    withdrawals_root: Hash
    batch: int | None
    confirmed: bool
    parent_claim: Hash | None
    output: Hex | None


class ClaimSummary(Result, frozen=True):
    """A claim; times are seconds of L1, null while unknown."""

    batch: int
    claim: Hash
    claimed_block: int | None
    claimed_at: int | None
    confirmable_at: int | None
    confirmed_block: int | None


class PaymentSummary(Result, frozen=True):
    """The L1 transaction that paid a withdrawal."""

    block: int
    transaction: Hash | None


class WithdrawalStatus(Result, frozen=True):
    """Where a withdrawal stands: sequenced, sealed, posted, claimed, confirmed or paid.

    `waits_for` says what comes next and who does it; null when paid.
    """

    index: int
    account: int
    recipient: Address
    amount: str
    micro: U64
    status: str
    waits_for: str | None
    batch: int | None
    claim: ClaimSummary | None
    payment: PaymentSummary | None
