"""Replay reaches the roots of the venue that ran, and can take batches back."""

import pytest
from builders import DOMAIN, VERIFIER, key, listing
from msgspec.structs import replace
from recorded_batches import Chain, LoggedBatch, recorded_batches

from prover.derivation import derive_batch, genesis_cursor
from prover.replay import UNDO_BATCHES_MAX, Replayed, Replayer, genesis_claim, genesis_output
from state.batch import claim_id, encode_output
from state.chunks import Row
from state.commitment import Committer, genesis_root
from state.memory import MemoryState
from state.status import Status
from state.transactions import Header, encode_transaction
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind
from state.transactions.list_market import encode_listing


class Replay:
    """A replayer and the cursor it stands at."""

    def __init__(self) -> None:
        self.replayer = Replayer(VERIFIER)
        self.cursors = [genesis_cursor(DOMAIN)]

    def apply(self, batch: LoggedBatch) -> Replayed:
        derived = derive_batch(
            batch.header,
            batch.payload,
            batch.items,
            after=self.cursors[-1],
            batch_hash=batch.batch_hash,
        )
        self.cursors.append(derived.cursor)
        return self.replayer.apply(derived)

    def rewind(self, number: int) -> bool:
        rewound = self.replayer.rewind(number)
        if rewound:
            del self.cursors[number + 1 :]
        return rewound


def fresh_root(state: MemoryState) -> bytes:
    """The root of `state` from all its leaves, by a committer that has never seen it."""
    copied = state.snapshot()
    for name in ("accounts", "markets", "rows"):
        copied.dirty |= {(name, at) for at in getattr(copied, name)}
    for (market, side), book in copied.books.items():
        copied.dirty |= {("orders", (market, side, at)) for at, _ in book}
    copied.dirty |= {("withdrawals", at) for at in range(len(copied.withdrawals))}
    return Committer(copied).commit().state_root


def test_genesis_is_the_same_for_every_deployment() -> None:
    output = genesis_output()
    assert output.state_root == genesis_root() == Replayer(VERIFIER).commitment().state_root
    assert output.withdrawals_root == Replayer(VERIFIER).commitment().withdrawals.root
    figures = {name: getattr(output, name) for name in output.__struct_fields__}
    roots = {"batch_hash": bytes(32), "state_root": genesis_root(), "version": 1}
    roots["withdrawals_root"] = output.withdrawals_root
    assert figures == dict.fromkeys(figures, 0) | roots
    assert genesis_claim() == claim_id(bytes(32), output)
    assert len(encode_output(output)) == 278


@pytest.mark.parametrize("seed", [1, 2])
def test_outputs_say_what_the_leaves_say(seed: int) -> None:
    replay = Replay()
    transactions = 0
    for batch in recorded_batches(seed, 200):
        replayed = replay.apply(batch)
        machine, output = replay.replayer.state.machine, replayed.output
        assert output.state_root == fresh_root(replay.replayer.state)
        assert output.is_conserved and output.batch_hash == batch.batch_hash
        assert (output.batch, output.inbox, output.steps) == (
            machine.batch,
            machine.inbox,
            machine.step,
        )
        assert sum(replayed.statuses.values()) == replayed.transactions
        assert replayed.orders <= replayed.transactions
        assert replayed.items == len(batch.items)
        assert all(fill.lots > 0 for _, fill in replayed.fills)
        transactions += replayed.transactions
    assert transactions > 200 and len(replay.replayer.state.accounts) >= 5


def test_batches_taken_back_leave_no_trace() -> None:
    batches = recorded_batches(3, 200)
    assert len(batches) > 6
    replay = Replay()
    outputs = [genesis_output(), *(replay.apply(batch).output for batch in batches)]
    for number in (len(batches) - 1, len(batches) // 2, 0):
        assert replay.rewind(number)
        assert replay.replayer.number == number
        assert replay.replayer.commitment().state_root == outputs[number].state_root
        assert fresh_root(replay.replayer.state) == outputs[number].state_root
        again = [replay.apply(batch).output for batch in batches[number:]]
        assert again == outputs[number + 1 :]


def test_more_batches_than_are_kept_cannot_be_taken_back() -> None:
    chain, replay = Chain(), Replay()
    deposit = encode_deposit(Deposit(256, key("alice").address, 5))
    for _ in range(UNDO_BATCHES_MAX + 1):
        replay.apply(chain.append([(InboxKind.DEPOSIT, deposit)], []))
    root = replay.replayer.commitment().state_root
    assert not replay.rewind(0)
    assert replay.replayer.commitment().state_root == root
    assert replay.rewind(1) and replay.replayer.number == 1


def test_a_void_batch_runs_its_items_and_nothing_else() -> None:
    chain = Chain()
    items = [
        (InboxKind.LIST_MARKET, encode_listing(listing())),
        (InboxKind.DEPOSIT, encode_deposit(Deposit(256, key("alice").address, 5))),
    ]
    rows = [Row(*encode_transaction(Header(1_000)))]
    sound = chain.append(items, [rows])
    replay, void = Replay(), Replay()
    assert replay.apply(sound).statuses == {Status.OK: 1}
    assert replay.replayer.state.machine.time == 1_000
    replayed = void.apply(replace_payload(sound, sound.payload + b"\0"))
    assert replayed.transactions == replayed.orders == replayed.raw_bytes == 0
    assert replayed.items == 2
    state = void.replayer.state
    assert state.machine.time == 0 and state.account(256).cash == 5_000 and state.market(0)


def replace_payload(batch: LoggedBatch, payload: bytes) -> LoggedBatch:
    return LoggedBatch(batch.header, payload, batch.items)


def test_broken_books_are_never_committed() -> None:
    """An account that came from nowhere: the sums no longer agree with the leaves."""
    chain, replay = Chain(), Replay()
    deposit = encode_deposit(Deposit(256, key("alice").address, 5))
    replay.apply(chain.append([(InboxKind.DEPOSIT, deposit)], []))
    state = replay.replayer.state
    state.accounts[256] = replace(state.accounts[256], cash=6_000)
    with pytest.raises(AssertionError, match="accounts hold"):
        replay.apply(chain.append([(InboxKind.DEPOSIT, deposit)], []))


def test_fills_carry_the_time_at_which_they_happened() -> None:
    replay = Replay()
    last = 0
    seen = 0
    for batch in recorded_batches(1, 300):
        for time, fill in replay.apply(batch).fills:
            assert last <= time <= replay.replayer.state.machine.time
            assert fill.taker != fill.maker
            last, seen = time, seen + 1
    assert seen > 10


def test_the_cursor_is_all_that_derivation_needs_to_go_on() -> None:
    replay = Replay()
    for batch in recorded_batches(2, 60):
        replay.apply(batch)
    machine = replay.replayer.state.machine
    cursor = replay.cursors[-1]
    assert (cursor.number, cursor.inbox) == (machine.batch, machine.inbox)
