"""The liquidity of a devnet: one account that quotes both sides of every market."""

import structlog

from node.clock import Clock
from node.devnet.quotes import Ladder, Quote, Resting, changeover, wanted
from node.errors import Retry
from node.rpc.client import VenueClient, VenueError
from node.rpc.results import AccountSummary, MarketSummary
from state.eip712 import SIDES
from state.orders import Flags, Life, encode_flags
from state.transactions import Cancel, NewOrder

log = structlog.get_logger(__name__)

ORDER_LIFE_SECONDS = 3_600


class MarketMaker:
    """Looks at its orders and the marks, and closes the gap between what is and what should be."""

    def __init__(
        self, venue: VenueClient, private_key: bytes, account: int, ladder: Ladder, clock: Clock
    ) -> None:
        self.account = account
        self._venue = venue
        self._private_key = private_key
        self._ladder = ladder
        self._clock = clock
        self._sequence = 0

    async def run(self, seconds: float) -> None:
        """Refresh every `seconds` until cancelled."""
        while True:
            try:
                await self.refresh()
            except (Retry, VenueError) as error:
                log.warning("quotes_not_refreshed", error=str(error))
            await self._clock.sleep(seconds)

    async def refresh(self) -> int:
        """Bring every market that has a fresh price up to date; orders and cancels sent."""
        own = await self._venue.account(self.account)
        self._sequence = max(self._sequence, int(own.next_sequence) - 1)
        sent = 0
        for market in await self._venue.markets():
            if market.price_age.fresh:
                sent += await self._refresh_market(market, own)
        return sent

    async def _refresh_market(self, market: MarketSummary, own: AccountSummary) -> int:
        ladder = self._ladder
        quotes = wanted(
            ladder,
            mark=int(market.mark.nano),
            tick=market.tick,
            lots_max=int(market.order_lots_max),
        )
        present = [
            Resting(int(order.id.sequence), SIDES.index(order.side), order.ticks, order.lots)
            for order in own.orders
            if order.market == market.market
        ]
        change = changeover(quotes, present, tolerance=ladder.tolerance)
        for quote in change.place:
            await self._place(market.market, quote, own.time)
        for sequence in change.cancel:
            await self._submit(
                Cancel(self.account, 0, self._next(), 0, sequence, self._expiry(own.time))
            )
        return len(change.place) + len(change.cancel)

    async def _place(self, market: int, quote: Quote, now: int) -> None:
        flags = encode_flags(Flags(quote.side, life=Life.POST_ONLY))
        await self._submit(
            NewOrder(
                *(self.account, 0, self._next(), market, flags),
                *(quote.ticks, quote.lots, self._expiry(now)),
            )
        )

    async def _submit(self, tx: NewOrder | Cancel) -> None:
        """A refusal is no reason to stop quoting: the next refresh sees what became of it."""
        try:
            await self._venue.sign_and_submit(self._private_key, tx)
        except VenueError as refusal:
            log.debug("quote_refused", kind=type(tx).__name__, reason=refusal.reason)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _expiry(self, now: int) -> int:
        return max(now, int(self._clock.now())) + ORDER_LIFE_SECONDS
