"""Whether a sealed batch can go to L1 as it is, rule by rule and at the edge of each."""

from typing import Any

import pytest
from builders import NOW
from msgspec.structs import replace
from sequenced_world import deposit_item, inbox, order, started

from sequencer.batches import SealedBatch
from sequencer.posting import Post, PostingLimits, Resequence, posting_move
from state.inbox import InboxItem
from state.limits import INBOX_STEPS_MAX

LIMITS = PostingLimits(inbox_delay=60, time_lag_max=300)


@pytest.fixture(scope="module")
def batch() -> SealedBatch:
    """Its only header says NOW."""
    sequencer = started(NOW)
    sequencer.submit(*order("alice", 1))
    return sequencer.seal()


def left_out(age: int, l1_time: int) -> InboxItem:
    return replace(deposit_item(5, "alice"), time=l1_time - age)


@pytest.mark.parametrize(
    ("l1_time", "age", "expected"),
    [
        (NOW, None, Post),
        (NOW - 1, None, Post),
        (NOW + 300, None, Post),
        (NOW + 301, None, Resequence),
        (NOW + 5, 60, Post),
        (NOW + 5, 61, Resequence),
        (NOW - 1, 61, Resequence),
        (NOW + 301, 61, Resequence),
    ],
)
def test_a_batch_is_posted_while_the_contract_will_take_it(
    batch: SealedBatch, l1_time: int, age: int | None, expected: type
) -> None:
    item = None if age is None else left_out(age, l1_time)
    move = posting_move(batch, l1_time=l1_time, next_item=item, limits=LIMITS)
    assert isinstance(move, expected)


def test_an_overdue_item_that_the_batch_has_no_budget_for_may_wait(batch: SealedBatch) -> None:
    full = replace(batch, items=(inbox()[1],) * INBOX_STEPS_MAX)
    nearly: dict[str, Any] = {"l1_time": NOW, "next_item": left_out(61, NOW), "limits": LIMITS}
    assert posting_move(full, **nearly) == Post()
    assert isinstance(posting_move(replace(full, items=full.items[1:]), **nearly), Resequence)


def test_what_is_said_of_a_batch_names_the_numbers(batch: SealedBatch) -> None:
    late = posting_move(batch, l1_time=NOW + 400, next_item=None, limits=LIMITS)
    overdue = posting_move(batch, l1_time=NOW, next_item=left_out(99, NOW), limits=LIMITS)
    assert late == Resequence("its time is 400 s ago, L1 takes 300 s")
    assert overdue == Resequence("inbox item 5 is overdue and would fit")
