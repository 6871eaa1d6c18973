"""What the devnet does not let in: each refusal with its code and the words clients look for."""

from typing import Any

import pytest
from l1_world import ALICE, BOB, ETHER, GWEI, Rpc, RpcFailure, shown, signed

from node.l1 import rules
from node.l1.config import L1Config
from node.l1.envelopes import decode
from node.l1.pool import SENDER_MAX, Pool
from node.l1.server import L1Server

RECEIVER = b"\x11" * 20

BYTES: list[tuple[str, bytes, int, str]] = [
    ("empty", b"", -32000, "rlp: the transaction is empty"),
    ("not a transaction", b"\xc1\x01", -32000, "rlp: expected a list of 9 fields"),
    ("blob type", b"\x03\xc0", -32000, "transaction type not supported: 0x3"),
    ("oversized", b"\x02" * 131_073, -32003, "oversized data: transaction of 131073 bytes"),
]
CREATION = {"to": None}
LEGACY = {"gasPrice": 10 * GWEI}
FIELDS: list[tuple[str, dict[str, Any], int, str]] = [
    ("type 2 of another chain", {"chainId": 1}, -32003, "invalid chain id for signer: have 1 want"),
    ("type 1 of another chain", LEGACY | {"type": 1, "chainId": 5}, -32003, "have 5 want 31337"),
    ("legacy of another chain", LEGACY | {"chainId": 9}, -32003, "have 9 want 31337"),
    ("legacy of no chain", LEGACY | {"chainId": None}, -32003, "only replay-protected (EIP-155)"),
    (
        "gas above 2^24",
        {"gas": 2**24 + 1},
        -32003,
        "gas limit too high (cap: 16777216, tx: 1677721",
    ),
    ("tip above fee", {"maxPriorityFeePerGas": 11 * GWEI}, 804, "higher than max fee per gas"),
    ("fee overflow", {"maxFeePerGas": 2**255}, 809, "gas * price exceeds 256 bits"),
    ("gas below 21000", {"gas": 20_999}, 800, "intrinsic gas too low: gas 20999, minimum needed"),
    ("below a creation's", CREATION | {"gas": 53_000, "data": b"\1"}, 800, "minimum needed 53018"),
    (
        "below the floor",
        {"gas": 60_999, "data": b"\1" * 1_000},
        800,
        "floor data gas cost: gas 609",
    ),
    (
        "initcode",
        CREATION | {"gas": 10**7, "data": b"\1" * 49_153},
        -32003,
        "max initcode size exc",
    ),
    ("nonce gap", {"nonce": 1}, 2, "nonce too high: next nonce 0, tx nonce 1"),
    ("last nonce", {"nonce": 2**64 - 1}, 2, "nonce too high"),
    (
        "value above balance",
        {"value": 10_000 * ETHER},
        809,
        "insufficient funds for gas * price + ",
    ),
    ("value of 256 bits", {"value": 2**256 - 1}, 809, "insufficient funds"),
]
REFUSALS = BYTES + [
    (name, signed(ALICE, **({"to": RECEIVER} | fields)), code, message)
    for name, fields, code, message in FIELDS
]


@pytest.mark.parametrize(
    ("raw", "code", "message"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
async def test_a_bad_transaction_is_refused_and_changes_nothing(
    rpc: Rpc, server: L1Server, raw: bytes, code: int, message: str
) -> None:
    with pytest.raises(RpcFailure) as refused:
        await rpc("eth_sendRawTransaction", shown(raw))
    assert refused.value.code == code
    assert message in refused.value.message
    assert (server.devnet.head.number, len(server.devnet.pool)) == (0, 0)


@pytest.mark.parametrize(
    "raw",
    [
        signed(ALICE, to=RECEIVER, gasPrice=2 * GWEI),
        signed(ALICE, to=RECEIVER, gasPrice=2 * GWEI, type=1),
        signed(ALICE, to=RECEIVER),
        signed(ALICE, to=RECEIVER, gas=2**24),
        signed(ALICE, to=RECEIVER, data=b"\xff" * 1_000, gas=61_000),
        signed(ALICE, to=RECEIVER, value=10_000 * ETHER - 21_000 * 10 * GWEI),
    ],
    ids=["legacy", "type 1", "type 2", "gas of 2^24", "exactly the floor", "all one has"],
)
async def test_the_edge_of_what_is_allowed_is_mined(rpc: Rpc, raw: bytes) -> None:
    transaction_hash = await rpc("eth_sendRawTransaction", shown(raw))
    receipt = await rpc("eth_getTransactionReceipt", transaction_hash)
    assert (receipt["status"], receipt["blockNumber"]) == ("0x1", "0x1")


async def test_a_used_nonce_is_too_low(rpc: Rpc) -> None:
    await rpc.send(ALICE, to=RECEIVER)
    with pytest.raises(RpcFailure, match="nonce too low: next nonce 1, tx nonce 0") as refused:
        await rpc("eth_sendRawTransaction", shown(signed(ALICE, to=RECEIVER, value=1)))
    assert refused.value.code == rules.NONCE_TOO_LOW


async def test_a_transaction_is_known_once_mined(rpc: Rpc) -> None:
    raw = shown(signed(ALICE, to=RECEIVER))
    await rpc("eth_sendRawTransaction", raw)
    with pytest.raises(RpcFailure, match="already known") as refused:
        await rpc("eth_sendRawTransaction", raw)
    assert refused.value.code == rules.ALREADY_KNOWN


class TestWhileNothingIsMined:
    """With intervals instead of instant blocks the pool is where transactions are."""

    @pytest.fixture
    def config(self) -> L1Config:
        return L1Config(port=0)

    @pytest.fixture(autouse=True)
    async def hold(self, rpc: Rpc) -> None:
        await rpc("evm_setAutomine", False)

    async def send(self, rpc: Rpc, account: Any = ALICE, **fields: Any) -> str:
        raw = signed(account, **({"to": RECEIVER} | fields))
        transaction_hash: str = await rpc("eth_sendRawTransaction", shown(raw))
        return transaction_hash

    async def test_it_waits_and_counts_as_pending(self, rpc: Rpc) -> None:
        sent = [await self.send(rpc, nonce=nonce, value=5) for nonce in range(3)]
        waiting = await rpc("eth_getTransactionByHash", sent[1])
        assert (waiting["blockHash"], waiting["nonce"]) == (None, "0x1")
        assert await rpc("eth_getTransactionReceipt", sent[1]) is None
        counts = [
            await rpc("eth_getTransactionCount", shown(ALICE.address), tag)
            for tag in ("latest", "pending")
        ]
        assert counts == ["0x0", "0x3"]
        assert await rpc("eth_getBalance", shown(RECEIVER), "pending") == "0xf"
        await rpc("evm_mine")
        block = await rpc("eth_getBlockByNumber", "latest", False)
        assert block["transactions"] == sent

    async def test_the_same_nonce_takes_10_percent_more_of_both_fees(self, rpc: Rpc) -> None:
        first = await self.send(rpc, maxFeePerGas=10 * GWEI, maxPriorityFeePerGas=GWEI)
        second_in_line = await self.send(rpc, BOB)
        for fees in ((11 * GWEI, GWEI), (10 * GWEI, 2 * GWEI), (11 * GWEI - 1, 2 * GWEI)):
            with pytest.raises(RpcFailure, match="replacement transaction underpriced"):
                await self.send(rpc, maxFeePerGas=fees[0], maxPriorityFeePerGas=fees[1])
        better = await self.send(rpc, maxFeePerGas=11 * GWEI, maxPriorityFeePerGas=11 * GWEI // 10)
        assert await rpc("eth_getTransactionByHash", first) is None
        await rpc("evm_mine")
        block = await rpc("eth_getBlockByNumber", "latest", False)
        assert block["transactions"] == [better, second_in_line]

    async def test_a_balance_can_be_promised_only_once(self, rpc: Rpc) -> None:
        await self.send(rpc, value=9_000 * ETHER)
        with pytest.raises(RpcFailure, match="already promised"):
            await self.send(rpc, nonce=1, value=1_000 * ETHER)

    async def test_a_fee_below_the_base_fee_waits_until_that_has_fallen(self, rpc: Rpc) -> None:
        low = {"maxFeePerGas": 700_000_000, "maxPriorityFeePerGas": 0}
        sent = await self.send(rpc, **low)
        behind = await self.send(rpc, nonce=1)
        other = await self.send(rpc, BOB)
        blocks = 0
        while await rpc("eth_getTransactionReceipt", sent) is None:
            await rpc("evm_mine")
            blocks += 1
            assert blocks < 10
        assert blocks == 3  # 1 gwei x (7/8)^3 is below 0.7
        receipts = [await rpc("eth_getTransactionReceipt", name) for name in (other, behind)]
        assert [receipt["blockNumber"] for receipt in receipts] == ["0x1", "0x3"]

    async def test_a_sender_may_have_only_so_many_waiting(self, rpc: Rpc) -> None:
        for nonce in range(SENDER_MAX):
            await self.send(rpc, nonce=nonce)
        with pytest.raises(RpcFailure, match="account limit exceeded"):
            await self.send(rpc, nonce=SENDER_MAX)
        await self.send(rpc, BOB)

    async def test_a_full_block_leaves_the_rest_for_the_next(self, rpc: Rpc) -> None:
        for nonce in range(4):
            await self.send(rpc, nonce=nonce, gas=2**24)
        # 60,000,000 is room for gas limits of 2^24 as long as no more than what was used
        # counts: three transfers of 21,000 leave room for the fourth.
        await rpc("evm_mine")
        block = await rpc("eth_getBlockByNumber", "latest", False)
        assert len(block["transactions"]) == 4


def test_a_copied_pool_lives_on_its_own() -> None:
    pool, transaction = Pool(), decode(signed(ALICE, to=RECEIVER))
    pool.add(transaction)
    copy = pool.copy()
    pool.remove(transaction)
    assert (len(pool), len(copy)) == (0, 1)
    assert copy.transaction(transaction.hash) == transaction
    assert pool.next_nonce(ALICE.address, 0) == 0
    assert copy.next_nonce(ALICE.address, 0) == 1
