"""Sending transactions from one key, and seeing each through to its receipt.

Safe to stop at any moment. Nothing is remembered between runs: the nonce is always the
chain's pending count, and the first send of a run waits for what an earlier run left
unmined, so that the gas estimate, made on the pending state, already sees its effects.
What the caller asks for again is then refused by the contract before it costs anything,
provided the contract itself refuses a repetition; a plain transfer of value has no such
guard, and may be paid twice if its sender dies between sending and writing that down.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from node.clock import Clock
from node.errors import L1Error, Retry
from node.l1.answers import Fees, L1Receipt
from node.l1.client import L1Client
from node.l1.refusals import Displaced, Gap, TransactionReverted, as_revert, is_revert

GAS_MAX = 2**24  # EIP-7825
_BUMP_PERCENT = 25  # pools ask for 10 more
_TRIES = 10

_NONCE_TOO_LOW = re.compile(r"nonce (is )?too low|nonce has already been used", re.IGNORECASE)
_KNOWN = re.compile(r"already known|known transaction|already imported|already exists", re.I)
_UNDERPRICED = re.compile(r"underpriced|fee too low to replace", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sending:
    """How long to wait, in seconds, and what to pay: fees in wei per gas, margin in percent.

    `gap_after` is when a transaction that is not mined is looked at for nonces missing before it,
    `displaced_after` how long L1 may count a transaction before it has the receipt.
    """

    gas_margin: int = 25
    displaced_after: float = 2.0
    gap_after: float = 10.0
    stuck_after: float = 60.0
    give_up_after: float = 900.0
    poll_first: float = 0.05
    poll_max: float = 2.0
    max_fee_limit: int = 1_000 * 10**9


@dataclass(frozen=True, slots=True)
class _Request:
    to: bytes | None
    data: bytes
    value: int
    gas: int


@dataclass(slots=True, eq=False)
class _Flight:
    """One nonce in the air, with every transaction sent for it."""

    request: _Request
    nonce: int
    fees: Fees
    raw: bytes = b""
    hashes: list[bytes] = field(default_factory=list)
    used_since: float | None = None
    """When its nonce was first seen used up, with no receipt of ours."""


class TransactionSender:
    """One key of one chain. Sends may overlap; their nonces follow the order of calls."""

    def __init__(
        self,
        client: L1Client,
        private_key: bytes,
        clock: Clock,
        *,
        chain_id: int,
        sending: Sending | None = None,
    ) -> None:
        # Imported here because it takes half a second that a reader of L1 need not spend.
        from eth_account import Account

        self._account: Any = Account.from_key(private_key)
        self.address = bytes.fromhex(self._account.address[2:])
        self._client = client
        self._clock = clock
        self._chain_id = chain_id
        self._sending = sending or Sending()
        self._order = asyncio.Lock()
        self._settled = False
        self._flying: list[_Flight] = []

    async def send(
        self,
        to: bytes | None,
        data: bytes = b"",
        *,
        value: int = 0,
        gas: int | None = None,
        spare_gas: int = 0,
        taken: Callable[[], None] | None = None,
    ) -> L1Receipt:
        """Send, and return the receipt of a transaction that succeeded.

        `to` None creates a contract. Without `gas` it is estimated; `spare_gas` goes on top where
        what others do until it is mined may make it dearer. `taken` is called once L1 has it
        waiting: what is sent from then on comes behind it. Raises `TransactionReverted`, `L1Error`
        where L1 does not take the transaction at all, and `Retry` where its fate is not known in
        time.
        """
        async with self._order:
            take_over = await self._settle()
            if gas is None:
                gas = min(await self._estimate(to, data, value) + spare_gas, GAS_MAX)
            flight = await self._launch(_Request(to, data, value, gas), take_over)
            self._settled = True
            self._flying.append(flight)
        try:
            if taken is not None:
                taken()
            receipt = await self._landed(flight)
        except asyncio.CancelledError:
            self._settled = False
            raise
        finally:
            self._flying.remove(flight)
        if not receipt.succeeded:
            raise await self._reverted(flight.request, receipt)
        return receipt

    async def _settle(self) -> bool:
        """Wait for what an earlier run left unmined; True if it is stuck and must be replaced."""
        if self._settled or self._flying:
            return False
        give_up = self._clock.monotonic() + self._sending.stuck_after
        while True:
            mined = await self._client.nonce(self.address, "latest")
            if await self._client.nonce(self.address, "pending") <= mined:
                return False
            if self._clock.monotonic() > give_up:
                return True
            await self._clock.sleep(self._sending.poll_max)

    async def _estimate(self, to: bytes | None, data: bytes, value: int) -> int:
        try:
            needed = await self._client.estimate_gas(to, data, sender=self.address, value=value)
        except L1Error as refusal:
            if is_revert(refusal):
                raise as_revert(refusal, None) from None
            raise
        if needed > GAS_MAX:
            raise L1Error(0, f"needs {needed} gas, a transaction has at most {GAS_MAX}")
        return min(needed * (100 + self._sending.gas_margin) // 100, GAS_MAX)

    async def _launch(self, request: _Request, take_over: bool) -> _Flight:
        """Get a first transaction into the pool; with `take_over`, in place of a stuck one."""
        fees = await self._market()
        for _ in range(_TRIES):
            nonce = await self._client.nonce(self.address, "latest" if take_over else "pending")
            flight = _Flight(request, nonce, fees)
            self._sign(flight)
            try:
                await self._push(flight.raw)
            except L1Error as refusal:
                if _NONCE_TOO_LOW.search(refusal.message):
                    # Either the count was old, or this very transaction got in before.
                    if await self._client.receipt(flight.hashes[-1]) is not None:
                        return flight
                elif _UNDERPRICED.search(refusal.message):
                    fees = fees.raised(_BUMP_PERCENT) if take_over else fees
                else:
                    raise
            else:
                return flight
        raise Retry(f"no transaction of 0x{self.address.hex()} was taken in {_TRIES} tries")

    async def _landed(self, flight: _Flight) -> L1Receipt:
        """The receipt of whichever of the flight's transactions is mined."""
        start = pushed = self._clock.monotonic()
        pause, has_gap = self._sending.poll_first, False
        while True:
            try:
                receipt = await self._receipt(flight)
                if receipt is not None:
                    return receipt
                if self._clock.monotonic() - start > self._sending.gap_after:
                    has_gap = await self._check_gap(flight, was_seen=has_gap)
                if self._clock.monotonic() - pushed > self._sending.stuck_after:
                    pushed = self._clock.monotonic()
                    await self._replace(flight)
            except (Displaced, Gap):
                raise
            except Retry:
                # L1 is away; the transaction may be mined meanwhile all the same.
                self._settled = False
            if self._clock.monotonic() - start > self._sending.give_up_after:
                self._settled = False
                raise Retry(
                    f"transaction 0x{flight.hashes[-1].hex()} is not mined after "
                    f"{self._sending.give_up_after:.0f} s"
                )
            await self._clock.sleep(pause)
            pause = min(pause * 1.5, self._sending.poll_max)

    async def _receipt(self, flight: _Flight) -> L1Receipt | None:
        """Raises `Displaced` where the nonce is used up and not by us."""
        # Read before the receipts: a transaction mined in between then shows in them.
        mined = await self._client.nonce(self.address, "latest")
        for transaction_hash in reversed(flight.hashes):
            receipt = await self._client.receipt(transaction_hash)
            if receipt is not None:
                return receipt
        if mined <= flight.nonce:
            flight.used_since = None
            return None
        # anvil counts a transaction a moment before it has the receipt, and of two nodes behind
        # one URL the second may be a block behind.
        now = self._clock.monotonic()
        if flight.used_since is None:
            flight.used_since = now
        if now - flight.used_since > self._sending.displaced_after:
            raise Displaced(f"nonce {flight.nonce} of 0x{self.address.hex()} was used otherwise")
        return None

    async def _check_gap(self, flight: _Flight, *, was_seen: bool) -> bool:
        """Whether L1 lacks a transaction before this one that nobody will send any more, as where
        a reorganisation took it back between the count and the send. `Gap` the second time.
        """
        if any(other.nonce < flight.nonce for other in self._flying):
            return False  # that one is looked after by who sent it
        waiting = await self._client.nonce(self.address, "pending")
        if waiting >= flight.nonce:
            return False
        if was_seen:
            self._settled = False
            raise Gap(
                f"transaction 0x{flight.hashes[-1].hex()} has nonce {flight.nonce}, and L1 has "
                f"lost those of 0x{self.address.hex()} from {waiting} on: what they did is sent "
                "again before it"
            )
        return True

    async def _replace(self, flight: _Flight) -> None:
        """Pay more for the same nonce, or send the same again where the limit is reached."""
        market, raised = await self._market(), flight.fees.raised(_BUMP_PERCENT)
        fees = Fees(
            max(market.base_fee, raised.base_fee), max(market.priority_fee, raised.priority_fee)
        )
        if fees.max_fee <= self._sending.max_fee_limit:
            flight.fees = fees
            self._sign(flight)
        try:
            await self._push(flight.raw)
        except L1Error as refusal:
            # Mined in this moment, or the pool wants more: the next look or bump tells.
            if not _NONCE_TOO_LOW.search(refusal.message) and not _UNDERPRICED.search(
                refusal.message
            ):
                raise

    async def _push(self, raw: bytes) -> None:
        """Send until L1 has it: the same bytes twice are one transaction."""
        for attempt in range(_TRIES):
            try:
                await self._client.send_raw(raw)
                return
            except L1Error as refusal:
                if _KNOWN.search(refusal.message):
                    return
                raise
            except Retry:
                if attempt == _TRIES - 1:
                    self._settled = False
                    raise
            await self._clock.sleep(self._sending.poll_max)

    async def _market(self) -> Fees:
        fees = await self._client.fees()
        if fees.max_fee > self._sending.max_fee_limit:
            raise Retry(
                f"L1 asks {fees.max_fee} wei per gas, our limit is {self._sending.max_fee_limit}"
            )
        return fees

    def _sign(self, flight: _Flight) -> None:
        request = flight.request
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": flight.nonce,
            "value": request.value,
            "data": request.data,
            "gas": request.gas,
            "maxFeePerGas": flight.fees.max_fee,
            "maxPriorityFeePerGas": flight.fees.priority_fee,
        }
        if request.to is not None:
            fields["to"] = request.to
        signed = self._account.sign_transaction(fields)
        flight.raw = bytes(signed.raw_transaction)
        flight.hashes.append(bytes(signed.hash))

    async def _reverted(self, request: _Request, receipt: L1Receipt) -> TransactionReverted:
        """Why a mined transaction failed: ask again on the state before, then after, its block."""
        for block in (receipt.block_number - 1, receipt.block_number):
            try:
                await self._client.call(
                    request.to,
                    request.data,
                    sender=self.address,
                    value=request.value,
                    gas=request.gas,
                    block=block,
                )
            except L1Error as refusal:
                return as_revert(refusal, receipt)
        said = "for a reason that calling it again does not show"
        return TransactionReverted(said, b"", receipt)
