"""The client: typed answers from a real devnet, and patience with a bad one."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from flaky_l1 import FlakyL1, error, result
from l1_world import ALICE, BOB, ETHER, GWEI, Rpc, calldata, event_topic, signed, words

from node.errors import Halt, L1Error, Retry, WrongChain
from node.l1.client import L1Client, Patience
from node.l1.server import L1Server

RECEIVER = b"\x11" * 20
SET = event_topic("Set(address,uint256,uint256)")
UNAVAILABLE = (503, "<html>try later</html>")


@pytest.fixture
async def client(server: L1Server, clock: FakeClock) -> AsyncIterator[L1Client]:
    async with L1Client(server.url, expected_chain_id=31_337, clock=clock) as reading:
        yield reading


async def test_blocks_are_read_by_number_tag_and_hash(client: L1Client, rpc: Rpc) -> None:
    await rpc("evm_mine", {"blocks": 2})
    assert await client.chain_id() == 31_337
    assert await client.block_number() == 2
    latest = await client.block("latest")
    assert latest is not None
    assert latest == await client.block(2) == await client.block(latest.hash)
    parent = await client.block(1)
    assert parent is not None and latest.parent_hash == parent.hash
    assert (latest.number, latest.timestamp) == (2, parent.timestamp + 1)
    assert await client.block(3) is None
    assert await client.block(b"\xab" * 32) is None


async def test_accounts_are_read_at_any_block(client: L1Client, rpc: Rpc) -> None:
    contract = await rpc.deploy(7)
    await rpc.send(BOB, to=contract, data=calldata("set(uint256)", 9), gas=100_000, value=3)
    first = await client.block(1)
    assert first is not None
    assert [await client.balance(contract, block) for block in (1, "latest")] == [0, 3]
    assert await client.call(contract, calldata("number()"), block=first.hash) == words(7)
    assert await client.call(contract, calldata("number()")) == words(9)
    assert await client.nonce(BOB.address) == await client.nonce(BOB.address, "pending") == 1
    assert await client.code(RECEIVER) == b""
    assert await client.code(contract, "latest") != b""
    assert await client.estimate_gas(contract, calldata("set(uint256)", 1), sender=BOB.address) > 0


async def test_what_is_sent_is_found_with_its_receipt(client: L1Client) -> None:
    fees = await client.fees()
    assert (fees.priority_fee, fees.max_fee) == (GWEI, 2 * fees.base_fee + GWEI)
    transaction_hash = await client.send_raw(signed(ALICE, to=RECEIVER, value=ETHER))
    receipt = await client.receipt(transaction_hash)
    assert receipt is not None
    assert (receipt.block_number, receipt.succeeded, receipt.gas_used) == (1, True, 21_000)
    assert receipt.gas_price == fees.base_fee + GWEI
    assert await client.balance(RECEIVER) == ETHER
    assert await client.receipt(b"\xab" * 32) is None


async def test_a_refusal_carries_code_message_and_data(client: L1Client, rpc: Rpc) -> None:
    contract = await rpc.deploy()
    with pytest.raises(L1Error) as refused:
        await client.call(contract, calldata("set(uint256)", 13))
    assert (refused.value.code, refused.value.message) == (3, "execution reverted: unlucky")
    assert refused.value.data.startswith("0x08c379a0")
    with pytest.raises(L1Error, match="Method not found"):
        await client.request("eth_nothing")


async def test_logs_come_whole_however_small_the_server_wants_its_ranges(
    client: L1Client, rpc: Rpc
) -> None:
    """The devnet serves 50 blocks and 20 logs at once; there are 163 blocks and 33 logs."""
    contract = await rpc.deploy()
    numbers = list(range(100, 133))
    for number in numbers:
        await rpc.send(BOB, to=contract, data=calldata("set(uint256)", number), gas=100_000)
        await rpc("evm_mine", {"blocks": 4 if number < 130 else 1})
    head = await client.block_number()
    found = await client.logs(address=contract, topics=[SET], first=0, last=head)
    assert [int.from_bytes(log.topics[2]) for log in found] == numbers
    assert [log.block_number for log in found] == sorted(log.block_number for log in found)
    assert {(log.address, log.log_index) for log in found} == {(contract, 0)}
    topics: list[Any] = [SET, None, [words(100), words(132)]]
    assert len(await client.logs(address=contract, topics=topics, first=0, last=head)) == 2
    assert await client.logs(address=RECEIVER, first=0, last=head) == []


async def test_a_single_block_with_too_many_logs_is_an_error() -> None:
    refusal = error(-32005, "query returned more than 10000 results")
    async with FlakyL1(refusal) as l1, L1Client(l1.url) as client:
        with pytest.raises(L1Error, match="more than 10000"):
            await client.logs(address=RECEIVER, first=8, last=15)
    assert l1.asked == ["eth_getLogs"] * 4


async def test_other_refusals_of_logs_are_not_answered_with_more_questions() -> None:
    async with FlakyL1(error(-32602, "bad topic")) as l1, L1Client(l1.url) as client:
        with pytest.raises(L1Error, match="bad topic"):
            await client.logs(address=RECEIVER, first=0, last=100)
    assert l1.asked == ["eth_getLogs"]


async def test_another_chain_than_expected_is_named_at_the_start(server: L1Server) -> None:
    with pytest.raises(WrongChain, match="has chain id 31337, expected 1") as refused:
        async with L1Client(server.url, expected_chain_id=1):
            pass
    assert isinstance(refused.value, Halt)
    assert (refused.value.found, refused.value.expected) == (31_337, 1)


# --- patience ---


def patient(url: str, clock: FakeClock, **patience: float) -> L1Client:
    return L1Client(url, clock=clock, chance=lambda: 0.5, patience=Patience(**patience))


@pytest.mark.parametrize(
    "failure",
    [
        UNAVAILABLE,
        (500, "{}"),
        (429, ""),
        (200, "<html>"),
        (200, ""),
        (200, "[" * 100_000),
        (200, '{"jsonrpc": "2.0", "id": 999999, "result": "0x1"}'),
        (200, '{"jsonrpc": "2.0", "id": $id}'),
        (200, "[]"),
        error(-32005, "daily rate limit reached"),
        error(-32002, "resource unavailable"),
        error(429, "too many requests", status=429),
        "drop",
    ],
)
async def test_a_read_is_repeated_until_it_succeeds(
    clock: FakeClock, failure: tuple[int, str] | str
) -> None:
    async with FlakyL1(failure, failure, result("0x2a")) as l1, patient(l1.url, clock) as client:
        assert await client.block_number() == 42
    assert l1.asked == ["eth_blockNumber"] * 3
    assert clock.slept == pytest.approx([0.075, 0.15])


async def test_pauses_double_up_to_a_limit_and_end_with_the_deadline(clock: FakeClock) -> None:
    patience = {"question": 10, "pause_first": 1, "pause_max": 4}
    async with FlakyL1(UNAVAILABLE) as l1, patient(l1.url, clock, **patience) as client:
        with pytest.raises(Retry, match="HTTP status 503"):
            await client.block_number()
    assert clock.slept == pytest.approx([0.75, 1.5, 3.0, 3.0])
    assert len(l1.asked) == 5


async def test_jitter_spreads_pauses_between_half_and_whole(clock: FakeClock) -> None:
    draws = iter([0.0, 0.999, 0.25])
    async with (
        FlakyL1(UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, result("0x1")) as l1,
        L1Client(l1.url, clock=clock, chance=lambda: next(draws)) as client,
    ):
        await client.block_number()
    assert clock.slept == pytest.approx([0.05, 0.1999, 0.25], rel=0.01)


async def test_an_answer_that_never_comes_is_given_up(clock: FakeClock) -> None:
    async with FlakyL1("hang", result("0x1")) as l1, patient(l1.url, clock, answer=0.05) as client:
        assert await client.block_number() == 1
    assert len(l1.asked) == 2


async def test_nobody_listening_is_a_reason_to_retry(clock: FakeClock) -> None:
    async with FlakyL1(UNAVAILABLE) as l1:
        url = l1.url
    async with patient(url, clock, question=1) as client:
        with pytest.raises(Retry, match="cannot be reached"):
            await client.block_number()
    assert clock.slept


async def test_a_write_is_asked_once(clock: FakeClock) -> None:
    async with FlakyL1(UNAVAILABLE) as l1, patient(l1.url, clock) as client:
        with pytest.raises(Retry):
            await client.send_raw(b"\x02")
        with pytest.raises(Retry):
            await client.request("evm_mine")
    assert l1.asked == ["eth_sendRawTransaction", "evm_mine"]
    assert clock.slept == []


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (error(-32601, "Method not found"), -32601),
        (error(3, "reverted", "0x"), 3),
        ((404, ""), 404),
    ],
)
async def test_a_refusal_is_final(clock: FakeClock, failure: tuple[int, str], code: int) -> None:
    async with FlakyL1(failure) as l1, patient(l1.url, clock) as client:
        with pytest.raises(L1Error) as refused:
            await client.block_number()
    assert refused.value.code == code
    assert len(l1.asked) == 1


BLOCK = {
    "number": "0x1",
    "hash": "0x" + "11" * 32,
    "parentHash": "0x" + "22" * 32,
    "timestamp": "0x5",
    "baseFeePerGas": "0x7",
}


@pytest.mark.parametrize(
    "answer",
    [
        "0x1",
        [],
        BLOCK | {"hash": "0x11"},
        BLOCK | {"number": 1},
        BLOCK | {"number": "1"},
        BLOCK | {"timestamp": None},
        BLOCK | {"timestamp": hex(2**40)},
        BLOCK | {"number": hex(2**64)},
        {name: value for name, value in BLOCK.items() if name != "parentHash"},
    ],
)
async def test_an_answer_of_another_form_is_the_servers_fault(
    clock: FakeClock, answer: Any
) -> None:
    async with FlakyL1(result(BLOCK), result(answer)) as l1, patient(l1.url, clock) as client:
        good = await client.block(1)
        assert good is not None and (good.number, good.base_fee) == (1, 7)
        with pytest.raises(Retry, match="L1 sent no proper block"):
            await client.block(1)


async def test_a_tip_nobody_suggests_is_one_gwei(clock: FakeClock) -> None:
    history = {"baseFeePerGas": ["0x1", "0x9"]}
    script = (result(history), error(-32601, "Method not found"))
    async with FlakyL1(*script) as l1, patient(l1.url, clock) as client:
        fees = await client.fees()
    assert (fees.base_fee, fees.priority_fee) == (9, GWEI)


async def test_a_providers_key_stays_out_of_messages(clock: FakeClock) -> None:
    async with FlakyL1(UNAVAILABLE) as l1:
        url = l1.url
    secret = url.replace("http://", "http://user:hunter2@") + "/v3/0123456789abcdef"
    async with patient(secret, clock, question=0) as client:
        with pytest.raises(Retry) as failed:
            await client.block_number()
    assert url in str(failed.value)
    assert "hunter2" not in repr(failed.value) and "0123456789abcdef" not in repr(failed.value)


@pytest.mark.parametrize("url", ["localhost:8545", "ws://127.0.0.1", "http://", ""])
def test_an_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the L1 URL must be"):
        L1Client(url)


def test_speaking_to_l1_does_not_load_an_evm() -> None:
    code = (
        "import sys, node.l1.client, node.l1.sender;"
        "loaded = {name.split('.')[0] for name in sys.modules};"
        "sys.exit(' '.join(loaded & {'eth', 'web3'}) or None)"
    )
    root = Path(__file__).resolve().parents[3]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=False)
    assert (found.returncode, found.stderr) == (0, b"")
