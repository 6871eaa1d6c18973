"""Random calls on the contract of disputes and its twin: sound ones, and every kind that is not."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import toy_calls
from dispute_parity import GAS_PRICES, ParityWorld
from dispute_world import ETHER, PEOPLE, Entry
from msgspec.structs import replace
from toy_machine import LEAVES, REST, ROOTS, ToyBatch, ToyTrace, earlier, later, lying
from toy_rollup import CONFIRMED, PENDING, REJECTED, SET_CLAIM, SET_CONTESTED, ZERO

from contracts.abi import keccak
from contracts.disputes import DisputedStep
from prover.dispute.matches import WON_BY, turn_ends_at

JUNK = keccak(b"junk")


class Transcript:
    """Random calls on both, from one seed; more sound ones than not, so that games come to ends."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  (a seed must reproduce a failure)
        published = self.random.choice((0, 0, 8, 12))
        self.world = ParityWorld(
            published_steps=published, clock=self.random.choice((100, 500)), entry_window=1_500
        )
        self.traces = self._traces()
        for trace in self.traces:
            self.world.claim(trace)

    def _traces(self) -> list[ToyTrace]:
        r = self.random
        lies = [lying({r.randrange(LEAVES): later(1 + at)}) for at in range(6)]
        ways = [lying({3: later(1), 7: earlier(1)}), lying({0: later(2), 9: earlier(2)})]
        junk = [lying({}, junk={2: JUNK, 3: keccak(JUNK)}), lying({}, junk={2: JUNK, 3: JUNK})]
        ends = [lying({}, ToyBatch(steps=steps)) for steps in (2, 7, 12)]
        return [self.world.honest(), *lies, *ways, *junk, *ends]

    def run(self, calls: int) -> None:
        """So many calls, with time between some of them and a base fee for each."""
        for _ in range(calls):
            self.pass_time()
            self.world.engine.gas_price = self.random.choice(GAS_PRICES)
            self.act()()

    def act(self) -> Callable[[], object]:
        """What is called next; where nothing is left to play, mostly what begins something."""
        world = self.world
        is_over = world.engine.time > world.contested_at + world.terms.entry_window
        is_idle = not world.open_matches()
        acts = {
            self.enter: 2 if is_over else 40 if is_idle else 12,
            self.enter_published: 1 if is_over else 15 if is_idle else 5,
            self.advance: 1 if is_idle else 45,
            self.settle: 20 if self.sealed() else 2,
            self.refute: 5,
            self.time_out: 20 if self.late() else 3,
            self.collect: 5,
            self.redeem: 6 if is_over else 1,
            self.withdraw: 3,
            self.forfeit: 3 if is_over else 1,
            self.happen: 12 if is_over and is_idle else 1,
        }
        (chosen,) = self.random.choices(list(acts), list(acts.values()))
        return chosen

    # --- what is drawn ---

    def sound(self) -> bool:
        return self.random.random() < 0.8

    def person(self) -> bytes:
        return self.random.choice(PEOPLE)

    def bond(self) -> int:
        exact = self.world.terms.entry_bond
        return exact if self.sound() else exact + self.random.choice((-1, 1, -exact))

    def match(self, those: Sequence[bytes] = ()) -> bytes:
        """One of those or else an open one, now and then one that is over or none."""
        found = those or self.world.open_matches()
        if found and self.sound():
            return self.random.choice(found)
        known = [*self.world.game.ledger.matches, JUNK]
        return self.random.choice(known)

    def sealed(self) -> list[bytes]:
        """Matches that are down to one step."""
        found = self.world.game.ledger.matches
        return [match for match in self.world.open_matches() if found[match].height == 0]

    def late(self) -> list[bytes]:
        """Matches whose turn is over."""
        world = self.world
        ends = {
            match: turn_ends_at(world.game.terms, world.game.ledger.matches[match])
            for match in world.open_matches()
        }
        return [match for match, end in ends.items() if end < world.engine.time]

    def entry(self) -> Entry | None:
        known = list(self.world.entries.values())
        return self.random.choice(known) if known else None

    def pass_time(self) -> None:
        """Nothing, a little, or up to a boundary of the game and perhaps a second over it."""
        world, r = self.world, self.random
        draw = r.random()
        if draw < 0.5:
            return
        if draw < 0.95:
            world.wait(r.randrange(world.terms.clock // 20))
            return
        ends = [world.contested_at + world.terms.entry_window] if r.random() < 0.2 else []
        for match in world.open_matches():
            play = world.game.ledger.matches[match]
            ends.append(turn_ends_at(world.game.terms, play))
        if ends:
            world.wait(max(0, min(ends) + r.choice((0, 1)) - world.engine.time))

    # --- calls ---

    def enter(self) -> None:
        trace = self.random.choice(self.traces)
        left, right = trace.children(trace.height, 0)
        changes: dict[str, Any] = {}
        if not self.sound():
            unsound: list[dict[str, Any]] = [
                {"left": right, "right": left},
                {"trace_root": JUNK},
                {"first": JUNK},
                {"first_branch": trace.branch(1)},
                {"first_branch": trace.branch(0)[:-1]},
                {"last_branch": trace.branch(0)},
                {"last_branch": []},
            ]
            changes = self.random.choice(unsound)
        self.world.try_enter(trace, self.person(), self.bond(), changes)

    def enter_published(self) -> None:
        trace = self.random.choice(self.traces)
        steps = self.world.claimed(trace).steps
        leaves = trace.leaves[:steps]
        if not self.sound():
            leaves = self.random.choice([leaves[:-1], [*leaves, leaves[-1]], [JUNK] * steps, []])
        self.world.try_enter_published(trace, self.person(), self.bond(), leaves)

    def advance(self) -> None:
        late = self.late()
        match = self.match([match for match in self.world.open_matches() if match not in late])
        play = self.world.game.ledger.matches.get(match)
        if play is None:
            nothing = {"left": ZERO, "right": ZERO, "next_left": ZERO, "next_right": ZERO}
            self.world.try_advance(JUNK, nothing, self.person())
            return
        one, two = self.world.sides(match)
        mover, other = (one, two) if play.mover == 1 else (two, one)
        trace = mover.trace if self.sound() else other.trace
        shown = toy_calls.move(play, trace)
        if not self.sound():
            name = self.random.choice(sorted(shown))
            shown[name] = self.random.choice((ZERO, JUNK, shown["left"], shown["next_right"]))
        self.world.try_advance(match, shown, self.person())

    def children(self, *entries: Entry) -> tuple[bytes, bytes]:
        """Of the trace root of one of them."""
        if not entries or self.random.random() < 0.05:
            return JUNK, ZERO
        trace = self.random.choice(entries).trace
        return trace.children(trace.height, 0)

    def step(self, trace: ToyTrace, index: int) -> DisputedStep:
        """A step as the trace has it, now and then with something else in it."""
        step = toy_calls.step(trace, index)
        if self.sound():
            return step
        unsound: list[dict[str, Any]] = [
            {"previous": JUNK},
            {"previous_branch": tuple(trace.branch((index + 3) % LEAVES))},
            {"previous_branch": step.previous_branch[:-1]},
            {"machine": REST},
            {"machine": b""},
            {"roots": ROOTS[::-1]},
            {"given": b"another"},
            {"leaves": b"others"},
        ]
        return replace(step, **self.random.choice(unsound))

    def settle(self) -> None:
        """Of all that are down to one step, else of any."""
        found = self.world.game.ledger.matches
        match = self.match(self.sealed())
        if match not in found:
            step = toy_calls.step(self.traces[0], 1)
            self.world.try_settle(JUNK, step, (ZERO, ZERO), self.person())
            return
        sides = self.world.sides(match)
        trace = self.random.choice(sides).trace
        step = self.step(trace, found[match].index)
        self.world.try_settle(match, step, self.children(*sides), self.person())

    def refute(self) -> None:
        entry = self.entry()
        if entry is None:
            return
        trace, index = entry.trace, self.random.randrange(LEAVES)
        if self.random.random() < 0.5:
            right = self.traces[0].leaves
            wrong = [at for at in range(LEAVES) if trace.leaves[at] != right[at]]
            index = wrong[0] if wrong else index
        opponent = self.world.opponent(entry)
        children = self.children(opponent) if opponent else (ZERO, ZERO)
        known: dict[str, Any] = {
            "index": index,
            "leaf": trace.leaves[index],
            "leaf_branch": trace.branch(index),
            "left": children[0],
            "right": children[1],
        }
        if not self.sound():
            change: dict[str, Any] = self.random.choice(
                [
                    {"leaf": JUNK},
                    {"index": LEAVES + index},
                    {"leaf_branch": trace.branch(index)[1:]},
                ]
            )
            known |= change
        self.world.try_refute(entry.id, self.step(trace, index), known, self.person())

    def time_out(self) -> None:
        match = self.match(self.late())
        sides = self.world.sides(match) if match in self.world.game.ledger.matches else ()
        self.world.try_time_out(match, self.children(*sides), self.person())

    def collect(self) -> None:
        found = self.world.game.ledger
        over = [key for key in found.earned if found.matches[key[0]].status in WON_BY]
        if over and self.sound():
            match, _, mover = self.random.choice(over)
            self.world.try_collect(match, mover)
        else:
            self.world.try_collect(self.match(), self.person())

    def redeem(self) -> None:
        entry = self.entry()
        self.world.try_redeem(entry.id if entry else JUNK, self.person())

    def withdraw(self) -> None:
        self.world.try_withdraw(self.person())

    def forfeit(self) -> None:
        dispute = self.random.choice(list(self.world.disputes))
        value = self.random.choice((0, 1, ETHER // 10, ETHER))
        self.world.try_forfeited(dispute, self.person(), value)

    def happen(self) -> None:
        """Something on the rollup: a claim confirms or dies, a batch is voided, all begins anew."""
        world, r = self.world, self.random
        trace = r.choice(self.traces)
        winner, draw = world.result().claim, r.randrange(9)
        if draw == 0:
            world.claim(trace, r.choice((PENDING, REJECTED, 0)))
        elif draw < 5 and winner != ZERO:
            world.confirm(winner)
        elif draw == 5:
            world.batch = ToyBatch(1, world.batch.steps, not world.batch.is_void)
            world.post(world.batch)
        elif draw == 6:
            self.enter_elsewhere()
        elif winner == ZERO or r.random() < 0.2:
            world.contest()
            world.set_head(0, world.parent)
        world.compare()

    def enter_elsewhere(self) -> None:
        """Under a parent that is not contested, then under one that is rejected."""
        world, since = self.world, self.world.contested_at
        world.tell(SET_CONTESTED, world.parent, 0)
        self.enter()
        world.tell(SET_CONTESTED, world.parent, since)
        world.tell(SET_CLAIM, world.parent, 0, REJECTED, PEOPLE[0])
        self.enter()
        world.tell(SET_CLAIM, world.parent, 0, CONFIRMED, PEOPLE[0])
