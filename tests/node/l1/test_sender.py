"""The sender: one receipt for each transaction, whatever happens on the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from fake_clock import FakeClock
from l1_world import ALICE, BOB, ETHER, GWEI, Rpc, calldata, compiled, shown, signed, words

from node.errors import L1Error, Retry
from node.l1.client import L1Client
from node.l1.refusals import Displaced, Gap, TransactionReverted
from node.l1.sender import Sending, TransactionSender
from node.l1.server import L1Server

RECEIVER = b"\x11" * 20


@pytest.fixture
async def client(server: L1Server, clock: FakeClock) -> AsyncIterator[L1Client]:
    async with L1Client(server.url, clock=clock) as reading:
        yield reading


def sender_of(client: L1Client, clock: FakeClock, **sending: Any) -> TransactionSender:
    return TransactionSender(
        client, BOB.private_key, clock, chain_id=31_337, sending=Sending(**sending)
    )


@pytest.fixture
def sender(client: L1Client, clock: FakeClock) -> TransactionSender:
    return sender_of(client, clock)


@pytest.fixture
async def contract(rpc: Rpc) -> bytes:
    return await rpc.deploy(7)


async def waiting(rpc: Rpc) -> list[dict[str, Any]]:
    """The transactions of the pending block."""
    pending = await rpc("eth_getBlockByNumber", "pending", True)
    found: list[dict[str, Any]] = pending["transactions"]
    return found


async def until(condition: Callable[[], Any]) -> None:
    while not await condition():
        await asyncio.sleep(0.001)


async def number(client: L1Client, contract: bytes) -> int:
    return int.from_bytes(await client.call(contract, calldata("number()")))


async def test_it_pays_deploys_and_calls(
    sender: TransactionSender, client: L1Client, rpc: Rpc
) -> None:
    assert sender.address == BOB.address
    paid = await sender.send(RECEIVER, value=ETHER)
    assert (paid.succeeded, paid.gas_used) == (True, 21_000)
    assert await client.balance(RECEIVER) == ETHER
    deployed = await sender.send(None, compiled() + words(5), value=3)
    assert deployed.contract is not None
    assert await number(client, deployed.contract) == 5
    called = await sender.send(deployed.contract, calldata("set(uint256)", 6))
    assert [log.address for log in called.logs] == [deployed.contract]
    assert await number(client, deployed.contract) == 6
    sent = await rpc("eth_getTransactionByHash", shown(called.transaction_hash))
    used = await client.estimate_gas(deployed.contract, calldata("set(uint256)", 6))
    assert int(sent["gas"], 16) >= used
    assert await client.nonce(BOB.address) == 3


async def test_what_would_revert_is_not_sent(
    sender: TransactionSender, client: L1Client, contract: bytes
) -> None:
    with pytest.raises(TransactionReverted, match="reverted before sending: unlucky") as reverted:
        await sender.send(contract, calldata("set(uint256)", 13))
    assert (reverted.value.reason, reverted.value.receipt) == ("unlucky", None)
    assert reverted.value.data.startswith(bytes.fromhex("08c379a0"))
    assert await client.nonce(BOB.address, "pending") == 0


async def test_what_reverted_on_chain_says_why(
    sender: TransactionSender, client: L1Client, contract: bytes
) -> None:
    with pytest.raises(TransactionReverted, match="reverted in block 2: unlucky") as reverted:
        await sender.send(contract, calldata("set(uint256)", 13), gas=100_000)
    assert reverted.value.receipt is not None and not reverted.value.receipt.succeeded
    assert await client.nonce(BOB.address) == 1
    with pytest.raises(TransactionReverted, match="out of gas"):
        await sender.send(contract, calldata("burn()"), gas=100_000)


async def test_what_l1_does_not_take_is_said_as_l1_says_it(
    sender: TransactionSender, contract: bytes
) -> None:
    with pytest.raises(L1Error, match="insufficient funds"):
        await sender.send(RECEIVER, value=10_001 * ETHER)
    with pytest.raises(L1Error, match="out of gas"):
        await sender.send(contract, calldata("burn()"))
    with pytest.raises(L1Error, match="transaction gas limit too high"):
        await sender.send(RECEIVER, gas=2**24 + 1)


async def test_sends_may_overlap_and_keep_their_order(sender: TransactionSender, rpc: Rpc) -> None:
    await rpc("evm_setAutomine", False)
    sends = [asyncio.create_task(sender.send(RECEIVER, value=wei)) for wei in range(1, 6)]

    async def all_wait() -> bool:
        return len(await waiting(rpc)) == 5

    await until(all_wait)
    await rpc("evm_mine")
    receipts = await asyncio.gather(*sends)
    assert {receipt.block_number for receipt in receipts} == {1}
    block = await rpc("eth_getBlockByNumber", "latest", True)
    sent = [(int(found["nonce"], 16), int(found["value"], 16)) for found in block["transactions"]]
    assert sent == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert [shown(receipt.transaction_hash) for receipt in receipts] == [
        found["hash"] for found in block["transactions"]
    ]


async def test_a_stuck_transaction_is_replaced_and_mined_once(
    sender: TransactionSender, client: L1Client, rpc: Rpc
) -> None:
    await rpc("evm_setAutomine", False)
    sending = asyncio.create_task(sender.send(RECEIVER, value=5))

    async def one_waits() -> bool:
        return len(await waiting(rpc)) == 1

    await until(one_waits)
    (first,) = await waiting(rpc)

    async def another_waits() -> bool:
        return [found["hash"] for found in await waiting(rpc)] != [first["hash"]]

    await until(another_waits)
    (second,) = await waiting(rpc)
    for fee in ("maxFeePerGas", "maxPriorityFeePerGas"):
        assert int(second[fee], 16) * 100 >= int(first[fee], 16) * 125
    assert (second["nonce"], second["value"]) == (first["nonce"], first["value"])
    await rpc("evm_mine")
    receipt = await sending
    assert receipt.succeeded and receipt.transaction_hash != bytes.fromhex(first["hash"][2:])
    assert await client.balance(RECEIVER) == 5
    assert await client.nonce(BOB.address) == 1


async def test_of_two_that_are_stuck_each_is_replaced_in_its_own_place(
    sender: TransactionSender, rpc: Rpc
) -> None:
    await rpc("evm_setAutomine", False)
    sends = []
    for wei in (1, 2):
        taken = asyncio.Event()
        sending = sender.send(RECEIVER, value=wei, gas=30_000, taken=taken.set)
        sends.append(asyncio.create_task(sending))
        await taken.wait()
        assert len(await waiting(rpc)) == wei and not sends[-1].done()
    first = [found["hash"] for found in await waiting(rpc)]

    async def others_wait() -> bool:
        return not {found["hash"] for found in await waiting(rpc)} & set(first)

    await until(others_wait)
    await rpc("evm_mine")
    receipts = await asyncio.gather(*sends)
    assert [receipt.block_number for receipt in receipts] == [1, 1]
    block = await rpc("eth_getBlockByNumber", "latest", True)
    sent = [(int(found["nonce"], 16), int(found["value"], 16)) for found in block["transactions"]]
    assert sent == [(0, 1), (1, 2)]


async def test_it_pays_no_more_than_its_limit_however_long_it_waits(
    client: L1Client, clock: FakeClock, rpc: Rpc
) -> None:
    fees = await client.fees()
    await rpc("evm_setAutomine", False)
    sender = sender_of(client, clock, max_fee_limit=fees.max_fee * 2, give_up_after=600)
    with pytest.raises(Retry, match="is not mined after 600 s"):
        await sender.send(RECEIVER, value=5)
    (found,) = await waiting(rpc)
    assert fees.max_fee < int(found["maxFeePerGas"], 16) <= fees.max_fee * 2


async def test_a_market_above_its_limit_is_waited_for(client: L1Client, clock: FakeClock) -> None:
    sender = sender_of(client, clock, max_fee_limit=GWEI)
    with pytest.raises(Retry, match=f"our limit is {GWEI}"):
        await sender.send(RECEIVER, value=5)
    assert await client.nonce(BOB.address, "pending") == 0


# --- what can go wrong in between ---


class Unsteady(L1Client):
    """Fails where a test says so, after or instead of asking."""

    def __init__(self, url: str, clock: FakeClock) -> None:
        super().__init__(url, clock=clock)
        self.lost_answers = 0
        self.old_nonces = 0
        self.absent_receipts = 0
        self.late_receipts = 0
        self.queued: list[bytes] = []
        self.before_sending: Callable[[], Awaitable[Any]] | None = None

    async def send_raw(self, raw: bytes) -> bytes:
        if self.before_sending is not None:
            act, self.before_sending = self.before_sending, None
            await act()
        try:
            sent = await super().send_raw(raw)
        except L1Error as refusal:
            # Ours says so; others keep it until what lacks before it has come.
            if "nonce too high" not in refusal.message:
                raise
            self.queued.append(raw)
            return raw
        for queued in self.queued:
            with contextlib.suppress(L1Error):
                await super().send_raw(queued)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Retry("the answer was lost")
        return sent

    async def nonce(self, address: bytes, block: Any = "latest") -> int:
        found = await super().nonce(address, block)
        if block == "pending" and self.old_nonces:
            self.old_nonces -= 1
            return found - 1
        return found

    async def receipt(self, transaction_hash: bytes) -> Any:
        if self.late_receipts:
            self.late_receipts -= 1
            return None
        if self.absent_receipts:
            self.absent_receipts -= 1
            raise Retry("L1 is away")
        return await super().receipt(transaction_hash)


@pytest.fixture
async def unsteady(server: L1Server, clock: FakeClock) -> AsyncIterator[Unsteady]:
    async with Unsteady(server.url, clock) as client:
        yield client


async def test_a_lost_answer_does_not_pay_twice(unsteady: Unsteady, clock: FakeClock) -> None:
    unsteady.lost_answers = 3
    receipt = await sender_of(unsteady, clock).send(RECEIVER, value=5)
    assert receipt.succeeded
    assert await unsteady.balance(RECEIVER) == 5
    assert await unsteady.nonce(BOB.address) == 1


async def test_an_old_nonce_is_read_again(
    unsteady: Unsteady, clock: FakeClock, client: L1Client
) -> None:
    sender = sender_of(unsteady, clock)
    await sender.send(RECEIVER, value=1)
    unsteady.old_nonces = 2
    receipt = await sender.send(RECEIVER, value=2)
    assert receipt.succeeded
    assert (await client.balance(RECEIVER), await client.nonce(BOB.address)) == (3, 2)


async def test_nonces_that_l1_loses_before_a_send_are_used_again(
    unsteady: Unsteady, clock: FakeClock, rpc: Rpc
) -> None:
    """Between the count and the send L1 takes two transactions back, and has them no more."""
    sender, before = sender_of(unsteady, clock), await rpc("evm_snapshot")
    for wei in (1, 2):
        await sender.send(RECEIVER, value=wei)
    unsteady.before_sending = lambda: rpc("evm_revert", before)
    began = clock.monotonic()
    with pytest.raises(Gap, match="has nonce 2, and L1 has lost those of 0x70997970"):
        await sender.send(RECEIVER, value=4)
    assert clock.monotonic() - began < Sending().stuck_after
    assert await unsteady.balance(RECEIVER) == 0

    # Sent again, they fill the gap, and what waited behind it is mined as well.
    for wei in (1, 2):
        assert (await sender.send(RECEIVER, value=wei)).succeeded
    assert await unsteady.balance(RECEIVER) == 7
    assert await unsteady.nonce(BOB.address) == 3


async def test_a_transaction_behind_one_that_still_flies_has_no_gap(
    unsteady: Unsteady, clock: FakeClock, rpc: Rpc
) -> None:
    """What L1 has dropped is sent again by who waits for it, so the others wait on."""
    await rpc("evm_setAutomine", False)
    sender = sender_of(unsteady, clock)
    sends = []
    for wei in (1, 2):
        taken = asyncio.Event()
        sending = sender.send(RECEIVER, value=wei, gas=30_000, taken=taken.set)
        sends.append(asyncio.create_task(sending))
        await taken.wait()
    (first, _) = await waiting(rpc)
    await rpc("anvil_dropTransaction", first["hash"])
    began = clock.monotonic()

    async def both_wait() -> bool:
        return clock.monotonic() - began > 60 and len(await waiting(rpc)) == 2

    await until(both_wait)
    await rpc("evm_mine")
    assert all(receipt.succeeded for receipt in await asyncio.gather(*sends))


async def test_an_l1_that_is_away_for_a_while_is_waited_for(
    unsteady: Unsteady, clock: FakeClock
) -> None:
    unsteady.absent_receipts = 20
    receipt = await sender_of(unsteady, clock).send(RECEIVER, value=5)
    assert receipt.succeeded
    assert await unsteady.nonce(BOB.address) == 1


async def test_a_receipt_may_come_a_moment_after_the_count(
    unsteady: Unsteady, clock: FakeClock
) -> None:
    unsteady.late_receipts = 3
    receipt = await sender_of(unsteady, clock).send(RECEIVER, value=5)
    assert receipt.succeeded
    assert await unsteady.nonce(BOB.address) == 1


async def test_another_process_with_our_key_is_noticed(
    sender: TransactionSender, client: L1Client, rpc: Rpc
) -> None:
    await rpc("evm_setAutomine", False)
    sending = asyncio.create_task(sender.send(RECEIVER, value=5))

    async def one_waits() -> bool:
        return len(await waiting(rpc)) == 1

    await until(one_waits)
    other = signed(
        BOB, to=RECEIVER, value=7, maxFeePerGas=900 * GWEI, maxPriorityFeePerGas=99 * GWEI
    )
    await rpc("eth_sendRawTransaction", shown(other))
    await rpc("evm_mine")
    with pytest.raises(Displaced, match="nonce 0 of 0x70997970"):
        await sending
    assert await client.balance(RECEIVER) == 7


async def test_a_restart_between_sending_and_receipt_does_nothing_twice(
    client: L1Client, clock: FakeClock, rpc: Rpc, contract: bytes
) -> None:
    """The second run waits for the first one's transaction, and then the contract refuses."""
    await rpc("evm_setAutomine", False)
    data = calldata("once(uint256)", 1)
    first_run = asyncio.create_task(sender_of(client, clock).send(contract, data))

    async def one_waits() -> bool:
        return len(await waiting(rpc)) == 1

    await until(one_waits)
    first_run.cancel()
    second_run = asyncio.create_task(
        sender_of(client, clock, stuck_after=10**9).send(contract, data)
    )
    slept = len(clock.slept)

    async def second_waits() -> bool:
        return len(clock.slept) > slept + 3

    await until(second_waits)
    assert len(await waiting(rpc)) == 1
    await rpc("evm_mine")
    with pytest.raises(TransactionReverted, match="before sending: already done"):
        await second_run
    assert await number(client, contract) == 8
    assert await client.nonce(BOB.address, "pending") == 1


async def test_what_an_earlier_run_left_stuck_is_replaced(
    client: L1Client, clock: FakeClock, rpc: Rpc, contract: bytes
) -> None:
    await rpc("evm_setAutomine", False)
    low = {"maxFeePerGas": GWEI // 2, "maxPriorityFeePerGas": GWEI // 2}
    left = signed(BOB, to=contract, data=calldata("once(uint256)", 1), gas=100_000, **low)
    await rpc("eth_sendRawTransaction", shown(left))
    await rpc("evm_setAutomine", True)
    receipt = await sender_of(client, clock).send(contract, calldata("once(uint256)", 2))
    assert receipt.succeeded
    assert await number(client, contract) == 8
    assert await client.nonce(BOB.address, "pending") == 1


async def test_a_key_does_not_show(sender: TransactionSender) -> None:
    assert BOB.private_key.hex() not in repr(sender) + repr(vars(sender))
    assert ALICE.private_key.hex() not in repr(ALICE)
