"""The oracle of a devnet: signs a price of every market, again and again, by L1's clock."""

from pathlib import Path

import structlog

from node.clock import Clock
from node.config import BotsConfig
from node.devnet.listings import COINS
from node.devnet.prices import PricePath
from node.errors import L1Error, Retry
from node.files import write_whole
from node.l1.client import L1Client
from node.rpc.client import VenueClient, VenueError
from state.transactions import SignedPrice

log = structlog.get_logger(__name__)

NOT_YET = frozenset({"price_not_newer", "price_from_future", "unknown_market"})
"""Refusals that the next price will not meet: L1's clock has to move, or a listing to arrive."""


class PriceFeed:
    """Walks a path bar by bar; `cursor` keeps its place over restarts."""

    def __init__(
        self,
        config: BotsConfig,
        path: PricePath,
        *,
        venue: VenueClient,
        l1: L1Client,
        private_key: bytes,
        clock: Clock,
    ) -> None:
        self.config = config
        self.path = path
        self._venue = venue
        self._l1 = l1
        self._private_key = private_key
        self._clock = clock
        self._start = read_cursor(config.cursor)
        self._began = clock.monotonic()
        self._written = -1

    async def run(self) -> None:
        """Publish every `price_seconds` until cancelled."""
        while True:
            try:
                await self.publish()
            except (Retry, L1Error) as error:
                log.warning("no_price_published", error=str(error))
            await self._clock.sleep(self.config.price_seconds)

    @property
    def bar_number(self) -> int:
        """How far the path has been walked by now."""
        elapsed = self._clock.monotonic() - self._began
        return self._start + int(elapsed / self.config.bar_seconds)

    async def publish(self) -> int:
        """Sign and submit the present price of every market; how many the venue took."""
        number, time = self.bar_number, await self._time()
        taken = 0
        for market, price in enumerate(self.path.bar(number)):
            taken += await self._submit(SignedPrice(market, price, time))
        if number != self._written:
            write_whole(self.config.cursor, str(number).encode())
            self._written = number
        return taken

    async def _submit(self, tx: SignedPrice) -> bool:
        try:
            await self._venue.sign_and_submit(self._private_key, tx)
        except VenueError as refusal:
            level = log.debug if refusal.reason in NOT_YET else log.warning
            level("price_refused", market=COINS[tx.market].symbol, reason=refusal.reason)
            return False
        return True

    async def _time(self) -> int:
        """The time of L1's last block but one: the venue's clock is that of a block it has seen."""
        head = await self._l1.block_number()
        block = await self._l1.block(max(head - 1, 0))
        if block is None:
            raise Retry(f"L1 has no block {head - 1} any more")
        return block.timestamp


def read_cursor(path: Path) -> int:
    """The bar to go on from; the first one where nothing readable was kept."""
    try:
        return max(0, int(path.read_text()))
    except (OSError, ValueError):
        return 0
