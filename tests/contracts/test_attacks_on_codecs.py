"""Bytes that are no chunk, item or transaction: refused, or a step that changes nothing.

The number of an id is the case of the table in docs/testing.md.
"""

from random import Random

import pytest
from attack_world import (
    AttackedVenue,
    Shown,
    answered,
    contracts,
    is_refused,
    quoted,
    with_machine,
)
from builders import NOW, key
from evm_engines import PyEvm, Pyrevm, Reverted
from msgspec.structs import replace

from node.parity.case import Case, Ran
from state.chunks import Row, pack_chunk, row_width, signature_width
from state.crypto import keccak
from state.limits import BATCH_CHUNKS_MAX, CHUNK_TRANSACTIONS_MAX
from state.machine import decode_machine
from state.status import Status
from state.transactions import Header
from state.transactions.deposit import Deposit, encode_deposit
from state.transactions.kinds import InboxKind, Kind

BOB = 2 << 8


def last(venue: AttackedVenue) -> Shown:
    """The last step, which both sides take as it was."""
    step = venue.shown[-1]
    assert answered(step.case) == step.answer
    return step


# --- raw chunks ---


def of_chunk(chunk: bytes, row: int = 0) -> Case:
    """A transaction's step in a batch whose header names this raw chunk."""
    venue = quoted()
    venue.run(Header(NOW))
    step = venue.shown[-1]
    case = with_machine(step.case, chunk_hash=keccak(chunk), row=row)
    return replace(case, given=chunk)


HEADERS = [Row(Kind.HEADER, (NOW + at).to_bytes(5)) for at in range(3)]
RAW = pack_chunk(HEADERS)

CHUNKS: dict[str, tuple[bytes, int]] = {
    "9 a byte short": (RAW[:-1], 0),
    "9 empty": (b"", 0),
    "9 half a count": (RAW[:1], 0),
    "9 a count alone": (RAW[:2], 0),
    "9 a kind short": (b"\0\3\1\1", 0),
    "10 a byte long": (RAW + b"\0", 0),
    "10 twice": (RAW + RAW, 0),
    "15 a row more is said": (b"\0\4\1" + RAW[2:], 0),
    "15 a row fewer is said": (b"\0\2" + RAW[3:], 0),
    "15 256 said and 255 there": (b"\1\0" + b"\1" * 256 + bytes(255 * 5), 0),
    "15 257": (b"\1\1" + b"\1" * 257 + bytes(257 * 5), 0),
    "15 none": (b"\0\0", 0),
    "15 another kind in the lane": (RAW[:2] + b"\1\2\1" + RAW[5:], 0),
    "15 the row behind the last": (RAW, 3),
    "15 row 255 of three": (RAW, 255),
    "15 row 65,535": (RAW, 65_535),
    "7 padding for a transaction": (b"\0\1" + bytes(1 + 5), 0),
    "23 kind 0": (b"\0\1\0" + bytes(5), 0),
    "23 kind 12": (b"\0\1\x0c" + bytes(5), 0),
    "23 kind 255": (b"\0\1\xff" + bytes(5), 0),
    "22 a withdrawal cut": (b"\0\1\5" + bytes(36), 0),
}


@pytest.mark.parametrize(("chunk", "row"), CHUNKS.values(), ids=CHUNKS.keys())
def test_no_step_is_taken_from_a_chunk_that_is_none(chunk: bytes, row: int) -> None:
    """Cases 7, 9, 10, 15, 22 and 23: such a batch is void, which is shown elsewhere and once."""
    assert is_refused(of_chunk(chunk, row))


@pytest.mark.parametrize("row", range(3))
def test_every_row_of_an_honest_chunk_is_taken(row: int) -> None:
    """Case 14: what is refused above is refused for its form alone."""
    said = answered(of_chunk(RAW, row))
    assert isinstance(said, Ran) and said.status == Status.OK


@pytest.mark.parametrize(
    ("row", "chunk", "leads_to"), [(254, 63, (63, 255)), (255, 63, (64, 0)), (255, 0, (1, 0))]
)
def test_the_last_row_of_the_fullest_chunk_leads_to_the_next(
    row: int, chunk: int, leads_to: tuple[int, int]
) -> None:
    """Case 31: 256 transactions a chunk and 64 chunks a batch."""
    raw = pack_chunk([Row(Kind.HEADER, NOW.to_bytes(5))] * CHUNK_TRANSACTIONS_MAX)
    case = with_machine(of_chunk(raw, row), chunk=chunk, chunks=BATCH_CHUNKS_MAX)
    said = answered(case)
    machine = decode_machine(case.machine)[0]
    assert isinstance(said, Ran) and answered(case, PyEvm) == said
    expected = with_machine(
        case,
        step=machine.step + 1,
        steps_left=machine.steps_left - 1,
        chunk=leads_to[0],
        row=leads_to[1],
        chunk_hash=bytes(32) if leads_to[1] == 0 else machine.chunk_hash,
    )
    assert said.root == expected.root


SIZES = [2**64, 2**255, 2**256 - 1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", [1, 5, 6, 7])
def test_a_size_of_256_bits_is_refused_when_it_is_sent(place: int, size: int) -> None:
    """Case 18: of machine, leaves, proofs or input, in the calldata itself."""
    venue = quoted()
    data = venue.shown[-1].case.calldata()
    at = 4 + int.from_bytes(data[4 + 32 * place : 4 + 32 * (place + 1)])
    world = contracts(Pyrevm)
    with pytest.raises(Reverted):
        world.engine.call(world.router, data[:at] + size.to_bytes(32) + data[at + 32 :])


# --- any transaction has an answer ---


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: f"21 {kind.name}")
def test_random_transactions_change_nothing_and_never_revert(kind: Kind) -> None:
    """Cases 21 and 23: unknown accounts, markets, keys and signatures, drawn from all bytes."""
    chance, venue = Random(kind.name), quoted()  # noqa: S311  (a seed must reproduce a failure)
    for at in range(12):
        row = bytearray(chance.randbytes(row_width(kind)))
        if at % 3:
            row[:4] = BOB.to_bytes(4)
        if at % 3 == 2:
            row[4:-5] = bytes(max(0, len(row) - 9))
        before = venue.committer.commit()
        venue.run_row(Row(kind, bytes(row), chance.randbytes(signature_width(kind))))
        last(venue)
        after = venue.committer.commit()
        assert venue.machine.status != Status.OK or kind == Kind.HEADER
        assert after.accounts.root == before.accounts.root
        assert after.markets.root == before.markets.root and after.board.root == before.board.root


@pytest.mark.parametrize("fill", [0, 255], ids=["7 zeros", "21 ones"])
@pytest.mark.parametrize("kind", [k for k in Kind if k != Kind.HEADER], ids=lambda k: str(k.name))
def test_padding_is_no_transaction_of_anybody(kind: Kind, fill: int) -> None:
    """Case 7: zeros where a transaction should be are nobody's."""
    venue = quoted()
    width, signed = row_width(kind), signature_width(kind)
    venue.run_row(Row(kind, bytes([fill]) * width, bytes([fill]) * signed))
    assert last(venue).answer.status not in (Status.OK, Status.EXPIRED)


SOUND = encode_deposit(Deposit(BOB, key("bob").address, 5))

ITEMS: dict[str, tuple[int, bytes]] = {
    "22 a deposit cut": (InboxKind.DEPOSIT, SOUND[:-1]),
    "22 a deposit with a byte behind": (InboxKind.DEPOSIT, SOUND + b"\0"),
    "22 a deposit of nothing": (InboxKind.DEPOSIT, b""),
    "22 a deposit for nobody": (InboxKind.DEPOSIT, SOUND[:4] + bytes(20) + SOUND[24:]),
    "22 a listing cut": (InboxKind.LIST_MARKET, bytes(100)),
    "22 a listing that says more tiers than it has": (InboxKind.LIST_MARKET, b"\4" * 190),
    "22 a revocation cut": (InboxKind.REVOKE_KEY, bytes(7)),
    "22 a rotation cut": (InboxKind.ROTATE_OWNER, bytes(23)),
    "22 parameters of nothing": (InboxKind.SET_PARAMETERS, b""),
    "23 kind 0": (0, SOUND),
    "23 kind 6": (6, SOUND),
    "23 kind 255": (255, bytes(1_024)),
}


@pytest.mark.parametrize(("kind", "payload"), ITEMS.values(), ids=ITEMS.keys())
def test_an_item_that_says_nothing_is_passed_over(kind: int, payload: bytes) -> None:
    """Cases 22 and 23: its step is taken, and only the cursor moves."""
    venue = quoted()
    before = venue.committer.commit().accounts.root
    assert venue.item(kind, payload) in (Status.BAD_ITEM, Status.BAD_LISTING)
    assert last(venue).trees.accounts.root == venue.committer.commit().accounts.root == before
