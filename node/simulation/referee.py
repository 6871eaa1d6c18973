"""What must hold after every event, judged by whoever sees all of L1 without a network.

The referee executes every batch itself, from L1's logs, and recomputes every sum from all
leaves after each.
"""

from collections.abc import Callable
from typing import Any

from contracts import token, views
from node.errors import Rewind
from node.followed import Followed
from node.rollup import RollupTerms
from node.rollup_events import BatchPosted, ItemAdded, RollupEvent, WithdrawalPaid
from node.scanner import L1Scanner, Scan
from node.simulation.l1 import SimulatedL1
from node.simulation.parameters import check_parameters
from node.simulation.trace import Trace, Violation
from node.view import Heads
from prover.derivation import Inconsistent, derive_batch, genesis_cursor
from state.batch import decode_header
from state.chunks import Row
from state.transactions.deposit import decode_deposit
from state.transactions.kinds import InboxKind, Kind

Rows = tuple[Row, ...]


class Referee:
    """`followed` is the venue as L1 has it now, `rows` what traders had in each batch there."""

    def __init__(
        self,
        l1: SimulatedL1,
        terms: RollupTerms,
        trace: Trace,
        services: Callable[[], dict[str, Any]],
    ) -> None:
        self.terms = terms
        self.followed = Followed(terms)
        self.rows: list[Rows] = []
        self._l1 = l1
        self._trace = trace
        self._services = services
        self._scanner = L1Scanner(l1.reader, first=terms.deployed_at)
        self._finalized: dict[int, int] = {}

    async def look(self) -> None:
        """L1 has changed. Violation where something does not hold."""
        scan = await self._scanner.poll()
        while scan.rewound_to is not None:
            await self._rewind(scan.rewound_to)
            scan = await self._scanner.poll()
        self._take(scan)
        if not scan.is_caught_up:
            raise Violation("referee", "more blocks at once than can be read at once")
        if self.followed.wrong_claims:
            raise Violation("claims are right", self.followed.problems()[0])
        check_parameters(self.followed)
        await self._check_escrow()
        self.check_services()

    def _take(self, scan: Scan) -> None:
        for event in scan.events:
            if isinstance(event, WithdrawalPaid):
                self._check_payment(event)
            try:
                self._keep_rows(event)
                self.followed.take(event)
            except (Inconsistent, Rewind) as error:
                raise Violation("L1's logs fit together", str(error)) from error
            except AssertionError as broken:
                raise Violation("conservation", str(broken)) from broken

    async def _rewind(self, block: int) -> None:
        if not self.followed.rewind(block):
            self.followed, self.rows = Followed(self.terms), []
            self._scanner.forget()
        del self.rows[self.followed.number :]

    def _keep_rows(self, event: RollupEvent) -> None:
        if not isinstance(event, BatchPosted):
            return
        batches = self.followed.batches
        derived = derive_batch(
            event.header,
            event.payload,
            self._items(event),
            after=batches[-1].cursor if batches else genesis_cursor(self.terms.domain),
            batch_hash=event.batch_hash,
        )
        rows = [row for chunk in derived.batch.chunks for row in chunk]
        self.rows.append(tuple(row for row in rows if row.kind != Kind.HEADER))
        if derived.void_reason:
            self._trace.add("referee", "void batch", number=event.number)

    def _items(self, event: BatchPosted) -> list[Any]:

        header = decode_header(event.header)
        items = self.followed.items[header.inbox_from : header.inbox_to]
        return [added.item for added in items]

    # --- money ---

    async def _check_escrow(self) -> None:
        """USDC in the contract = deposits - withdrawals paid, at this block."""
        view = token.BALANCE_OF
        found = view.answer(
            await self._l1.reader.client.call(self.terms.token, view.call(self.terms.rollup))
        )
        deposits = sum(map(_deposited, self.followed.items))
        paid = sum(payment.amount for payment in self.followed.payments.values())
        if found != deposits - paid:
            raise Violation("escrow", f"{found} micro-USDC, deposits {deposits} less {paid} paid")
        counts = await self._l1.reader.read(views.INBOX_SIZE)
        if counts != len(self.followed.items):
            raise Violation("inbox", f"{counts} items on L1, {len(self.followed.items)} in logs")

    def _check_payment(self, event: WithdrawalPaid) -> None:
        if event.index in self.followed.payments:
            raise Violation("paid once", f"withdrawal {event.index} was paid twice")
        withdrawals = self.followed.replayer.state.withdrawals
        known = withdrawals[event.index] if event.index < len(withdrawals) else None
        if known is None or (known.recipient, known.amount) != (event.recipient, event.amount):
            raise Violation("paid rightly", f"withdrawal {event.index}: {known}, paid {event}")

    # --- the node ---

    def check_services(self) -> None:
        """Where a service and L1 mean the same batch, both say the same of it."""
        for name, service in self._services().items():
            self._check_heads(name, service)
            for batch in self.followed.batches:
                known = service.batch(batch.record.number)
                if known is None or known.batch_hash != batch.record.batch_hash:
                    continue
                if known.state_root != batch.record.state_root:
                    raise Violation(
                        "roots agree",
                        f"batch {known.number}: {name} has {known.state_root.hex()}, L1's bytes "
                        f"lead to {batch.record.state_root.hex()}",
                    )

    def _check_heads(self, name: str, service: Any) -> None:
        heads: Heads = service.heads
        if not heads.finalized <= heads.safe <= heads.unsafe:
            raise Violation("heads are in order", f"{name}: {heads}")
        before = self._finalized.get(id(service), 0)
        if 0 < heads.finalized < before:
            raise Violation("finality", f"{name}: batch {before} was final, now {heads}")
        self._finalized[id(service)] = max(before, heads.finalized)


def _deposited(added: ItemAdded) -> int:
    if added.item.kind != InboxKind.DEPOSIT:
        return 0
    return decode_deposit(added.item.payload).amount
