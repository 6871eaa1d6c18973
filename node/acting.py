"""What acts on L1 by what it executed itself: a follower, and moves between its turns."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

import structlog

from node.clock import Clock
from node.database import OpenDatabase, open_leveldb
from node.errors import Halt, L1Error, Retry
from node.follower import FollowerConfig, FollowerService
from node.l1.client import L1Client
from node.l1.refusals import TransactionReverted
from node.stopping import run_until

log = structlog.get_logger(__name__)

CheckChain = Callable[[int], None]
"""Raises where our key must not sign for the chain of this id."""


def any_chain(_: int) -> None:
    """A key that nobody else knows signs for every chain."""


class ActingService(ABC):
    """Claimant and challenger: each says in `act` what it does once L1 was followed."""

    called = "the service"

    def __init__(
        self,
        config: FollowerConfig,
        clock: Clock,
        *,
        client: L1Client | None = None,
        open_database: OpenDatabase = open_leveldb,
        check_chain: CheckChain = any_chain,
    ) -> None:
        self.clock = clock
        self.follower = FollowerService(config, clock, client=client, open_database=open_database)
        self._poll_seconds = config.poll_seconds
        self._check_chain = check_chain
        self._trouble: list[str] = []

    def problems(self) -> list[str]:
        """What keeps it from its work, each with its mend."""
        return [*self.follower.problems(), *self._trouble]

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Raises Halt where going on would be wrong, or cost a bond."""
        try:
            await run_until(stop, self._work())
        except Halt as halt:
            self._trouble = [str(halt)]
            log.error(f"{self.called} stops", problem=str(halt))
            raise
        finally:
            await self.close()

    async def _work(self) -> None:
        await self.open()
        while True:
            if await self.attempt():
                await self.clock.sleep(self._poll_seconds)

    async def open(self) -> None:
        """Execute what the data directory holds."""
        await self.follower.open()

    async def close(self) -> None:
        await self.follower.close()

    async def attempt(self) -> bool:
        """Follow L1, then act; True where there is nothing more to do for now."""
        has_caught_up = await self.follower.attempt()
        if (followed := self.follower.followed) is not None:
            # Not at the start: L1 may be away then, and nothing but this tells which one it is.
            self._check_chain(followed.terms.chain_id)
        if not has_caught_up:
            return False
        if self.follower.is_behind:
            # The follower tells of it. What was executed may not be all there is: a claim that is
            # looked for there would not be found, or be called wrong too soon.
            return True
        try:
            return not await self.act()
        except (Retry, L1Error, TransactionReverted) as error:
            self._tell([self._failure(error)])
            return True

    @abstractmethod
    async def act(self) -> bool:
        """Make what moves there are; whether one was made. Halt where a wrong claim confirmed."""

    @abstractmethod
    def _failure(self, error: Exception) -> str:
        """What to say where acting failed, with its mend."""

    def _tell(self, trouble: list[str]) -> None:
        if trouble and trouble != self._trouble:
            log.warning("trouble", problems=trouble)
        self._trouble = trouble
