"""A rollup whose disputes a test decides: a mock stands in for the contract that plays them."""

import rlp  # type: ignore[import-untyped]
from eth_abi.abi import decode, encode
from evm_engines import Engine, Receipt
from rollup_world import BOB, DEPLOYER, MOCKS, PARAMETERS, World

from contracts import calls
from contracts.abi import Function, keccak
from contracts.compiler import compile_contract

DECIDE = Function("decide", ("bytes32", "uint64", "uint8", "bytes32"))
FORFEITED_TOPIC = keccak(b"Forfeited(bytes32,uint64,address,uint256)")
ENTRY_WINDOW = PARAMETERS.claim_window + 1
WON, NOBODY_WON = 1, 2


def next_address(engine: Engine, sender: bytes, later: int) -> bytes:
    """The contract that `sender` makes with the transaction `later` behind its next one."""
    probe = engine.deploy(b"", sender=sender)
    nonce = 0
    while created_address(sender, nonce) != probe:
        nonce += 1
    return created_address(sender, nonce + 1 + later)


def created_address(sender: bytes, nonce: int) -> bytes:
    """keccak(rlp([sender, nonce])), its last 20 bytes."""
    return keccak(rlp.encode([sender, nonce]))[12:]


class DecidedWorld(World):
    """`disputes` holds what `decide` was told, and logs what is forfeited to it."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        rollup = next_address(engine, DEPLOYER, 1)
        self.disputes = decided_disputes(engine, rollup, ENTRY_WINDOW)
        contracts = calls.ProofContracts(chunks=self.chunks, disputes=self.disputes)
        code = self.deployment(proof_contracts=contracts)
        self.rollup = engine.deploy(code, sender=DEPLOYER)
        assert self.rollup == rollup

    def decide(self, parent: bytes, contested_at: int, status: int, claim: bytes) -> None:
        """Say what a dispute has come to."""
        data = DECIDE.encode(parent, contested_at, status, claim)
        self.engine.send(self.disputes, data, sender=BOB)

    def forfeited(self, receipt: Receipt) -> tuple[bytes, int, bytes, int]:
        """Parent, time, caller and wei of the one bond that a transaction forfeited."""
        (log,) = (x for x in receipt.logs if x.topics[0] == FORFEITED_TOPIC)
        assert log.address == self.disputes
        parent, time, caller, wei = decode(("bytes32", "uint64", "address", "uint256"), log.data)
        return parent, time, bytes.fromhex(caller[2:]), wei


def decided_disputes(engine: Engine, rollup: bytes, entry_window: int) -> bytes:
    """The address of the mock, told a rollup."""
    code = compile_contract("decided_disputes", MOCKS).creation_code
    arguments = encode(("address", "uint64"), (rollup, entry_window))
    return engine.deploy(code + arguments, sender=DEPLOYER)
