"""What a challenger shows to Prometheus: time left and cost of every dispute that it plays."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from node.challenger import ChallengerService
from node.disputes.costs import COUNTED, NOT_COUNTED
from node.disputes.telling import DisputeFacts, dispute_facts

LABELS = ("batch", "dispute")


class ChallengerFigures(Collector):
    """Read off the challenger's last look, whenever somebody asks."""

    def __init__(self, challenger: ChallengerService) -> None:
        self._challenger = challenger

    def collect(self) -> Iterator[GaugeMetricFamily]:
        challenger = self._challenger
        followed, look = challenger.follower.followed, challenger.last_look
        yield _gauge("problems", "What keeps wrong claims from losing.", len(challenger.problems()))
        yield _gauge("l1_block", "The L1 block that was read last.", challenger.follower.scanned)
        if followed is not None:
            wrong = len(followed.standing_lies())
            yield _gauge("wrong_claims", "Wrong claims that have not lost yet.", wrong)
        if look is None:
            return
        yield _gauge("balance_wei", "What the challenger's key has.", look.balance)
        now = int(challenger.clock.now())
        yield from _of_disputes(
            [
                dispute_facts(seen, look.followed, max(now, look.now), {})
                for seen in look.seen
                if seen.contest.batch > look.followed.confirmed
            ]
        )
        gas, wei = _families(
            ("cost_gas", f"Gas that we used. {COUNTED} {NOT_COUNTED}"),
            ("cost_wei", "Wei that we paid for that gas."),
        )
        for seen in look.seen:
            cost = challenger.costs.get(seen.standing.dispute_id)
            if cost is not None:
                labels = (str(seen.contest.batch), "0x" + seen.standing.dispute_id.hex())
                gas.add_metric(labels, cost.gas)
                wei.add_metric(labels, cost.wei)
        yield gas
        yield wei


def _of_disputes(disputes: list[DisputeFacts]) -> Iterator[GaugeMetricFamily]:
    left, entries, matches = _families(
        ("seconds_left", "To the end of the entries, or of the next turn that ends."),
        ("entries", "Traces that were entered."),
        ("open_matches", "Matches that are not over."),
    )
    for dispute in disputes:
        labels = (str(dispute.batch), dispute.dispute)
        if dispute.seconds_left is not None:
            left.add_metric(labels, dispute.seconds_left)
        entries.add_metric(labels, len(dispute.entries))
        matches.add_metric(labels, sum(match.status == "open" for match in dispute.matches))
    yield from (left, entries, matches)


def _families(*named: tuple[str, str]) -> list[GaugeMetricFamily]:
    return [
        GaugeMetricFamily(f"tallystick_dispute_{name}", words, labels=LABELS)
        for name, words in named
    ]


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tallystick_challenger_{name}", words, value=value)
