"""Games drawn from seeds: the honest player wins, in time and within its gas."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from msgspec import structs

from prover.dispute import entries, matches, moves
from prover.dispute.ledger import Ledger
from prover.dispute.moves import Collect
from prover.dispute.rules import Call, Game, Shown
from prover.dispute.terms import DisputeTerms
from prover.dispute.views import EntryStatus, MatchView
from prover.games import play as playing
from prover.games.draws import LATE_MAX, LIARS_MAX, begin
from prover.games.lies import Draw, Lie, Trace, is_possible, lie, truth
from prover.games.machine import GENESIS, VOID_STEPS, run
from prover.games.play import Outcome, play
from prover.games.players import HONEST, Liar, Manner
from prover.games.report import Report, told
from prover.games.rollup import ToyRollup

ROOT = Path(__file__).parents[3]
SEEDS = range(1, 201)


def drawn_from(seed: int) -> Draw:
    return Random(seed).randrange  # noqa: S311  (a seed must repeat a game)


def test_no_game_breaks_a_promise() -> None:
    report = Report()
    for seed in SEEDS:
        report.add(seed, play(drawn_from(seed)))
    assert report.broken == {}, [told(*broken) for broken in report.broken.items()]
    found = report.facts()
    assert found["games"] == len(SEEDS) and found["matches"] > len(SEEDS)
    assert min(found["reorgs"], found["restarts"], found["refusedCalls"]) > 100
    assert 0 < found["largestDelayShare"] <= 1 and 0 < found["largestGasShare"] <= 1


def test_games_begin_in_every_way() -> None:
    """All manners, malformed batches, published traces, heights from 1 to 6 and of 16."""
    seen: Counter[object] = Counter()
    for seed in range(200):
        drawn = begin(drawn_from(seed))
        seen.update(liar.manner for liar in drawn.liars)
        seen[drawn.terms.dispute.height, "high"] += 1
        seen["void"] += drawn.rollup.is_malformed
        seen["published"] += drawn.terms.dispute.published_steps > 0
        seen["again"] += any(len(liar.entrances) > 1 for liar in drawn.liars)
        seen["burner begins"] += drawn.liars[0].manner == Manner.BURNER
        seen[drawn.late, "late"] += 1
        owned = [liar.manner for liar in drawn.liars if _enters(liar, drawn.right)]
        seen.update((manner, "owns the right entry") for manner in owned)
        seen[len(drawn.liars), "liars"] += 1
    expected: list[object] = [*Manner, "void", "published", "again", "burner begins"]
    expected += [(late, "late") for late in (0, LATE_MAX)]
    expected += [(manner, "owns the right entry") for manner in Manner]
    expected += [(height, "high") for height in (*range(1, 7), 16)]
    expected += [(count, "liars") for count in range(1, LIARS_MAX + 1)]
    assert [what for what in expected if not seen[what]] == []


def _enters(liar: Liar, right: Trace) -> bool:
    roots = [entrance.trace.tree.root for entrance in liar.entrances if entrance.is_entered]
    return right.tree.root in roots


@pytest.mark.parametrize("kind", Lie)
@pytest.mark.parametrize("steps", [2, 9, 16])
def test_a_lie_is_right_up_to_its_leaf_and_wrong_there(kind: Lie, steps: int) -> None:
    states = run(GENESIS, steps)
    right = truth(states, 4)
    for at in range(16):
        if is_possible(kind, at, states, 4):
            wrong = lie(kind, at, 1, states, 4)
            first = right.tree.first_difference(wrong.tree)
            in_padding = kind in (Lie.PADDING, Lie.AFTERLIFE)
            assert first == (max(at, steps) if in_padding else at)
            assert wrong.end.is_at_rest and wrong.tree.leaf(15) == wrong.end.root
            assert (wrong.end == right.end) == (kind in (Lie.WAY, Lie.PADDING))


def test_a_machine_takes_its_steps_and_rests() -> None:
    states = run(GENESIS, 9)
    assert [state.step for state in states] == list(range(1, 10))
    assert [state.is_at_rest for state in states] == [False] * 8 + [True]
    assert len({state.root for state in states}) == 9
    assert len(run(GENESIS, VOID_STEPS)) == VOID_STEPS


def test_a_report_tells_a_broken_game_with_the_command_that_repeats_it() -> None:
    good = play(drawn_from(1))
    report = Report()
    report.add(1, good)
    broken = Outcome(
        **{name: getattr(good, name) for name in good.__struct_fields__ if name != "broken"},
        broken=["it rained"],
    )
    report.add(2, broken)
    assert report.facts()["broken"] == [{"seed": 2, "promises": ["it rained"]}]
    assert report.facts()["matches"] == 2 * good.matches
    assert told(2, ["it rained"]).endswith("again: tallystick games --games 1 --from 2")


def test_an_honest_player_that_sleeps_through_it_loses_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What delays it is more than its move time, so the promise does not hold."""

    def asleep(chain: object, right: Trace, now: int) -> list[object]:  # noqa: ARG001
        return []

    monkeypatch.setattr(playing, "honest_moves", asleep)
    monkeypatch.setattr(playing, "BLOCKS_MAX", 300)
    outcome = play(drawn_from(3))
    assert "another claim than the right one has confirmed" in outcome.broken


def _of_one_alone(game: Game, either: Sequence[bytes], index: int, step: Shown) -> bytes:
    return AFTER(game, either[:1], index, step)


def _without_move_time(terms: DisputeTerms, m: MatchView) -> int:
    clock = {matches.ONE: m.clock_one, matches.TWO: m.clock_two}.get(m.mover, terms.move_time)
    return m.turn_at + clock


def _never_at_rest(rollup: ToyRollup, root: bytes, witness: object) -> bool:  # noqa: ARG001
    return False


def _forever(terms: DisputeTerms, m: MatchView) -> int:
    return m.turn_at + 20 * terms.move_time


def _clocks_at_once(
    ledger: Ledger, terms: DisputeTerms, call: Call, entry: bytes, left: bytes, right: bytes
) -> None:
    PAIR(ledger, terms, call, entry, left, right)
    met = ledger.entries[entry].match
    if ledger.entries[entry].status == EntryStatus.IN_MATCH:
        ledger.matches[met] = structs.replace(ledger.matches[met], turn_at=call.now)


def _known_by_nobody(rollup: ToyRollup, batch: int) -> bool:  # noqa: ARG001
    return False


def _nothing(*_: object) -> Iterator[Collect]:
    return iter(())


AFTER = Game._after
PAIR = matches.pair


@pytest.mark.parametrize(
    ("where", "name", "bent"),
    [
        (Game, "_after", _of_one_alone),
        (matches, "turn_ends_at", _without_move_time),
        (matches, "turn_ends_at", _forever),
        (ToyRollup, "is_at_rest", _never_at_rest),
        (matches, "pair", _clocks_at_once),
        (ToyRollup, "void_batch", _known_by_nobody),
        (moves, "_collect", _nothing),
        (entries, "set_paid", _nothing),
    ],
    ids=[
        "a step by one side's branch alone",
        "no move time",
        "turns of any length",
        "no padding",
        "clocks that run before entries end",
        "no second entry under a void batch",
        "nothing collected",
        "an entry paid for each rejection",
    ],
)
def test_a_rule_that_is_bent_breaks_a_game(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, bent: Callable[..., object]
) -> None:
    monkeypatch.setattr(where, name, bent)
    monkeypatch.setattr(playing, "BLOCKS_MAX", 500)
    assert any(play(drawn_from(seed)).broken for seed in range(1, 200))


def _played(*arguments: str, hash_seed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "node.cli.main", "games", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_seed_plays_the_same_game_in_every_process() -> None:
    """Also where the order of sets differs."""
    arguments = ("--games", "5", "--from", "40", "--json")
    found = [_played(*arguments, hash_seed=seed) for seed in ("1", "2")]
    assert [done.returncode for done in found] == [0, 0], found[0].stderr
    facts = json.loads(found[0].stdout)
    assert facts == json.loads(found[1].stdout)
    assert facts["games"] == 5 and facts["broken"] == []


def test_the_command_tells_what_was_played_and_how_near_the_bounds() -> None:
    done = _played("--games", "3", hash_seed="0")
    assert done.returncode == 0, done.stderr
    assert "1 to 3, 0 broken" in done.stdout
    assert "of its bound" in done.stdout


def test_a_broken_game_is_told_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from node.cli.main import main

    def unkept(_: object) -> Outcome:
        good = play(drawn_from(1))
        good.broken.append("it rained")
        return good

    monkeypatch.setattr(playing, "play", unkept)
    monkeypatch.setattr(sys, "argv", ["tallystick", "games", "--games", "1", "--from", "9"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told_of = capsys.readouterr().err
    assert "game 9: it rained; again: tallystick games --games 1 --from 9" in told_of
    assert "1 of 1 games broke a promise: 9" in told_of


def test_what_delays_the_honest_one_comes_to_less_than_its_move_time() -> None:
    from prover.games.draws import MOVE_TIME

    delays = playing.RESTART + 2 * playing.SPIKE_DELAY + playing.REORG_DEPTH
    assert delays < MOVE_TIME <= playing.QUIET
    assert len(HONEST) == 20
