"""Somebody who does on L1 what anyone may: pays withdrawals, forces batches, applies changes."""

import asyncio

from contracts import calls, views
from node.errors import L1Error, Retry
from node.governance import announcements
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from node.simulation.clients import GAS
from node.simulation.l1 import SimulatedL1
from node.simulation.referee import Referee
from node.simulation.trace import Trace
from state.batch import encode_output
from state.limits import WITHDRAWALS_DEPTH
from state.tree import Tree
from state.withdrawals import Withdrawal, encode_withdrawal


class Passerby:
    """Acts on what the referee knows; a second payment of the same withdrawal is tried too."""

    def __init__(
        self, l1: SimulatedL1, sender: TransactionSender, referee: Referee, trace: Trace
    ) -> None:
        self._l1 = l1
        self._sender = sender
        self._referee = referee
        self._trace = trace

    async def run(self) -> None:
        while True:
            await asyncio.sleep(7.0)
            await self.pay()
            await self.force()
            await self.apply()

    async def pay(self) -> bool:
        """Pay the first withdrawal that is confirmed and not paid; whether there was one."""
        followed = self._referee.followed
        if not followed.confirmed:
            return False
        head = followed.batches[followed.confirmed - 1]
        due = [
            withdrawal
            for withdrawal in followed.replayer.state.withdrawals[: head.record.withdrawals]
            if withdrawal.index not in followed.payments
        ]
        if not due:
            return False
        withdrawals = followed.replayer.state.withdrawals[: head.record.withdrawals]
        data = _payment(due[0], withdrawals, head.parent_claim, encode_output(head.output))
        if await self._send(data, "paid"):
            # A second time must be refused.
            await self._send(data, "paid again")
        return True

    async def force(self) -> None:
        """Force the inbox in, if the sequencer is late with it."""
        followed, head = self._referee.followed, self._l1.devnet.head
        first = followed.batches[-1].cursor.inbox if followed.batches else 0
        delay = followed.terms.parameters.force_delay
        waiting = followed.items[first:]
        if not waiting or head.header.timestamp - waiting[0].item.time <= delay:
            return
        data = calls.force_batch(
            inbox_to=await self._l1.reader.read(views.INBOX_SIZE),
            origin_number=head.number,
            origin_hash=head.hash,
        )
        await self._send(data, "forced")

    async def apply(self) -> None:
        """Apply what the governor announced, also where its delay is not over."""
        try:
            coming = await announcements(self._l1.reader)
        except (Retry, L1Error):
            return
        for change in coming.values():
            await self._send(calls.apply_scheduled(change.kind, change.payload), "applied")

    async def _send(self, data: bytes, what: str) -> bool:
        try:
            await asyncio.wait_for(self._sender.send(self._l1.reader.address, data, gas=GAS), 60.0)
        except (Retry, L1Error, TransactionReverted, TimeoutError):
            return False
        self._trace.add("passerby", what)
        return True


def _payment(
    withdrawal: Withdrawal, all_of_them: list[Withdrawal], parent: bytes, output: bytes
) -> bytes:
    leaves = {one.index: encode_withdrawal(one) for one in all_of_them}
    tree = Tree.empty(WITHDRAWALS_DEPTH).update(leaves)
    return calls.withdraw(
        parent_claim=parent,
        output=output,
        index=withdrawal.index,
        account=withdrawal.account,
        recipient=withdrawal.recipient,
        amount=withdrawal.amount,
        branch=tree.branch(withdrawal.index),
    )
