# pragma version 0.4.3
"""
@title One step: what follows a state, by the rules and by what this deployment knows
@notice docs/step.md. The contract that re-executes a step is told the facts of this deployment by L1
        itself: whoever asks chooses a witness and an input, and neither decides anything.
"""

from . import batches
from . import inbox
from . import malformed
from .state import limits
from .state import machine
from .steps import step

uses: batches
uses: inbox
uses: malformed


# Where the machine's bytes hold what the facts hang on: docs/protocol.md, section 3.6.
MACHINE_BATCH: constant(uint256) = 1
MACHINE_BATCH_HASH: constant(uint256) = 9
MACHINE_INBOX: constant(uint256) = 75

DOMAIN_TYPE_HASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
NAME_HASH: constant(bytes32) = keccak256("Tallystick")
VERSION_HASH: constant(bytes32) = keccak256("1")


# @notice The contract that re-executes a step, steps/step.vy; zero where no step can be proven.
STEP: public(immutable(address))

# What every signature of this deployment is over.
SEPARATOR: immutable(bytes32)


@deploy
def __init__(step_address: address):
    """
    @param step_address A deployment of steps/step.vy, or zero.
    """
    has_step: bool = step_address != empty(address)
    assert not has_step or step_address.is_contract, "one_step: step is not a contract"
    STEP = step_address
    SEPARATOR = keccak256(
        abi_encode(DOMAIN_TYPE_HASH, NAME_HASH, VERSION_HASH, chain.id, self)
    )


@external
@view
def prove_step(
    root: bytes32,
    machine_bytes: Bytes[machine.MACHINE_BYTES],
    roots: bytes32[3],
    leaves: Bytes[limits.LEAVES_BYTES_MAX],
    proofs: Bytes[limits.PROOFS_BYTES_MAX],
    given: Bytes[limits.INPUT_BYTES_MAX],
) -> (bytes32, uint256):
    """
    @notice The state root after the step that follows `root`, and the status it leaves. Reverts where
            the proof is none, which says nothing about the step.
    @param machine_bytes With `roots`, `leaves` and `proofs` a witness of the state of that root.
    @param given What the step reads beside the state.
    """
    assert STEP != empty(address), "one_step: no step can be proven here"
    facts: step.Facts = self._facts(machine_bytes)
    return staticcall step.__interface__(STEP).step(root, machine_bytes, roots, leaves, proofs, given, facts)


@internal
@view
def _facts(machine_bytes: Bytes[machine.MACHINE_BYTES]) -> step.Facts:
    """
    @notice What L1 knows beside a claim, for the step that the machine is at; zero where it does not ask.
    """
    facts: step.Facts = empty(step.Facts)
    facts.separator = SEPARATOR
    if extract32(machine_bytes, MACHINE_BATCH_HASH) == empty(bytes32):
        batch: uint256 = extract32(machine_bytes, MACHINE_BATCH, output_type=uint256) >> 192
        number: uint64 = convert(batch + 1, uint64)
        facts.batch_hash = batches.batch_hashes[number]
        facts.is_void = malformed.void_batches[number]
    else:
        index: uint256 = extract32(machine_bytes, MACHINE_INBOX, output_type=uint256) >> 192
        facts.accumulator = inbox.accumulator[convert(index, uint64)]
        facts.next_accumulator = inbox.accumulator[convert(index + 1, uint64)]
    return facts
