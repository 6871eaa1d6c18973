"""One seed, from the first block to the end at which everything must agree."""

import asyncio
from pathlib import Path
from typing import Any

from node.claimant import ClaimantConfig, ClaimantService
from node.follower import FollowerConfig, FollowerService
from node.sequencer import SequencerConfig, SequencerService, open_sequencer
from node.sequencing.engine import EngineConfig
from node.simulation.clients import Client, direct_sender
from node.simulation.deployment import (
    CLAIMANT,
    GOVERNOR,
    PASSERBY,
    PUBLISHER,
    SEQUENCER,
    TRADERS,
    URL,
    Origin,
    private_key,
)
from node.simulation.drafts import Market
from node.simulation.ending import Ending
from node.simulation.faults import Faults, Rates
from node.simulation.governor import Governor
from node.simulation.l1 import SimulatedL1, start_offset
from node.simulation.mischief import Mischief
from node.simulation.network import Network
from node.simulation.passerby import Passerby
from node.simulation.processes import Process, Run
from node.simulation.promises import Promises
from node.simulation.referee import Referee
from node.simulation.trace import Trace
from node.simulation.workload import Publisher, Trader
from node.snapshot_policy import SnapshotPolicy
from sequencer.sealing import SealingPolicy

FOLDER = Path("data")


class Story:
    """Everybody in it; `tasks` is what goes on by itself."""

    def __init__(self, seed: int, origin: Origin, trace: Trace, rates: Rates | None = None) -> None:
        self.origin = origin
        self.trace = trace
        self.faults = Faults(seed, rates)
        self.random = self.faults.random("story")
        self.seconds = self.random.choice((25.0, 40.0, 60.0, 100.0))
        self.poll_seconds = self.random.choice((1.0, 2.0, 4.0))
        self.confirmations = self.random.choice((0, 0, 0, 2))
        self.batch_seconds = self.random.choice((5.0, 8.0, 12.0))
        self.snapshot_policy = SnapshotPolicy(batches=self.random.choice((1, 2, 4)))
        self.promises = Promises(trace)
        self.network = Network(self.faults, trace)
        self.l1 = SimulatedL1(origin, self.faults, trace, self._l1_changed)
        self.referee = Referee(self.l1, origin.terms, trace, self.services)
        self.processes = [
            self._process("sequencer", self._sequencer),
            self._process("follower", self._follower),
            self._process("claimant", self._claimant),
        ]
        self.market = Market()
        self.traders = [self._trader(name) for name in TRADERS]
        for trader in self.traders:
            trader.peers = [other for other in self.traders if other is not trader]
        self.publisher = Publisher(
            self._client("publisher", PUBLISHER), self.l1, self.market, self.faults
        )
        self.passerby = Passerby(self.l1, direct_sender(self.l1, PASSERBY), self.referee, trace)
        self.governor = Governor(self.l1, direct_sender(self.l1, GOVERNOR), self.faults, trace)
        self.mischief = Mischief(
            self.faults,
            trace,
            l1=self.l1,
            network=self.network,
            processes=self.processes,
            rival=direct_sender(self.l1, SEQUENCER),
        )

    # --- who is there ---

    def services(self) -> dict[str, Any]:
        """The views of every process that serves now."""
        found = {process.name: process.service for process in self.processes}
        views = {
            name: service.follower if isinstance(service, ClaimantService) else service
            for name, service in found.items()
            if service is not None
        }
        return {
            name: view
            for name, view in views.items()
            if not isinstance(view, FollowerService) or view.followed is not None
        }

    @property
    def sequencer(self) -> SequencerService | None:
        return self.processes[0].service  # type: ignore[no-any-return]

    def _process(self, name: str, start: Any) -> Process:
        return Process(
            name,
            start,
            l1=self.l1,
            network=self.network,
            faults=self.faults,
            trace=self.trace,
            on_start=self._started,
        )

    def _client(self, name: str, key: bytes) -> Client:
        return Client(
            name,
            key,
            sequencer=self.processes[0],
            network=self.network,
            promises=self.promises,
            faults=self.faults,
            trace=self.trace,
            domain=self.origin.terms.domain,
        )

    def _trader(self, name: str) -> Trader:
        client = self._client(name, private_key(name))
        sender = direct_sender(self.l1, name)
        return Trader(client, self.l1, sender, self.referee, self.market, self.faults, self.trace)

    # --- processes, as their commands start them ---

    async def _sequencer(self, run: Run) -> SequencerService:
        config = SequencerConfig(
            journal=FOLDER / "journal",
            rollup=self.origin.deployment.rollup,
            engine=EngineConfig(
                policy=SealingPolicy(age_max=self.batch_seconds), backlog_max=8, group_max=16
            ),
            poll_seconds=self.poll_seconds,
            tick_seconds=0.5,
            silence_seconds=20.0,
            confirmations=self.confirmations,
            corrupt_batch=self._corrupt_batch(),
            snapshots=FOLDER / "snapshots",
            snapshot_policy=self.snapshot_policy,
        )
        return await open_sequencer(
            config,
            run.client(),
            private_key(SEQUENCER),
            run.clock,
            disk=run.disk,
            open_database=run.open_database,
            run_blocking=self._blocking,
        )

    def _corrupt_batch(self) -> int | None:
        """Sometimes a sequencer is started that will post one batch with a flipped byte."""
        if not self.faults.strikes(self.faults.rates.corrupt):
            return None
        number = self.referee.followed.number + self.random.randint(1, 4)
        self.trace.fault("corrupt batch", "sequencer", number=number)
        return number

    async def _follower(self, run: Run) -> FollowerService:
        return FollowerService(
            self._follower_config(),
            run.clock,
            client=run.client(),
            open_database=run.open_database,
        )

    async def _claimant(self, run: Run) -> ClaimantService:
        config = ClaimantConfig(
            follower=self._follower_config(),
            private_key=private_key(CLAIMANT),
            confirmations=self.confirmations,
        )
        return ClaimantService(
            config, run.clock, client=run.client(), open_database=run.open_database
        )

    def _follower_config(self) -> FollowerConfig:
        return FollowerConfig(
            l1_url=URL,
            rollup=self.origin.deployment.rollup,
            data_directory=FOLDER,
            poll_seconds=self.poll_seconds,
            confirmations=self.confirmations,
            snapshot_policy=self.snapshot_policy,
        )

    async def _blocking(self, call: Any) -> Any:
        """A sync takes time, in which others get their turn."""
        await asyncio.sleep(self.random.choice((0.0, 0.001, 0.02)))
        return call()

    # --- events ---

    async def _l1_changed(self) -> None:
        await self.referee.look()

    def _started(self, service: Any) -> None:
        if isinstance(service, SequencerService):
            self.promises.check_recovered(service, self.referee.rows)

    # --- the story ---

    async def tell(self) -> None:
        """Play it. Violation, Deadlock or Livelock where something is wrong."""
        await asyncio.sleep(start_offset(self.origin))
        stop = asyncio.Event()
        going = [self.l1.run(), self.passerby.run(), self.mischief.run()]
        going += [process.run() for process in self.processes]
        tasks = [asyncio.create_task(part) for part in going]
        people = [trader.run(stop) for trader in self.traders]
        acting = asyncio.gather(*people, self.publisher.run(stop))
        governing = asyncio.create_task(self.governor.run())
        ending = asyncio.create_task(self._play(stop, acting, governing, Ending(self)))
        try:
            done, _ = await asyncio.wait([ending, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*tasks, ending):
                task.cancel()
            acting.cancel()
            governing.cancel()
            await asyncio.gather(*tasks, ending, acting, governing, return_exceptions=True)

    async def _play(self, stop: asyncio.Event, acting: Any, governing: Any, ending: Any) -> None:
        await asyncio.sleep(self.seconds)
        self.faults.is_on = False
        self.trace.add("world", "faults end")
        stop.set()
        governing.cancel()
        self.l1.release()
        await acting
        await ending.settle()
