"""Putting a venue on L1: a test token, the rollup, its markets, and money for people to trade.

Everything the governor sends goes out at once, since the addresses of contracts follow from
its nonce: on a chain with a block a second a venue stands after two of them.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
import rlp  # type: ignore[import-untyped]

from contracts import calls, disputes, mock_verifier, step, token
from contracts.calls import Parameters, ProofContracts
from contracts.compiler import Artifact
from contracts.disputes import DisputeParameters
from node.clock import Clock
from node.devnet.people import CHAIN_ID
from node.errors import Halt
from node.l1.answers import L1Receipt
from node.l1.client import L1Client
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from prover.replay import genesis_output
from state.batch import output_hash
from state.crypto import keccak
from state.transactions.list_market import Listing, encode_listing, is_sound

UNLIMITED = 2**256 - 1
OTHER_PROCESS = (
    "if the deploying key was used by another process at the same time, try again without it"
)


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Where a venue is on L1."""

    chain_id: int
    token: bytes
    rollup: bytes
    block: int


class Venue(msgspec.Struct, frozen=True, kw_only=True):
    """What to deploy. Without `token` that of tests comes with it, and fills the `purses`: the
    micro-USDC that each address is given. Without `disputes` rivals stall one another for ever;
    `insurance` gets what is left of the bonds that are lost there, if not the governor.

    With an `attester` claims are proven to a mock verifier, which takes that key's word for all
    of them, and nobody disputes. `trusts_attester` says that one knows, where it is no devnet.
    """

    sequencer: bytes
    parameters: Parameters
    listings: tuple[Listing, ...]
    purses: tuple[tuple[bytes, int], ...] = ()
    token: bytes | None = None
    disputes: DisputeParameters | None = None
    insurance: bytes | None = None
    attester: bytes | None = None
    trusts_attester: bool = False


class Contracts(msgspec.Struct, frozen=True, kw_only=True):
    """Compiled, ready to be deployed. Without a router no step can be proven to the rollup, and
    then there is no use for disputes either.
    """

    token: Artifact
    rollup: Artifact
    chunks: Artifact
    rules: dict[str, Artifact] = {}
    router: Artifact | None = None
    disputes: Artifact | None = None
    mock_verifier: Artifact | None = None

    @classmethod
    def compiled(cls, compiler: Callable[[str], Artifact]) -> Self:
        """What `compiler` makes of each, by its name in the folder of the contracts; without
        those that take a step, which are many and long.
        """
        return cls(
            token=compiler("test_usdc"),
            rollup=compiler("rollup"),
            chunks=compiler(step.source(step.CHUNKS)),
            mock_verifier=compiler(mock_verifier.SOURCE),
        )

    @staticmethod
    def names() -> tuple[str, ...]:
        """What all of them are called, those that take longest to compile first."""
        slow = ("matching", "blocks", step.ROUTER, "items", "admission")
        others = [name for name in step.RULES if name not in slow]
        whole = ("disputes", "rollup", *map(step.source, others), mock_verifier.SOURCE, "test_usdc")
        return (*map(step.source, slow), *whole)

    @classmethod
    def proving(cls, compiler: Callable[[str], Artifact]) -> Self:
        """All of them."""
        return msgspec.structs.replace(
            cls.compiled(compiler),
            rules={name: compiler(step.source(name)) for name in step.RULES},
            router=compiler(step.source(step.ROUTER)),
            disputes=compiler("disputes"),
        )


class DeploymentFailed(Halt):
    """L1 did something else than what was sent to it."""


def created_address(creator: bytes, nonce: int) -> bytes:
    """The contract that `creator` makes with its transaction of this nonce."""
    return keccak(rlp.encode([creator, nonce]))[12:]


async def deploy(
    client: L1Client, governor: TransactionSender, contracts: Contracts, venue: Venue
) -> Deployment:
    """Deploy `venue`, list its markets and fill the purses, all in the governor's name.

    Raises DeploymentFailed where L1 refuses a part, as when another process uses the key too.
    """
    unsound = [x.symbol.decode(errors="replace") for x in venue.listings if not is_sound(x)]
    if unsound:
        raise ValueError(f"no market can have these parameters: {', '.join(unsound)}")
    if venue.token is not None and venue.purses:
        raise ValueError("only the token of tests can be handed out")
    chain_id = await client.chain_id()
    _check_mock(chain_id, venue)
    nonce = await client.nonce(governor.address, "pending")
    creations = _creations(governor.address, nonce, contracts, venue)
    addresses = list(creations)
    token_address, rollup = venue.token or addresses[0], addresses[-1]
    receipts = await _all(
        *(governor.send(None, code) for code in creations.values()),
        *(governor.send(rollup, calls.list_market(encode_listing(x))) for x in venue.listings),
        *(
            governor.send(token_address, token.mint(to=owner, amount=amount))
            for owner, amount in venue.purses
        ),
    )
    made = receipts[: len(creations)]
    for receipt, address in zip(made, addresses, strict=True):
        _check_address(receipt, address)
    return Deployment(
        chain_id=chain_id,
        token=token_address,
        rollup=rollup,
        block=made[-1].block_number,
    )


def _creations(
    creator: bytes, nonce: int, contracts: Contracts, venue: Venue
) -> dict[bytes, bytes]:
    """Address and creation code of every contract in their order: the token of tests, unless
    there is one already, then what the rollup is told of, and the rollup.
    """
    creations: dict[bytes, bytes] = {}

    def created(code: bytes) -> bytes:
        address = created_address(creator, nonce + len(creations))
        creations[address] = code
        return address

    token_address = venue.token or created(contracts.token.creation_code)
    proof_contracts = ProofContracts(chunks=created(contracts.chunks.creation_code))
    if contracts.router is not None:
        rules = {step.CHUNKS: proof_contracts.chunks}
        for name in step.RULES:
            if name != step.CHUNKS:
                rules[name] = created(contracts.rules[name].creation_code)
        router = created(step.router(contracts.router.creation_code, rules))
        proof_contracts = msgspec.structs.replace(proof_contracts, step=router)
    if venue.attester is not None:
        assert contracts.mock_verifier is not None, "compile the mock verifier too"
        code = contracts.mock_verifier.creation_code
        verifier = created(mock_verifier.deployment(code, attester=venue.attester))
        proof_contracts = msgspec.structs.replace(proof_contracts, verifier=verifier)
    elif contracts.disputes is not None and venue.disputes is not None:
        decider = created(
            disputes.deployment(
                contracts.disputes.creation_code,
                # Each names the other: this one is told where the next will be.
                rollup=created_address(creator, nonce + len(creations) + 1),
                insurance=venue.insurance or creator,
                parameters=venue.disputes,
            )
        )
        proof_contracts = msgspec.structs.replace(proof_contracts, disputes=decider)
    created(
        calls.deployment(
            contracts.rollup.creation_code,
            token=token_address,
            sequencer=venue.sequencer,
            governor=creator,
            genesis_output_hash=output_hash(genesis_output()),
            proof_contracts=proof_contracts,
            parameters=venue.parameters,
        )
    )
    return creations


def _check_mock(chain_id: int, venue: Venue) -> None:
    """Halt where a mock would stand in for proofs of somebody's money unasked."""
    if venue.attester is None or venue.trusts_attester or chain_id == CHAIN_ID:
        return
    raise Halt(
        f"MOCK_REFUSED: a mock verifier takes the word of 0x{venue.attester.hex()} for every "
        f"claim, and whoever has that key can take all money of the venue; chain {chain_id} is "
        "no devnet, so say that you trust it, or deploy in the optimistic mode"
    )


async def approve(deployment: Deployment, owners: Sequence[TransactionSender]) -> None:
    """Let the rollup take what its owners will deposit, whatever the amount."""
    allowance = token.approve(spender=deployment.rollup, amount=UNLIMITED)
    await asyncio.gather(*(owner.send(deployment.token, allowance) for owner in owners))


async def check_deployed(client: L1Client, deployment: Deployment) -> None:
    """Raise Halt unless `deployment` is on this L1."""
    found = await client.chain_id()
    if found != deployment.chain_id:
        raise Halt(f"the venue is on chain {deployment.chain_id}, L1 is chain {found}")
    for name, address in (("token", deployment.token), ("rollup", deployment.rollup)):
        if not await client.code(address):
            raise Halt(
                f"L1 has no {name} at 0x{address.hex()}: its chain is not the one this venue "
                "was deployed on; use the data directory of that chain, or a new one"
            )


def senders(
    client: L1Client, clock: Clock, chain_id: int, private_keys: Sequence[bytes]
) -> list[TransactionSender]:
    """One for each key."""
    return [TransactionSender(client, key, clock, chain_id=chain_id) for key in private_keys]


def deployment_json(deployment: Deployment) -> bytes:
    """A deployment as its file holds it."""
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "chainId": deployment.chain_id,
                "token": "0x" + deployment.token.hex(),
                "rollup": "0x" + deployment.rollup.hex(),
                "block": deployment.block,
            }
        )
    )


def read_deployment(path: Path) -> Deployment:
    """What `deployment_json` wrote. Halt where the file holds something else."""
    try:
        found = msgspec.json.decode(path.read_bytes())
        return Deployment(
            chain_id=int(found["chainId"]),
            token=bytes.fromhex(found["token"][2:]),
            rollup=bytes.fromhex(found["rollup"][2:]),
            block=int(found["block"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Halt(
            f"{path} does not say where the venue is ({error}): restore it, or use a new directory"
        ) from error


async def _all(*sends: Coroutine[Any, Any, L1Receipt]) -> list[L1Receipt]:
    """Every receipt, or the first failure once nothing is under way any more."""
    found = await asyncio.gather(*sends, return_exceptions=True)
    for one in found:
        if isinstance(one, TransactionReverted):
            raise DeploymentFailed(f"L1 refused the deployment: {one}; {OTHER_PROCESS}") from one
        if isinstance(one, BaseException):
            raise one
    return [one for one in found if isinstance(one, L1Receipt)]


def _check_address(receipt: L1Receipt, expected: bytes) -> None:
    if receipt.contract != expected:
        found = receipt.contract.hex() if receipt.contract else "nothing"
        raise DeploymentFailed(
            f"expected a contract at 0x{expected.hex()}, L1 created 0x{found}; {OTHER_PROCESS}"
        )
