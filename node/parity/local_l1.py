"""The embedded L1 without its sockets: every transaction is measured and then mined alone."""

from functools import cache
from typing import Any, TypeVar

from msgspec import Struct

from contracts.abi import View
from node.deploy import created_address
from node.l1.accounts import BALANCE, dev_accounts
from node.l1.block_file import Record
from node.l1.blocks import Call, Log
from node.l1.devnet import Devnet, Genesis
from node.l1.evm import Evm
from node.l1.ledger import logs_of
from node.l1.rules import TRANSACTION_GAS_MAX
from node.parity.engines import CHAIN_ID, intrinsic_gas

BLOCK_GAS_MAX = 60_000_000
FEE_CAP = 100 * 10**9
CALL_GAS = 21_000
CALLDATA_GAS = 64
"""A byte, whatever it is: more than any L1 asks for today."""

T = TypeVar("T")


class Charge(Struct, frozen=True):
    """What a transaction cost: `calldata` bytes, what it executed, and what L1 charged for it."""

    calldata: int
    execution: int
    charged: int

    @property
    def gas(self) -> int:
        """21,000, the execution, and 64 for each byte of the call."""
        return CALL_GAS + self.execution + CALLDATA_GAS * self.calldata


class _NoStore:
    """Nothing of this chain is read again."""

    def append(self, record: Record) -> None:
        """Forget it."""


@cache
def key_of(name: str) -> bytes:
    """The private key of a devnet account."""
    return next(one.private_key for one in dev_accounts() if one.name == name)


@cache
def address_of(name: str) -> bytes:
    """Of a devnet account."""
    return next(one.address for one in dev_accounts() if one.name == name)


class LocalL1:
    """A chain that begins at `time`, in seconds, and mines a block a second."""

    def __init__(self, time: int) -> None:
        balances = {account.address: BALANCE for account in dev_accounts()}
        self._devnet = Devnet(
            Evm(CHAIN_ID),
            _NoStore(),
            (),
            genesis=Genesis(balances, BLOCK_GAS_MAX),
            now=lambda: time,
            interval=0.0,
        )
        self.logs: list[Log] = []
        """Of the last transaction."""

    @property
    def number(self) -> int:
        """The last block."""
        return self._devnet.head.number

    @property
    def hash(self) -> bytes:
        return self._devnet.head.hash

    @property
    def time(self) -> int:
        """Of the last block, in seconds."""
        return self._devnet.head.header.timestamp

    def wait(self, seconds: int) -> None:
        """The next block is so much later."""
        self._devnet.increase_time(seconds)

    def next_contract(self, who: str, later: int = 0) -> bytes:
        """The address of what `who` deploys next, or `later` deployments after that."""
        address = address_of(who)
        return created_address(address, self._devnet.pending_nonce(address) + later)

    def deploy(self, who: str, code: bytes) -> bytes:
        """The address of a new contract."""
        address = self.next_contract(who)
        self._mine(who, None, code, 0)
        return address

    def send(self, who: str, to: bytes, data: bytes, value: int = 0) -> Charge:
        """Have it mined; AssertionError where it reverts: nothing is measured that L1 refuses."""
        call = Call(address_of(who), to, value, data)
        ran = self._devnet.pending().run(call, TRANSACTION_GAS_MAX)
        assert ran.error is None, f"{ran.error}: {ran.output[4:].strip(bytes(1))!r}"
        charged = self._mine(who, to, data, value)
        return Charge(len(data), ran.gas - intrinsic_gas(data), charged)

    def read(self, to: bytes, view: View[T], *values: Any) -> T:
        """Ask a contract."""
        call = Call(bytes(20), to, 0, view.call(*values))
        head = self._devnet.head
        return view.answer(self._devnet.view(head).run(call, BLOCK_GAS_MAX).output)

    def _mine(self, who: str, to: bytes | None, data: bytes, value: int) -> int:
        from eth_account import Account

        fields: dict[str, Any] = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self._devnet.pending_nonce(address_of(who)),
            "value": value,
            "data": data,
            "gas": TRANSACTION_GAS_MAX,
            "maxFeePerGas": FEE_CAP,
            "maxPriorityFeePerGas": 0,
        }
        signed: Any = Account.sign_transaction(
            fields | ({"to": to} if to is not None else {}), key_of(who)
        )
        self._devnet.submit(bytes(signed.raw_transaction))
        block = self._devnet.head
        (receipt,) = block.receipts
        assert receipt.succeeded, "what ran a moment ago reverts"
        self.logs = [found.log for found in logs_of(block)]
        return receipt.gas_used
