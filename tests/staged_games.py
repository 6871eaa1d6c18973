"""Games on the toy machine without chance: who lies how, and what came of it."""

from collections.abc import Sequence

from prover.games.draws import MOVE_TIME, Beginning, terms_of
from prover.games.lies import Lie, Trace, is_possible, lie, truth
from prover.games.machine import GENESIS, VOID_STEPS, ToyState, run
from prover.games.play import Outcome, Table, judge
from prover.games.players import Entrance, Liar, Manner
from prover.games.rollup import ToyRollup

HEIGHT = 4
STEPS = 16


def calm(below: int) -> int:
    """Nothing restarts, reorganises or spikes; every call takes three seconds."""
    return below - 1


def batch(steps: int = STEPS) -> list[ToyState]:
    return run(GENESIS, steps)


def liar(
    *traces: Trace,
    manner: Manner = Manner.FAST,
    name: str = "liar",
    begins: int | None = 0,
    claimed_after: int = 0,
    entered_after: int = 0,
    moves: int = 1,
) -> Liar:
    entrances = [Entrance(trace, claimed_after, entered_after, True) for trace in traces]
    return Liar(name.encode().rjust(20, b"\0"), manner, entrances, moves, begins)


def burner(right: Trace, against: Trace, winner: Trace, *, later: int) -> Liar:
    """Plays the first two against each other; the third comes `later` seconds after contest."""
    entrances = [Entrance(right, 0, 0, True), Entrance(against, 0, 0, True)]
    entrances.append(Entrance(winner, 0, later, True))
    return Liar(b"burner".rjust(20, b"\0"), Manner.BURNER, entrances, 0, 0)


def decoy() -> Liar:
    """Whoever makes the parent contested, by a wrong claim that nobody enters."""
    trace = told(Lie.STEP, 0, salt=99)
    return Liar(b"decoy".rjust(20, b"\0"), Manner.MUTE, [Entrance(trace, 0, 0, False)], 0, 0)


def table(
    liars: Sequence[Liar],
    *,
    steps: int = STEPS,
    height: int = HEIGHT,
    is_malformed: bool = False,
    published_steps: int = 0,
    late: int = 0,
) -> Table:
    terms = terms_of(height, 2 * MOVE_TIME, published_steps)
    rollup = ToyRollup(steps=steps, claim_window=terms.claim_window, is_malformed=is_malformed)
    truly = run(GENESIS, VOID_STEPS if is_malformed else steps)
    return Table(Beginning(terms, rollup, truth(truly, height), liars, late), calm)


def played(liars: Sequence[Liar], **settings: int) -> tuple[Table, Outcome]:
    staged = table(liars, **settings)  # type: ignore[arg-type]
    return staged, judge(staged)


def lies(states: Sequence[ToyState], height: int = HEIGHT) -> list[tuple[Lie, int]]:
    """Every kind at every leaf where it is one."""
    return [
        (kind, at)
        for kind in Lie
        for at in range(1 << height)
        if is_possible(kind, at, states, height)
    ]


def told(kind: Lie, at: int, *, steps: int = STEPS, salt: int = 1, height: int = HEIGHT) -> Trace:
    return lie(kind, at, salt, batch(steps), height)
