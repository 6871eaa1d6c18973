"""A node in memory behind its real JSON-RPC server, and what tests say to it over sockets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from builders import DOMAIN, NOW, Key, Venue, sign_transaction
from fake_clock import FakeClock

from node.conservation import figures_of_machine
from node.rpc import wire
from node.rpc.client import VenueClient
from node.rpc.messages import Signed, message_of
from node.rpc.server import RpcConfig, RunningServer, serve
from node.sequencing.answers import Answers, ClientOrderIdUsed, market_of, sequenced
from node.sequencing.intake import outcomes
from node.tape.tape import Tape
from node.view import (
    BatchRecord,
    ClaimRecord,
    Executed,
    FillFeed,
    Heads,
    MadeClaim,
    NotAttempted,
    PaymentRecord,
    SequencedReceipt,
    SignedTransaction,
    Stops,
    UpdateFeed,
)
from sequencer.draft import is_included
from state.book_changes import BookChange
from state.commitment import Commitment
from state.execution import Receipt
from state.memory import MemoryState
from state.status import is_identity
from state.transactions import Transaction, encode_transaction
from state.undo import places_of

JSON = {"Content-Type": "application/json"}


@dataclass
class Follower:
    """A node that only reads: no `submit`, and nothing about claims."""

    venue: Venue = field(default_factory=Venue)

    def __post_init__(self) -> None:
        self.role = "follower"
        self.domain = DOMAIN
        self.state: MemoryState = self.venue.state
        self.token = b"\x77" * 20
        self.proof_system = ""
        self.heads = Heads(l1_block=5)
        self.fills = FillFeed()
        self.updates = UpdateFeed()
        self.tape = Tape()
        self.venue.on_run = self._keep
        self.records: dict[int, BatchRecord] = {}
        self.troubles: list[str] = []
        self.naming = ""
        self._told = 0

    def _keep(self, tx: Transaction, receipt: Receipt, book: tuple[BookChange, ...]) -> None:
        """What a venue's node does with what left a trace."""
        if is_included(encode_transaction(tx)[0], receipt.status):
            machine = self.state.machine
            told = SequencedReceipt(
                *(receipt.status, receipt.fills, receipt.steps),
                batch=machine.batch,
                client_order_id=self.naming,
            )
            ran = Executed(batch=machine.batch, time=machine.time, receipt=told, tx=tx, book=book)
            self.tell(ran)

    def tell(self, *executed: Executed) -> None:
        """To the tape and to watchers, with all that was written since the last time."""
        for ran in executed:
            self.tape.take(ran)
        places = places_of(self.state.written(self._told))
        self._told = self.state.log_length
        self.updates.publish(executed, places)

    def commitment(self) -> Commitment:
        return self.venue.committer.commit()

    def batch(self, number: int) -> BatchRecord | None:
        return self.records.get(number)

    def problems(self) -> list[str]:
        return self.troubles

    def seal(self) -> BatchRecord:
        """HALT, and a record of the batch; the next one is not begun."""
        self.venue.halt()
        commitment, machine = self.commitment(), self.state.machine
        record = BatchRecord(
            number=machine.batch,
            state_root=commitment.state_root,
            withdrawals_root=commitment.withdrawals.root,
            withdrawals=machine.withdrawals,
            steps=machine.step,
            transactions=3,
            orders=2,
            fills=1,
            items=1,
            raw_bytes=100,
            time_min=NOW,
            time_max=NOW + 5,
            compressed_bytes=80,
            figures=figures_of_machine(machine),
        )
        self.records[record.number] = record
        self.heads = msgspec.structs.replace(self.heads, unsafe=record.number)
        return record


@dataclass
class Sequencer(Follower):
    """A node that executes what it is sent, at once; `fault` is raised instead if it is set."""

    fault: Exception | None = None
    submitted: list[tuple[Transaction, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.role = "sequencer"
        self.claims: dict[int, ClaimRecord] = {}
        self.payments: dict[int, PaymentRecord] = {}
        self.made_claims: dict[int, list[MadeClaim]] = {}
        self.paid_micro = 0
        self.answers = Answers()

    async def submit(self, tx: Transaction, signature: bytes, client_order_id: str = "") -> Receipt:
        (answer,) = self.hand_in([SignedTransaction(tx, signature, client_order_id)])
        return await answer

    def _run(self, tx: Transaction, signature: bytes, client_order_id: str) -> Receipt:
        known = self.answers.find(tx, signature, client_order_id)
        if known is not None:
            return known
        self.submitted.append((tx, signature))
        market = market_of(self.state, tx)
        self.naming = client_order_id
        receipt = self.venue.run(tx, signature)
        self.naming = ""
        machine = self.state.machine
        for fill in receipt.fills:
            self.fills.publish(machine.batch, machine.time, fill)
        found = sequenced(
            *(self.state, tx, receipt),
            batch=machine.batch,
            client_order_id=client_order_id,
            market=market,
        )
        if not is_identity(found.status):
            self.answers.remember(tx, signature, found)
        return found

    def hand_in(
        self, batch: Sequence[SignedTransaction], *, stops: Stops | None = None
    ) -> Sequence[asyncio.Future[Receipt]]:
        if self.fault is not None:
            raise self.fault
        answers: list[asyncio.Future[Receipt]] = []
        has_stopped = False
        for one in batch:
            answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
            answers.append(answer)
            found: Receipt | Exception = NotAttempted()
            if not has_stopped:
                try:
                    found = self._run(one.tx, one.signature, one.client_order_id)
                except ClientOrderIdUsed as error:
                    found = error
                has_stopped = stops is not None and stops(one.tx, found)
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)
        return answers

    async def submit_batch(
        self, batch: Sequence[SignedTransaction], *, stops: Stops | None = None
    ) -> list[Receipt | Exception]:
        return await outcomes(self.hand_in(batch, stops=stops))

    def claim(self, batch: int) -> ClaimRecord | None:
        return self.claims.get(batch)

    def payment(self, index: int) -> PaymentRecord | None:
        return self.payments.get(index)

    def claims_on(self, batch: int) -> Sequence[MadeClaim]:
        return self.made_claims.get(batch, [])

    def paid(self, withdrawals: int) -> int:
        return self.paid_micro if withdrawals else 0


@dataclass
class Rpc:
    """A running server and a plain HTTP session to it."""

    server: RunningServer
    session: aiohttp.ClientSession
    client: VenueClient

    async def post(self, body: bytes | str, **headers: str) -> tuple[int, Any]:
        """Status and decoded body (None for an empty one) of a POST of exactly this."""
        async with self.session.post(
            self.server.url, data=body, headers=JSON | headers
        ) as response:
            raw = await response.read()
            return response.status, msgspec.json.decode(raw) if raw else None

    async def call(self, method: str, *places: Any, **names: Any) -> Any:
        """The reply to one request, params by place or by name."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": places or names}
        status, reply = await self.post(wire.encode(request))
        assert status == 200
        assert reply["id"] == 1
        return reply

    async def result(self, method: str, *places: Any, **names: Any) -> Any:
        reply = await self.call(method, *places, **names)
        assert "error" not in reply, reply
        return reply["result"]

    async def error(self, method: str, *places: Any, **names: Any) -> Any:
        """The error object; it has a reason and a mend, as every one must."""
        reply = await self.call(method, *places, **names)
        assert "result" not in reply, reply
        error = reply["error"]
        assert error["data"]["reason"] and error["data"]["mend"]
        return error

    async def submit(
        self,
        tx: Signed,
        signer: Key,
        *,
        taker: Key | None = None,
        client_order_id: str | None = None,
        **changed: Any,
    ) -> Any:
        """The reply to a signed transaction, its message with fields changed after signing."""
        return await self.call(
            "venue_submit", **submission(tx, signer, taker, client_order_id, **changed)
        )

    async def refused(self, tx: Signed, signer: Key, **options: Any) -> Any:
        reply = await self.submit(tx, signer, **options)
        assert "error" in reply, reply
        assert reply["error"]["data"]["mend"]
        return reply["error"]


def submission(
    tx: Signed,
    signer: Key,
    taker: Key | None = None,
    client_order_id: str | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """The params of venue_submit; a block trade is signed by `signer` as maker, and `taker`."""
    kind, message = message_of(tx)
    signature = sign_transaction(tx, signer, taker=taker)
    names = ["makerSignature", "takerSignature"] if kind == "blockTrade" else ["signature"]
    params: dict[str, Any] = {"kind": kind, "message": wire.plain(message) | changed}
    for at, name in enumerate(names):
        params[name] = wire.Hex(signature[64 * at : 64 * (at + 1)])
    return params if client_order_id is None else params | {"clientOrderId": client_order_id}


@asynccontextmanager
async def running(
    node: Follower, config: RpcConfig | None = None, clock: FakeClock | None = None
) -> AsyncIterator[Rpc]:
    """`node` behind a server on a free port; its clock stands at the venue's time."""
    clock = clock or FakeClock(NOW)
    server = await serve(node, port=0, config=config, clock=clock)
    client = VenueClient(server.url, clock=clock)
    try:
        async with aiohttp.ClientSession() as session:
            yield Rpc(server, session, client)
    finally:
        await client.close()
        await server.close()
