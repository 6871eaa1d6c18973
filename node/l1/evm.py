"""The one module that knows py-evm: executing calls, transactions and blocks.

It uses py-evm's state but not its `Chain`: that adds transactions in quadratic time and
keeps a canonical head of its own, which a revert would have to fight.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

# The automatic choice may take a backend that is six times slower, and is made on import.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

import rlp  # type: ignore[import-untyped]
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert, VMError
from eth.vm.chain_context import ChainContext
from eth.vm.forks.berlin.transactions import calculate_txn_intrinsic_gas_berlin
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.prague.constants import (
    HISTORY_SERVE_WINDOW,
    HISTORY_STORAGE_ADDRESS,
    HISTORY_STORAGE_CONTRACT_CODE,
)
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_utils.exceptions import ValidationError

from node.l1.assembly import SUCCEEDED, assemble, ordered_root
from node.l1.blocks import (
    DYNAMIC_FEE,
    AccessList,
    Block,
    Call,
    Execution,
    Header,
    Transaction,
)
from node.l1.proofs import AccountProof, account_proof
from state.crypto import ZERO_HASH, keccak

REFUND_QUOTIENT = 5  # EIP-3529


class DoesNotFit(Exception):
    """The transaction cannot be in this block; it may fit a later one."""


class Nodes(Mapping[bytes, bytes]):
    """Trie nodes and code by their keccak; remembers what came in since `take_fresh`."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}
        self._fresh: list[bytes] = []

    def __getitem__(self, key: bytes) -> bytes:
        return self._known[key]

    def __setitem__(self, key: bytes, value: bytes) -> None:
        if key not in self._known:
            assert keccak(value) == key, "only what is known by its hash can be read back"
            self._known[key] = value
            self._fresh.append(value)

    def __delitem__(self, key: bytes) -> None:
        """Kept: an older block may still lead here."""

    def __contains__(self, key: object) -> bool:
        return key in self._known

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def take_fresh(self) -> list[bytes]:
        fresh, self._fresh = self._fresh, []
        return fresh

    def add(self, nodes: Iterable[bytes]) -> None:
        """Nodes read back from disk: known, and not fresh."""
        self._known.update((keccak(node), node) for node in nodes)


class View:
    """The state after a block, and calls on it that leave no trace."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def balance(self, address: bytes) -> int:
        return int(self._state.get_balance(address))

    def nonce(self, address: bytes) -> int:
        return int(self._state.get_nonce(address))

    def code(self, address: bytes) -> bytes:
        return bytes(self._state.get_code(address))

    def storage(self, address: bytes, slot: int) -> int:
        return int(self._state.get_storage(address, slot))

    def run(self, call: Call, gas: int) -> Execution:
        """Execute `call` with `gas` in all, charging nothing for it."""
        free = _free_transaction(call, gas)
        if gas < free.intrinsic_gas:
            return Execution(b"", free.intrinsic_gas, "intrinsic gas too low")
        with self._undone():
            executor = self._state.get_transaction_executor()
            try:
                message = executor.build_evm_message(free)
                computation = executor.build_computation(message, free)
            except VMError as refusal:
                return Execution(b"", gas, _described(refusal))
            error = _described(computation.error) if computation.is_error else None
            spent = gas - computation.get_gas_remaining()
            return Execution(bytes(computation.output), spent, error)

    def touched(self, call: Call, gas: int) -> tuple[Execution, AccessList]:
        """The outcome of `call`, and what it read or wrote beside sender, target and precompiles.

        A contract that is one of these is listed for its slots only.
        """
        slots: dict[bytes, set[int]] = {}
        warmer, free = self._state._account_db, {call.sender, call.to, self._state.coinbase}
        free |= set(self._state.computation_class.get_precompiles())

        def mark_address(address: bytes) -> None:
            slots.setdefault(address, set())
            type(warmer).mark_address_warm(warmer, address)

        def mark_storage(address: bytes, slot: int) -> None:
            slots.setdefault(address, set()).add(slot)
            type(warmer).mark_storage_warm(warmer, address, slot)

        warmer.mark_address_warm, warmer.mark_storage_warm = mark_address, mark_storage
        try:
            outcome = self.run(call, gas)
        finally:
            del warmer.mark_address_warm, warmer.mark_storage_warm
        listed = {place: found for place, found in slots.items() if found or place not in free}
        return outcome, tuple((place, tuple(sorted(found))) for place, found in listed.items())

    @contextmanager
    def _undone(self) -> Iterator[None]:
        self._state.lock_changes()
        snapshot = self._state.snapshot()
        try:
            yield
        finally:
            self._state.revert(snapshot)


class Draft(View):
    """A block under construction. Nothing is written before it is sealed."""

    def __init__(self, state: Any, header: Any, nodes: Nodes) -> None:
        super().__init__(state)
        self._header = header
        self._nodes = nodes
        self._cumulative_gas = 0
        self._bloom = 0
        self._transactions: list[Transaction] = []
        self._receipts: list[bytes] = []

    @property
    def timestamp(self) -> int:
        return int(self._header.timestamp)

    @property
    def base_fee(self) -> int:
        return int(self._header.base_fee_per_gas)

    @property
    def is_empty(self) -> bool:
        return not self._transactions

    def apply(self, transaction: Transaction) -> None:
        """Add `transaction` to the block.

        Raises `DoesNotFit`, and then nothing has changed, where the block lacks the gas or
        the sender's nonce, balance or fee is not right for it.
        """
        if self._cumulative_gas + transaction.gas > self._header.gas_limit:
            raise DoesNotFit("the block has not enough gas left")
        signed = PragueTransactionBuilder.decode(transaction.raw)
        # SSTORE is priced against the value before this transaction, not before the block.
        self._state.lock_changes()
        try:
            computation = self._state.apply_transaction(signed)
        except ValidationError as refusal:
            raise DoesNotFit(str(refusal)) from None
        self._state.make_state_root()
        used = transaction.gas - computation.get_gas_remaining()
        # py-evm's own receipts take the refund cap of the floor too, and then disagree with
        # what it charged the sender.
        refund = min(computation.get_gas_refund(), used // REFUND_QUOTIENT)
        self._cumulative_gas += used - refund + computation.data_floor_gas
        status = b"" if computation.is_error else SUCCEEDED
        receipt = signed.make_receipt(status, self._cumulative_gas, computation.get_log_entries())
        self._bloom |= receipt.bloom
        self._transactions.append(transaction)
        self._receipts.append(receipt.encode())

    def set_balance(self, address: bytes, wei: int) -> None:
        self._state.set_balance(address, wei)

    def set_code(self, address: bytes, code: bytes) -> None:
        self._state.set_code(address, code)

    def set_nonce(self, address: bytes, nonce: int) -> None:
        self._state.set_nonce(address, nonce)

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        self._state.set_storage(address, slot, value)

    def preview(self) -> Block:
        """The block as it stands, without writing anything."""
        return self._assembled(self._state.make_state_root(), ())

    def seal(self) -> Block:
        """Write the state and close the block; `apply` no more afterwards."""
        self._state.persist()
        return self._assembled(self._state.state_root, self._nodes.take_fresh())

    def _assembled(self, state_root: bytes, nodes: Sequence[bytes]) -> Block:
        header = self._header.copy(
            state_root=state_root,
            transaction_root=ordered_root([transaction.raw for transaction in self._transactions]),
            receipt_root=ordered_root(self._receipts),
            bloom=self._bloom,
            gas_used=self._cumulative_gas,
        )
        return assemble(rlp.encode(header), self._transactions, self._receipts, nodes)


class Evm:
    """Prague rules for one chain id, and the states of all its blocks."""

    def __init__(self, chain_id: int) -> None:
        self.chain_id = chain_id
        self._nodes = Nodes()
        self._database = AtomicDB(self._nodes)

    def genesis(self, *, balances: Mapping[bytes, int], timestamp: int, gas_limit: int) -> Block:
        """Block 0: the balances, and the EIP-2935 contract that keeps block hashes."""
        empty = PragueBlockHeader(difficulty=0, block_number=0, gas_limit=0, timestamp=0)
        state = self._state(empty, ())
        for address, balance in balances.items():
            state.set_balance(address, balance)
        state.set_code(HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CONTRACT_CODE)
        state.set_nonce(HISTORY_STORAGE_ADDRESS, 1)
        state.persist()
        header = PragueVM.create_genesis_header(
            difficulty=0,
            timestamp=timestamp,
            gas_limit=gas_limit,
            state_root=state.state_root,
            parent_beacon_block_root=ZERO_HASH,
        )
        return assemble(rlp.encode(header), (), (), self._nodes.take_fresh())

    def view(self, header: Header, ancestors: Sequence[bytes]) -> View:
        """The state after `header`; `ancestors` are hashes, the parent's first."""
        return View(self._state(rlp.decode(header.encoded, PragueBlockHeader), ancestors))

    def draft(self, parent: Header, *, timestamp: int, ancestors: Sequence[bytes]) -> Draft:
        """A block on top of `parent`; `ancestors` are hashes, `parent`'s own first."""
        header = PragueVM.create_header_from_parent(
            rlp.decode(parent.encoded, PragueBlockHeader),
            timestamp=timestamp,
            gas_limit=parent.gas_limit,
            mix_hash=keccak(parent.hash),
            parent_beacon_block_root=ZERO_HASH,
        )
        state = self._state(header, ancestors)
        # EIP-2935, done by the protocol and not by a transaction.
        slot = parent.number % HISTORY_SERVE_WINDOW
        state.set_storage(HISTORY_STORAGE_ADDRESS, slot, int.from_bytes(parent.hash))
        return Draft(state, header, self._nodes)

    def proof(self, header: Header, address: bytes, slots: Sequence[int]) -> AccountProof:
        """That an account and its slots are what they are after `header`, or are not there."""
        return account_proof(self._nodes, header.state_root, address, slots)

    def restore(self, block: Block) -> None:
        """Know the state of a block read back from disk, without executing it again.

        Raises ValueError where its state root is among no nodes known.
        """
        self._nodes.add(block.nodes)
        if block.header.state_root not in self._nodes:
            raise ValueError(f"the state root of block {block.number} is missing")

    def _state(self, header: Any, ancestors: Sequence[bytes]) -> Any:
        return PragueVM.build_state(
            self._database, header, ChainContext(self.chain_id), tuple(ancestors)
        )


def _free_transaction(call: Call, gas: int) -> Any:
    """Looks like a transaction to py-evm's executor and costs nothing."""
    free = SimpleNamespace(
        type_id=DYNAMIC_FEE,
        sender=call.sender,
        to=CREATE_CONTRACT_ADDRESS if call.to is None else call.to,
        value=call.value,
        data=call.data,
        gas=gas,
        max_fee_per_gas=0,
        max_priority_fee_per_gas=0,
        access_list=call.access_list,
    )
    free.intrinsic_gas = calculate_txn_intrinsic_gas_berlin(free)
    return free


def _described(error: VMError) -> str:
    """OutOfGas -> "out of gas"."""
    if isinstance(error, Revert):
        return "revert"
    return re.sub(r"(?<=.)(?=[A-Z])", " ", type(error).__name__).lower()
