"""The simulation can fail: a node with a bug put into it breaks an invariant within some seeds."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from node.cli.simulate import simulate
from node.event_store import EventStore
from node.journal import Journal
from node.sequencing.agreement import Agreement
from node.sequencing.history import History
from node.simulation.faults import Rates
from node.simulation.outcome import play
from node.store import Store
from node.tape.tape import Tape
from state.batch import Output, encode_output
from state.crypto import keccak
from state.status import Status

Break = Callable[[pytest.MonkeyPatch], None]
SEEDS = range(7, 15)


def answer_before_the_disk(patch: pytest.MonkeyPatch) -> None:
    """The journal says that it is synced, and keeps everything for later."""
    patch.setattr(Journal, "sync", lambda *_: None)


def ignore_reorganisations(patch: pytest.MonkeyPatch) -> None:
    """What L1 took back stands for the sequencer all the same."""
    patch.setattr(Agreement, "_still_stands", lambda *_: True)
    patch.setattr(Agreement, "_stale", lambda *_: None)


def forget_what_is_owed(patch: pytest.MonkeyPatch) -> None:
    """Transactions of batches that were undone are not retried."""
    rewind = History._rewind_to

    def forgetful(self: History, number: int) -> None:
        rewind(self, number)
        self.owed = []

    patch.setattr(History, "_rewind_to", forgetful)


def keep_events_that_are_void(patch: pytest.MonkeyPatch) -> None:
    """A follower goes back in memory, and keeps on disk what L1 took back."""
    patch.setattr(EventStore, "rewind", lambda *_: None)


def claim_another_root(patch: pytest.MonkeyPatch) -> None:
    """The claimant claims what its own execution did not come to."""

    def wrong(output: Output) -> bytes:
        return encode_output(replace(output, state_root=keccak(output.state_root)))

    patch.setattr("node.claimant.encode_output", wrong)


def write_behind_a_torn_record(patch: pytest.MonkeyPatch) -> None:
    """A store goes on with the log that a failed write has torn."""
    patch.setattr(Store, "_db", lambda self: self._opened)


def keep_the_past_of_what_was_undone(patch: pytest.MonkeyPatch) -> None:
    """Trades and orders of batches that L1 took back stay on the tape."""
    patch.setattr(Tape, "rewind", lambda *_: None)


def ignore_new_parameters(patch: pytest.MonkeyPatch) -> None:
    """What was announced and applied on L1 changes no market."""
    patch.setattr("state.inbox.apply_set_parameters", lambda *_: Status.OK)


@pytest.mark.parametrize(
    ("put_in", "rates"),
    [
        (answer_before_the_disk, Rates(power_loss=0.2)),
        (ignore_reorganisations, Rates(reorg=0.4)),
        (forget_what_is_owed, Rates(reorg=0.4)),
        (keep_events_that_are_void, Rates(reorg=0.4, kill=0.1)),
        (keep_the_past_of_what_was_undone, Rates(reorg=0.4)),
        (claim_another_root, Rates()),
        (ignore_new_parameters, Rates()),
        (write_behind_a_torn_record, Rates(disk_full=1.0)),
    ],
)
def test_it_finds_a_bug_that_was_put_in(
    put_in: Break, rates: Rates, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(monkeypatch)
    found = next((seed for seed in SEEDS if not play(seed, rates=rates).is_good), None)
    assert found is not None, f"none of {len(SEEDS)} seeds noticed"


def test_a_broken_seed_is_told_in_one_line_with_the_command_that_repeats_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim_another_root(monkeypatch)
    done = CliRunner().invoke(simulate, ["--seeds", "1", "--from", "2", "--json"])
    assert done.exit_code == 1
    (failure,) = json.loads(done.stdout)["failures"]
    assert (failure["seed"], failure["rule"]) == (2, "claims are right")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("seed 2 broke")]
    assert line.endswith("again: tallystick simulate --seeds 1 --from 2")
    assert "batch_sealed" in done.stderr, "the last events are told too"
