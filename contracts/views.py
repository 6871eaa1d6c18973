"""What can be read off the rollup: a View gives the calldata and shapes the answer."""

from enum import IntEnum

import msgspec

from contracts.abi import View


class ClaimStatus(IntEnum):
    """Where a claim stands."""

    UNKNOWN = 0
    PENDING = 1
    CONFIRMED = 2
    REJECTED = 3


class Item(msgspec.Struct, frozen=True):
    """An inbox item: its time, and the sums of everything up to and with it.

    `weight` counts steps, `deposited` micro-USDC.
    """

    time: int
    weight: int
    deposited: int


class Head(msgspec.Struct, frozen=True):
    """The last batch. The next one begins at `time_max` or later, and at item `inbox_to`."""

    number: int
    time_max: int
    inbox_to: int


class Scheduled(msgspec.Struct, frozen=True):
    """What is coming for a market, applicable from `ready_at`.

    `change_hash` is keccak(u8 kind | listing), zero for nothing.
    """

    change_hash: bytes
    ready_at: int


class ClaimRecord(msgspec.Struct, frozen=True):
    """What L1 keeps of a claim. Two children mean rivals, however many."""

    time: int
    claimant: bytes
    status: ClaimStatus
    children: int
    batch: int


class ConfirmedHead(msgspec.Struct, frozen=True):
    """The last confirmed claim and its batch."""

    batch: int
    claim: bytes


def _claim_record(
    time: int, claimant: bytes, status: int, children: int, batch: int
) -> ClaimRecord:
    return ClaimRecord(time, claimant, ClaimStatus(status), children, batch)


# --- escrow ---
TOKEN = View("TOKEN", (), ("address",), bytes)
IS_PAID = View("is_paid", ("uint32",), ("bool",), bool)

# --- owners ---
OWNER_COUNT = View("owner_count", (), ("uint32",), int)
OWNER_NUMBERS = View("owner_numbers", ("address",), ("uint32",), int)
NUMBER_OWNERS = View("number_owners", ("uint32",), ("address",), bytes)
ACCEPTED_NUMBERS = View("accepted_numbers", ("address",), ("uint32",), int)

# --- governance ---
GOVERNOR = View("GOVERNOR", (), ("address",), bytes)
PARAMETER_DELAY = View("PARAMETER_DELAY", (), ("uint64",), int)
SCHEDULED_CHANGES = View("scheduled_changes", ("uint16",), ("bytes32", "uint64"), Scheduled)

# --- inbox ---
INBOX_SIZE = View("inbox_size", (), ("uint64",), int)
INBOX_ITEM = View("inbox_item", ("uint64",), ("uint64", "uint64", "uint128"), Item)
ACCUMULATOR = View("accumulator", ("uint64",), ("bytes32",), bytes)

# --- batches ---
VERSION = View("VERSION", (), ("uint16",), int)
SEQUENCER = View("SEQUENCER", (), ("address",), bytes)
INBOX_DELAY = View("INBOX_DELAY", (), ("uint64",), int)
FORCE_DELAY = View("FORCE_DELAY", (), ("uint64",), int)
TIME_LAG_MAX = View("TIME_LAG_MAX", (), ("uint64",), int)
HEAD = View("head", (), ("uint64", "uint64", "uint64"), Head)
BATCH_HASHES = View("batch_hashes", ("uint64",), ("bytes32",), bytes)

# --- claims ---
GENESIS_CLAIM = View("GENESIS_CLAIM", (), ("bytes32",), bytes)
CLAIM_WINDOW = View("CLAIM_WINDOW", (), ("uint64",), int)
CLAIM_BOND = View("CLAIM_BOND", (), ("uint256",), int)
CLAIM_RECORD = View(
    "claim_record",
    ("bytes32",),
    ("uint64", "address", "uint8", "uint16", "uint32"),
    _claim_record,
)
CONFIRMED_HEAD = View("confirmed_head", (), ("uint64", "bytes32"), ConfirmedHead)
CLAIM_BONDS = View("claim_bonds", ("address",), ("uint256",), int)
CONTESTED_AT = View("contested_at", ("bytes32",), ("uint64",), int)
DISPUTES = View("DISPUTES", (), ("address",), bytes)
VERIFIER = View("VERIFIER", (), ("address",), bytes)

# --- validity ---
PROOF_SYSTEM = View("PROOF_SYSTEM", (), ("string",), str)

# --- malformed ---
CHUNKS = View("CHUNKS", (), ("address",), bytes)
VOID_BATCHES = View("void_batches", ("uint64",), ("bool",), bool)

# --- deployment ---
DEPLOYED_AT = View("DEPLOYED_AT", (), ("uint256",), int)
STEP = View("STEP", (), ("address",), bytes)

VIEWS = (
    TOKEN,
    IS_PAID,
    OWNER_COUNT,
    OWNER_NUMBERS,
    NUMBER_OWNERS,
    ACCEPTED_NUMBERS,
    GOVERNOR,
    PARAMETER_DELAY,
    SCHEDULED_CHANGES,
    INBOX_SIZE,
    INBOX_ITEM,
    ACCUMULATOR,
    VERSION,
    SEQUENCER,
    INBOX_DELAY,
    FORCE_DELAY,
    TIME_LAG_MAX,
    HEAD,
    BATCH_HASHES,
    GENESIS_CLAIM,
    CLAIM_WINDOW,
    CLAIM_BOND,
    CLAIM_RECORD,
    CONFIRMED_HEAD,
    CLAIM_BONDS,
    CONTESTED_AT,
    DISPUTES,
    VERIFIER,
    PROOF_SYSTEM,
    CHUNKS,
    VOID_BATCHES,
    DEPLOYED_AT,
    STEP,
)
