"""What disputes cost: every call on L1, the honest side in all, and the time to prepare them."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from contracts import calls
from node.clock import Clock
from node.l1.rules import TRANSACTION_GAS_MAX
from node.parity.dispute_play import (
    HONEST,
    OTHER,
    PlayedDispute,
    honest_side,
    lying_side,
)
from node.parity.disputed_batches import DEAREST_STEPS, DearestVenue, TradingVenue
from node.parity.disputed_venue import PARAMETERS, DisputedVenue, PlayedBatch, Seconds
from node.parity.gas import Bound, broken
from node.parity.local_l1 import Charge
from prover.dispute import payments
from state.batch import output_hash

SIZES = (2**8, 2**12, 2**16)
PUBLISHED_SIZES = (2**8, 3_500)
EXTRA_STEPS = 2**8
PUBLISH, PUBLISH_FEW = "enter_published", "enter_published, few"


class DisputeCost(Struct, frozen=True, kw_only=True):
    """A whole dispute with one liar about a batch of `steps`; of the honest side all that it sent,
    from its claim to the bonds that it has back.

    `gas` prices calldata at 64 a byte, `charged` is what L1 asks for today.
    """

    steps: int
    published: bool
    lie_at: int
    calls: dict[str, Charge]
    honest_calls: int
    honest_gas: int
    honest_charged: int
    seconds: Seconds


class DisputeReport(Struct, frozen=True, kw_only=True):
    """Everything that was measured. `calls` are the dearest of each name, whatever the batch."""

    disputes: tuple[DisputeCost, ...]
    calls: dict[str, Charge]

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """The gas table that bonds are paid out by, against what L1 asks for today."""

        def of(*names: str) -> int:
            return max(one.charged for name, one in self.calls.items() if name in names)

        claimed = of("claim, a rival")
        entered = claimed + of("enter", "enter, and be paired")
        table = (
            ("gas of a claim and an entry", entered, payments.ENTER_GAS),
            ("gas of a move", of("advance"), payments.ADVANCE_GAS),
            ("gas of settle", of("settle", "settle, the dearest"), payments.SETTLE_GAS),
            ("gas of refute", of("refute leaf 0", "refute, the dearest"), payments.REFUTE_GAS),
            ("gas of time_out", of("time_out"), payments.TIME_OUT_GAS),
            ("gas of reject", of("reject", "reject, the first"), payments.REJECT_GAS),
            ("gas of collect", of("collect"), payments.COLLECT_GAS),
        )
        roots = {one.steps: one.calls[PUBLISH] for one in self.disputes if one.published}
        published = (
            (
                f"gas of a claim and an entry of {steps:,} published roots",
                claimed + charge.charged,
                payments.ENTER_GAS + steps * payments.LEAF_GAS,
            )
            for steps, charge in {DEAREST_STEPS: self.calls[PUBLISH_FEW], **roots}.items()
        )
        dearest = max(one.gas for one in self.calls.values())
        return (
            *(Bound(*row) for row in (*table, *published)),
            Bound("gas of a transaction, calldata at 64 a byte", dearest, TRANSACTION_GAS_MAX),
        )

    @property
    def broken(self) -> list[str]:
        """In words: what is larger than it may be."""
        return broken(self.bounds)

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "calls": {name: _charge(one) for name, one in self.calls.items()},
            "disputes": [
                {
                    "steps": one.steps,
                    "published": one.published,
                    "lieAt": one.lie_at,
                    "honestCalls": one.honest_calls,
                    "honestGas": one.honest_gas,
                    "honestChargedGas": one.honest_charged,
                    "calls": {name: _charge(each) for name, each in one.calls.items()},
                    "seconds": {
                        name: getattr(one.seconds, name) for name in Seconds.__struct_fields__
                    },
                }
                for one in self.disputes
            ],
            "bounds": [bound.facts() for bound in self.bounds],
        }


def _charge(one: Charge) -> dict[str, int]:
    return {
        "calldataBytes": one.calldata,
        "executionGas": one.execution,
        "gas": one.gas,
        "chargedGas": one.charged,
    }


def measure(
    clock: Clock,
    *,
    sizes: Sequence[int] = SIZES,
    published: Sequence[int] = PUBLISHED_SIZES,
    on_progress: Callable[[int], None] = lambda _: None,
) -> DisputeReport:
    """A dispute of each size, and the dearest of every call. `on_progress` hears of `parts`."""
    venue, disputes, done = TradingVenue(), list[DisputeCost](), 0
    others = [_lone(venue)]
    for size, publishes in [*((n, False) for n in sizes), *((n, True) for n in published)]:
        played = venue.trade(size)
        play = _published if publishes else _hidden
        disputes.append(play(venue, played, clock))
        done += 1
        on_progress(done)
    others.append(_stalled(venue))
    on_progress(done + 1)
    others.append(_dearest())
    on_progress(done + 2)
    worst: dict[str, Charge] = {}
    for calls_made in (*(one.calls for one in disputes), *others):
        for name, charge in calls_made.items():
            if name not in worst or charge.gas > worst[name].gas:
                worst[name] = charge
    return DisputeReport(disputes=tuple(disputes), calls=dict(sorted(worst.items())))


def parts(sizes: Sequence[int] = SIZES, published: Sequence[int] = PUBLISHED_SIZES) -> int:
    """Into how many `measure` divides its work."""
    return len(sizes) + len(published) + 2


def _lone(venue: TradingVenue) -> dict[str, Charge]:
    """The first batch, which nobody contests."""
    dispute = PlayedDispute(venue, venue.first)
    side = honest_side(venue.first)
    dispute.claim("claim, without rivals", side)
    venue.l1.wait(PARAMETERS.claim_window)
    parent, output = venue.first.parent_claim, output_hash(side.output)
    confirm = calls.confirm(parent_claim=parent, output_hash=output)
    dispute.to_rollup("confirm, without rivals", HONEST, confirm)
    return dispute.charges


def _contested(venue: DisputedVenue, played: PlayedBatch, at: int) -> PlayedDispute:
    """The right claim, and one that lies from leaf `at` on."""
    dispute = PlayedDispute(venue, played)
    dispute.claim("claim", honest_side(played))
    dispute.claim("claim, a rival", lying_side(played, at))
    return dispute


def _hidden(venue: TradingVenue, played: PlayedBatch, clock: Clock) -> DisputeCost:
    """Down to the last step of an order that trades."""
    at = played.last_match
    dispute, right, lie = _contested(venue, played, at), honest_side(played), lying_side(played, at)
    dispute.enter("enter", right)
    dispute.enter("enter, and be paired", lie)
    match = dispute.match
    dispute.descend(right, lie)
    dispute.settle("settle", right, at)
    dispute.conclude(right, [lie.output], [match])
    return _cost(dispute, at, venue.timed(played, at, clock), published=False)


def _published(venue: TradingVenue, played: PlayedBatch, clock: Clock) -> DisputeCost:
    """Both sides publish, and one `refute` is all."""
    at = played.last_match
    dispute, right, lie = _contested(venue, played, at), honest_side(played), lying_side(played, at)
    dispute.enter(PUBLISH, right, published=True)
    dispute.enter(PUBLISH, lie, published=True)
    dispute.refute("refute", right, lie, at)
    dispute.conclude(right, [lie.output], [])
    return _cost(dispute, at, venue.timed(played, at, clock), published=True)


def _cost(dispute: PlayedDispute, at: int, seconds: Seconds, *, published: bool) -> DisputeCost:
    return DisputeCost(
        steps=dispute.played.output.steps,
        published=published,
        lie_at=at,
        calls=dict(dispute.charges),
        honest_calls=dispute.honest_calls,
        honest_gas=dispute.honest_gas,
        honest_charged=dispute.honest_charged,
        seconds=seconds,
    )


def _stalled(venue: TradingVenue) -> dict[str, Charge]:
    """A liar who never moves, one who waits meanwhile and lies about BOOT, and another claim."""
    played = venue.trade(EXTRA_STEPS)
    dispute, right = _contested(venue, played, 1), honest_side(played)
    lie, waiting = lying_side(played, 1), lying_side(played, 0, OTHER)
    dispute.enter("enter", right)
    dispute.enter("enter, and be paired", lie)
    match = dispute.match
    dispute.enter("enter", waiting)
    dispute.advance(right)
    dispute.time_out("time_out", right)
    dispute.refute("refute leaf 0", right, waiting, 0)
    dispute.conclude(right, [lie.output], [match])
    return dispute.charges


def _dearest() -> dict[str, Charge]:
    """The largest witness: once to settle, once to refute, each time with somebody waiting."""
    venue = DearestVenue()
    played, at = venue.played, venue.dearest_leaf
    assert played.output.steps == DEAREST_STEPS
    dispute, right = _contested(venue, played, at), honest_side(played)
    lie = lying_side(played, at)
    publishing, waiting = lying_side(played, at, OTHER), lying_side(played, at, "carol")
    dispute.enter("enter", right)
    dispute.enter("enter, and be paired", lie)
    match = dispute.match
    dispute.enter(PUBLISH_FEW, publishing, published=True)
    dispute.descend(right, lie)
    dispute.settle("settle, the dearest", right, at)
    dispute.enter("enter", waiting)
    dispute.refute("refute, the dearest", right, publishing, at)
    # Whoever waited meets the winner, and is not heard of again.
    dispute.time_out("time_out", right)
    dispute.conclude(right, [lie.output], [match])
    return dispute.charges
