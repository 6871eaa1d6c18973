"""A lie where claims are proven: what somebody would try who is not the attester.

Asked of L1 as it stood in the block before a claim was proven, when another output could have
been: the contract executes the call there, and nothing is sent.
"""

from eth_abi.abi import decode
from msgspec import Struct
from msgspec.structs import replace

from contracts import calls, views
from node.devnet.acts import Refused
from node.devnet.outcome import StoryFailed
from node.errors import L1Error
from node.l1.answers import raw
from node.l1.refusals import as_revert
from node.rollup import RollupReader
from node.rollup_events import BatchPosted, Claimed, Confirmed
from node.signatures import sign
from prover.mock_prover import digest, mock_proof
from prover.validity import Statement
from state.batch import Output, decode_header, decode_output, encode_output, output_hash
from state.crypto import keccak

NOT_PROVEN = "validity: not proven"
SELECTOR_BYTES = 4


class ProvenClaim(Struct, frozen=True, kw_only=True):
    """A claim as it was proven, the claim before it, and the block that was last before."""

    claimed: Claimed
    parent: Claimed
    header: bytes
    block: int


async def forge(reader: RollupReader, private_key: bytes) -> list[Refused]:
    """Another output than what was proven, by two proofs: one of `private_key`, who is not the
    attester, and the attester's own, which is of the right output.

    StoryFailed where L1 takes either.
    """
    proven = await _proven(reader)
    output = decode_output(proven.claimed.output)
    forged = replace(output, state_root=keccak(b"a state of one's own"))
    own = mock_proof(sign(digest(await _statement(reader, proven, forged)), private_key))
    return [
        Refused(attempt, NOT_PROVEN, await _refusal(reader, proven, forged, proof))
        for attempt, proof in (
            ("a false claim, its proof by another key", own),
            ("a false claim, with the proof of the right one", await _proof(reader, proven)),
        )
    ]


async def _proven(reader: RollupReader) -> ProvenClaim:
    """The last claim that was proven in a later block than the one before it."""
    first = await reader.read(views.DEPLOYED_AT)
    events = await reader.scan(first, await reader.client.block_number())
    claimed = {event.batch: event for event in events if isinstance(event, Claimed)}
    settled = {event.batch: event.block for event in events if isinstance(event, Confirmed)}
    headers = {event.number: event for event in events if isinstance(event, BatchPosted)}
    for batch in sorted(settled, reverse=True):
        block = settled[batch] - 1
        if settled.get(batch - 1, block + 1) <= block and headers[batch].block <= block:
            return ProvenClaim(
                claimed=claimed[batch],
                parent=claimed[batch - 1],
                header=headers[batch].header,
                block=block,
            )
    raise StoryFailed("no claim was proven alone in its block, so nothing can be tried before it")


async def _statement(reader: RollupReader, proven: ProvenClaim, output: Output) -> Statement:
    return Statement(
        chain_id=await reader.client.chain_id(),
        rollup=reader.address,
        pre_state_root=decode_output(proven.parent.output).state_root,
        post_state_root=output.state_root,
        batch_hash=output.batch_hash,
        inbox_accumulator=decode_header(proven.header).inbox_accumulator,
        output_hash=output_hash(output),
    )


async def _proof(reader: RollupReader, proven: ProvenClaim) -> bytes:
    """The proof of the right output, out of the calldata that brought it."""
    name = "0x" + proven.claimed.transaction.hex()
    sent = await reader.client.request("eth_getTransactionByHash", name)
    given = decode(calls.PROVE_CLAIM.inputs, raw(sent["input"])[SELECTOR_BYTES:])
    proof: bytes = given[-1]
    return proof


async def _refusal(reader: RollupReader, proven: ProvenClaim, output: Output, proof: bytes) -> str:
    """Why L1 would not have taken it."""
    data = calls.prove_claim(
        grandparent=proven.parent.parent,
        parent_output=proven.parent.output,
        output=encode_output(output),
        header=proven.header,
        proof=proof,
    )
    try:
        await reader.client.call(reader.address, data, block=proven.block)
    except L1Error as refusal:
        return as_revert(refusal, None).reason
    return "taken"
