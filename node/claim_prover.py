"""Proofs of what a follower has executed, for a rollup that takes them in the place of bonds.

The only prover there is is the mock, and it says so: docs/validity.md.
"""

import asyncio

import structlog

from contracts import calls, mock_verifier
from node.batch_before import batch_before
from node.errors import Halt
from node.followed import Followed
from node.follower import FollowerService
from node.signatures import address_of, sign
from prover.mock_prover import PROOF_SYSTEM, MockProver
from prover.replay import genesis_output
from prover.validity import ProofRefused, ProvableBatch, statement
from state.batch import encode_output
from state.crypto import ZERO_HASH

log = structlog.get_logger(__name__)


class ClaimProver:
    """Makes the calls that prove batches, with the key of the attester."""

    def __init__(self, follower: FollowerService, private_key: bytes) -> None:
        self._follower = follower
        self._private_key = private_key

    async def check(self, followed: Followed) -> None:
        """Halt where the rollup's verifier would take no proof of ours."""
        terms = followed.terms
        if terms.proof_system != PROOF_SYSTEM:
            raise Halt(
                f"UNKNOWN_PROOF_SYSTEM: the rollup takes proofs of {terms.proof_system!r}, this "
                f"claimant makes none but {PROOF_SYSTEM}: run a prover of that system"
            )
        view = mock_verifier.ATTESTER
        answer = await self._follower.client.call(terms.verifier, view.call())
        attester, ours = view.answer(answer), address_of(self._private_key)
        if attester != ours:
            raise Halt(
                f"NOT_THE_ATTESTER: the verifier at 0x{terms.verifier.hex()} takes the word of "
                f"0x{attester.hex()} alone, and this claimant's key is 0x{ours.hex()}: run it "
                "with the attester's key"
            )
        log.warning(
            "claims are proven by a mock: they are worth what this key is",
            proof_system=PROOF_SYSTEM,
            attester="0x" + ours.hex(),
        )

    async def calldata(self, followed: Followed, number: int) -> bytes:
        """The call that proves our output of batch `number`, whose parent is confirmed.

        Halt where executing the batch once more comes to something else.
        """
        own, parent = followed.batches[number - 1], followed.batch(number - 1)
        parent_output = parent.output if parent is not None else genesis_output()
        stated = statement(
            followed.replayer.verifier,
            pre_state_root=parent_output.state_root,
            output=own.output,
            accumulator=own.cursor.accumulator,
        )
        before = await asyncio.to_thread(batch_before, self._follower, followed, number)
        batch = ProvableBatch(
            state=before.state,
            header=before.posted.header,
            payload=before.posted.payload,
            items=before.items,
            after=before.after,
        )
        prover = MockProver(followed.replayer.verifier, self._sign)
        try:
            proof = await asyncio.to_thread(prover.prove, stated, batch)
        except ProofRefused as refusal:
            raise Halt(
                f"PROOF_REFUSED: executed once more, batch {number} comes to something else than "
                f"before ({refusal}); nothing is proven from here on: report it"
            ) from refusal
        return calls.prove_claim(
            grandparent=parent.parent_claim if parent is not None else ZERO_HASH,
            parent_output=encode_output(parent_output),
            output=encode_output(own.output),
            header=own.header,
            proof=proof,
        )

    def _sign(self, digest: bytes) -> bytes:
        return sign(digest, self._private_key)
