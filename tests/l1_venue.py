"""A rollup on a devnet of its own: people who deposit, and a sequencer's key that posts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from builders import MICRO_DOLLAR, Key, listing, sign_transaction
from builders import PUBLISHER as PUBLISHER
from fake_clock import FakeClock

from contracts import calls, views
from contracts.calls import Parameters
from contracts.compiler import compile_contract
from contracts.disputes import DisputeParameters
from contracts.events import BatchPostedLog, decode_log
from node.deploy import Contracts, Deployment, Venue, approve, deploy
from node.l1.accounts import dev_accounts
from node.l1.answers import L1Receipt
from node.l1.client import L1Client
from node.l1.config import L1Config
from node.l1.sender import TransactionSender
from node.l1.server import L1Server
from node.rollup import RollupReader, RollupTerms
from node.signatures import recover
from prover.replay import genesis_claim
from state.authentication import Verifier
from state.batch import Output, claim_id, decode_header, encode_output, output_after
from state.chunks import Row, encode_chunk
from state.commitment import Commitment, Committer
from state.crypto import keccak
from state.execution import Batch, Receipt, run_batch
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

PARAMETERS = Parameters(
    inbox_delay=600,
    force_delay=3_600,
    time_lag_max=3_600,
    claim_window=7_200,
    claim_bond=10**17,
    parameter_delay=600,
)
NAMES = ("alice", "bob", "carol", "grace", "heidi", "ivan", "judy")
TRADERS = ("alice", "bob", "carol")
GOVERNOR, SEQUENCER, CLAIMANT, LIAR = "grace", "heidi", "ivan", "judy"
MARK = 50_000_000
TICKS = MARK // 100


@dataclass
class Executed:
    """A batch as it was executed here, without anything that follows L1."""

    output: Output
    parent_claim: bytes
    claim: bytes
    header: bytes
    commitment: Commitment
    receipts: list[Receipt]


@dataclass
class L1Venue:
    """The rollup's surroundings, and the venue executed beside it from what was posted."""

    server: L1Server
    client: L1Client
    clock: FakeClock
    senders: dict[str, TransactionSender]
    deployment: Deployment
    terms: RollupTerms
    state: MemoryState = field(default_factory=MemoryState)
    items: list[InboxItem] = field(default_factory=list)
    executed: list[Executed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = RollupReader(self.client, self.deployment.rollup)
        self.committer = Committer(self.state)
        self.committer.commit()
        self.domain = self.terms.domain
        self.sequences = count(1)
        self.numbers = {name: number << 8 for number, name in enumerate(TRADERS, 1)}

    # --- L1 ---

    async def send(self, name: str, data: bytes, value: int = 0) -> L1Receipt:
        """Call the rollup."""
        return await self.senders[name].send(self.deployment.rollup, data, value=value)

    async def mine(self, seconds: int = 0, blocks: int = 1) -> None:
        """Blocks, the first `seconds` after the last one there is."""
        self.clock.advance(seconds)
        first = await self.now() + max(seconds, 1)
        await self.client.request("evm_mine", {"blocks": blocks, "timestamp": first})

    async def snapshot(self) -> str:
        found: str = await self.client.request("evm_snapshot")
        return found

    async def revert(self, snapshot: str) -> None:
        assert await self.client.request("evm_revert", snapshot) is True

    async def deposit(self, name: str, dollars: int) -> None:
        await self.send(name, calls.deposit(amount=dollars * MICRO_DOLLAR, subaccount=0))

    async def fund(self, dollars: int = 1_000) -> None:
        """A deposit of each trader, in the order of their numbers."""
        for name in TRADERS:
            await self.deposit(name, dollars)

    # --- transactions ---

    async def now(self) -> int:
        return (await self.reader.block("latest")).timestamp

    def row(self, tx: Transaction, signer: Key) -> Row:
        kind, row = encode_transaction(tx)
        return Row(kind, row, sign_transaction(tx, signer, self.domain))

    def opening(self, now: int) -> list[Row]:
        """The clock, and a price of the market."""
        header = Row(*encode_transaction(Header(now)))
        return [header, self.row(SignedPrice(0, MARK, now), PUBLISHER)]

    def order(self, name: str, side: int, lots: int, now: int, ticks: int = TICKS) -> Row:
        flags = encode_flags(Flags(side))
        tx = NewOrder(
            self.numbers[name], 0, next(self.sequences), 0, flags, ticks, lots, now + 3_600
        )
        return self.row(tx, person(name))

    def trade(self, now: int, lots: int = 100) -> list[Row]:
        """Alice sells to Bob at the mark."""
        return [self.order("alice", SELL, lots, now), self.order("bob", BUY, lots, now)]

    def withdraw(self, name: str, dollars: int, now: int) -> Row:
        tx = Withdraw(
            *(self.numbers[name], next(self.sequences), person(name).address),
            *(dollars * MICRO_DOLLAR, now + 3_600),
        )
        return self.row(tx, person(name))

    # --- batches ---

    async def post(
        self, chunks: Sequence[Sequence[Row]], *, flip: int | None = None
    ) -> BatchPostedLog:
        """The next batch, with all of the inbox; the byte at `flip` of its payload is changed."""
        encoded = [encode_chunk(rows) for rows in chunks]
        payload = bytearray(b"".join(compressed for compressed, _ in encoded))
        if flip is not None:
            payload[flip] ^= 1
        sizes = [len(compressed) for compressed, _ in encoded]
        starts = [sum(sizes[:at]) for at in range(len(sizes))]
        head = await self.reader.read(views.HEAD)
        latest = await self.reader.block("latest")
        data = calls.post_batch(
            parent=await self.reader.read(views.BATCH_HASHES, head.number),
            inbox_to=await self.reader.read(views.INBOX_SIZE),
            origin_number=latest.number,
            origin_hash=latest.hash,
            time_min=max(head.time_max, latest.timestamp - 60),
            time_max=latest.timestamp,
            chunks=[bytes(payload[at : at + size]) for at, size in zip(starts, sizes, strict=True)],
            raw_hashes=[keccak(raw) for _, raw in encoded],
        )
        receipt = await self.send(SEQUENCER, data)
        (log,) = (decode_log(log.topics, log.data) for log in receipt.logs)
        assert isinstance(log, BatchPostedLog)
        await self._execute(log, [] if flip is not None else chunks, void=flip is not None)
        return log

    async def _execute(
        self, log: BatchPostedLog, chunks: Sequence[Sequence[Row]], *, void: bool
    ) -> None:
        header = decode_header(log.header)
        self.items = [
            event.item
            for event in await self.reader.scan(0, await self.client.block_number())
            if hasattr(event, "item")
        ]
        items = self.items[header.inbox_from : header.inbox_to]
        batch = Batch(header, items, chunks, void=void)
        receipts = run_batch(self.state, batch, Verifier(self.domain, recover))
        commitment = self.committer.commit()
        output = output_after(
            self.state.machine,
            log.batch_hash,
            commitment.state_root,
            commitment.withdrawals.root,
        )
        parent = self.executed[-1].claim if self.executed else genesis_claim()
        self.executed.append(
            Executed(output, parent, claim_id(parent, output), log.header, commitment, receipts)
        )

    def rewind(self, state: MemoryState, *, batches: int) -> None:
        """Back to an earlier state of the venue, after its first `batches`."""
        self.state = state
        self.committer = Committer(state)
        state.dirty |= everything(state)
        del self.executed[batches:]

    async def trading_day(self, lots: int = 100) -> None:
        """A batch in which the market is priced and Alice sells to Bob."""
        now = await self.now()
        await self.post([self.opening(now), self.trade(now, lots)])

    # --- claims ---

    async def claim(self, name: str, output: Output, parent: bytes, header: bytes) -> None:
        data = calls.claim(parent_claim=parent, output=encode_output(output), header=header)
        await self.send(name, data, value=PARAMETERS.claim_bond)


def everything(state: MemoryState) -> set[tuple[str, Any]]:
    """The place of every leaf."""
    places: set[tuple[str, Any]] = {("withdrawals", at) for at in range(len(state.withdrawals))}
    for name in ("accounts", "markets", "rows"):
        places |= {(name, at) for at in getattr(state, name)}
    for (market, side), book in state.books.items():
        places |= {("orders", (market, side, at)) for at, _ in book}
    return places


def person(name: str) -> Key:
    """A devnet account as a trader's key."""
    account = next(account for account in dev_accounts() if account.name == name)
    return Key(account.private_key, account.address)


@asynccontextmanager
async def l1_venue(
    clock: FakeClock | None = None,
    data_directory: Path | None = None,
    finalized_depth: int = 0,
    contracts: Contracts | None = None,
    disputes: DisputeParameters | None = None,
    attester: bytes | None = None,
) -> AsyncIterator[L1Venue]:
    """A venue with one market, deployed on a fresh devnet; with an `attester` it takes proofs."""
    clock = clock or FakeClock()
    config = L1Config(port=0, data_directory=data_directory, finalized_depth=finalized_depth)
    async with L1Server(config, clock) as server, L1Client(server.url) as client:
        senders = {
            name: TransactionSender(client, person(name).private, clock, chain_id=31_337)
            for name in NAMES
        }
        deployment = await deploy(
            client,
            senders[GOVERNOR],
            contracts or Contracts.compiled(compile_contract),
            Venue(
                sequencer=person(SEQUENCER).address,
                parameters=PARAMETERS,
                disputes=disputes,
                attester=attester,
                listings=(listing(),),
                purses=tuple((person(name).address, 10**6 * MICRO_DOLLAR) for name in TRADERS),
            ),
        )
        await approve(deployment, [senders[name] for name in TRADERS])
        terms = await RollupReader(client, deployment.rollup).deployment()
        yield L1Venue(server, client, clock, senders, deployment, terms)
