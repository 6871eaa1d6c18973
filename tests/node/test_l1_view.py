"""The view of L1: it grows with scans, and is shorter again after a reorganisation."""

import pytest
from sequenced_world import deposit_item

from node.errors import Rewind
from node.rollup_events import BatchPosted, Confirmed, ItemAdded, RollupEvent
from node.scanner import Mark, Scan
from node.sequencing.l1_view import L1View
from state.crypto import ZERO_HASH
from state.inbox import accumulate

PLACE = {"log_index": 0, "transaction": bytes(32)}


def item(block: int, index: int) -> ItemAdded:
    return ItemAdded(block=block, item=deposit_item(index, "alice"), **PLACE)  # type: ignore[arg-type]


def batch(block: int, number: int, payload: bytes = b"payload") -> BatchPosted:
    return BatchPosted(
        block=block,
        number=number,
        batch_hash=bytes(32),
        header=b"header",
        payload=payload,
        **PLACE,  # type: ignore[arg-type]
    )


def confirmed(block: int, number: int) -> Confirmed:
    return Confirmed(block=block, batch=number, claim=bytes(32), **PLACE)  # type: ignore[arg-type]


def scan(*events: RollupEvent, block: int = 10) -> Scan:
    return Scan(head=block, events=events, mark=Mark(block, bytes(32)), is_caught_up=True)


def filled() -> L1View:
    view = L1View()
    view.take(scan(item(3, 0), item(3, 1), batch(4, 1), item(6, 2), batch(7, 2), confirmed(8, 1)))
    return view


def test_it_shows_what_the_scans_brought() -> None:
    view = filled()
    assert (view.inbox_size, len(view.batches), view.confirmed, view.scanned) == (3, 2, 1, 10)
    assert [each.index for each in view.items(1)] == [1, 2]
    assert [each.index for each in view.items(0, 2)] == [0, 1]
    assert [view.batches_until(block) for block in (3, 4, 6, 7, 99)] == [0, 1, 1, 2, 2]
    assert view.is_caught_up


def test_it_knows_the_items_by_what_they_accumulate_to() -> None:
    view = filled()
    accumulator = ZERO_HASH
    assert view.has_items(0, accumulator)
    for index in range(3):
        accumulator = accumulate(accumulator, deposit_item(index, "alice"))
        assert view.has_items(index + 1, accumulator)
        assert not view.has_items(index, accumulator)
    assert not view.has_items(4, accumulator)


@pytest.mark.parametrize(
    ("block", "items", "batches", "settled"),
    [(9, 3, 2, 1), (7, 3, 2, 0), (6, 3, 1, 0), (5, 2, 1, 0), (3, 2, 0, 0), (2, 0, 0, 0)],
)
def test_a_reorganisation_takes_back_what_lies_behind_it(
    block: int, items: int, batches: int, settled: int
) -> None:
    view = filled()
    view.take(Scan(head=12, rewound_to=block))
    assert (view.inbox_size, len(view.batches), view.confirmed) == (items, batches, settled)
    assert not view.is_caught_up and view.scanned == -1 and view.rewinds == 1
    view.take(scan(item(11, items), block=12))
    assert view.inbox_size == items + 1 and view.is_caught_up


def test_the_accumulators_follow_a_reorganisation() -> None:
    view, other = filled(), L1View()
    view.take(Scan(head=12, rewound_to=3))
    replaced = ItemAdded(block=11, item=deposit_item(2, "bob"), **PLACE)  # type: ignore[arg-type]
    view.take(scan(replaced, block=12))
    other.take(scan(item(3, 0), item(3, 1), replaced))
    accumulator = ZERO_HASH
    for each in other.items(0):
        accumulator = accumulate(accumulator, each)
    assert view.has_items(3, accumulator)


@pytest.mark.parametrize("event", [item(11, 4), item(11, 2), batch(11, 4), batch(11, 2)])
def test_what_does_not_follow_makes_it_void(event: RollupEvent) -> None:
    with pytest.raises(Rewind, match="read again"):
        filled().take(scan(event, block=12))


def test_a_payload_is_dropped_once_it_was_compared() -> None:
    view = filled()
    view.strip(1)
    assert [each.payload for each in view.batches] == [b"", b"payload"]


def test_cleared_it_has_seen_nothing() -> None:
    view = filled()
    view.is_void = True
    view.clear()
    assert (view.inbox_size, len(view.batches), view.confirmed) == (0, 0, 0)
    assert not view.is_void and not view.is_caught_up
    assert view.has_items(0, ZERO_HASH)
    view.take(scan(item(3, 0)))
    assert view.inbox_size == 1
