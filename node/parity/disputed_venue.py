"""A venue on a local L1 whose batches are claimed and disputed, with all of the real contracts."""

import os
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from contracts import calls, disputes, token, views
from contracts.calls import Parameters, ProofContracts
from contracts.disputes import DisputedStep, DisputeParameters
from contracts.events import BatchPostedLog, InboxItemLog, decode_log
from contracts.step import CHUNKS, ROUTER
from node.artifacts import cache_directory, cached_artifact
from node.clock import Clock
from node.parity.deployment import deploy_steps
from node.parity.engines import CHAIN_ID
from node.parity.local_l1 import Charge, LocalL1, address_of
from node.signatures import recover
from prover.dispute.terms import FAST
from prover.dispute.trace_tree import TraceTree
from prover.facts import BatchFacts
from prover.trace import trace_batch
from prover.walk import BatchWalk, ShownStep
from sequencer.batches import SealedBatch
from sequencer.sequencer import Sequencer
from state.authentication import Verifier
from state.batch import Output, claim_id, decode_header, encode_output, output_after, output_hash
from state.chunks import decode_chunk
from state.commitment import Committer
from state.crypto import ZERO_HASH, keccak
from state.eip712 import Domain, domain
from state.execution import Batch, run_batch
from state.inbox import InboxItem
from state.memory import MemoryState
from state.steps import Step

GOVERNOR, SEQUENCER, INSURANCE = "grace", "heidi", "judy"
PARAMETERS = Parameters(
    inbox_delay=600,
    force_delay=3_600,
    time_lag_max=3_600,
    claim_window=FAST.claim_window,
    claim_bond=FAST.claim_bond,
    parameter_delay=86_400,
)
TERMS = DisputeParameters(
    **{name: getattr(FAST.dispute, name) for name in DisputeParameters.__struct_fields__}
)
PURSE_MICRO = 10**12


class Seconds(Struct, frozen=True):
    """What a challenger waits for: a run of the batch, its trace, the tree over that, and the
    witness of one step.
    """

    execute: float
    trace: float
    tree: float
    witness: float


class PlayedBatch(Struct, frozen=True, kw_only=True):
    """A batch that stands on L1, executed and traced."""

    header: bytes
    before: MemoryState
    batch: Batch
    accumulator: bytes
    grandparent: bytes
    parent: Output
    output: Output
    machine: bytes
    roots: tuple[bytes, bytes, bytes]
    leaves: Sequence[bytes]
    names: Sequence[str]

    @property
    def parent_claim(self) -> bytes:
        return claim_id(self.grandparent, self.parent)

    @property
    def last_match(self) -> int:
        """The leaf of the last step of an order that another follows: most of them trade.

        A lie there leaves the most to execute before its witness is there.
        """
        pairs = enumerate(pairwise(self.names))
        return max(at for at, pair in pairs if pair == (Step.ORDER.name, Step.ORDER.name))


class DisputedVenue:
    """Begins at `state`, which stands between two batches and has taken no item; genesis, unless
    another is given.
    """

    def __init__(self, state: MemoryState | None = None, time: int = 1_800_000_000) -> None:
        self.l1 = LocalL1(time)
        state = MemoryState() if state is None else state
        self.genesis = _output(state, ZERO_HASH)
        self._deploy()
        self.domain: Domain = domain(CHAIN_ID, self.rollup)
        self.verifier = Verifier(self.domain, recover)
        self.sequencer = Sequencer(self.verifier)
        self.sequencer.resume(state, (), max(state.machine.time, 0))
        self.items: list[InboxItem] = []
        self._claims = [(ZERO_HASH, self.genesis)]
        self._before = state.snapshot()

    def _deploy(self) -> None:
        l1, cache = self.l1, cache_directory(os.environ)

        def code(name: str) -> bytes:
            return cached_artifact(name, cache).creation_code

        self.token = l1.deploy(GOVERNOR, code("test_usdc"))
        steps = deploy_steps(lambda creation: l1.deploy(GOVERNOR, creation))
        arguments = {"rollup": l1.next_contract(GOVERNOR, 1), "insurance": address_of(INSURANCE)}
        decider = disputes.deployment(code("disputes"), **arguments, parameters=TERMS)
        self.disputes = l1.deploy(GOVERNOR, decider)
        rollup = calls.deployment(
            code("rollup"),
            token=self.token,
            sequencer=address_of(SEQUENCER),
            governor=address_of(GOVERNOR),
            genesis_output_hash=output_hash(self.genesis),
            proof_contracts=ProofContracts(
                chunks=steps[CHUNKS], step=steps[ROUTER], disputes=self.disputes
            ),
            parameters=PARAMETERS,
        )
        self.rollup = l1.deploy(GOVERNOR, rollup)

    # --- L1 ---

    def send(self, who: str, data: bytes, value: int = 0) -> Charge:
        """To the rollup; what enters the inbox is kept."""
        charge = self.l1.send(who, self.rollup, data, value)
        for log in self.l1.logs:
            found = decode_log(log.topics, log.data) if log.address == self.rollup else None
            if isinstance(found, InboxItemLog):
                item = InboxItem(found.kind, found.index, found.time, found.sender, found.payload)
                self.items.append(item)
        return charge

    def deposit(self, who: str, subaccount: int, micro: int) -> None:
        """Into an account of a devnet person, who is given the money."""
        mint = token.mint(to=address_of(who), amount=micro)
        self.l1.send(who, self.token, mint)
        self.l1.send(who, self.token, token.approve(spender=self.rollup, amount=PURSE_MICRO))
        self.send(who, calls.deposit(amount=micro, subaccount=subaccount))

    def take_items(self) -> None:
        """What waits in the inbox begins the next batch."""
        new = self.items[self.sequencer.state.machine.inbox :]
        assert len(self.sequencer.fitting(new)) == len(new)
        self.sequencer.take_items(new)

    def post(self) -> PlayedBatch:
        """Seal the open batch and post it; then execute and trace what L1 has of it."""
        sealed = self.sequencer.seal()
        content, l1 = sealed.content, self.l1
        post = calls.post_batch(
            parent=l1.read(self.rollup, views.BATCH_HASHES, content.number - 1),
            inbox_to=content.inbox_to,
            origin_number=l1.number,
            origin_hash=l1.hash,
            time_min=content.time_min,
            time_max=content.time_max,
            chunks=list(sealed.payload),
            raw_hashes=[chunk.raw_hash for chunk in content.chunks],
        )
        self.send(SEQUENCER, post)
        (log,) = (decode_log(one.topics, one.data) for one in l1.logs)
        assert isinstance(log, BatchPostedLog)
        return self._executed(log.header, sealed)

    def _executed(self, header: bytes, sealed: SealedBatch) -> PlayedBatch:
        decoded, before = decode_header(header), self._before
        batch = Batch(
            decoded,
            self.items[decoded.inbox_from : decoded.inbox_to],
            [
                decode_chunk(data, chunk.raw_hash)
                for data, chunk in zip(sealed.payload, decoded.chunks, strict=True)
            ],
        )
        grandparent, parent = self._claims[-1]
        state, names = before.snapshot(), []
        committed = Committer(state).commit()
        leaves = trace_batch(
            state, committed, batch, self.verifier, lambda step, _: names.append(step.name)
        )
        after = Committer(state).commit()
        output = _output(state, keccak(header))
        assert leaves[-1] == after.state_root == sealed.commitment.state_root
        self._claims.append((claim_id(grandparent, parent), output))
        self._before = state.snapshot()
        return PlayedBatch(
            header=header,
            before=before,
            batch=batch,
            accumulator=self.l1.read(self.rollup, views.ACCUMULATOR, decoded.inbox_from),
            grandparent=grandparent,
            parent=parent,
            output=output,
            machine=after.machine,
            roots=(after.accounts.root, after.markets.root, after.board.root),
            leaves=leaves,
            names=names,
        )

    # --- proofs ---

    def show(self, played: PlayedBatch, index: int) -> ShownStep:
        """The step that leads to leaf `index`, with its witness."""
        facts = BatchFacts(
            played.batch, accumulator=played.accumulator, separator=self.domain.separator
        )
        return BatchWalk(played.before.snapshot(), facts, self.verifier).show(index + 1)

    def disputed(self, played: PlayedBatch, index: int, tree: TraceTree) -> DisputedStep:
        """That step as L1 asks for it, by the trace of `tree`."""
        shown = self.show(played, index)
        witness = shown.witness
        return DisputedStep(
            previous=shown.root_before,
            previous_branch=tuple(tree.branch(index - 1)) if index else (),
            machine=witness.machine,
            roots=tuple(witness.roots[at : at + 32] for at in (0, 32, 64)),
            leaves=witness.leaves,
            proofs=witness.proofs,
            given=shown.taken.given.encode(),
        )

    def timed(self, played: PlayedBatch, index: int, clock: Clock) -> Seconds:
        """How long it all takes on this machine, by one process."""
        state = played.before.snapshot()
        committer = Committer(state)
        committer.commit()
        at = [clock.monotonic()]
        run_batch(state, played.batch, self.verifier)
        committer.commit()
        at.append(clock.monotonic())
        state = played.before.snapshot()
        commitment = Committer(state).commit()
        ready = clock.monotonic() - at[-1]
        leaves = trace_batch(state, commitment, played.batch, self.verifier)
        at.append(clock.monotonic() - ready)
        assert TraceTree(leaves).size == len(played.leaves)
        at.append(clock.monotonic() - ready)
        self.show(played, index)
        at.append(clock.monotonic() - ready)
        return Seconds(*(after - before for before, after in pairwise(at)))


def claim_call(played: PlayedBatch, output: Output) -> bytes:
    """Calldata that claims `output` for a batch."""
    return calls.claim(
        parent_claim=played.parent_claim, output=encode_output(output), header=played.header
    )


def _output(state: MemoryState, batch_hash: bytes) -> Output:
    commitment = Committer(state).commit()
    return output_after(
        state.machine, batch_hash, commitment.state_root, commitment.withdrawals.root
    )
