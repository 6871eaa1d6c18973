"""The client: every method of a node, traders who sign, and streams that mend themselves."""

from typing import Any

from node.client.line import Line
from node.client.sending import Sender
from node.client.streams import Stream
from node.client.trade_stream import FillStream, TradeStream
from node.client.trader import Trader
from node.clock import Clock
from node.rpc.channel import HEARTBEAT_SECONDS, Channel, VenueError
from node.rpc.client import VenueClient
from node.rpc.errors import Code
from node.rpc.params import Interval, MarketName
from node.rpc.results import AccountSummary
from node.rpc.streams.results import (
    BatchesTold,
    BestPrices,
    BookLevels,
    CandlesTold,
    FillsTold,
    OrdersTold,
    TradesTold,
)
from node.signatures import address_of
from state.accounts import OWNER_KEY
from state.eip712 import Domain


class NoAccount(VenueError):
    """A key signs for no such account, so there is nothing to trade with."""

    def __init__(self, address: bytes, what: str) -> None:
        mend = "deposit on L1 to open an account, or let its owner add the key (addKey)"
        super().__init__(
            *(Code.NOT_FOUND, "unknown_account"),
            f"the key of 0x{address.hex()} {what}",
            {"mend": mend},
        )


class Client(VenueClient):
    """`async with Client(url, domain=...) as client`.

    Signatures hold for `domain` alone. Take it from what you know of the venue:
    `state.eip712.domain(chain_id, rollup)`, or `domain_on_l1(l1_url, rollup)` of this package,
    which looks whether that rollup is on that L1. **Without it the node's word is taken**, once, so
    a node that lies could have you sign for another venue: do that on a devnet only.

    `patience_seconds` is how long a signed message waits for its answer over broken connections,
    `heartbeat_seconds` how long a stream may be silent before the node is asked if it lives.
    """

    def __init__(
        self,
        url: str,
        *,
        domain: Domain | None = None,
        clock: Clock | None = None,
        timeout_seconds: float = 30.0,
        patience_seconds: float = 60.0,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        super().__init__(url, domain=domain, clock=clock, timeout_seconds=timeout_seconds)
        self._line = Line(self._channel, self._clock, patience_seconds)
        self._heartbeat_seconds = heartbeat_seconds

    async def close(self) -> None:
        await self._line.close()
        await super().close()

    async def trader(
        self, private_key: bytes, account: int | None = None, *, subaccount: int = 0
    ) -> Trader:
        """The trader of a key: of its own subaccount, or of `account` as its session key.

        NoAccount where it signs for none.
        """
        address = address_of(private_key)
        number, epoch = await self._signs_for(address, account, subaccount)
        sender = Sender(self, self._line, self._clock, private_key, number, epoch)
        return Trader(sender, address)

    async def _signs_for(
        self, address: bytes, account: int | None, subaccount: int
    ) -> tuple[int, int]:
        if account is None:
            own = {found.subaccount: found.account for found in await self.accounts(address)}
            if subaccount not in own:
                raise NoAccount(address, f"owns no subaccount {subaccount}")
            return own[subaccount], OWNER_KEY
        epoch = _epoch(await self.account(account), address)
        if epoch is None:
            raise NoAccount(address, f"neither owns account {account} nor is a session key of it")
        return account, epoch

    # --- streams ---

    def watch_book(self, market: MarketName) -> Stream[BookLevels]:
        """Every level, then those that changed; `Book` keeps them."""
        return self._stream("book", market=market)

    def watch_bbo(self, market: MarketName) -> Stream[BestPrices]:
        """The best level of each side."""
        return self._stream("bbo", market=market)

    def watch_trades(self, market: MarketName) -> Stream[TradesTold]:
        """The last trades, then each new one; none is missed and none told twice."""
        return TradeStream(*self._wanted("trades", market=market))

    def watch_candles(self, market: MarketName, interval: Interval) -> Stream[CandlesTold]:
        """The last candles, then those that changed."""
        return self._stream("candles", market=market, interval=interval)

    def watch_account(self, account: int) -> Stream[AccountSummary]:
        """The account whenever it, or what its margin is made of, changed."""
        return self._stream("account", account=account)

    def watch_orders(self, account: int) -> Stream[OrdersTold]:
        """Those that rest, then every order to which something happened.

        What ended during a break is in `account_orders`.
        """
        return self._stream("orders", account=account)

    def watch_batches(self) -> Stream[BatchesTold]:
        """Heads, and new batches."""
        return self._stream("batches")

    def watch_fills(
        self, *, market: MarketName | None = None, account: int | None = None
    ) -> Stream[FillsTold]:
        """The last fills, then each new one, with both sides."""
        return FillStream(*self._wanted("fills", market=market, account=account))

    def _stream(self, channel: str, **about: MarketName | None) -> Stream[Any]:
        return Stream(*self._wanted(channel, **about))

    def _wanted(
        self, channel: str, **about: MarketName | None
    ) -> tuple[Channel, Clock, dict[str, Any], float]:
        wanted = {"channel": channel, **about}
        return self._channel, self._clock, wanted, self._heartbeat_seconds


def _epoch(summary: AccountSummary, address: bytes) -> int | None:
    """Under which a key signs for an account; of several the newest."""
    if summary.owner == address:
        return OWNER_KEY
    epochs = [held.epoch for held in summary.keys if held.address == address]
    return epochs[-1] if epochs else None
