"""execution-apis: every request file is answered as the reference does, or says why not."""

from collections.abc import AsyncIterator
from fnmatch import fnmatch
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from execution_apis import FOLDER, Exchange, agree, files, genesis, reply_of, settle
from fake_clock import FakeClock
from l1_world import Rpc
from shared_files import shared_path

from node.l1.config import L1Config
from node.l1.envelopes import decode
from node.l1.methods.rendering import transaction_json
from node.l1.server import L1Server

TRACES = "no traces here"
CHAIN = "asks for a block or transaction of their chain, which begins before the merge"
STATE = "asks for an account as their 54 blocks left it"
LATER = "for a kind of transaction that is not taken here: blobs, or delegated code"
METHOD = "a method that is not offered"
DIFFERENT = {
    "debug_getRaw*/get-block-n": CHAIN,
    "debug_getRaw*/get-genesis": CHAIN,
    "debug_getRawTransaction/get-tx": CHAIN,
    "debug_trace*/*": TRACES,
    "eth_baseFee/get-current-basefee": CHAIN,
    "eth_blockNumber/simple-test": CHAIN,
    "eth_call/call-eip7702-delegation": LATER,
    "eth_call/*": STATE,
    "eth_capabilities/*": METHOD,
    "eth_config/*": METHOD,
    "eth_createAccessList/create-al-abi-revert": STATE,
    "eth_estimateGas/estimate-with-eip*": LATER,
    "eth_estimateGas/estimate-call-abi-error": STATE,
    "eth_estimateGas/estimate-failed-call": STATE,
    "eth_feeHistory/fee-history": CHAIN,
    "eth_getBalance/*": STATE,
    "eth_getBlockByHash/get-block-by-hash": CHAIN,
    "eth_getBlockByNumber/*": CHAIN,
    "eth_getBlockReceipts/get-block-receipts-*": CHAIN,
    "eth_getBlockTransactionCountBy*/*": CHAIN,
    "eth_getCode/get-code-eip7702-delegation": LATER,
    "eth_getLogs/filter-error-future-block-range": "a range past the head gives what there is",
    "eth_getLogs/*": CHAIN,
    "eth_getProof/*": STATE,
    "eth_getStorageAt/get-storage*": STATE,
    "eth_getStorageValues/*": METHOD,
    "eth_getTransactionByBlock*/get-block-n": CHAIN,
    "eth_getTransactionByHash/*": CHAIN,
    "eth_getTransactionCount/*": STATE,
    "eth_getTransactionReceipt/*": CHAIN,
    "eth_sendRawTransaction/send-blob-tx": LATER,
    "eth_simulateV1/*": METHOD,
    "testing_buildBlockV1/*": METHOD,
    "txpool_*/*": "shows a pool in which their test left transactions",
}
"""The first pattern that fits a file says why it is answered otherwise."""

SAME_MIN = 40
PLACE = ("blockHash", "blockNumber", "transactionIndex", "blockTimestamp")


@pytest.fixture
async def rpc(clock: FakeClock) -> AsyncIterator[Rpc]:
    config = L1Config(port=0, chain_id=genesis()["config"]["chainId"])
    async with L1Server(config, clock) as server, Rpc(server.url) as speaking:
        await settle(speaking)
        yield speaking


async def same(rpc: Rpc, exchanges: list[Exchange]) -> bool:
    replies = [await reply_of(rpc, exchange) for exchange in exchanges]
    return all(
        agree(ours, exchange.reply, only_form=exchange.only_form)
        for ours, exchange in zip(replies, exchanges, strict=True)
    )


def reason(name: str) -> str | None:
    return next((pattern for pattern in DIFFERENT if fnmatch(name, pattern)), None)


async def test_a_file_is_answered_alike_or_says_why_not(rpc: Rpc) -> None:
    verdicts = {name: await same(rpc, exchanges) for name, exchanges in files().items()}
    unexplained = [name for name, alike in verdicts.items() if not alike and reason(name) is None]
    assert unexplained == []
    used = {reason(name) for name, alike in verdicts.items() if not alike}
    assert used == set(DIFFERENT), "a pattern that explains nothing any more"
    assert sum(verdicts.values()) >= SAME_MIN


def mined() -> dict[str, bytes]:
    """The transactions of their chain by hash, as types 0 to 2 are encoded."""
    content, found = shared_path(f"{FOLDER}/chain.rlp").read_bytes(), {}
    while content:
        _, _, length, start = rlp.codec.consume_length_prefix(content, 0)
        block, content = rlp.decode(content[: start + length]), content[start + length :]
        for body in block[1]:
            raw = body if isinstance(body, bytes) else rlp.encode(body)
            if raw[0] in (1, 2) or raw[0] >= 0xC0:
                found["0x" + decode(raw).hash.hex()] = raw
    return found


def test_their_transactions_read_as_they_do() -> None:
    raws, kinds = mined(), list[str]()
    for name, exchanges in files().items():
        for exchange in exchanges:
            theirs: Any = exchange.reply.get("result")
            if (
                not name.startswith("eth_getTransactionBy")
                or not theirs
                or theirs["hash"] not in raws
            ):
                continue
            ours = transaction_json(decode(raws[theirs["hash"]]))
            if theirs["type"] == "0x2":
                # Mined, it shows what was paid.
                ours["gasPrice"] = theirs["gasPrice"]
            for place in PLACE:
                ours.pop(place, None), theirs.pop(place, None)
            assert ours == theirs, name
            kinds.append(theirs["type"])
    assert set(kinds) == {"0x0", "0x1", "0x2"} and len(kinds) >= 5
    assert len(raws) > 100
