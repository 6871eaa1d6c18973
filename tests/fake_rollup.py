"""L1 with the rollup on it, in memory: the contract's checks, blocks on demand, reorgs, outages.

It stands in for client, reader and sender at once. The real contract is tested against the
same service in tests/node/test_sequencer_on_l1.py.
"""

from collections.abc import Sequence
from typing import Any

from builders import DOMAIN, NOW, VERIFIER, listing
from eth_abi.abi import decode
from msgspec import Struct, field
from sequenced_world import deposit_item

from contracts.calls import POST_BATCH, Parameters
from node.errors import Retry
from node.l1.answers import L1Block, L1Receipt
from node.l1.refusals import TransactionReverted
from node.rollup import Counts, RollupTerms
from node.rollup_events import BatchPosted, ItemAdded, RollupEvent
from prover.derivation import Cursor, derive_batch, genesis_cursor
from prover.replay import Replayer
from state.batch import BatchHeader, ChunkCommitment, decode_header, encode_header
from state.chunks import Row
from state.crypto import keccak
from state.inbox import InboxItem, accumulate
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing

SLOT = 12
SEQUENCER = b"\x5e" * 20
PARAMETERS = Parameters(
    inbox_delay=60,
    force_delay=600,
    time_lag_max=300,
    claim_window=10,
    claim_bond=1,
    parameter_delay=10,
)
TERMS = RollupTerms(
    chain_id=DOMAIN.chain_id,
    rollup=DOMAIN.rollup,
    token=b"\x70" * 20,
    sequencer=SEQUENCER,
    governor=b"\x60" * 20,
    deployed_at=1,
    parameters=PARAMETERS,
)


class FakeBlock(Struct):
    """A block and what the rollup logged in it."""

    hash: bytes
    time: int
    events: list[RollupEvent] = field(default_factory=list)


class FakeL1:
    """Every call mines a block of its own."""

    address = SEQUENCER

    def __init__(self) -> None:
        self.client = self
        self.blocks = [FakeBlock(bytes(32), NOW - 10)]
        self.branch = 0
        self.is_down = False
        self.finality = 1_000
        self.sent: list[int] = []
        self.refusals: list[str] = []

    # --- what the node asks ---

    async def block(self, which: int | str) -> L1Block | None:
        if self.is_down:
            raise Retry("connection refused")
        head = len(self.blocks) - 1
        number = {"latest": head, "finalized": max(0, head - self.finality)}.get(str(which), which)
        if not isinstance(number, int) or number > head:
            return None
        block = self.blocks[number]
        return L1Block(number, block.hash, self.blocks[number - 1].hash, block.time, 0)

    async def scan(self, from_block: int, to_block: int) -> list[RollupEvent]:
        if self.is_down:
            raise Retry("connection refused")
        return [event for block in self.blocks[from_block : to_block + 1] for event in block.events]

    async def counts(self, block_hash: bytes) -> Counts | None:
        block = next((n for n, known in enumerate(self.blocks) if known.hash == block_hash), None)
        if block is None:
            return None
        told = [event for known in self.blocks[: block + 1] for event in known.events]
        batches = sum(isinstance(event, BatchPosted) for event in told)
        return Counts(items=len(told) - batches, batches=batches, confirmed=0)

    async def send(self, to: bytes | None, data: bytes = b"", **_: Any) -> L1Receipt:
        """post_batch, with the checks of the contract in its order."""
        if self.is_down:
            raise Retry("connection refused")
        assert to == DOMAIN.rollup and data[:4] == POST_BATCH.selector
        arguments = decode(POST_BATCH.inputs, data[4:])
        try:
            self._post(*arguments)
        except TransactionReverted as refusal:
            self.refusals.append(refusal.reason)
            raise
        self.sent.append(len(self.batches))
        head = len(self.blocks) - 1
        block = self.blocks[head]
        return L1Receipt(keccak(block.hash), head, block.hash, True, 1, 1, None, (), self.address)

    # --- what happens on L1 ---

    def mine(self, seconds: int = 1) -> FakeBlock:
        self.branch += 1
        block = FakeBlock(keccak(b"block %d" % self.branch), self.time + seconds)
        self.blocks.append(block)
        return block

    def list_market(self) -> None:
        payload = encode_listing(listing())
        self._add_item(InboxItem(InboxKind.LIST_MARKET, 0, 0, bytes(20), payload))

    def deposit(self, name: str, dollars: int = 100_000) -> None:
        self._add_item(deposit_item(0, name, dollars))

    def force(self) -> None:
        """Somebody posts the inbox alone."""
        self.mine()
        time = max(self.time_max, self.time - PARAMETERS.time_lag_max)
        self._log(len(self.items), 0, bytes(32), time, time, (), b"")

    def reorg(self, depth: int) -> list[FakeBlock]:
        """Take the last blocks away, and put an empty one in their place, a slot before the last.

        Time goes on while a chain changes its mind.
        """
        reached, lost = self.time - SLOT, self.blocks[-depth:]
        del self.blocks[-depth:]
        block = self.mine()
        block.time = max(block.time, reached)
        return lost

    # --- what is there ---

    @property
    def time(self) -> int:
        return self.blocks[-1].time

    @property
    def items(self) -> list[InboxItem]:
        return [event.item for event in self._events if isinstance(event, ItemAdded)]

    @property
    def batches(self) -> list[BatchPosted]:
        return [event for event in self._events if isinstance(event, BatchPosted)]

    @property
    def headers(self) -> list[BatchHeader]:
        return [decode_header(batch.header) for batch in self.batches]

    @property
    def time_max(self) -> int:
        return self.headers[-1].time_max if self.batches else 0

    def follow(self) -> tuple[Replayer, list[bytes], list[Row]]:
        """A follower from genesis: the venue, the root after each batch, every row that ran."""
        replayer, cursor, roots = Replayer(VERIFIER), genesis_cursor(DOMAIN), list[bytes]()
        rows: list[Row] = []
        for batch in self.batches:
            header = decode_header(batch.header)
            derived = derive_batch(
                batch.header,
                batch.payload,
                self.items[header.inbox_from : header.inbox_to],
                after=cursor,
                batch_hash=batch.batch_hash,
            )
            replayer.apply(derived)
            cursor = derived.cursor
            roots.append(replayer.commitment().state_root)
            rows += [row for chunk in derived.batch.chunks for row in chunk]
        return replayer, roots, rows

    @property
    def _last(self) -> Cursor | BatchPosted:
        return self.batches[-1] if self.batches else genesis_cursor(DOMAIN)

    # --- the contract ---

    @property
    def _events(self) -> list[RollupEvent]:
        return [event for block in self.blocks for event in block.events]

    def _add_item(self, item: InboxItem) -> None:
        block = self.mine()
        own = InboxItem(item.kind, len(self.items), block.time, item.sender, item.payload)
        block.events.append(
            ItemAdded(block=len(self.blocks) - 1, log_index=0, transaction=bytes(32), item=own)
        )

    def _post(self, *arguments: Any) -> None:
        self._check(*arguments, now=self.time + 1)
        self.mine()
        self._take(*arguments)

    def _check(
        self,
        inbox_to: int,
        origin_number: int,
        origin_hash: bytes,
        time_min: int,
        time_max: int,
        sizes: Sequence[int],
        _raw_hashes: Sequence[bytes],
        _payload: bytes,
        parent: bytes,
        *,
        now: int,
    ) -> None:
        items = self.items
        inbox_from = self.headers[-1].inbox_to if self.batches else 0
        overdue = inbox_to < len(items) and now - items[inbox_to].time > PARAMETERS.inbox_delay
        _require(parent == self._last.batch_hash, "parent is not the last batch")
        _require(inbox_to > inbox_from or bool(sizes), "nothing in the batch")
        is_known = 0 <= origin_number < len(self.blocks)
        _require(is_known, "origin is not in the past")
        _require(self.blocks[origin_number].hash == origin_hash, "origin is on another branch")
        _require(time_min >= self.time_max, "time runs backwards")
        _require(time_max <= now, "time is in the future")
        _require(time_min >= now - PARAMETERS.time_lag_max, "time lags too far")
        _require(inbox_to >= inbox_from, "inbox runs backwards")
        _require(inbox_to <= len(items), "inbox has no such item")
        _require(not overdue, "overdue item left out")

    def _take(
        self,
        inbox_to: int,
        origin_number: int,
        origin_hash: bytes,
        time_min: int,
        time_max: int,
        sizes: Sequence[int],
        raw_hashes: Sequence[bytes],
        payload: bytes,
        _parent: bytes,
    ) -> None:
        chunks, at = [], 0
        for size, raw_hash in zip(sizes, raw_hashes, strict=True):
            chunks.append(ChunkCommitment(size, keccak(payload[at : at + size]), raw_hash))
            at += size
        self._log(inbox_to, origin_number, origin_hash, time_min, time_max, tuple(chunks), payload)

    def _log(
        self,
        inbox_to: int,
        origin_number: int,
        origin_hash: bytes,
        time_min: int,
        time_max: int,
        chunks: tuple[ChunkCommitment, ...],
        payload: bytes,
    ) -> None:
        accumulator = bytes(32)
        for item in self.items[:inbox_to]:
            accumulator = accumulate(accumulator, item)
        header = encode_header(
            BatchHeader(
                number=len(self.batches) + 1,
                parent=self._last.batch_hash,
                inbox_from=self.headers[-1].inbox_to if self.batches else 0,
                inbox_to=inbox_to,
                inbox_accumulator=accumulator,
                origin_number=origin_number,
                origin_hash=origin_hash,
                time_min=time_min,
                time_max=time_max,
                chunks=chunks,
            )
        )
        self.blocks[-1].events.append(
            BatchPosted(
                block=len(self.blocks) - 1,
                log_index=0,
                transaction=keccak(header),
                number=len(self.batches) + 1,
                batch_hash=keccak(header),
                header=header,
                payload=payload,
            )
        )


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise TransactionReverted(f"batches: {reason}", b"", None)
