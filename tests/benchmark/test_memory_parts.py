"""The parts of the benchmark that need no process: small, and with figures that must be so."""

from collections import Counter

import pytest

from node.benchmark.codec import measure_codec, signed_chunks
from node.benchmark.figures import Gauge
from node.benchmark.flow import Flow
from node.benchmark.growth import Grown, measure_growth
from node.benchmark.memory_venue import BELIEVING, MemoryVenue, derived, memory_flow, memory_traders
from node.benchmark.rules import Replay, measure_rules, opened, prepared
from node.benchmark.scale import TINY
from node.benchmark.tree import Tracing, hashes_needed, measure_tree
from prover.replay import Replayer
from state.execution import run_batch
from state.invariants import check_invariants
from state.limits import SIGNATURE_BYTES
from state.transactions import Cancel

GAUGE = Gauge(TINY.recoveries)


def mix(seed: int = 1) -> Flow:
    return memory_flow(memory_traders(TINY.accounts), seed)


def test_the_mix_is_the_same_for_a_seed_and_another_for_another() -> None:
    assert mix().take(200) == mix().take(200) != mix(2).take(200)


def test_of_eight_messages_of_the_mix_two_trade_and_two_cancel() -> None:
    venue, flow = opened(accounts=20)
    before = venue.sequencer.state.machine.sums
    messages = flow.take(1_600)
    assert venue.send(messages) == len(messages), "the rules took all of it"
    venue.seal()
    kinds = Counter(type(tx) for _, tx in messages)
    # The first cancels wait until enough rests, and are orders that rest instead.
    assert 1_600 / 4 - 64 < kinds[Cancel] <= 1_600 / 4
    assert venue.batches[-1].fills == 1_600 / 4
    assert venue.sequencer.state.machine.sums.fees > before.fees


def test_sequence_numbers_of_an_account_rise_from_the_first() -> None:
    flow = memory_flow(memory_traders(3), first=500)
    seen: dict[int, list[int]] = {}
    for at, tx in (*flow.clear(), *flow.begin(), *flow.take(100)):
        seen.setdefault(at, []).append(tx.sequence)
    assert all(numbers == list(range(500, 500 + len(numbers))) for numbers in seen.values())


def test_the_book_neither_grows_nor_runs_empty() -> None:
    venue, flow = opened(accounts=20)
    sizes = []
    for _ in range(5):
        venue.send(flow.take(400))
        sizes.append(sum(len(book) for book in venue.sequencer.state.books.values()))
    assert all(50 <= size <= 110 for size in sizes), sizes


def test_rules_alone_lead_where_the_sequencer_did() -> None:
    batches = prepared(TINY.accounts, TINY.messages)
    replay = Replay(batches)
    assert replay.measure() > 0
    assert replay.state_root == batches.state_root
    figures = measure_rules(GAUGE, accounts=TINY.accounts, messages=TINY.messages, rounds=2)
    assert [figure.name for figure in figures] == ["rules alone", "sequencer in memory"]
    assert all((figure.ratio or 0) > 0 and len(figure.samples) == 2 for figure in figures)


def test_a_batch_of_the_memory_venue_keeps_every_invariant() -> None:
    venue, flow = opened(TINY.accounts)
    venue.send(flow.take(TINY.messages))
    venue.seal()
    replayer = Replayer(BELIEVING)
    for sealed in venue.batches:
        run_batch(replayer.state, derived(sealed), BELIEVING)
        check_invariants(replayer.state)
    assert replayer.number == venue.sequencer.number


@pytest.mark.parametrize(
    ("keys", "depth", "count"),
    [((0,), 1, 2), ((0, 1), 1, 3), ((5,), 32, 33), (range(16), 4, 31), ((0, 8), 4, 2 * 4 + 1)],
)
def test_a_change_needs_a_hash_for_every_node_above_it(
    keys: tuple[int, ...], depth: int, count: int
) -> None:
    assert hashes_needed(keys, depth) == count


def test_both_ways_to_trace_a_batch_give_the_same_roots() -> None:
    tracing = Tracing(TINY.accounts, TINY.traced)
    assert tracing.level_batched() > 0
    steps = tracing.steps
    assert tracing.one_commit_a_step() > 0
    assert tracing.steps == steps > TINY.traced
    assert len(tracing.roots) == 2 and len(set(tracing.roots)) == 1


def test_the_tree_is_told_in_hashes_that_it_needs() -> None:
    figures = measure_tree(
        GAUGE,
        leaves=TINY.tree_leaves,
        changes=TINY.tree_changes,
        accounts=TINY.accounts,
        messages=TINY.messages,
        traced=TINY.traced,
        hashes=TINY.hashes,
        rounds=1,
    )
    assert [figure.ratio_of for figure in figures] == ["raw keccak", "R", "one commit a step"]
    assert all(figure.value > 0 for figure in figures)


def test_signatures_are_most_of_what_an_order_takes_on_l1() -> None:
    *rates, signed, unsigned = measure_codec(
        GAUGE, accounts=TINY.accounts, messages=TINY.messages, rounds=1
    )
    assert all((figure.ratio or 0) > 0 for figure in rates)
    assert SIGNATURE_BYTES < signed.value < 2 * SIGNATURE_BYTES
    assert 0 < unsigned.value < signed.value - SIGNATURE_BYTES / 2
    chunks = signed_chunks(TINY.accounts, TINY.messages)
    assert sum(len(chunk.rows) for chunk in chunks) == TINY.messages


def test_a_grown_venue_has_the_accounts_and_orders_that_were_asked_for() -> None:
    few, many = TINY.growth_accounts
    grown = Grown(many, 60)
    begun = Grown(few, 0).resting
    assert grown.resting == 60 + begun
    assert len(grown.venue.sequencer.state.accounts) == many
    assert grown.measure(TINY.growth_messages) > 0
    assert not grown.venue.sequencer.batches, "final batches are forgotten"


def test_growth_is_told_for_accounts_and_for_orders() -> None:
    figures = measure_growth(
        accounts=TINY.growth_accounts,
        orders=TINY.growth_orders,
        messages=TINY.growth_messages,
        rounds=2,
    )
    assert [figure.name for figure in figures] == [
        "growth, 6 to 40 accounts",
        "growth, 10 to 60 resting orders",
    ]
    assert all(figure.value > 0 and figure.aim == "<= 1.5" for figure in figures)


def test_a_memory_venue_takes_more_deposits_than_a_batch_holds() -> None:
    venue = MemoryVenue(memory_traders(17_000))
    assert len(venue.batches) == 1
    assert len(venue.sequencer.state.accounts) == 17_000
