"""Following a state: committers that take over, roots inside a batch, copies, and books."""

import pytest
from builders import NOW, Venue
from msgspec.structs import replace

from state.commitment import Commitment, Committer
from state.invariants import check_invariants
from state.memory import Book, MemoryState
from state.orders import BUY, SELL, Life, RestingOrder
from state.status import Status
from state.steps import Step
from state.store import Changes
from state.withdrawals import Withdrawal

MARK = 500_000


def busy_venue() -> Venue:
    """A venue with something in each of its trees."""
    venue = Venue()
    for name in ("alice", "bob", "carol"):
        venue.open(name, 10_000)
    venue.sell("alice", 30, MARK)
    venue.sell("bob", 30, MARK + 1)
    venue.buy("carol", 10, MARK)
    venue.buy("carol", 10, MARK - 3)
    assert venue.withdraw("carol", 5).status == Status.OK
    assert venue.withdraw("bob", 6).status == Status.OK
    return venue


def roots(commitment: Commitment) -> list[bytes]:
    """Every root of a commitment, and its machine."""
    trees = (commitment.accounts, commitment.markets, commitment.board, commitment.withdrawals)
    books = (commitment.book(0, BUY), commitment.book(0, SELL))
    return [*(tree.root for tree in (*trees, *books)), commitment.machine]


def test_a_committer_that_takes_over_begins_with_everything() -> None:
    venue = busy_venue()
    first = venue.committer.commit()
    second = Committer(venue.state)
    assert roots(second.commit()) == roots(first)
    assert len(set(roots(first))) == 7, "something stands in every tree"


def test_a_committer_that_was_taken_over_says_so() -> None:
    venue = busy_venue()
    Committer(venue.state)
    with pytest.raises(AssertionError, match="another committer"):
        venue.committer.commit()


def test_a_commitment_is_a_version_and_stays_as_it_was() -> None:
    venue = busy_venue()
    first = venue.committer.commit()
    before = roots(first)
    venue.buy("carol", 40, MARK + 1)
    venue.sell("carol", 5, MARK + 2)
    venue.withdraw("carol", 5)
    after = roots(venue.committer.commit())
    assert roots(first) == before
    assert all(old != new for old, new in zip(before, after, strict=True) if old != before[4])
    assert after[4] == before[4], "no bid has changed"


def test_a_market_leaf_holds_the_roots_of_its_books() -> None:
    venue = busy_venue()
    commitment = venue.committer.commit()
    leaf = commitment.markets.leaf(0)
    for side in (BUY, SELL):
        assert commitment.book(0, side).root in leaf
    assert commitment.book(1, BUY).root not in leaf, "an empty book has another root"


@pytest.mark.parametrize("seldom", [True, False])
def test_each_save_keeps_the_roots_of_its_own_moment(seldom: bool) -> None:
    venue = busy_venue()
    kept: list[tuple[bytes, bytes]] = []

    def commit(_: Step, changes: Changes) -> None:
        if changes.rewind == "save":
            commitment = venue.committer.commit()
            root = commitment.accounts.root
            assert root in commitment.machine
            assert commitment.markets.root in commitment.machine
            assert commitment.board.root in commitment.machine
            kept.append((root, commitment.machine))
        elif not seldom:
            venue.committer.commit()

    venue.on_step = commit
    assert venue.buy("carol", 5, MARK, life=Life.FOK).status == Status.OK
    assert venue.buy("carol", 900, MARK, life=Life.FOK).status == Status.KILLED
    assert venue.buy("carol", 5, MARK, life=Life.FOK).status == Status.OK
    assert len({root for root, _ in kept}) == len(kept) == 3


def test_roots_asked_for_too_late_inside_an_order_are_refused() -> None:
    venue = busy_venue()
    refused = 0

    def commit(_: Step, changes: Changes) -> None:
        nonlocal refused
        if changes.machine.saved is not None and changes.rewind is None:
            with pytest.raises(AssertionError, match="after every step"):
                venue.committer.commit()
            refused += 1

    venue.on_step = commit
    assert venue.buy("carol", 10, MARK, life=Life.FOK).status == Status.OK
    assert refused == 1
    venue.on_step = None
    assert venue.committer.commit().state_root == Committer(venue.state).commit().state_root


def test_a_killed_order_leaves_leaves_that_a_new_committer_agrees_with() -> None:
    venue = busy_venue()
    venue.committer.commit()
    assert venue.buy("carol", 900, MARK + 1, life=Life.FOK).status == Status.KILLED
    check_invariants(venue.state)
    followed = venue.committer.commit()
    assert roots(followed) == roots(Committer(venue.state).commit())


def test_a_copy_shares_nothing_that_is_written() -> None:
    venue = busy_venue()
    before = venue.committer.commit()
    copied = venue.state.snapshot()
    assert copied.followed_by is None and venue.state.followed_by is venue.committer
    committer = Committer(copied)
    assert roots(committer.commit()) == roots(before)

    original, venue.state, venue.committer = venue.state, copied, committer
    follower = original.followed_by
    venue.buy("carol", 45, MARK + 1)
    venue.sell("carol", 5, MARK + 2)
    venue.withdraw("carol", 5)
    venue.price(51_000_000)
    assert roots(committer.commit()) != roots(before)
    assert isinstance(follower, Committer)
    assert roots(follower.commit()) == roots(before)
    check_invariants(original)
    check_invariants(copied)


def test_a_copy_and_its_original_go_the_same_way() -> None:
    venue, twin = busy_venue(), busy_venue()
    twin.state = twin.state.snapshot()
    twin.committer = Committer(twin.state)
    for each in (venue, twin):
        each.buy("carol", 45, MARK + 1)
        each.halt()
    assert roots(venue.committer.commit()) == roots(twin.committer.commit())


def test_what_is_undone_is_undone_the_latest_first() -> None:
    venue = busy_venue()
    venue.halt()
    logs = [venue.state.cut()]
    wanted = [venue.committer.commit().state_root]
    for lots in (3, 4):
        venue.boot()
        venue.buy("carol", lots, MARK)
        venue.buy("carol", lots, MARK)
        venue.withdraw("carol", lots)
        venue.withdraw("bob", lots)
        venue.halt()
        logs.append(venue.state.cut())
        wanted.append(venue.committer.commit().state_root)
    for _ in range(2):
        assert venue.committer.commit().state_root == wanted.pop()
        venue.state.undo(logs.pop())
        check_invariants(venue.state)
    assert venue.committer.commit().state_root == wanted.pop()
    venue.boot()
    with pytest.raises(AssertionError, match="newer log"):
        venue.state.undo(logs.pop())


def test_a_state_undone_to_nothing_is_the_empty_state() -> None:
    venue = busy_venue()
    venue.halt()
    empty = Committer(MemoryState()).commit()
    venue.state.undo(venue.state.cut())
    assert roots(venue.committer.commit())[:4] == roots(empty)[:4]
    assert venue.state.accounts == {} and venue.state.withdrawals == []


def test_withdrawals_only_grow_at_their_end() -> None:
    venue = busy_venue()
    changes = Changes(venue.state)
    for index in (1, 3):
        with pytest.raises(AssertionError):
            changes.append_withdrawal(Withdrawal(index, 1 << 8, bytes(20), 1))
    changes.withdrawals.append(Withdrawal(3, 1 << 8, bytes(20), 1))
    with pytest.raises(AssertionError):
        venue.state.apply(changes)
    venue.state.cut()
    with pytest.raises(AssertionError):
        venue.state.undo([("withdrawals", 0, None)])


def test_a_book_gives_its_orders_from_the_smallest_key() -> None:
    book = Book()
    assert book.front() is None
    order = RestingOrder(1, 0, 1, 9, NOW, 0)
    for key in (7, 3, 5):
        book.write(key, replace(order, lots=key))
    book.write(3, replace(order, lots=1))
    book.write(4, None)
    assert [(key, held.lots) for key, held in book] == [(3, 1), (5, 5), (7, 7)]
    book.write(5, None)
    assert len(book) == 2 and book.front() == (3, replace(order, lots=1))
    book.write(3, None)
    assert book.front() == (7, replace(order, lots=7))


def test_what_was_never_written_reads_as_absent() -> None:
    state = MemoryState()
    assert state.account(5).is_absent
    assert state.market(0) is None and state.row(0) is None
    assert state.order(0, BUY, 1) is None and state.front(0, BUY) is None
    assert len(state.book(0, BUY)) == 0 and state.books == {}
