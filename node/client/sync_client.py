"""The client without `await`: the same methods, each waiting for its result."""

import atexit
from typing import Any, Self

from node.client.blocking import LoopThread, blocking, holding, plainly, streaming
from node.client.client import Client
from node.client.trader import Trader
from node.clock import Clock
from state.eip712 import Domain


class SyncTrader:
    """`Trader`, each call waiting for its result; several threads may share one."""

    def __init__(self, loop: LoopThread, inner: Trader) -> None:
        self.loop = loop
        self.inner = inner

    @property
    def account(self) -> int:
        return self.inner.account

    @property
    def address(self) -> bytes:
        return self.inner.address

    @property
    def key_epoch(self) -> int:
        """0 is the owner's own key."""
        return self.inner.key_epoch

    add_key = blocking(Trader.add_key)
    amend = blocking(Trader.amend)
    batch = blocking(Trader.batch)
    cancel = blocking(Trader.cancel)
    cancel_all = blocking(Trader.cancel_all)
    cancel_on_disconnect = holding(Trader.cancel_on_disconnect)
    dead_man_switch = blocking(Trader.dead_man_switch)
    order = blocking(Trader.order)
    place = blocking(Trader.place)
    positions = blocking(Trader.positions)
    preview = blocking(Trader.preview)
    reserve_sequence = blocking(Trader.reserve_sequence)
    revoke_key = blocking(Trader.revoke_key)
    sign_block_trade = blocking(Trader.sign_block_trade)
    summary = blocking(Trader.summary)
    transfer = blocking(Trader.transfer)
    withdraw = blocking(Trader.withdraw)


class SyncClient:
    """`with SyncClient(url, domain=...) as client`; about `domain`, see `Client`."""

    def __init__(
        self,
        url: str,
        *,
        domain: Domain | None = None,
        clock: Clock | None = None,
        **seconds: float,
    ) -> None:
        """`seconds` are `timeout_seconds`, `patience_seconds` and `heartbeat_seconds`."""
        self.inner = Client(url, domain=domain, clock=clock, **seconds)
        self.loop = LoopThread()
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections, and the thread; ClientClosed for whoever still waits.

        At the end of a program that did not, it is done then.
        """
        atexit.unregister(self.close)
        self.loop.close(self.inner.close())

    def request(self, method: str, **params: Any) -> Any:
        """Any method, its result as decoded JSON."""
        return self.loop.run(self.inner.request(method, **params))

    def trader(
        self, private_key: bytes, account: int | None = None, *, subaccount: int = 0
    ) -> SyncTrader:
        """As `Client.trader`."""
        found = self.loop.run(self.inner.trader(private_key, account, subaccount=subaccount))
        return SyncTrader(self.loop, found)

    account = blocking(Client.account)
    account_fills = blocking(Client.account_fills)
    account_orders = blocking(Client.account_orders)
    account_proof = blocking(Client.account_proof)
    accounts = blocking(Client.accounts)
    batch = blocking(Client.batch)
    batches = blocking(Client.batches)
    best_order_proof = blocking(Client.best_order_proof)
    book = blocking(Client.book)
    cancel = blocking(Client.cancel)
    cancel_on_disconnect = holding(Client.cancel_on_disconnect)
    candles = blocking(Client.candles)
    claims = blocking(Client.claims)
    config = blocking(Client.config)
    dead_man_switch = blocking(Client.dead_man_switch)
    domain = blocking(Client.domain)
    draft_add_key = plainly(Client.draft_add_key)
    draft_amend = blocking(Client.draft_amend)
    draft_block_trade = blocking(Client.draft_block_trade)
    draft_cancel = plainly(Client.draft_cancel)
    draft_cancel_all = blocking(Client.draft_cancel_all)
    draft_order = blocking(Client.draft_order)
    draft_revoke_key = plainly(Client.draft_revoke_key)
    draft_transfer = plainly(Client.draft_transfer)
    draft_withdraw = plainly(Client.draft_withdraw)
    fees = blocking(Client.fees)
    funding = blocking(Client.funding)
    item = blocking(Client.item)
    market = blocking(Client.market)
    markets = blocking(Client.markets)
    open_order = blocking(Client.open_order)
    order = blocking(Client.order)
    positions = blocking(Client.positions)
    preview = blocking(Client.preview)
    preview_message = blocking(Client.preview_message)
    sign = blocking(Client.sign)
    sign_and_add_key = blocking(Client.sign_and_add_key)
    sign_and_amend = blocking(Client.sign_and_amend)
    sign_and_cancel = blocking(Client.sign_and_cancel)
    sign_and_cancel_all = blocking(Client.sign_and_cancel_all)
    sign_and_revoke_key = blocking(Client.sign_and_revoke_key)
    sign_and_submit = blocking(Client.sign_and_submit)
    sign_and_submit_order = blocking(Client.sign_and_submit_order)
    sign_and_submit_price = blocking(Client.sign_and_submit_price)
    sign_and_transfer = blocking(Client.sign_and_transfer)
    sign_and_withdraw = blocking(Client.sign_and_withdraw)
    status = blocking(Client.status)
    submit = blocking(Client.submit)
    submit_batch = blocking(Client.submit_batch)
    submit_block_trade = blocking(Client.submit_block_trade)
    submit_price = blocking(Client.submit_price)
    trades = blocking(Client.trades)
    typed_data = blocking(Client.typed_data)
    watch_account = streaming(Client.watch_account)
    watch_batches = streaming(Client.watch_batches)
    watch_bbo = streaming(Client.watch_bbo)
    watch_book = streaming(Client.watch_book)
    watch_candles = streaming(Client.watch_candles)
    watch_fills = streaming(Client.watch_fills)
    watch_orders = streaming(Client.watch_orders)
    watch_trades = streaming(Client.watch_trades)
    withdrawal = blocking(Client.withdrawal)
    withdrawal_proof = blocking(Client.withdrawal_proof)
