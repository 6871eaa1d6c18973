"""Calldata for everything the rollup can be asked to do, and for its deployment.

Amounts are micro-USDC, times are seconds, hashes are 32 bytes, addresses 20.
"""

from collections.abc import Sequence

import msgspec
from eth_abi.abi import encode

from contracts.abi import Function

DEPOSIT = Function("deposit", ("uint64", "uint8"))
WITHDRAW = Function(
    "withdraw",
    ("bytes32", "bytes", "uint32", "uint32", "address", "uint64", "bytes32[32]"),
)
REVOKE_KEY = Function("revoke_key", ("uint32", "uint32"))
ACCEPT_NUMBER = Function("accept_number", ("uint32",))
ROTATE_OWNER = Function("rotate_owner", ("uint32", "address"))
LIST_MARKET = Function("list_market", ("bytes",))
SCHEDULE_LISTING = Function("schedule_listing", ("bytes",))
SCHEDULE_PARAMETERS = Function("schedule_parameters", ("bytes",))
CANCEL_SCHEDULED = Function("cancel_scheduled", ("uint16",))
APPLY_SCHEDULED = Function("apply_scheduled", ("uint8", "bytes"))
POST_BATCH = Function(
    "post_batch",
    (
        "uint64",
        "uint64",
        "bytes32",
        "uint64",
        "uint64",
        "uint16[]",
        "bytes32[]",
        "bytes",
        "bytes32",
    ),
)
FORCE_BATCH = Function("force_batch", ("uint64", "uint64", "bytes32"))
CLAIM = Function("claim", ("bytes32", "bytes", "bytes"))
CONFIRM = Function("confirm", ("bytes32", "bytes32"))
REJECT = Function("reject", ("bytes32", "bytes32"))
REOPEN = Function("reopen", ("bytes32",))
PROVE_CLAIM = Function("prove_claim", ("bytes32", "bytes", "bytes", "bytes", "bytes"))
CLAIM_BOND_WITHDRAW = Function("claim_bond_withdraw")
PROVE_MALFORMED = Function("prove_malformed", ("uint64", "bytes", "uint8", "bytes"))

FUNCTIONS = (
    DEPOSIT,
    WITHDRAW,
    REVOKE_KEY,
    ACCEPT_NUMBER,
    ROTATE_OWNER,
    LIST_MARKET,
    SCHEDULE_LISTING,
    SCHEDULE_PARAMETERS,
    CANCEL_SCHEDULED,
    APPLY_SCHEDULED,
    POST_BATCH,
    FORCE_BATCH,
    CLAIM,
    CONFIRM,
    REJECT,
    REOPEN,
    PROVE_CLAIM,
    CLAIM_BOND_WITHDRAW,
    PROVE_MALFORMED,
)

CONSTRUCTOR_INPUTS = (
    "address",
    "address",
    "address",
    "bytes32",
    "(address,address,address,address)",
    "(uint64,uint64,uint64,uint64,uint256,uint64)",
)


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment fixes for ever: delays in seconds, the bond in wei."""

    inbox_delay: int
    force_delay: int
    time_lag_max: int
    claim_window: int
    claim_bond: int
    parameter_delay: int


class ProofContracts(msgspec.Struct, frozen=True, kw_only=True):
    """Where the contracts are that decide on L1 whether a proof is one.

    Without `step`, the router of `contracts.step`, no step can be proven. Without `disputes`,
    deployed for this rollup alone, rivals stall one another for ever. With a `verifier`, as
    `contracts.mock_verifier` deploys, claims are proven and none is made under bond.
    """

    chunks: bytes
    step: bytes = bytes(20)
    disputes: bytes = bytes(20)
    verifier: bytes = bytes(20)


def deployment(
    creation_code: bytes,
    *,
    token: bytes,
    sequencer: bytes,
    governor: bytes,
    genesis_output_hash: bytes,
    proof_contracts: ProofContracts,
    parameters: Parameters,
) -> bytes:
    """Creation code with its arguments: the data of the transaction that deploys a rollup."""
    arguments = (
        token,
        sequencer,
        governor,
        genesis_output_hash,
        msgspec.structs.astuple(proof_contracts),
        msgspec.structs.astuple(parameters),
    )
    return creation_code + encode(CONSTRUCTOR_INPUTS, arguments)


def deposit(*, amount: int, subaccount: int) -> bytes:
    """Takes `amount`, which the token must have been told to allow, from the sender."""
    return DEPOSIT.encode(amount, subaccount)


def withdraw(
    *,
    parent_claim: bytes,
    output: bytes,
    index: int,
    account: int,
    recipient: bytes,
    amount: int,
    branch: Sequence[bytes],
) -> bytes:
    """Pays a withdrawal proven by 32 siblings, root to leaf, against a confirmed claim."""
    return WITHDRAW.encode(parent_claim, output, index, account, recipient, amount, branch)


def revoke_key(*, account: int, key_epoch: int) -> bytes:
    """Appends the revocation of a session key; it counts if the account's owner sends it."""
    return REVOKE_KEY.encode(account, key_epoch)


def accept_number(number: int) -> bytes:
    """Lets the owner of `number` hand it to the sender; 0 takes that back."""
    return ACCEPT_NUMBER.encode(number)


def rotate_owner(*, account: int, new_owner: bytes) -> bytes:
    """Has `account` follow its number, which moves to `new_owner` first if the sender has it."""
    return ROTATE_OWNER.encode(account, new_owner)


def list_market(listing: bytes) -> bytes:
    """Appends a listing to the inbox, while nobody has deposited; the governor only."""
    return LIST_MARKET.encode(listing)


def schedule_listing(listing: bytes) -> bytes:
    """Announces a new market; the governor only."""
    return SCHEDULE_LISTING.encode(listing)


def schedule_parameters(listing: bytes) -> bytes:
    """Announces a market's next parameters, as a listing; the governor only."""
    return SCHEDULE_PARAMETERS.encode(listing)


def cancel_scheduled(market: int) -> bytes:
    """Takes back what was announced for a market; the governor only."""
    return CANCEL_SCHEDULED.encode(market)


def apply_scheduled(kind: int, listing: bytes) -> bytes:
    """Appends what was announced, to the byte, once its delay is over; `kind` is the item's."""
    return APPLY_SCHEDULED.encode(kind, listing)


def post_batch(
    *,
    parent: bytes,
    inbox_to: int,
    origin_number: int,
    origin_hash: bytes,
    time_min: int,
    time_max: int,
    chunks: Sequence[bytes],
    raw_hashes: Sequence[bytes],
) -> bytes:
    """Posts `chunks`, compressed, behind the batch whose hash is `parent`; the sequencer only."""
    sizes = [len(chunk) for chunk in chunks]
    return POST_BATCH.encode(
        inbox_to,
        origin_number,
        origin_hash,
        time_min,
        time_max,
        sizes,
        raw_hashes,
        b"".join(chunks),
        parent,
    )


def force_batch(*, inbox_to: int, origin_number: int, origin_hash: bytes) -> bytes:
    """Posts the overdue inbox as a batch without chunks."""
    return FORCE_BATCH.encode(inbox_to, origin_number, origin_hash)


def claim(*, parent_claim: bytes, output: bytes, header: bytes) -> bytes:
    """Claims `output` for the batch of `header`; the value sent is the bond."""
    return CLAIM.encode(parent_claim, output, header)


def confirm(*, parent_claim: bytes, output_hash: bytes) -> bytes:
    """Settles keccak(parent_claim | output_hash)."""
    return CONFIRM.encode(parent_claim, output_hash)


def reject(*, parent_claim: bytes, output_hash: bytes) -> bytes:
    """Gives up keccak(parent_claim | output_hash), which can never confirm any more."""
    return REJECT.encode(parent_claim, output_hash)


def reopen(parent_claim: bytes) -> bytes:
    """Contests `parent_claim` anew, whose dispute nobody won."""
    return REOPEN.encode(parent_claim)


def prove_claim(
    *, grandparent: bytes, parent_output: bytes, output: bytes, header: bytes, proof: bytes
) -> bytes:
    """Confirms `output` at once, where the deployment's verifier takes `proof`.

    keccak(grandparent | keccak(parent_output)) is the last confirmed claim.
    """
    return PROVE_CLAIM.encode(grandparent, parent_output, output, header, proof)


def claim_bond_withdraw() -> bytes:
    """Sends the sender the bonds of their settled claims."""
    return CLAIM_BOND_WITHDRAW.encode()


def prove_malformed(*, number: int, header: bytes, chunk: int, compressed: bytes) -> bytes:
    """Makes a batch void by its chunk `chunk`, counted from 0, if that one is none."""
    return PROVE_MALFORMED.encode(number, header, chunk, compressed)
