"""Making moves in a dispute on L1, for whatever trace one stands up for.

An honest player and a lying one differ in their trace, and in that a liar cannot prove the
step on which the two part.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct

from contracts import disputes
from contracts.disputes import DisputedStep
from node.disputes.defended import DefendedTrace
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from prover.dispute.moves import (
    Advance,
    Collect,
    Enter,
    Move,
    Redeem,
    Refute,
    Settle,
    Standing,
    TimeOut,
    next_moves,
)
from prover.dispute.settlement import SettlementMove
from prover.walk import ShownStep

PAIRING_GAS = 250_000
"""Somebody may enter, or win, before a move is mined: then it pairs two entries as well."""

Steps = Callable[[int], Awaitable[ShownStep]]
"""Shows step `number` of the batch, counted from 1, with its witness."""


class CannotProve(Exception):
    """The move takes the proof of a step, and this player has none."""


class Played(Struct, frozen=True, kw_only=True):
    """A move, in a dispute or about claims, and what became of it: what it cost, or why L1
    refused it. `wei` is the gas that it used at the price that was paid for it.
    """

    move: Move | SettlementMove
    transaction: bytes = b""
    gas: int = 0
    wei: int = 0
    refusal: str = ""


async def sent(
    sender: TransactionSender, move: Move | SettlementMove, to: bytes, data: bytes, value: int = 0
) -> Played:
    """Make `move` by this call. A refusal of the contract is an answer, and no error."""
    try:
        receipt = await sender.send(to, data, value=value, spare_gas=PAIRING_GAS)
    except TransactionReverted as refusal:
        paid = refusal.receipt
        gas, wei = (paid.gas_used, paid.wei) if paid is not None else (0, 0)
        return Played(move=move, gas=gas, wei=wei, refusal=refusal.reason)
    return Played(
        move=move,
        transaction=receipt.transaction_hash,
        gas=receipt.gas_used,
        wei=receipt.wei,
    )


def money_calldata(move: Collect | Redeem) -> bytes:
    """What only brings money needs no trace."""
    if isinstance(move, Collect):
        return disputes.collect(move.match)
    return disputes.redeem(move.entry)


class Player:
    """Plays one dispute for `trace`, through the key of `sender`. Without `steps` nothing is
    proven: matches that came down to one step are left to the other side.
    """

    def __init__(
        self,
        sender: TransactionSender,
        contract: bytes,
        trace: DefendedTrace,
        steps: Steps | None = None,
    ) -> None:
        self.sender = sender
        self.contract = contract
        self.trace = trace
        self._steps = steps

    def moves(self, standing: Standing, now: int) -> list[Move]:
        """What is to be done now, most urgent first."""
        found = next_moves(standing, self.trace.defence, now)
        if self._steps is None:
            return [move for move in found if not isinstance(move, Settle | Refute)]
        return found

    async def play(self, standing: Standing, now: int) -> list[Played]:
        """Make every move that is to be made now, one after the other.

        Raises Retry and L1Error as the sender does; what was sent by then stands.
        """
        return [await self.perform(standing, move) for move in self.moves(standing, now)]

    async def perform(self, standing: Standing, move: Move) -> Played:
        """Make one move. A refusal of the contract is an answer, and no error."""
        data = await self.calldata(standing, move)
        value = standing.terms.entry_bond if isinstance(move, Enter) else 0
        return await sent(self.sender, move, self.contract, data, value)

    async def calldata(self, standing: Standing, move: Move) -> bytes:
        """What L1 is sent for a move. CannotProve where the player can show no step."""
        match move:
            case Enter():
                return self._entry(standing)
            case Advance(match=match, left=left, right=right):
                return disputes.advance(
                    match=match,
                    left=left,
                    right=right,
                    next_left=move.next_left,
                    next_right=move.next_right,
                )
            case Settle():
                step = await self._step(move.index, move.previous_branch)
                return disputes.settle(
                    match=move.match, step=step, left=move.left, right=move.right
                )
            case Refute():
                step = await self._step(move.index, move.previous_branch)
                return disputes.refute(
                    entry=move.entry,
                    index=move.index,
                    leaf=move.leaf,
                    leaf_branch=move.leaf_branch,
                    step=step,
                    left=move.left,
                    right=move.right,
                )
            case TimeOut():
                return disputes.time_out(match=move.match, left=move.left, right=move.right)
            case Collect() | Redeem():
                return money_calldata(move)

    def _entry(self, standing: Standing) -> bytes:
        """With all its roots where the deployment asks for them, else with the first and last."""
        trace = self.trace
        common: dict[str, Any] = {
            "grandparent": trace.grandparent,
            "parent_output": trace.parent_output,
            "output": trace.output,
            "machine": trace.machine,
            "roots": trace.roots,
        }
        if len(trace.leaves) <= standing.terms.published_steps:
            return disputes.enter_published(**common, leaves=trace.leaves)
        return disputes.enter(**common, **trace.tree.ends())

    async def _step(self, index: int, branch: Sequence[bytes]) -> DisputedStep:
        """The step that leaf `index` is the root after; `branch` is that of the leaf before it, in
        which all traces agree. Behind the last step the machine is at rest: it shows itself.
        """
        trace = self.trace
        previous = trace.tree.leaf(index - 1) if index > 0 else trace.state_before
        if index >= len(trace.leaves):
            return DisputedStep(
                previous=previous,
                previous_branch=tuple(branch),
                machine=trace.machine,
                roots=trace.roots,
            )
        if self._steps is None:
            raise CannotProve(f"step {index + 1} of the batch cannot be shown by this player")
        shown = await self._steps(index + 1)
        witness = shown.witness
        return DisputedStep(
            previous=previous,
            previous_branch=tuple(branch),
            machine=witness.machine,
            roots=(witness.accounts_root, witness.markets_root, witness.board_root),
            leaves=witness.leaves,
            proofs=witness.proofs,
            given=shown.taken.given.encode(),
        )
