"""The same mix on a straightforward perpetual contract: what a user would do without us.

The contract is deployed on anvil where it is installed, else on the embedded L1. Everything is
signed beforehand, sent with as many requests in flight as L1 likes, and mined in blocks as
full as they get, which is the fastest that such a chain runs here.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from contracts import token
from contracts.abi import Function, View
from node.artifacts import cache_directory, cached_artifact
from node.benchmark.flow import Flow, FlowMessage, Trader
from node.benchmark.load import LoadFailed
from node.benchmark.memory_venue import MARK_TICKS
from node.clock import Clock
from node.l1.accounts import DevAccount, dev_accounts
from node.l1.answers import L1Receipt
from node.l1.client import L1Client
from node.l1.sender import TransactionSender
from state.orders import BUY, Life, decode_flags
from state.transactions import Cancel, NewOrder

SOURCES = Path(__file__).parent / "contracts"
TRADERS = 8
PURSE_MICRO = 1_000_000 * 10**6
GAS_MAX = 1_000_000
FEE_CAP = 1_000 * 10**9
IN_FLIGHT = 32
BLOCKS_MAX = 1_000

SET_MARK = Function("set_mark", ("uint256",))
DEPOSIT = Function("deposit", ("uint256",))
PLACE = Function("place", ("uint64", "bool", "uint256", "uint256", "bool"))
CANCEL = Function("cancel", ("uint64", "bool"))
TRADES = View("trades", (), ("uint256",), int)


class ContractOutcome(Struct, frozen=True, kw_only=True):
    """What `orders` transactions came to on `engine`, in seconds of wall clock."""

    engine: str
    orders: int
    trades: int
    reverted: int
    seconds: float
    gas: int

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.orders / self.seconds

    @property
    def gas_of_an_order(self) -> float:
        return self.gas / self.orders


class PerpContract:
    """The contract on an L1 that mines every transaction at once, and those who trade there."""

    def __init__(self, client: L1Client, clock: Clock, chain_id: int) -> None:
        *self.traders, self._governor = dev_accounts()[: TRADERS + 1]
        self._client = client
        self._clock = clock
        self._chain_id = chain_id
        self._sides: dict[tuple[int, int], int] = {}
        self.address = b""

    async def deploy(self) -> None:
        """Token and contract, a price, and money in everybody's account."""
        governor = self._sender(self._governor)
        cache = cache_directory(os.environ)
        coin = cached_artifact("test_usdc", cache)
        perp = cached_artifact("perp", cache, SOURCES)
        made = await governor.send(None, coin.creation_code)
        assert made.contract is not None
        asset = made.contract
        created = await governor.send(None, perp.creation_code + asset.rjust(32, b"\0"))
        assert created.contract is not None
        self.address = created.contract
        await governor.send(self.address, SET_MARK.encode(MARK_TICKS))
        for trader in self.traders:
            await governor.send(asset, token.mint(to=trader.address, amount=PURSE_MICRO))
            sender = self._sender(trader)
            approval = token.approve(spender=self.address, amount=PURSE_MICRO)
            await sender.send(asset, approval)
            await sender.send(self.address, DEPOSIT.encode(PURSE_MICRO))

    async def signed(self, messages: Sequence[tuple[int, FlowMessage]]) -> list[bytes]:
        """A transaction a message, whose tips fall, so that they are mined in this order."""
        from eth_account import Account

        nonces = [await self._client.nonce(trader.address) for trader in self.traders]
        found = []
        for place, (at, tx) in enumerate(messages):
            fields: dict[str, Any] = {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": nonces[at],
                "to": self.address,
                "value": 0,
                "data": self._calldata(at, tx),
                "gas": GAS_MAX,
                "maxFeePerGas": FEE_CAP,
                "maxPriorityFeePerGas": 10**9 + len(messages) - place,
            }
            nonces[at] += 1
            signed: Any = Account.sign_transaction(fields, self.traders[at].private_key)
            found.append(bytes(signed.raw_transaction))
        return found

    async def run(self, raw: Sequence[bytes], engine: str) -> ContractOutcome:
        """Send all, then mine until all are in a block. LoadFailed where they never are."""
        traded = TRADES.answer(await self._client.call(self.address, TRADES.call()))
        await self._client.request("evm_setAutomine", False)
        room, began = asyncio.Semaphore(IN_FLIGHT), self._clock.monotonic()

        async def send(one: bytes) -> bytes:
            async with room:
                return await self._client.send_raw(one)

        hashes = await asyncio.gather(*map(send, raw))
        for _ in range(BLOCKS_MAX):
            await self._client.request("evm_mine")
            if await self._client.receipt(hashes[-1]) is not None:
                break
        seconds = self._clock.monotonic() - began
        await self._client.request("evm_setAutomine", True)
        receipts = [await self._receipt(one) for one in hashes]
        after = TRADES.answer(await self._client.call(self.address, TRADES.call()))
        return ContractOutcome(
            engine=engine,
            orders=len(receipts),
            trades=after - traded,
            reverted=sum(not receipt.succeeded for receipt in receipts),
            seconds=seconds,
            gas=sum(receipt.gas_used for receipt in receipts),
        )

    def flow(self) -> Flow:
        """The mix, by everybody who trades here."""
        traders = [Trader(at, one.address) for at, one in enumerate(self.traders)]
        return Flow(traders, seed=1, ticks=MARK_TICKS, expiry=0)

    def _calldata(self, at: int, tx: FlowMessage) -> bytes:
        if isinstance(tx, NewOrder):
            flags = decode_flags(tx.flags)
            assert flags is not None
            self._sides[at, tx.sequence] = flags.side
            may_rest = flags.life == Life.GTC
            return PLACE.encode(tx.sequence, flags.side == BUY, tx.ticks, tx.lots, may_rest)
        assert isinstance(tx, Cancel)
        side = self._sides[at, tx.order_sequence]
        return CANCEL.encode(tx.order_sequence, side == BUY)

    def _sender(self, account: DevAccount) -> TransactionSender:
        key = account.private_key
        return TransactionSender(self._client, key, self._clock, chain_id=self._chain_id)

    async def _receipt(self, transaction: bytes) -> L1Receipt:
        found = await self._client.receipt(transaction)
        if found is None:
            raise LoadFailed(f"L1 never mined 0x{transaction.hex()}, which it had taken")
        return found
