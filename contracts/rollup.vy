# pragma version 0.4.3
# pragma optimize codesize
"""
@title Tallystick: the half of the stick that L1 holds
@notice One deployment, one address. Escrow and inbox take in, batches fix the order,
        claims assert what it led to. Nobody can change the rules of a deployment: apart
        from the sequencer, who orders, and the governor, who lists markets, no one has
        a role here.
"""

from . import batches
from . import claims
from . import escrow
from . import governance
from . import inbox
from . import malformed
from . import one_step
from . import owners
from . import validity

initializes: inbox
initializes: batches[inbox := inbox]
initializes: claims[batches := batches, inbox := inbox]
initializes: validity[claims := claims]
initializes: malformed[batches := batches, claims := claims]
initializes: one_step[batches := batches, inbox := inbox, malformed := malformed]
initializes: owners[inbox := inbox]
initializes: governance[inbox := inbox]
initializes: escrow[claims := claims, inbox := inbox, owners := owners]

exports: (
    escrow.deposit,
    escrow.withdraw,
    escrow.is_paid,
    escrow.TOKEN,
)
exports: (
    owners.revoke_key,
    owners.accept_number,
    owners.rotate_owner,
    owners.owner_count,
    owners.owner_numbers,
    owners.number_owners,
    owners.accepted_numbers,
)
exports: (
    governance.list_market,
    governance.schedule_listing,
    governance.schedule_parameters,
    governance.cancel_scheduled,
    governance.apply_scheduled,
    governance.scheduled_changes,
    governance.GOVERNOR,
    governance.PARAMETER_DELAY,
)
exports: (
    inbox.inbox_item,
    inbox.inbox_size,
    inbox.accumulator,
)
exports: (
    batches.post_batch,
    batches.force_batch,
    batches.head,
    batches.batch_hashes,
    batches.VERSION,
    batches.SEQUENCER,
    batches.INBOX_DELAY,
    batches.FORCE_DELAY,
    batches.TIME_LAG_MAX,
)
exports: (
    claims.claim,
    claims.confirm,
    claims.reject,
    claims.reopen,
    claims.claim_bond_withdraw,
    claims.claim_record,
    claims.confirmed_head,
    claims.claim_bonds,
    claims.contested_at,
    claims.GENESIS_CLAIM,
    claims.CLAIM_WINDOW,
    claims.CLAIM_BOND,
    claims.DISPUTES,
    claims.VERIFIER,
)
exports: (
    validity.prove_claim,
    validity.PROOF_SYSTEM,
)
exports: (
    malformed.prove_malformed,
    malformed.void_batches,
    malformed.CHUNKS,
)
exports: (
    one_step.prove_step,
    one_step.STEP,
)


# @notice The block to read logs from: nothing happened before it.
DEPLOYED_AT: public(immutable(uint256))

struct ProofContracts:
    chunks: address  # steps/chunks.vy
    step: address  # steps/step.vy, or zero
    disputes: address  # disputes.vy, or zero
    verifier: address  # what takes a proof of a claim, or zero: claims stand under bond


struct Parameters:
    inbox_delay: uint64  # seconds
    force_delay: uint64  # seconds, above inbox_delay
    time_lag_max: uint64  # seconds
    claim_window: uint64  # seconds
    claim_bond: uint256  # wei
    parameter_delay: uint64  # seconds


@deploy
def __init__(
    token: address,
    sequencer: address,
    governor: address,
    genesis_output_hash: bytes32,
    proof_contracts: ProofContracts,
    parameters: Parameters,
):
    """
    @param token USDC, or on a development network a stand-in.
    @param sequencer Who posts batches.
    @param governor Who lists markets, and announces new ones and changes of parameters.
    @param genesis_output_hash keccak of the packed output of batch 0.
    @param proof_contracts What decides on L1 whether a proof is one. None that decodes or
           takes a step has storage; disputes.vy is of this rollup alone.
    """
    DEPLOYED_AT = block.number
    escrow.__init__(token)
    governance.__init__(governor, parameters.parameter_delay)
    batches.__init__(
        sequencer, parameters.inbox_delay, parameters.force_delay, parameters.time_lag_max
    )
    claims.__init__(
        genesis_output_hash,
        parameters.claim_window,
        parameters.claim_bond,
        proof_contracts.disputes,
        proof_contracts.verifier,
    )
    validity.__init__()
    malformed.__init__(proof_contracts.chunks)
    one_step.__init__(proof_contracts.step)
