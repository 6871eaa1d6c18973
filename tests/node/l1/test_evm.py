"""The engine: our blocks are valid blocks, and calls are only calls."""

from collections.abc import Sequence
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlock, PragueBlockHeader
from eth.vm.forks.prague.constants import (
    HISTORY_STORAGE_ADDRESS,
    HISTORY_STORAGE_CONTRACT_CODE,
)
from l1_world import ALICE, BOB, CHAIN_ID, ETHER, GWEI, calldata, compiled, signed, words

from node.l1 import fees, rules
from node.l1.assembly import assemble, ordered_root
from node.l1.blocks import Block, Call, Transaction
from node.l1.calls import estimate
from node.l1.envelopes import decode
from node.l1.evm import DoesNotFit, Evm, View
from node.l1.jsonrpc import RpcError
from node.l1.ledger import Ledger

START = 1_800_000_000
RECEIVER = b"\x11" * 20


class Chain:
    """Blocks by hand, without pool, port or clock."""

    def __init__(self) -> None:
        self.evm = Evm(CHAIN_ID)
        balances = {ALICE.address: 100 * ETHER, BOB.address: 100 * ETHER}
        genesis = self.evm.genesis(balances=balances, timestamp=START, gas_limit=60_000_000)
        self.ledger = Ledger(genesis)
        self._nonces = {ALICE.address: 0, BOB.address: 0}

    def transaction(self, account: Any = ALICE, **fields: Any) -> Transaction:
        nonce = self._nonces[account.address]
        self._nonces[account.address] += 1
        return decode(signed(account, nonce=nonce, **fields))

    def mine(self, *transactions: Transaction) -> Block:
        head = self.ledger.head
        draft = self.evm.draft(
            head.header,
            timestamp=head.header.timestamp + 7,
            ancestors=self.ledger.ancestors(head.number + 1),
        )
        for transaction in transactions:
            draft.apply(transaction)
        block = draft.seal()
        self.ledger.append(block)
        return block

    def deploy(self) -> bytes:
        block = self.mine(self.transaction(gas=1_500_000, data=compiled() + words(7)))
        contract = block.receipts[0].contract
        assert block.receipts[0].succeeded and contract is not None
        return contract

    def view(self, number: int | None = None) -> View:
        block = self.ledger.head if number is None else self.ledger.block(number)
        assert block is not None
        return self.evm.view(block.header, self.ledger.ancestors(block.number))

    def blocks(self) -> Sequence[Block]:
        found = [self.ledger.block(number) for number in range(self.ledger.head.number + 1)]
        return [block for block in found if block is not None]


@pytest.fixture
def chain() -> Chain:
    return Chain()


def stock_chain(genesis: Block) -> Any:
    """py-evm's own chain with our genesis."""
    whole = MiningChain.configure("Stock", vm_configuration=((0, PragueVM),), chain_id=CHAIN_ID)
    state = {
        account.address: {"balance": 100 * ETHER, "nonce": 0, "code": b"", "storage": {}}
        for account in (ALICE, BOB)
    }
    state[HISTORY_STORAGE_ADDRESS] = {
        "balance": 0,
        "nonce": 1,
        "code": HISTORY_STORAGE_CONTRACT_CODE,
        "storage": {},
    }
    parameters = {
        "difficulty": 0,
        "timestamp": START,
        "gas_limit": genesis.header.gas_limit,
        "parent_beacon_block_root": bytes(32),
    }
    return whole.from_genesis(AtomicDB(), parameters, state)


def test_a_stock_chain_accepts_every_block_of_ours(chain: Chain) -> None:
    contract = chain.deploy()
    chain.mine()
    write = "write(uint256,uint256,uint256)"
    chain.mine(
        chain.transaction(to=RECEIVER, value=5),
        chain.transaction(to=contract, data=calldata(write, 0, 20, 1), gas=1_000_000),
        chain.transaction(to=contract, data=calldata(write, 0, 20, 0), gas=1_000_000),
        chain.transaction(BOB, to=contract, data=calldata("set(uint256)", 13), gas=100_000),
        chain.transaction(BOB, to=contract, data=calldata("set(uint256)", 14), gas=100_000),
        chain.transaction(BOB, to=contract, data=calldata("burn()"), gas=300_000),
        chain.transaction(BOB, to=RECEIVER, data=b"\x01" * 500, gas=60_000),
    )
    chain.mine(
        chain.transaction(
            to=contract, data=calldata(write, 5, 20, 3), gas=1_000_000, gasPrice=2 * GWEI
        ),
        chain.transaction(to=contract, data=calldata(write, 5, 5, 0), gas=1_000_000),
    )
    stock = stock_chain(chain.blocks()[0])
    assert stock.get_canonical_head().hash == chain.blocks()[0].hash
    for block in chain.blocks()[1:]:
        header = rlp.decode(block.header.encoded, PragueBlockHeader)
        transactions = [
            PragueVM.get_transaction_builder().decode(transaction.raw)
            for transaction in block.transactions
        ]
        stock.import_block(PragueBlock(header, transactions, [], []))
        assert stock.get_canonical_head().hash == block.hash


def test_the_floor_of_data_and_a_refund_do_not_mix(chain: Chain) -> None:
    """EIP-7623: gas used = max(spent - refund, floor), and the sender pays exactly that."""
    contract = chain.deploy()
    chain.mine(
        chain.transaction(
            to=contract, data=calldata("write(uint256,uint256,uint256)", 0, 5, 1), gas=500_000
        )
    )
    data = calldata("write(uint256,uint256,uint256)", 0, 5, 0) + b"\xff" * 3_000
    before = chain.view().balance(ALICE.address)
    block = chain.mine(chain.transaction(to=contract, data=data, gas=500_000))
    receipt = block.receipts[0]
    assert receipt.gas_used == rules.floor_gas(data)
    paid = before - chain.view().balance(ALICE.address)
    assert paid == receipt.gas_used * receipt.gas_price


def test_base_fees_follow_the_gas_of_the_parent(chain: Chain) -> None:
    contract = chain.deploy()
    directions: list[bool] = []
    for gas in (100_000, 15_000_000, 15_000_000, 100_000):
        burners = [
            chain.transaction(to=contract, data=calldata("burn()"), gas=gas) for _ in range(3)
        ]
        parent = chain.mine(*burners).header
        child = chain.mine().header
        assert child.base_fee == fees.next_base_fee(parent)
        directions.append(child.base_fee > parent.base_fee)
    assert directions == [False, True, True, False]


def test_what_does_not_fit_changes_nothing(chain: Chain) -> None:
    head = chain.ledger.head
    draft = chain.evm.draft(head.header, timestamp=START + 1, ancestors=[head.hash])
    draft.apply(decode(signed(ALICE, nonce=0, to=RECEIVER, value=1)))
    before = draft.preview().header
    for misfit in (
        signed(ALICE, nonce=0, to=RECEIVER),
        signed(ALICE, nonce=2, to=RECEIVER),
        signed(BOB, nonce=0, to=RECEIVER, value=101 * ETHER),
        signed(BOB, nonce=0, to=RECEIVER, maxFeePerGas=1, maxPriorityFeePerGas=1),
        signed(BOB, nonce=0, to=RECEIVER, gas=60_000_000 - 20_999),
    ):
        with pytest.raises(DoesNotFit):
            draft.apply(decode(misfit))
    assert draft.preview().header == before


def test_a_call_leaves_no_trace(chain: Chain) -> None:
    contract = chain.deploy()
    head = chain.ledger.head
    draft = chain.evm.draft(
        head.header, timestamp=START + 99, ancestors=chain.ledger.ancestors(head.number + 1)
    )
    draft.apply(chain.transaction(to=contract, data=calldata("set(uint256)", 21), gas=100_000))
    before = draft.preview().hash
    call = Call(ALICE.address, contract, value=3, data=calldata("set(uint256)", 22))
    first, second = draft.run(call, 200_000), draft.run(call, 200_000)
    assert first == second and first.error is None
    number = Call(ALICE.address, contract, data=calldata("number()"))
    assert draft.run(number, 200_000).output == words(21)
    assert draft.preview().hash == before


def test_every_block_keeps_its_own_state(chain: Chain) -> None:
    contract = chain.deploy()
    for value in (1, 2, 3):
        chain.mine(
            chain.transaction(to=contract, data=calldata("set(uint256)", value), gas=100_000)
        )
    number = Call(ALICE.address, contract, data=calldata("number()"))
    found = [chain.view(block).run(number, 100_000).output for block in (1, 2, 3, 4)]
    assert found == [words(7), words(1), words(2), words(3)]
    now = Call(ALICE.address, contract, data=calldata("now()"))
    assert chain.view(3).run(now, 100_000).output == words(3, START + 21)


def test_contracts_see_the_hashes_of_256_blocks(chain: Chain) -> None:
    contract = chain.deploy()
    for _ in range(260):
        chain.mine()
    head = chain.ledger.head.number

    def seen(number: int) -> bytes:
        call = Call(ALICE.address, contract, data=calldata("hash_of(uint256)", number))
        return chain.view().run(call, 100_000).output

    assert seen(head - 1) == chain.blocks()[head - 1].hash
    assert seen(head - 256) == chain.blocks()[head - 256].hash
    assert seen(head - 257) == b""
    # EIP-2935 remembers further back.
    older = Call(ALICE.address, bytes(HISTORY_STORAGE_ADDRESS), data=words(head - 257))
    assert chain.view().run(older, 100_000).output == chain.blocks()[head - 257].hash


def test_an_estimate_is_enough_and_a_64th_less_is_not(chain: Chain) -> None:
    contract = chain.deploy()
    for data in (
        calldata("deep(uint256)", 30),
        calldata("set(uint256)", 1),
        calldata("write(uint256,uint256,uint256)", 0, 10, 1),
    ):
        call = Call(ALICE.address, contract, data=data)
        gas = estimate(chain.view(), call)
        assert chain.view().run(call, gas).error is None
        assert chain.view().run(call, gas - gas // 50).error is not None


def test_an_estimate_covers_the_floor_of_data(chain: Chain) -> None:
    call = Call(ALICE.address, RECEIVER, data=b"\xff" * 1_000)
    assert estimate(chain.view(), call) == rules.floor_gas(call.data) == 61_000


def test_an_estimate_of_a_creation_deploys(chain: Chain) -> None:
    code = compiled() + words(7)
    gas = estimate(chain.view(), Call(ALICE.address, None, data=code))
    block = chain.mine(chain.transaction(gas=gas, data=code))
    assert block.receipts[0].succeeded


def test_an_estimate_of_what_never_ends_is_refused(chain: Chain) -> None:
    contract = chain.deploy()
    call = Call(ALICE.address, contract, data=calldata("burn()"), gas=400_000)
    with pytest.raises(RpcError, match="out of gas") as refused:
        estimate(chain.view(), call)
    assert refused.value.code == 801


def test_calls_nest_as_deep_as_gas_allows(chain: Chain) -> None:
    contract = chain.deploy()
    call = Call(ALICE.address, contract, data=calldata("deep(uint256)", 400))
    outcome = chain.view().run(call, rules.TRANSACTION_GAS_MAX)
    assert (outcome.error, outcome.output) == (None, words(400))


def test_a_block_is_the_same_from_its_parts(chain: Chain) -> None:
    chain.deploy()
    other = Evm(CHAIN_ID)
    for block in chain.blocks():
        receipts = [receipt.encoded for receipt in block.receipts]
        again = assemble(block.header.encoded, block.transactions, receipts, block.nodes)
        assert again == block
        other.restore(again)
    head = chain.ledger.head
    view = other.view(head.header, chain.ledger.ancestors(head.number))
    assert view.balance(ALICE.address) == chain.view().balance(ALICE.address)


def test_a_block_with_another_transaction_or_receipt_is_refused(chain: Chain) -> None:
    chain.deploy()
    block = chain.ledger.head
    receipts = [receipt.encoded for receipt in block.receipts]
    stranger = decode(signed(BOB, to=RECEIVER))
    with pytest.raises(ValueError, match="transactions differ"):
        assemble(block.header.encoded, [stranger], receipts, block.nodes)
    with pytest.raises(ValueError, match="receipts differ"):
        assemble(block.header.encoded, block.transactions, [receipts[0] + b"\0"], block.nodes)
    with pytest.raises(ValueError, match="state root"):
        Evm(CHAIN_ID).restore(assemble(block.header.encoded, block.transactions, receipts, ()))


def test_the_root_of_nothing_is_the_blank_root() -> None:
    assert ordered_root([]) == bytes.fromhex(
        "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    )
