"""What befalls the world from outside: processes killed, L1 down, reorganised, or outdone."""

import asyncio

from contracts import calls, views
from node.errors import L1Error, Retry
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from node.simulation.clients import GAS
from node.simulation.faults import Faults
from node.simulation.l1 import REORG_DEPTH_MAX, SimulatedL1
from node.simulation.network import Network
from node.simulation.processes import Process
from node.simulation.trace import Trace
from state.crypto import keccak

LOOK_SECONDS = 2.0


class Mischief:
    """Looks again and again whether something is to go wrong."""

    def __init__(
        self,
        faults: Faults,
        trace: Trace,
        *,
        l1: SimulatedL1,
        network: Network,
        processes: list[Process],
        rival: TransactionSender,
    ) -> None:
        self._faults = faults
        self._trace = trace
        self._l1 = l1
        self._network = network
        self._processes = processes
        self._rival = rival
        self._random = faults.random("mischief")

    async def run(self) -> None:
        """Until cancelled; nothing happens while the faults are off."""
        down = asyncio.create_task(self._outages())
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                for process in self._processes:
                    self._befall(process)
                await self._befall_l1()
        finally:
            down.cancel()

    def _befall(self, process: Process) -> None:
        rates, strikes = self._faults.rates, self._faults.strikes
        if strikes(rates.kill):
            process.end("kill", power=False)
        elif strikes(rates.power_loss):
            process.end("power loss", power=True)
        elif strikes(rates.stop):
            process.stop()
        if strikes(rates.link_cut):
            self._network.cut(process.name, self._random.choice((5.0, 20.0, 50.0)))
        if strikes(rates.disk_full):
            process.databases.fill(self._random.choice((2.0, 8.0, 30.0)))

    async def _befall_l1(self) -> None:
        rates, strikes = self._faults.rates, self._faults.strikes
        if strikes(rates.reorg):
            deep = self._random.random() < 0.3
            await self._l1.reorganise(self._random.randint(1, REORG_DEPTH_MAX if deep else 4))
        if strikes(rates.pool_lost):
            self._l1.forget_pool()
        if strikes(rates.rival):
            await self._post_rival()

    async def _outages(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._faults.strikes(self._faults.rates.l1_down):
                self._trace.fault("l1 down", "l1")
                self._l1.is_down = True
                await self._lasting()
                self._l1.is_down = False
            if self._faults.strikes(self._faults.rates.l1_stands):
                self._trace.fault("l1 stands", "l1")
                self._l1.stands = True
                await self._lasting()
                self._l1.stands = False

    async def _lasting(self) -> None:
        """Some seconds, or until the faults end."""
        for _ in range(self._random.choice((4, 10, 30, 70))):
            if not self._faults.is_on:
                return
            await asyncio.sleep(1.0)

    async def _post_rival(self) -> None:
        """Somebody has the sequencer's key, and posts a batch that is no batch."""
        reader, head = self._l1.reader, self._l1.devnet.head
        try:
            last = await reader.read(views.HEAD)
            junk = self._random.randbytes(40)
            data = calls.post_batch(
                parent=await reader.read(views.BATCH_HASHES, last.number),
                inbox_to=await reader.read(views.INBOX_SIZE),
                origin_number=head.number,
                origin_hash=head.hash,
                time_min=max(last.time_max, head.header.timestamp - 20),
                time_max=max(last.time_max, head.header.timestamp),
                chunks=[junk],
                raw_hashes=[keccak(junk)],
            )
            self._trace.fault("rival batch", "rival", number=last.number + 1)
            await asyncio.wait_for(self._rival.send(reader.address, data, gas=GAS), 30.0)
        except (Retry, L1Error, TransactionReverted, TimeoutError) as error:
            self._trace.add("rival", "refused", why=type(error).__name__)
