"""The rollup as L1 shows it: what it is, and what happened to it, block by block."""

import re
from enum import StrEnum
from typing import Any, TypeVar

from msgspec import Struct

from contracts import dispute_views, events, views
from contracts.abi import UnexpectedAnswer, View
from contracts.calls import Parameters
from contracts.disputes import DisputeParameters
from contracts.events import decode_log
from node.errors import Halt, L1Error, Retry
from node.l1.answers import L1Block, L1Log
from node.l1.client import BlockParameter, L1Client
from node.rollup_events import (
    BatchPosted,
    BatchVoided,
    Claimed,
    Confirmed,
    Contested,
    ItemAdded,
    Rejected,
    RollupEvent,
    WithdrawalPaid,
)
from prover.replay import genesis_claim
from state.batch import VERSION
from state.eip712 import Domain, domain
from state.inbox import InboxItem

WATCHED = [
    event.topic
    for event in (
        events.INBOX_ITEM,
        events.BATCH_POSTED,
        events.CLAIMED,
        events.CONFIRMED,
        events.WITHDRAWAL_PAID,
        events.CONTESTED,
        events.REJECTED,
        events.BATCH_VOIDED,
    )
]
T = TypeVar("T")
_REVERTED = 3
_FAILED = re.compile(r"revert|opcode|out of gas|stack|jump", re.IGNORECASE)


class RollupFault(StrEnum):
    """Why an address on L1 is not the rollup that this node can follow."""

    OTHER_CHAIN = "OTHER_CHAIN"
    NO_CONTRACT = "NO_CONTRACT"
    NOT_A_ROLLUP = "NOT_A_ROLLUP"
    OTHER_VERSION = "OTHER_VERSION"
    OTHER_GENESIS = "OTHER_GENESIS"


class WrongRollup(Halt):
    """There is nothing to follow here; `fault` says why."""

    def __init__(self, fault: RollupFault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault


class RollupTerms(Struct, frozen=True, kw_only=True):
    """What a deployment fixed for ever. `deployed_at` is the block to read logs from.

    `disputes` decides between rivals by its parameters; it is zero, and has none, where nobody
    decides. `verifier` takes proofs in the place of bonds, and `proof_system` is what it called
    itself; zero and empty where claims stand under bond.
    """

    chain_id: int
    rollup: bytes
    token: bytes
    sequencer: bytes
    governor: bytes
    deployed_at: int
    parameters: Parameters
    disputes: bytes = bytes(20)
    dispute_parameters: DisputeParameters | None = None
    verifier: bytes = bytes(20)
    proof_system: str = ""

    @property
    def takes_proofs(self) -> bool:
        """Whether claims are proven, and confirm at once, instead of bonded."""
        return any(self.verifier)

    @property
    def domain(self) -> Domain:
        """What signatures of this venue hold for."""
        return domain(self.chain_id, self.rollup)


class Counts(Struct, frozen=True, kw_only=True):
    """What the contract itself counts: inbox items, batches, and the last one confirmed."""

    items: int
    batches: int
    confirmed: int

    def difference(self, told: "Counts") -> str:
        """What the logs `told` otherwise; empty where they lack nothing."""
        wrong = [
            f"{getattr(self, name)} {what}, its logs told of {getattr(told, name)}"
            for name, what in (
                ("items", "inbox items"),
                ("batches", "batches"),
                ("confirmed", "batches confirmed"),
            )
            if getattr(self, name) != getattr(told, name)
        ]
        return f"L1 counts {'; '.join(wrong)}" if wrong else ""


class RollupReader:
    """One rollup through one L1 endpoint. Raises Retry where L1 gives no answer."""

    def __init__(self, client: L1Client, address: bytes) -> None:
        self.client = client
        self.address = address

    async def read(self, view: View[T], *values: Any, block: BlockParameter = "latest") -> T:
        """The answer of a view, at L1's last block where no other is named."""
        return view.answer(await self.client.call(self.address, view.call(*values), block=block))

    async def counts(self, block_hash: bytes) -> Counts | None:
        """What there was after a block; None where L1 does not know that block's state (any more).

        An endpoint that has pruned its logs, or not indexed its last ones yet, leaves them out
        without a word. Nothing else shows that.
        """
        try:
            return Counts(
                items=await self.read(views.INBOX_SIZE, block=block_hash),
                batches=(await self.read(views.HEAD, block=block_hash)).number,
                confirmed=(await self.read(views.CONFIRMED_HEAD, block=block_hash)).batch,
            )
        except (L1Error, UnexpectedAnswer):
            return None

    async def deployment(self, expected_chain_id: int | None = None) -> RollupTerms:
        """The terms of the rollup. WrongRollup where this node cannot follow what is there."""
        chain_id = await self.client.chain_id()
        if expected_chain_id not in (None, chain_id):
            raise WrongRollup(
                RollupFault.OTHER_CHAIN,
                f"L1 has chain id {chain_id}, but this venue is on {expected_chain_id}; "
                "point the node at an L1 endpoint of that chain",
            )
        shown = f"0x{self.address.hex()}"
        if not await self.client.code(self.address):
            raise WrongRollup(
                RollupFault.NO_CONTRACT,
                f"there is no contract at {shown} on chain {chain_id}; check the rollup's "
                "address and the L1 URL, and that this L1 is synced past its deployment",
            )
        try:
            await self._check(chain_id)
            return await self._terms(chain_id)
        except (L1Error, UnexpectedAnswer) as error:
            if isinstance(error, L1Error) and not _is_of_contract(error):
                raise  # the endpoint's own trouble, which says nothing of the contract
            raise WrongRollup(
                RollupFault.NOT_A_ROLLUP,
                f"the contract at {shown} does not answer like a rollup ({error}); "
                "check the rollup's address",
            ) from error

    async def _check(self, chain_id: int) -> None:
        version = await self.read(views.VERSION)
        if version != VERSION:
            raise WrongRollup(
                RollupFault.OTHER_VERSION,
                f"the rollup runs rules of version {version}, this node of version {VERSION}; "
                "run a release of that version",
            )
        found = await self.read(views.GENESIS_CLAIM), await self.read(views.BATCH_HASHES, 0)
        expected = genesis_claim(), domain(chain_id, self.address).genesis_hash
        if found != expected:
            raise WrongRollup(
                RollupFault.OTHER_GENESIS,
                f"the rollup began from claim {found[0].hex()} and batch {found[1].hex()}, the "
                f"rules from {expected[0].hex()} and {expected[1].hex()}; it was deployed for "
                "other rules, and none of its claims can be right here",
            )

    async def _terms(self, chain_id: int) -> RollupTerms:
        disputes = await self.read(views.DISPUTES)
        return RollupTerms(
            chain_id=chain_id,
            rollup=self.address,
            token=await self.read(views.TOKEN),
            sequencer=await self.read(views.SEQUENCER),
            governor=await self.read(views.GOVERNOR),
            deployed_at=await self.read(views.DEPLOYED_AT),
            parameters=Parameters(
                inbox_delay=await self.read(views.INBOX_DELAY),
                force_delay=await self.read(views.FORCE_DELAY),
                time_lag_max=await self.read(views.TIME_LAG_MAX),
                claim_window=await self.read(views.CLAIM_WINDOW),
                claim_bond=await self.read(views.CLAIM_BOND),
                parameter_delay=await self.read(views.PARAMETER_DELAY),
            ),
            disputes=disputes,
            dispute_parameters=await self.dispute_parameters(disputes) if any(disputes) else None,
            verifier=await self.read(views.VERIFIER),
            proof_system=await self.read(views.PROOF_SYSTEM),
        )

    async def dispute_parameters(self, disputes: bytes) -> DisputeParameters:
        """What the contract of disputes at this address was deployed with."""

        async def read(view: View[int]) -> int:
            return view.answer(await self.client.call(disputes, view.call()))

        return DisputeParameters(
            height=await read(dispute_views.HEIGHT),
            clock=await read(dispute_views.CLOCK),
            move_time=await read(dispute_views.MOVE_TIME),
            entry_window=await read(dispute_views.ENTRY_WINDOW),
            entry_bond=await read(dispute_views.ENTRY_BOND),
            base_fee_cap=await read(dispute_views.BASE_FEE_CAP),
            published_steps=await read(dispute_views.PUBLISHED_STEPS),
        )

    async def scan(self, from_block: int, to_block: int) -> list[RollupEvent]:
        """What happened in these blocks, both included, in L1's order."""
        logs = await self.client.logs(
            address=self.address, topics=[WATCHED], first=from_block, last=to_block
        )
        logs.sort(key=lambda log: (log.block_number, log.log_index))
        return [await self._event(log) for log in logs]

    async def _event(self, log: L1Log) -> RollupEvent:
        try:
            decoded = decode_log(log.topics, log.data)
        except UnexpectedAnswer as error:
            raise Retry(f"L1 sent a log that the rollup cannot have made: {error}") from error
        place: dict[str, Any] = {
            "block": log.block_number,
            "log_index": log.log_index,
            "transaction": log.transaction_hash,
        }
        match decoded:
            case events.InboxItemLog(index, kind, time, sender, payload):
                return ItemAdded(item=InboxItem(kind, index, time, sender, payload), **place)
            case events.BatchPostedLog(number, batch_hash, header, payload):
                return BatchPosted(
                    number=number, batch_hash=batch_hash, header=header, payload=payload, **place
                )
            case events.ClaimedLog(batch, claim, parent, claimant, output):
                return Claimed(
                    batch=batch,
                    claim=claim,
                    parent=parent,
                    claimant=claimant,
                    output=output,
                    time=(await self.block(log.block_hash)).timestamp,
                    **place,
                )
            case events.ConfirmedLog(batch, claim):
                return Confirmed(batch=batch, claim=claim, **place)
            case events.WithdrawalPaidLog(index, account, recipient, amount):
                return WithdrawalPaid(
                    index=index, account=account, recipient=recipient, amount=amount, **place
                )
            case events.ContestedLog(batch, parent, time):
                return Contested(batch=batch, parent=parent, time=time, **place)
            case events.RejectedLog(batch, claim):
                return Rejected(batch=batch, claim=claim, **place)
            case events.BatchVoidedLog(number, chunk):
                return BatchVoided(number=number, chunk=chunk, **place)
        raise Retry("L1 sent a log that was not asked for")

    async def block(self, which: int | str | bytes) -> L1Block:
        """A block that must be there. Retry where it is not, as during a reorganisation."""
        found = await self.client.block(which)
        if found is None:
            shown = which.hex() if isinstance(which, bytes) else which
            raise Retry(f"L1 has no block {shown} any more; it is reorganising")
        return found


def _is_of_contract(refusal: L1Error) -> bool:
    """Whether the contract's code ran and failed."""
    return refusal.code == _REVERTED or _FAILED.search(refusal.message) is not None
