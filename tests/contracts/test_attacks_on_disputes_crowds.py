"""A hundred rivals: how long they keep the right claim from its end, and what that costs.

Games are of the toy machine, on revm; of several batches only the claims are played. The number of
an id is the case of the table in docs/testing.md.
"""

from collections.abc import Sequence
from math import ceil, log2

import pytest
from decided_world import ENTRY_WINDOW, WON, DecidedWorld
from dispute_ends import check_won
from dispute_world import HONEST, INSURANCE, LIAR, WATCHER, DisputeWorld, Entry
from evm_engines import Pyrevm, Reverted
from protocol_bytes import claim_hash
from rollup_world import ALICE, CLAIMANT, GENESIS_CLAIM, PARAMETERS, RIVAL
from toy_machine import LEAVES, ToyTrace, later, lying

from contracts import views
from contracts.abi import keccak
from contracts.dispute_views import EntryStatus, MatchStatus

RIVALS = 100
LIES = [lying({at % LEAVES: later(1 + at)}) for at in range(RIVALS)]


def entered(lies: Sequence[ToyTrace], place: int) -> tuple[DisputeWorld, Entry, list[Entry]]:
    """The right entry comes behind `place` of the liars."""
    world = DisputeWorld(Pyrevm())
    before = [world.enter(lie) for lie in lies[:place]]
    right = world.enter(world.honest(), HONEST)
    behind = [world.enter(lie) for lie in lies[place:]]
    world.begin_clocks()
    return world, right, before + behind


class Play:
    """Until nothing is open: the right side moves at once, liars as late as they may or never,
    and what stalls is ended a second after its turn.
    """

    def __init__(self, world: DisputeWorld, right: Entry, *, liars_move: bool) -> None:
        self.world, self.right, self.liars_move = world, right, liars_move
        self.met: set[bytes] = set()
        self.over: set[bytes] = set()
        while matches := self._open():
            if not self._move_right(matches):
                self._wait_for(min(matches, key=self._ends_at))

    def _open(self) -> list[bytes]:
        played = [match for match in self.world.matches if match not in self.over]
        self.over |= {m for m in played if self.world.match(m).status != MatchStatus.OPEN}
        return [match for match in played if match not in self.over]

    def _ends_at(self, match: bytes) -> int:
        """turn_at + max(what is left of the mover's clock, move_time)"""
        found = self.world.match(match)
        clock = (0, found.clock_one, found.clock_two)[found.mover]
        return found.turn_at + max(clock, self.world.terms.move_time)

    def _move_right(self, matches: Sequence[bytes]) -> bool:
        """Whether the right side had anything to do."""
        match = self.world.entry(self.right.id).match
        if match not in matches:
            return False
        self.met.add(match)
        if self.world.match(match).height == 0:
            self.world.settle(match, self.right)
        elif self.world.mover(match) == self.right:
            self.world.advance(match)
        else:
            return False
        return True

    def _wait_for(self, match: bytes) -> None:
        self.world.wait(max(0, self._ends_at(match) - self.world.engine.time))
        if self.liars_move and self.world.match(match).height > 0:
            self.world.advance(match, LIAR)
        else:
            self.world.wait(1)
            self.world.time_out(match, WATCHER)


def opponents_max(entries: int) -> int:
    """ceil(log2 n) + 1"""
    return ceil(log2(entries)) + 1


@pytest.mark.parametrize("place", [0, RIVALS // 2, RIVALS], ids=lambda place: f"40 behind {place}")
def test_a_hundred_silent_rivals_delay_by_a_few_matches(place: int) -> None:
    """Case 40: whoever enters first, last or in between; all of their bonds are lost."""
    world, right, wrong = entered(LIES, place)
    begun = world.engine.time
    played = Play(world, right, liars_move=False)
    assert len(played.met) <= opponents_max(RIVALS + 1)
    match_seconds = 2 * world.terms.clock + (world.terms.height + 2) * world.terms.move_time
    assert world.engine.time - begun <= opponents_max(RIVALS + 1) * match_seconds
    assert world.credits(INSURANCE) == RIVALS * world.terms.entry_bond
    check_won(world, right, *wrong)


@pytest.mark.parametrize("rivals", [3, 16, 33])
def test_rivals_who_stall_for_as_long_as_they_may_delay_by_no_more_than_the_bound(
    rivals: int,
) -> None:
    """Case 40: every move of theirs on its last second, and no match of theirs settled."""
    world, right, wrong = entered(LIES[:rivals], rivals // 2)
    begun = world.engine.time
    played = Play(world, right, liars_move=True)
    assert {world.entry(entry.id).status for entry in wrong} == {EntryStatus.LOST}
    terms, bound = world.terms, opponents_max(rivals + 1)
    assert len(played.met) <= bound
    match_seconds = 2 * terms.clock + (terms.height + 2) * terms.move_time
    assert world.engine.time - begun <= bound * match_seconds
    check_won(world, right, *wrong)


def test_who_contests_batch_after_batch_delays_all_of_them_by_one_dispute() -> None:
    """Case 40: what has stood for its window has no rival any more, though its parent has one."""
    world = DecidedWorld(Pyrevm())
    batches = range(1, 4)
    for _ in batches:
        world.deposit(ALICE)
        world.wait(12)
        world.post()
    right = {batch: world.output(batch) for batch in batches}
    wrong = {batch: world.output(batch, state_root=keccak(b"false")) for batch in batches}
    parents = {1: GENESIS_CLAIM}
    for batch, output in right.items():
        parents[batch + 1] = world.claim(output, parent=parents[batch])
    made = world.engine.time

    # The liar comes as late as it can, and one second later for the last of them.
    world.wait(PARAMETERS.claim_window)
    for batch in (1, 2):
        world.claim(wrong[batch], parent=parents[batch], sender=RIVAL)
    world.wait(1)
    with pytest.raises(Reverted, match="claims: too late for a rival"):
        world.claim(wrong[3], parent=parents[3], sender=RIVAL)

    world.wait(ENTRY_WINDOW)
    for batch in (1, 2):
        since = world.read(views.CONTESTED_AT, parents[batch])
        winner = claim_hash(parents[batch], right[batch].pack())
        world.decide(parents[batch], since, WON, winner)
    for batch, output in right.items():
        world.confirm(output, parent=parents[batch])
    assert world.engine.time - made == PARAMETERS.claim_window + ENTRY_WINDOW + 1
    lost = world.engine.balance(world.rollup) - sum(
        world.read(views.CLAIM_BONDS, who) for who in (CLAIMANT, RIVAL)
    )
    assert lost == 2 * PARAMETERS.claim_bond
