"""A sequencer service over a fake L1 and a fake disk, moved one part at a time."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from builders import DOMAIN, PUBLISHER, VERIFIER, sign_transaction
from fake_clock import FakeClock
from fake_database import FakeDatabases
from fake_disk import FakeDisk, FakeFile
from fake_rollup import TERMS, FakeL1
from sequenced_world import MARK, NAMES, order

from node.journal import Journal
from node.poster import Poster
from node.rollup import RollupReader
from node.sequencer import SequencerConfig, SequencerService
from node.sequencing.engine import EngineConfig
from node.sequencing.history import History
from node.sequencing.snapshot_store import open_snapshots
from node.sequencing.snapshots import Snapshots
from node.signers.known import Signers
from node.snapshot_policy import SnapshotPolicy
from sequencer.sequencer import Sequencer, Submission
from state.authentication import Verifier
from state.execution import Receipt
from state.status import Status
from state.transactions import SignedPrice, Transaction

PATH = Path("journal")
SNAPSHOTS = Path("snapshots")


async def inline(call: Callable[[], Any]) -> Any:
    """Blocks, so that a test has no threads."""
    return call()


class Desk:
    """What an operator would see and do; `acknowledged` is what traders were told."""

    def __init__(
        self, l1: FakeL1 | None = None, disk: FakeDisk | None = None, **settings: Any
    ) -> None:
        self.l1 = l1 or FakeL1()
        self.disk = disk or FakeDisk()
        self.databases = FakeDatabases()
        self.clock = FakeClock()
        self.acknowledged: list[Submission] = []
        self.corrupt: int | None = settings.pop("corrupt", None)
        engine = {
            name: settings.pop(name) for name in ("backlog_max", "group_max") if name in settings
        }
        self.policy: SnapshotPolicy | None = settings.pop("snapshot_policy", None)
        self.signers: Signers | None = settings.pop("signers", None)
        self.config = SequencerConfig(
            journal=PATH, rollup=DOMAIN.rollup, engine=EngineConfig(**engine), **settings
        )
        self.start()

    def start(self) -> None:
        """The service as a new process would make it: everything from the journal."""
        journal = Journal(self.disk, PATH, DOMAIN.genesis_hash)
        snapshots = None
        if self.policy is not None:
            store = open_snapshots(SNAPSHOTS, DOMAIN.genesis_hash, self.databases)
            snapshots = Snapshots(store, self.policy)
        verifier = Verifier(DOMAIN, self.signers.known.recover) if self.signers else VERIFIER
        self.history = History(Sequencer(verifier), journal, snapshots)
        self.history.recover()
        self.poster = Poster(cast(Any, self.l1), DOMAIN.rollup, corrupt=self.corrupt)
        self.service = SequencerService(
            self.config,
            TERMS,
            self.history,
            reader=cast(RollupReader, self.l1),
            poster=self.poster,
            clock=self.clock,
            run_blocking=inline,
            signers=self.signers,
        )

    def restart(self, *, kept: int | None = None) -> None:
        """Start again after a loss of power that left `kept` bytes of what was not synced.

        None stands for a killed process: what it had written is all there.
        """
        if kept is not None:
            self.file.lose_power(kept)
            for database in self.databases.databases.values():
                database.lose_power()
        self.start()

    # --- moving it ---

    async def look(self) -> None:
        """Read L1 to its end, and follow it."""
        await self.service.watch.look()
        await self.service.engine.cycle()
        await self.service.snapshotting.step()

    async def seal(self) -> None:
        """Time passes until the open batch is due."""
        await self.service.engine.cycle()
        self.clock.advance(self.config.engine.policy.age_max)
        await self.service.engine.cycle()

    async def post(self, count: int = 100) -> int:
        """Post what is sealed, at most `count` batches, until L1 refuses one; how many it took."""
        for done in range(count):
            batch = self.service.posting.next_batch()
            if batch is None or not await self.service.posting.step(batch):
                return done
            if done < count - 1:
                await self.look()
        return count

    async def settle(self) -> None:
        """Seal, post and look until L1 and the service agree and nothing is left to do."""
        for _ in range(20):
            await self.look()
            await self.seal()
            await self.post()
            await self.look()
            heads = self.service.heads
            is_empty = self.history.sequencer.open is None
            if is_empty and heads.safe == heads.unsafe == len(self.l1.batches):
                return
            self.l1.mine(5)
        raise AssertionError(f"no agreement: {self.service.heads}, {self.service.problems()}")

    async def submit(self, *submissions: Submission) -> list[Receipt]:
        """Hand in at once, let it run, and note what is acknowledged."""
        tasks = [asyncio.ensure_future(self.service.submit(*each)) for each in submissions]
        await asyncio.sleep(0)
        try:
            while not all(task.done() for task in tasks):
                await self.service.engine.cycle()
                await asyncio.sleep(0)
        finally:
            for task in tasks:
                task.cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            for submission, answer in zip(submissions, answers, strict=True):
                if isinstance(answer, Receipt) and answer.steps:
                    self.acknowledged.append(submission)
        refused = next((answer for answer in answers if isinstance(answer, BaseException)), None)
        if refused is not None:
            raise refused
        return [answer for answer in answers if isinstance(answer, Receipt)]

    async def price(self, mark: int = MARK) -> Status:
        tx = SignedPrice(0, mark, self.l1.time)
        (receipt,) = await self.submit((tx, sign_transaction(tx, PUBLISHER)))
        return receipt.status

    async def open_venue(self) -> None:
        """A market, four traders with money, and a price."""
        self.l1.list_market()
        for name in NAMES:
            self.l1.deposit(name)
        await self.look()
        assert await self.price() == Status.OK

    async def orders(self, name: str, *sequences: int, **options: Any) -> list[Status]:
        submissions = [order(name, sequence, **options) for sequence in sequences]
        return [receipt.status for receipt in await self.submit(*submissions)]

    # --- looking at it ---

    @property
    def file(self) -> FakeFile:
        return self.disk.files[PATH]

    @property
    def root(self) -> bytes:
        return self.service.commitment().state_root

    def check(self) -> None:
        """A follower of L1 has our roots, and everything acknowledged ran there once."""
        replayer, roots, rows = self.l1.follow()
        for number, root in enumerate(roots, 1):
            record = self.service.batch(number)
            assert record is not None and record.state_root == root, f"batch {number}"
        assert replayer.commitment().state_root == self.root
        ran = [row.signature for row in rows]
        for tx, signature in self.acknowledged:
            assert ran.count(signature) == 1 or is_price(tx), f"{tx} ran {ran.count(signature)} x"


def is_price(tx: Transaction) -> bool:
    """A price may be overtaken by a later one while it waits for its retry."""
    return isinstance(tx, SignedPrice)
