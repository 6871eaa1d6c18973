"""What readers are handed beside the state: the leaves of a commitment, the receipts of a batch."""

from builders import DOMAIN, VERIFIER, Venue
from recorded_batches import recorded_batches

from prover.derivation import derive_batch, genesis_cursor
from state.accounts import encode_account
from state.execution import Receipt, run_batch
from state.markets import encode_board_row, encode_market
from state.memory import MemoryState
from state.orders import BUY, SELL, encode_order
from state.transactions import Transaction, encode_transaction
from state.withdrawals import encode_withdrawal

SEED = 4


def test_a_commitment_has_every_leaf_at_the_place_that_states_name() -> None:
    venue = Venue()
    number = venue.open("alice", 1_000)
    venue.buy("alice", 7, 500_000)
    venue.sell("alice", 5, 500_100)
    venue.withdraw("alice", 1_000_000)
    state, commitment = venue.state, venue.committer.commit()
    assert commitment.leaf("accounts", number) == encode_account(state.accounts[number])
    roots = [commitment.book(0, side).root for side in (BUY, SELL)]
    assert commitment.leaf("markets", 0) == encode_market(state.markets[0], *roots)
    assert commitment.leaf("rows", 0) == encode_board_row(state.rows[0])
    assert commitment.leaf("withdrawals", 0) == encode_withdrawal(state.withdrawals[0])
    for side in (BUY, SELL):
        front = state.front(0, side)
        assert front is not None
        assert commitment.leaf("orders", (0, side, front[0])) == encode_order(front[1])
    assert commitment.leaf("accounts", number + 1) == b""
    assert commitment.leaf("orders", (9, BUY, 1)) == b""


def test_a_batch_tells_what_became_of_each_transaction_as_it_runs() -> None:
    state, cursor = MemoryState(), genesis_cursor(DOMAIN)
    told: list[tuple[Transaction, bytes, Receipt]] = []
    for logged in recorded_batches(SEED, 60):
        told.clear()
        derived = derive_batch(
            *(logged.header, logged.payload, logged.items),
            after=cursor,
            batch_hash=logged.batch_hash,
        )
        cursor = derived.cursor
        receipts = run_batch(
            *(state, derived.batch, VERIFIER), on_receipt=lambda *each: told.append(each)
        )
        rows = [row for chunk in derived.batch.chunks for row in chunk]
        assert [receipt for _, _, receipt in told] == receipts
        assert [(*encode_transaction(tx), signature) for tx, signature, _ in told] == [
            (row.kind, row.row, row.signature) for row in rows
        ]
