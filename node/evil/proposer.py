"""The evil proposer: claims every batch in its turn, one of them wrongly, and defends the lie."""

import asyncio

import structlog
from msgspec import Struct

from contracts import calls, views
from contracts.views import ClaimStatus, ConfirmedHead
from node.clock import Clock
from node.devnet.people import CHAIN_ID
from node.disputes.player import Player
from node.disputes.reading import DisputeReader, standings
from node.errors import Halt, L1Error, Retry
from node.evil.kinds import Kind
from node.evil.liar import Lie, LyingFollowed
from node.evil.patience import Patience
from node.l1.client import L1Client
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.scanner import L1Scanner
from node.stopping import run_until
from state.batch import encode_output, output_hash

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.1


class ProposerConfig(Struct, frozen=True, kw_only=True):
    """Lies in the first batch from `first` on that such a lie can bite on."""

    rollup: bytes
    private_key: bytes
    kind: Kind
    first: int


class EvilProposer:
    """Runs until it is stopped, also once L1 has found it out: then it only looks on."""

    def __init__(self, config: ProposerConfig, clock: Clock, client: L1Client) -> None:
        self.config = config
        self.clock = clock
        self.client = client
        self.reader = RollupReader(client, config.rollup)
        self.followed: LyingFollowed | None = None
        self.patience = Patience(config.kind)
        self._scanner: L1Scanner | None = None
        self._sender: TransactionSender | None = None
        self._disputes: DisputeReader | None = None
        self._told = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Claim, confirm and defend until `stop` is set; `open` comes first."""
        await run_until(stop, self._work())

    async def _work(self) -> None:
        while True:
            try:
                await self.turn()
            except (Retry, L1Error, TransactionReverted) as error:
                self._tell("not this time", error=str(error))
            await self.clock.sleep(POLL_SECONDS)

    async def open(self) -> None:
        """Halt where money could be real."""
        chain_id = await self.client.chain_id()
        if chain_id != CHAIN_ID:
            raise Halt(
                f"DEVNET_ONLY: lies are told on chain {CHAIN_ID} alone, and this L1 is chain "
                f"{chain_id}; name the L1 of a devnet"
            )
        self._sender = TransactionSender(
            self.client, self.config.private_key, self.clock, chain_id=chain_id
        )
        await self._begin()

    async def _begin(self) -> None:
        """Know nothing yet."""
        terms = await self.reader.deployment()
        self.followed = LyingFollowed(
            terms, kind=self.config.kind, liar=self.address, first=self.config.first
        )
        self._scanner = L1Scanner(self.reader, first=terms.deployed_at)

    @property
    def address(self) -> bytes:
        """The liar's."""
        return self._sending().address

    async def turn(self) -> None:
        """Read L1 to its end, then do all that is to be done now."""
        followed = await self._follow()
        head = await self.reader.read(views.CONFIRMED_HEAD)
        if head.batch > followed.number:
            return
        if head.claim != followed.claim_on(head.batch):
            self._tell("found out", batch=head.batch)
        else:
            await self._claim(followed, head)
            await self._confirm(followed, head)
        if followed.lie is not None:
            await self._defend(followed.lie)

    async def _follow(self) -> LyingFollowed:
        assert self.followed is not None and self._scanner is not None
        while True:
            scan = await self._scanner.poll()
            if scan.rewound_to is not None:
                await self._begin()
                continue
            for event in scan.events:
                self.followed.take(event)
            if scan.is_caught_up:
                return self.followed

    async def _claim(self, followed: LyingFollowed, head: ConfirmedHead) -> None:
        """Every batch after the confirmed one, the wrong one among them and what follows it."""
        for batch in followed.batches[head.batch :]:
            record = await self.reader.read(views.CLAIM_RECORD, batch.claim)
            if record.status != ClaimStatus.UNKNOWN:
                continue
            number = batch.record.number
            data = calls.claim(
                parent_claim=batch.parent_claim,
                output=encode_output(batch.output),
                header=batch.header,
            )
            await self._send(data, value=followed.terms.parameters.claim_bond)
            is_lie = followed.lie is not None and followed.lie.batch == number
            log.info("lied" if is_lie else "claimed", batch=number, claim=batch.claim.hex())

    async def _confirm(self, followed: LyingFollowed, head: ConfirmedHead) -> None:
        """The next claim, where nobody has contradicted it while its window was open."""
        batch = followed.batch(head.batch + 1)
        if batch is None:
            return
        parent = await self.reader.read(views.CLAIM_RECORD, head.claim)
        record = await self.reader.read(views.CLAIM_RECORD, batch.claim)
        latest = await self.reader.block("latest")
        window = followed.terms.parameters.claim_window
        is_over = latest.timestamp >= record.time + window
        if record.status == ClaimStatus.PENDING and parent.children == 1 and is_over:
            data = calls.confirm(
                parent_claim=batch.parent_claim, output_hash=output_hash(batch.output)
            )
            await self._send(data)
            log.info("confirmed", batch=batch.record.number)

    async def _defend(self, lie: Lie) -> None:
        """Enter the trace of the lie and move for it; what would prove it wrong is left out."""
        reader = await self._dispute_reader()
        player = Player(self._sending(), reader.address, lie.trace)
        for standing in await standings(reader, self.address):
            if standing.parent != lie.trace.parent:
                continue
            now = (await self.reader.block("latest")).timestamp + 1
            for move in player.moves(standing, now):
                if not self.patience.is_due(standing, move, now):
                    continue
                played = await player.perform(standing, move)
                if played.refusal:
                    self._tell("refused", move=type(move).__name__, reason=played.refusal)
                else:
                    self.patience.made(move)
                    log.info("moved", move=type(move).__name__, gas=played.gas)

    async def _dispute_reader(self) -> DisputeReader:
        if self._disputes is None:
            self._disputes = await DisputeReader.of(self.reader)
        return self._disputes

    def _sending(self) -> TransactionSender:
        assert self._sender is not None, "`open` comes first"
        return self._sender

    async def _send(self, data: bytes, *, value: int = 0) -> None:
        await self._sending().send(self.config.rollup, data, value=value)

    def _tell(self, what: str, **more: object) -> None:
        """Once, until something else is told."""
        if (told := f"{what} {more}") != self._told:
            self._told = told
            log.warning(what, **more)
