"""Where the step contracts run: an engine deploys them once and answers call after call."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

from contracts.abi import revert_reason
from contracts.step import ROUTER
from node.errors import L1Error
from node.parity.case import Answer, Case, Refused, answer_of
from node.parity.deployment import deploy_steps

CALL_GAS = 100_000_000
"""More than any step takes: what a step costs is `tallystick gas`'s to judge."""

DEPLOY_GAS = 2**24
SENDER = bytes(19) + b"\x01"
CHAIN_ID = 31337


_EXECUTION = re.compile(r"revert|invalid|out ?of ?gas|stack|opcode", re.IGNORECASE)
"""What nodes call an execution that failed; other errors are not the contract's answer."""


class NoEngine(Exception):
    """The engine that was asked for is not there; the words say how to get it."""


class Refusing(Exception):
    """The call reverted; the words are for people."""


class Engine(ABC):
    """A router that steps are handed to, as calls that leave no trace."""

    name: str
    contracts: dict[str, bytes]

    @property
    def router(self) -> bytes:
        """The contract that is called."""
        return self.contracts[ROUTER]

    @abstractmethod
    def step(self, calldata: bytes) -> bytes | Refused:
        """What the router returns, or that it reverted."""

    def answer(self, case: Case) -> Answer:
        """What L1 makes of `case`."""
        answered = self.step(case.calldata())
        return answered if isinstance(answered, Refused) else answer_of(answered)

    def close(self) -> None:
        """Let go of whatever the engine holds; most hold nothing."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LocalEngine(Engine):
    """An EVM in this process, which tells what it did."""

    @abstractmethod
    def gas(self, to: bytes, calldata: bytes) -> int:
        """What the execution of a call costs, calldata and the call itself apart."""


class Pyrevm(LocalEngine):
    """revm, in this process: the fast one."""

    name = "pyrevm"

    def __init__(self) -> None:
        try:
            import pyrevm
        except ImportError as error:
            raise NoEngine(
                "the engine pyrevm is not installed; it comes with the developers' "
                "requirements (make setup), or take --engine py-evm"
            ) from error
        # pyrevm stops at Cancun, which is enough for the bytecode.
        self._evm = pyrevm.EVM(spec_id="CANCUN")
        self._sender = "0x" + SENDER.hex()
        self.contracts = deploy_steps(self.deploy)
        self._router = "0x" + self.router.hex()

    def deploy(self, code: bytes) -> bytes:
        """The address of a new contract."""
        address: str = self._evm.deploy(self._sender, code, gas=DEPLOY_GAS)
        return bytes.fromhex(address[2:])

    def step(self, calldata: bytes) -> bytes | Refused:
        try:
            output: bytes = self._evm.message_call(
                self._sender, self._router, calldata, gas=CALL_GAS, is_static=True
            )
        except RuntimeError as error:
            return Refused(_told(str(error)))
        return output

    def gas(self, to: bytes, calldata: bytes) -> int:
        self._evm.message_call(
            self._sender, "0x" + to.hex(), calldata, gas=CALL_GAS, is_static=True
        )
        result = self._evm.result
        assert result is not None
        return int(result.gas_used) - intrinsic_gas(calldata)


def _told(error: str) -> str:
    """The revert's own reason, where it gave one; pyrevm tells its data in the words."""
    _, _, tail = error.partition("output: 0x")
    digits = tail.rstrip("} ")
    try:
        return revert_reason(bytes.fromhex(digits)) or error[:200]
    except ValueError:
        return error[:200]


class PyEvm(LocalEngine):
    """py-evm under Prague, through the embedded L1's own adapter: slow, and a second opinion."""

    name = "py-evm"

    def __init__(self) -> None:
        from node.l1.blocks import Call
        from node.l1.evm import Evm

        self._call: Callable[..., Any] = Call
        evm = Evm(CHAIN_ID)
        genesis = evm.genesis(balances={}, timestamp=1, gas_limit=CALL_GAS)
        self._view = evm.draft(genesis.header, timestamp=2, ancestors=[genesis.hash])
        self._made = 0
        self.contracts = deploy_steps(self.deploy)

    def deploy(self, code: bytes) -> bytes:
        """The address of a contract with what `code` returns for its runtime code."""
        made = self._view.run(self._call(SENDER, None, data=code), DEPLOY_GAS)
        if made.error is not None:
            raise NoEngine(f"a step contract cannot be deployed on py-evm: {made.error}")
        self._made += 1
        address = b"step" + self._made.to_bytes(16, "big")
        self._view.set_code(address, made.output)
        return address

    def step(self, calldata: bytes) -> bytes | Refused:
        ran = self._view.run(self._call(SENDER, self.router, data=calldata), CALL_GAS)
        if ran.error is not None:
            return Refused(revert_reason(ran.output) or ran.error)
        return ran.output

    def gas(self, to: bytes, calldata: bytes) -> int:
        ran = self._view.run(self._call(SENDER, to, data=calldata), CALL_GAS)
        return int(ran.gas) - intrinsic_gas(calldata)


class OnL1(Engine):
    """Contracts on an L1 that answers over HTTP, anvil for one.

    They are deployed there by a key with money, unless `router` names ones that stand.
    """

    def __init__(
        self, url: str, *, router: bytes | None = None, private_key: bytes | None = None
    ) -> None:
        from node.l1.client import L1Client

        self.name = url
        self._loop = asyncio.new_event_loop()
        self._client = L1Client(url)
        try:
            self._wait(self._client.check_chain())
            self.contracts = {ROUTER: router} if router else self._deploy_all(private_key)
            if not self._wait(self._client.code(self.router)):
                raise NoEngine(f"{url} has no contract at 0x{self.router.hex()}")
        except BaseException:
            self.close()
            raise

    def _wait(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def _deploy_all(self, private_key: bytes | None) -> dict[str, bytes]:
        from node.clock import SystemClock
        from node.l1.accounts import dev_accounts
        from node.l1.sender import TransactionSender

        chain_id = self._wait(self._client.chain_id())
        if private_key is None and chain_id != CHAIN_ID:
            raise NoEngine(
                f"{self.name} is chain {chain_id} and no devnet ({CHAIN_ID}); name the key that "
                "deploys the contracts with --key-file, or a router that stands with --contract"
            )
        key = private_key or dev_accounts()[0].private_key
        sender = TransactionSender(self._client, key, SystemClock(), chain_id=chain_id)

        def deploy(code: bytes) -> bytes:
            receipt = self._wait(sender.send(None, code))
            address: bytes = receipt.contract
            return address

        return deploy_steps(deploy)

    def step(self, calldata: bytes) -> bytes | Refused:
        try:
            found: bytes = self._wait(self._client.call(self.router, calldata, gas=CALL_GAS))
        except L1Error as error:
            if not _EXECUTION.search(error.message):
                raise
            return Refused(str(error))
        return found

    def close(self) -> None:
        self._wait(self._client.close())
        self._loop.close()


def intrinsic_gas(calldata: bytes) -> int:
    """What a transaction costs before anything of it runs, without the floor of EIP-7623."""
    zeros = calldata.count(0)
    return 21_000 + 4 * zeros + 16 * (len(calldata) - zeros)


LOCAL: dict[str, type[LocalEngine]] = {Pyrevm.name: Pyrevm, PyEvm.name: PyEvm}
"""By the names that the command takes."""


def open_engine(
    name: str, *, router: bytes | None = None, private_key: bytes | None = None
) -> Engine:
    """pyrevm, py-evm, or the L1 at a URL. NoEngine where it is not there."""
    if name in LOCAL:
        return LOCAL[name]()
    return OnL1(name, router=router, private_key=private_key)
