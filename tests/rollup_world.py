"""A deployed rollup with its people: say only what the test is about."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from evm_engines import Engine, Receipt
from protocol_bytes import Output, claim_hash

from contracts import calls, token, views
from contracts.abi import Function, View, keccak
from contracts.compiler import compile_contract
from contracts.events import BatchPostedLog, ClaimedLog, RollupLog, decode_log

T = TypeVar("T")

MOCKS = Path(__file__).parent / "contracts" / "mocks"
DOLLAR = 10**6


def person(name: str) -> bytes:
    """The address of somebody."""
    return keccak(name.encode())[-20:]


DEPLOYER, SEQUENCER, GOVERNOR = person("deployer"), person("sequencer"), person("governor")
ALICE, BOB, CLAIMANT, RIVAL = person("alice"), person("bob"), person("claimant"), person("rival")

PARAMETERS = calls.Parameters(
    inbox_delay=600,
    force_delay=3_600,
    time_lag_max=300,
    claim_window=7_200,
    claim_bond=10**17,
    parameter_delay=86_400,
)
GENESIS = Output(batch=0, batch_hash=bytes(32), steps=0).pack()
GENESIS_CLAIM = claim_hash(bytes(32), GENESIS)
BOND_RECEIVER_PASS_ON = Function("pass_on", ("address", "bytes"))


class World:
    """One engine, one token, one rollup; every method sends a transaction or reads."""

    def __init__(self, engine: Engine, token_name: str = "test_usdc", **deployment: Any) -> None:
        self.engine = engine
        self.batches: dict[int, BatchPostedLog] = {}
        self.deployed_at = engine.number
        for name in (CLAIMANT, RIVAL):
            engine.fund(name, 10 * PARAMETERS.claim_bond)
        self.token = self.mock(token_name) if token_name != "test_usdc" else self._test_usdc()
        code = compile_contract("steps/chunks").creation_code
        self.chunks = engine.deploy(code, sender=DEPLOYER)
        self.rollup = engine.deploy(self.deployment(**deployment), sender=DEPLOYER)

    def _test_usdc(self) -> bytes:
        code = compile_contract("test_usdc").creation_code
        return self.engine.deploy(code, sender=DEPLOYER)

    def mock(self, name: str) -> bytes:
        """The address of a contract of tests/contracts/mocks."""
        return self.engine.deploy(compile_contract(name, MOCKS).creation_code, sender=DEPLOYER)

    def deployment(self, **changes: Any) -> bytes:
        """Creation code with sound arguments, but for `changes`; parameters by their name too."""
        own = {name: changes.pop(name) for name in PARAMETERS.__struct_fields__ if name in changes}
        arguments: dict[str, Any] = {
            "token": self.token,
            "sequencer": SEQUENCER,
            "governor": GOVERNOR,
            "genesis_output_hash": keccak(GENESIS),
            "proof_contracts": calls.ProofContracts(chunks=self.chunks),
            "parameters": msgspec.structs.replace(PARAMETERS, **own),
        }
        return calls.deployment(compile_contract("rollup").creation_code, **arguments | changes)

    # --- chain ---

    def wait(self, seconds: int) -> None:
        """The next transaction runs in the next block, `seconds` later."""
        self.engine.time += seconds
        self.engine.number += 1

    def send(self, data: bytes, sender: bytes, value: int = 0) -> Receipt:
        """Call the rollup."""
        return self.engine.send(self.rollup, data, sender=sender, value=value)

    def logs(self, receipt: Receipt) -> list[RollupLog]:
        """The rollup's own logs of a transaction."""
        own = (log for log in receipt.logs if log.address == self.rollup)
        decoded = [decode_log(log.topics, log.data) for log in own]
        assert None not in decoded
        return [log for log in decoded if log is not None]

    def read(self, view: View[T], *values: Any) -> T:
        """Ask the rollup."""
        return view.answer(self.engine.call(self.rollup, view.call(*values)))

    def slot(self, variable: str, key: bytes | None = None) -> int:
        """Where a variable, or an entry of a mapping, lies in storage."""
        place = compile_contract("rollup").slots[variable]
        if key is None:
            return place
        return int.from_bytes(keccak(place.to_bytes(32, "big") + key.rjust(32, b"\0")), "big")

    def send_through(self, contract: bytes, data: bytes, value: int = 0) -> Receipt:
        """Call the rollup as the mock `bond_receiver`, which passes calls on."""
        passed = BOND_RECEIVER_PASS_ON.encode(self.rollup, data)
        return self.engine.send(contract, passed, sender=CLAIMANT, value=value)

    # --- money ---

    def balance(self, owner: bytes) -> int:
        """Micro-USDC of the token."""
        view = token.BALANCE_OF
        return view.answer(self.engine.call(self.token, view.call(owner)))

    def mint(self, owner: bytes, amount: int) -> None:
        """Tokens out of nothing, allowed to the rollup."""
        self.engine.send(self.token, token.mint(to=owner, amount=amount), sender=owner)
        approval = token.approve(spender=self.rollup, amount=2**256 - 1)
        self.engine.send(self.token, approval, sender=owner)

    def deposit(self, owner: bytes, amount: int = DOLLAR, subaccount: int = 0) -> Receipt:
        """Mint what is needed and pay it in."""
        self.mint(owner, amount)
        return self.send(calls.deposit(amount=amount, subaccount=subaccount), owner)

    # --- batches ---

    def post(self, *, sender: bytes = SEQUENCER, **changes: Any) -> BatchPostedLog:
        """Post the next batch with everything that waits and no chunks, but for `changes`."""
        return self.posted(self.send(self.batch_call(**changes), sender))

    def batch_call(self, **changes: Any) -> bytes:
        """Calldata of a sound batch, but for `changes`."""
        arguments: dict[str, Any] = {
            "parent": self.read(views.BATCH_HASHES, self.read(views.HEAD).number),
            "inbox_to": self.read(views.INBOX_SIZE),
            "origin_number": self.engine.number - 1,
            "time_min": self.engine.time,
            "time_max": self.engine.time,
            "chunks": (),
            "raw_hashes": (),
        } | changes
        if "origin_hash" not in arguments:
            arguments["origin_hash"] = self.engine.block_hash(arguments["origin_number"])
        return calls.post_batch(**arguments)

    def force(self, *, sender: bytes = BOB, **changes: Any) -> BatchPostedLog:
        """Post the inbox without the sequencer."""
        arguments: dict[str, Any] = {
            "inbox_to": self.read(views.INBOX_SIZE),
            "origin_number": self.engine.number - 1,
            "origin_hash": self.engine.block_hash(self.engine.number - 1),
        } | changes
        return self.posted(self.send(calls.force_batch(**arguments), sender))

    def posted(self, receipt: Receipt) -> BatchPostedLog:
        """The one log of a posted batch, kept for claims."""
        (log,) = self.logs(receipt)
        assert isinstance(log, BatchPostedLog)
        self.batches[log.number] = log
        return log

    def chunk(self, number: int, chunk: int) -> bytes:
        """Compressed chunk of a posted batch, as whoever has the logs has it."""
        log = self.batches[number]
        count = log.header[147]
        sizes = [int.from_bytes(log.header[at : at + 2]) for at in range(148, 148 + 66 * count, 66)]
        return log.payload[sum(sizes[:chunk]) :][: sizes[chunk]]

    def prove_malformed(
        self, number: int = 1, chunk: int = 0, *, sender: bytes = BOB, **changes: Any
    ) -> Receipt:
        """Have a batch voided by one of its chunks, told as it was posted but for `changes`."""
        arguments: dict[str, Any] = {"number": number, "chunk": chunk} | changes
        if "header" not in arguments:
            arguments["header"] = self.batches[number].header
        if "compressed" not in arguments:
            arguments["compressed"] = self.chunk(number, chunk)
        return self.send(calls.prove_malformed(**arguments), sender)

    # --- claims ---

    def output(self, batch: int, **changes: Any) -> Output:
        """An output of a posted batch that L1 can find no fault with, but for `changes`."""
        header = self.batches[batch].header
        inbox = int.from_bytes(header[50:58], "big")
        micro = self.read(views.INBOX_ITEM, inbox - 1).deposited if inbox else 0
        fields: dict[str, Any] = {
            "batch": batch,
            "batch_hash": self.batches[batch].batch_hash,
            "inbox": inbox,
            "deposited": micro * 1_000,
            "cash": micro * 1_000,
        }
        return Output(**fields | changes)

    def claim(
        self,
        output: Output,
        *,
        parent: bytes = GENESIS_CLAIM,
        sender: bytes = CLAIMANT,
        value: int = PARAMETERS.claim_bond,
        packed: bytes | None = None,
        header: bytes | None = None,
    ) -> bytes:
        """Claim `output` for its batch; `packed` and `header` stand in for the true bytes."""
        data = self.claim_call(output, parent=parent, packed=packed, header=header)
        *_, log = self.logs(self.send(data, sender, value))
        assert isinstance(log, ClaimedLog)
        return log.claim

    def claim_call(
        self,
        output: Output,
        *,
        parent: bytes = GENESIS_CLAIM,
        packed: bytes | None = None,
        header: bytes | None = None,
    ) -> bytes:
        """Calldata of a claim."""
        if header is None:
            header = self.batches[output.batch].header if output.batch in self.batches else b""
        packed = output.pack() if packed is None else packed
        return calls.claim(parent_claim=parent, output=packed, header=header)

    def confirm(self, output: Output, *, parent: bytes = GENESIS_CLAIM) -> Receipt:
        """Settle the claim of `output`."""
        data = calls.confirm(parent_claim=parent, output_hash=keccak(output.pack()))
        return self.send(data, BOB)

    def settle(self, output: Output, *, parent: bytes = GENESIS_CLAIM) -> bytes:
        """Claim, wait, confirm."""
        claim = self.claim(output, parent=parent)
        self.wait(PARAMETERS.claim_window)
        self.confirm(output, parent=parent)
        return claim
