"""Two EVMs behind one face, so that a contract is tried on both.

py-evm runs the rules of Prague. pyrevm 0.3.7 stops at Cancun, which is enough for the
bytecode; the one rule of Prague that matters here, the floor price of calldata, is added.
Every transaction is held to the gas that L1 allows one (EIP-7825), which neither enforces.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import pyrevm
from eth.constants import BLANK_ROOT_HASH, CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague.state import PragueState
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction

from contracts.abi import keccak, revert_reason

TRANSACTION_GAS_MAX = 2**24
BLOCK_GAS_MAX = 36_000_000
TRANSACTION_GAS = 21_000
CALLDATA_TOKEN_FLOOR_GAS = 10
NOBODY = bytes(19) + b"\x01"


@dataclass(frozen=True)
class Log:
    """What a contract logged."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Receipt:
    """A transaction that succeeded. `gas_used` is what L1 charges, the floor included."""

    output: bytes
    gas_used: int
    logs: tuple[Log, ...]


class Reverted(Exception):
    """A call that reverted; `reason` is None where it gave no string."""

    def __init__(self, output: bytes, cause: str) -> None:
        self.reason = revert_reason(output)
        super().__init__(self.reason or f"no reason: {cause}")


class Engine(ABC):
    """The next transaction runs in block `number` at `time`; the test moves both.

    `gas_price`, in wei, is what the next `send` pays, out of nobody's pocket. On py-evm it is the
    base fee of the block too; on pyrevm that is always zero, whatever the block says.
    """

    name: str

    def __init__(self) -> None:
        self.number = 1_000
        self.time = 1_800_000_000
        self.gas_price = 0

    def block_hash(self, number: int) -> bytes:
        """Of a block of the last 256: there are no real blocks, so both engines use this rule."""
        assert 0 < self.number - number <= 256
        return keccak(str(number).encode())

    @abstractmethod
    def deploy(self, code: bytes, *, sender: bytes) -> bytes:
        """The address of a new contract; Reverted where its constructor does."""

    @abstractmethod
    def send(self, to: bytes, data: bytes, *, sender: bytes, value: int = 0) -> Receipt:
        """Run a transaction and keep what it did; Reverted where it fails."""

    @abstractmethod
    def call(self, to: bytes, data: bytes, *, sender: bytes = NOBODY) -> bytes:
        """What a transaction would return; nothing is kept."""

    @abstractmethod
    def code(self, address: bytes) -> bytes:
        """The code of a contract."""

    @abstractmethod
    def balance(self, address: bytes) -> int:
        """Wei of an account."""

    @abstractmethod
    def fund(self, address: bytes, wei: int) -> None:
        """Set the wei of an account."""

    @abstractmethod
    def storage(self, address: bytes, slot: int) -> int:
        """A word of a contract's storage."""

    @abstractmethod
    def store(self, address: bytes, slot: int, value: int) -> None:
        """Overwrite a word of a contract's storage, to reach states that take years."""


class PyEvm(Engine):
    """The engine of the embedded L1."""

    name = "py-evm"

    def __init__(self) -> None:
        super().__init__()
        self.state = PragueState(AtomicDB(), self._context(0), BLANK_ROOT_HASH)

    def _context(self, base_fee: int) -> ExecutionContext:
        ancestors = range(self.number - 1, self.number - 257, -1)
        return ExecutionContext(
            coinbase=bytes(20),
            timestamp=self.time,
            block_number=self.number,
            difficulty=0,
            mix_hash=bytes(32),
            gas_limit=BLOCK_GAS_MAX,
            prev_hashes=(keccak(str(number).encode()) for number in ancestors),
            chain_id=1,
            base_fee_per_gas=base_fee,
            excess_blob_gas=0,
        )

    def _apply(
        self, to: bytes, data: bytes, sender: bytes, value: int, gas_price: int = 0
    ) -> tuple[bytes, Receipt]:
        self.state.execution_context = self._context(gas_price)
        transaction = PragueTransactionBuilder.create_unsigned_transaction(
            nonce=self.state.get_nonce(sender),
            gas_price=gas_price,
            gas=TRANSACTION_GAS_MAX,
            to=to,
            value=value,
            data=data,
        )
        done = self.state.apply_transaction(SpoofTransaction(transaction, from_=sender))
        if done.is_error:
            raise Reverted(done.output, repr(done.error))
        executed = TRANSACTION_GAS_MAX - done.get_gas_remaining()
        refund = min(done.get_gas_refund(), executed // 5)
        logs = tuple(
            Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), logged)
            for address, topics, logged in done.get_log_entries()
        )
        receipt = Receipt(done.output, executed - refund + done.data_floor_gas, logs)
        return done.msg.storage_address, receipt

    def deploy(self, code: bytes, *, sender: bytes) -> bytes:
        address, _ = self._apply(CREATE_CONTRACT_ADDRESS, code, sender, 0)
        self.state.lock_changes()
        return address

    def send(self, to: bytes, data: bytes, *, sender: bytes, value: int = 0) -> Receipt:
        before, lent = self.balance(sender), TRANSACTION_GAS_MAX * self.gas_price
        self.fund(sender, before + lent)
        try:
            _, receipt = self._apply(to, data, sender, value, self.gas_price)
        except Reverted:
            self.fund(sender, before)
            raise
        else:
            kept = lent - receipt.gas_used * self.gas_price
            self.fund(sender, self.balance(sender) - kept)
            return receipt
        finally:
            self.state.lock_changes()

    def call(self, to: bytes, data: bytes, *, sender: bytes = NOBODY) -> bytes:
        before = self.state.snapshot()
        try:
            return self._apply(to, data, sender, 0)[1].output
        finally:
            self.state.revert(before)

    def code(self, address: bytes) -> bytes:
        found: bytes = self.state.get_code(address)
        return found

    def balance(self, address: bytes) -> int:
        return int(self.state.get_balance(address))

    def fund(self, address: bytes, wei: int) -> None:
        self.state.set_balance(address, wei)

    def storage(self, address: bytes, slot: int) -> int:
        return int(self.state.get_storage(address, slot))

    def store(self, address: bytes, slot: int, value: int) -> None:
        self.state.set_storage(address, slot, value)
        self.state.lock_changes()


class Pyrevm(Engine):
    """A second, independent opinion."""

    name = "pyrevm"

    def __init__(self) -> None:
        super().__init__()
        self.evm = pyrevm.EVM(spec_id="CANCUN")

    def _enter_block(self) -> None:
        self.evm.set_block_env(
            pyrevm.BlockEnv(
                number=self.number, timestamp=self.time, basefee=0, gas_limit=BLOCK_GAS_MAX
            )
        )
        self.evm.reset_transient_storage()

    def deploy(self, code: bytes, *, sender: bytes) -> bytes:
        self._enter_block()
        try:
            address: str = self.evm.deploy(_hex(sender), code, gas=TRANSACTION_GAS_MAX)
        except RuntimeError as error:
            raise _reverted(error) from error
        return bytes.fromhex(address[2:])

    def send(self, to: bytes, data: bytes, *, sender: bytes, value: int = 0) -> Receipt:
        self._enter_block()
        # It asks that the sender can pay for the gas, and then does not charge it.
        lent = TRANSACTION_GAS_MAX * self.gas_price
        self.fund(sender, self.balance(sender) + lent)
        try:
            output: bytes = self.evm.message_call(
                _hex(sender), _hex(to), data, value, TRANSACTION_GAS_MAX, self.gas_price
            )
        except RuntimeError as error:
            raise _reverted(error) from error
        finally:
            self.fund(sender, self.balance(sender) - lent)
        result = self.evm.result
        assert result is not None
        logs = tuple(
            Log(bytes.fromhex(log.address[2:]), tuple(log.data[0]), log.data[1])
            for log in result.logs
        )
        return Receipt(output, max(result.gas_used, calldata_floor_gas(data)), logs)

    def call(self, to: bytes, data: bytes, *, sender: bytes = NOBODY) -> bytes:
        self._enter_block()
        try:
            output: bytes = self.evm.message_call(
                _hex(sender), _hex(to), data, gas=TRANSACTION_GAS_MAX, is_static=True
            )
        except RuntimeError as error:
            raise _reverted(error) from error
        return output

    def code(self, address: bytes) -> bytes:
        return bytes(self.evm.get_code(_hex(address)) or b"")

    def balance(self, address: bytes) -> int:
        return int(self.evm.get_balance(_hex(address)))

    def fund(self, address: bytes, wei: int) -> None:
        self.evm.set_balance(_hex(address), wei)

    def storage(self, address: bytes, slot: int) -> int:
        return int(self.evm.storage(_hex(address), slot))

    def store(self, address: bytes, slot: int, value: int) -> None:
        self.evm.insert_account_storage(_hex(address), slot, value)


ENGINES: Sequence[type[Engine]] = (PyEvm, Pyrevm)


def calldata_floor_gas(data: bytes) -> int:
    """What a transaction costs at least (EIP-7623): 40 gas a byte, 10 where it is zero."""
    tokens = 4 * len(data) - 3 * data.count(0)
    return TRANSACTION_GAS + CALLDATA_TOKEN_FLOOR_GAS * tokens


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _reverted(error: RuntimeError) -> Reverted:
    """pyrevm tells the revert data in the words of its error."""
    _, _, tail = str(error).partition("output: 0x")
    return Reverted(bytes.fromhex(tail.rstrip("} ")), str(error))
