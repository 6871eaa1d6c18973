"""The real rollup with real steps and disputes: batches that trade, and who lies of them."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from typing import TypeVar
from unittest.mock import patch

from builders import MICRO_DOLLAR, PUBLISHER, Key, key, listing, sign_transaction
from decided_world import next_address
from dispute_contract import creation_code
from evm_engines import Engine, Receipt
from msgspec import Struct
from rollup_world import DEPLOYER, GOVERNOR, PARAMETERS, World, person
from step_world import StepContracts

from contracts import calls, disputes
from contracts import dispute_views as views
from contracts import views as rollup_views
from contracts.abi import View
from contracts.dispute_events import DisputeLog, EnteredLog, decode_log
from contracts.disputes import DisputedStep, DisputeParameters
from contracts.events import InboxItemLog
from node.signatures import recover
from prover.derivation import Derived, derive_batch, genesis_cursor
from prover.dispute.trace_tree import TraceTree
from prover.dispute.views import dispute_id, entry_id
from prover.facts import BatchFacts
from prover.replay import genesis_output
from prover.trace import trace_batch
from prover.walk import BatchWalk
from state.authentication import Verifier
from state.batch import Output, claim_id, encode_output, output_after, output_hash
from state.chunks import Row, encode_chunk
from state.commitment import Commitment, Committer
from state.crypto import ZERO_HASH, keccak
from state.eip712 import domain
from state.execution import Batch
from state.inbox import InboxItem
from state.memory import MemoryState
from state.orders import BUY, SELL, Flags, encode_flags
from state.transactions import (
    Header,
    NewOrder,
    SignedPrice,
    Transaction,
    Withdraw,
    encode_transaction,
)
from state.transactions.list_market import encode_listing

T = TypeVar("T")

ETHER = 10**18
TICKS, MARK, LOTS = 500_000, 50_000_000, 100
INSURANCE = person("insurance")

TERMS = DisputeParameters(
    height=16,
    clock=7_200,
    move_time=600,
    entry_window=PARAMETERS.claim_window + 3_600,
    entry_bond=ETHER,
    base_fee_cap=100 * 10**9,
    published_steps=0,
)


class RealTrace(Struct, frozen=True):
    """A batch as somebody executed it, and all that its claim and its entry show."""

    parent: Output
    grandparent: bytes
    output: Output
    batch: Batch
    before: MemoryState
    after: MemoryState
    commitment: Commitment
    tree: TraceTree

    @property
    def parent_claim(self) -> bytes:
        return claim_id(self.grandparent, self.parent)

    @property
    def claim(self) -> bytes:
        return claim_id(self.parent_claim, self.output)


class DisputedRollup(World):
    """Alice and Bob on one market; every item and batch is kept as L1 logged it."""

    def __init__(self, engine: Engine) -> None:
        self.items: list[InboxItem] = []
        super().__init__(engine)
        self.items.clear()
        router = StepContracts(engine).router
        foretold = next_address(engine, DEPLOYER, 1)
        code = creation_code(type(engine))
        self.disputes = engine.deploy(
            disputes.deployment(code, rollup=foretold, insurance=INSURANCE, parameters=TERMS),
            sender=DEPLOYER,
        )
        contracts = calls.ProofContracts(chunks=self.chunks, step=router, disputes=self.disputes)
        genesis = output_hash(genesis_output())
        code = self.deployment(proof_contracts=contracts, genesis_output_hash=genesis)
        self.rollup = engine.deploy(code, sender=DEPLOYER)
        assert self.rollup == foretold
        self.domain = domain(1, self.rollup)
        self.verifier = Verifier(self.domain, recover)
        self.cursor = genesis_cursor(self.domain)
        self.derived: dict[int, Derived] = {}
        self.sequences = count(1)
        self.send(calls.list_market(encode_listing(listing())), GOVERNOR)
        for name in ("alice", "bob"):
            self.deposit(key(name).address, 1_000 * MICRO_DOLLAR)

    def send(self, data: bytes, sender: bytes, value: int = 0) -> Receipt:
        receipt = super().send(data, sender, value)
        for log in self.logs(receipt):
            if isinstance(log, InboxItemLog):
                item = InboxItem(log.kind, log.index, log.time, log.sender, log.payload)
                self.items.append(item)
        return receipt

    # --- batches ---

    def post_rows(self, rows: Sequence[Row] = (), *, flip: int | None = None) -> Derived:
        """The next batch: the inbox, and `rows` in one chunk, whose byte at `flip` is another."""
        self.wait(12)
        chunks = [encode_chunk(rows)] if rows else []
        compressed = [bytearray(chunk) for chunk, _ in chunks]
        if flip is not None:
            compressed[0][flip] ^= 1
        raw_hashes = [keccak(raw) for _, raw in chunks]
        log = self.post(chunks=[bytes(chunk) for chunk in compressed], raw_hashes=raw_hashes)
        first = self.cursor.inbox
        derived = derive_batch(
            log.header,
            log.payload,
            self.items[first:],
            after=self.cursor,
            batch_hash=log.batch_hash,
        )
        self.derived[log.number], self.cursor = derived, derived.cursor
        return derived

    def row(self, tx: Transaction, signer: Key) -> Row:
        kind, row = encode_transaction(tx)
        return Row(kind, row, sign_transaction(tx, signer, self.domain))

    def trading(self) -> list[Row]:
        """A price, alice sells to bob, and bob takes ten dollars out."""
        now = self.engine.time + 12
        until = now + 3_600
        flags = {side: encode_flags(Flags(side)) for side in (BUY, SELL)}
        orders = [
            NewOrder(who << 8, 0, next(self.sequences), 0, flags[side], TICKS, LOTS, until)
            for who, side in ((1, SELL), (2, BUY))
        ]
        bob = key("bob")
        out = Withdraw(2 << 8, next(self.sequences), bob.address, 10 * MICRO_DOLLAR, until)
        return [
            Row(*encode_transaction(Header(now))),
            self.row(SignedPrice(0, MARK, now), PUBLISHER),
            self.row(orders[0], key("alice")),
            self.row(orders[1], bob),
            self.row(out, bob),
        ]

    # --- execution ---

    def trace(
        self,
        number: int,
        after: RealTrace | None = None,
        lie: Mapping[str, object] | None = None,
        batch: Batch | None = None,
    ) -> RealTrace:
        """Batch `number` behind `after`, with names of the rules replaced as in `lie`."""
        before = after.after if after else MemoryState()
        state = before.snapshot()
        committer = Committer(state)
        batch = batch or self.derived[number].batch
        with ExitStack() as altered:
            for name, rule in (lie or {}).items():
                altered.enter_context(patch(name, rule))
            roots = trace_batch(state, committer.commit(), batch, self.verifier)
        commitment = committer.commit()
        output = output_after(
            state.machine,
            self.derived[number].batch_hash,
            commitment.state_root,
            commitment.withdrawals.root,
        )
        assert roots[-1] == output.state_root
        return RealTrace(
            parent=after.output if after else genesis_output(),
            grandparent=after.parent_claim if after else ZERO_HASH,
            output=output,
            batch=batch,
            before=before,
            after=state,
            commitment=commitment,
            tree=TraceTree(roots),
        )

    def step(self, trace: RealTrace, index: int) -> DisputedStep:
        """What shows the step that leads to leaf `index` of a right trace."""
        items = trace.batch.header.inbox_from
        accumulator = self.read(rollup_views.ACCUMULATOR, items)
        facts = BatchFacts(trace.batch, accumulator=accumulator, separator=self.domain.separator)
        shown = BatchWalk(trace.before.snapshot(), facts, self.verifier).show(index + 1)
        witness = shown.witness
        return DisputedStep(
            previous=shown.root_before,
            previous_branch=tuple(trace.tree.branch(index - 1)) if index else (),
            machine=witness.machine,
            roots=tuple(witness.roots[at : at + 32] for at in (0, 32, 64)),
            leaves=witness.leaves,
            proofs=witness.proofs,
            given=shown.taken.given.encode(),
        )

    # --- claims and disputes ---

    def settle_trace(self, trace: RealTrace, sender: bytes) -> None:
        """Claim, wait, confirm; `settled` is the trace that the next batch comes behind."""
        self.claim_trace(trace, sender)
        self.wait(PARAMETERS.claim_window)
        self.send(calls.confirm(**self.about(trace)), sender)
        self.settled = trace

    def claim_trace(self, trace: RealTrace, sender: bytes) -> bytes:
        """Claim the output of a trace behind its parent."""
        data = calls.claim(
            parent_claim=trace.parent_claim,
            output=encode_output(trace.output),
            header=self.batches[trace.output.batch].header,
        )
        return self.send(data, sender, PARAMETERS.claim_bond).output

    def about(self, trace: RealTrace) -> dict[str, bytes]:
        """What `confirm` and `reject` are told of a claim."""
        return {"parent_claim": trace.parent_claim, "output_hash": output_hash(trace.output)}

    def enter(self, trace: RealTrace, sender: bytes) -> bytes:
        """Enter a trace for its claim; the entry."""
        left, right = trace.tree.children(TERMS.height, 0)
        commitment = trace.commitment
        roots = (commitment.accounts.root, commitment.markets.root, commitment.board.root)
        data = disputes.enter(
            grandparent=trace.grandparent,
            parent_output=encode_output(trace.parent),
            output=encode_output(trace.output),
            machine=commitment.machine,
            roots=roots,
            trace_root=trace.tree.root,
            left=left,
            right=right,
            first=trace.tree.leaf(0),
            first_branch=trace.tree.branch(0),
            last_branch=trace.tree.branch(2**TERMS.height - 1),
        )
        receipt = self.play(data, sender, TERMS.entry_bond)
        (made,) = (log for log in self.dispute_logs(receipt) if isinstance(log, EnteredLog))
        return made.entry

    def entry_of(self, trace: RealTrace) -> bytes:
        """keccak(dispute | trace root)"""
        since = self.read(rollup_views.CONTESTED_AT, trace.parent_claim)
        return entry_id(dispute_id(trace.parent_claim, since), trace.tree.root)

    def play(self, data: bytes, sender: bytes, value: int = 0) -> Receipt:
        """Call the contract of disputes."""
        return self.engine.send(self.disputes, data, sender=sender, value=value)

    def dispute_logs(self, receipt: Receipt) -> list[DisputeLog]:
        """What the contract of disputes logged in a transaction."""
        own = (log for log in receipt.logs if log.address == self.disputes)
        return [found for log in own if (found := decode_log(log.topics, log.data)) is not None]

    def ask(self, view: View[T], *values: object) -> T:
        return view.answer(self.engine.call(self.disputes, view.call(*values)))

    def move(self, match: bytes, one: RealTrace, two: RealTrace) -> bytes:
        """Calldata of the next move in the match of these two."""
        found = self.ask(views.MATCH_OF, match)
        tree = (one if found.mover == 1 else two).tree
        left, right = tree.children(found.height, found.index)
        below = (ZERO_HASH, ZERO_HASH)
        if found.height > 1:
            child = 2 * found.index + (left == found.left)
            below = tree.children(found.height - 1, child)
        return disputes.advance(
            match=match, left=left, right=right, next_left=below[0], next_right=below[1]
        )
