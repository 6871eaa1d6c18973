"""Bytes that are well cut and yet no leaf: each is refused, and told why."""

from collections.abc import Callable
from typing import Any

import pytest
from builders import Venue, key
from msgspec.structs import replace

from state.accounts import (
    Account,
    OrderReference,
    Position,
    SessionKey,
    decode_account,
    encode_account,
)
from state.batch import BatchHeader, ChunkCommitment, decode_header, encode_header
from state.machine import Machine, SavedRoots, Sums, decode_machine, encode_machine
from state.markets import Publisher, decode_board_row, decode_market, encode_board_row
from state.markets import encode_market as encode_market_with
from state.orders import (
    BUY,
    Flags,
    Life,
    RestingOrder,
    decode_order,
    encode_flags,
    encode_order,
)
from state.packing import NotCanonical
from state.withdrawals import Withdrawal, decode_withdrawal, encode_withdrawal

ZERO = bytes(32)
OWNER = key("alice").address
VENUE = Venue()
ROW, MARKET = VENUE.state.rows[0], VENUE.state.markets[0]


def account(**fields: Any) -> bytes:
    return encode_account(Account(owner=OWNER, key_epoch=9, **fields))


def session(epoch: int) -> SessionKey:
    return SessionKey(epoch, OWNER, 0, 0, 1)


def market(**changed: Any) -> bytes:
    return encode_market_with(replace(MARKET, **changed), ZERO, ZERO)


def header(chunks: int) -> bytes:
    fields = dict.fromkeys(("number", "inbox_from", "inbox_to", "origin_number"), 0)
    fields |= {"time_min": 0, "time_max": 0}
    hashes = dict.fromkeys(("parent", "inbox_accumulator", "origin_hash"), ZERO)
    commitments = tuple(ChunkCommitment(1, ZERO, ZERO) for _ in range(chunks))
    return encode_header(BatchHeader(**fields, **hashes, chunks=commitments))  # type: ignore[arg-type]


def machine(flag: int, roots: SavedRoots | None = None) -> bytes:
    """A machine that has saved, with another flag in the place that says so."""
    used = roots or SavedRoots()
    data = bytearray(encode_machine(replace(Machine(), saved=Sums(fees=0)), ZERO, used))
    data[-flag_distance()] = flag
    return bytes(data)


def flag_distance() -> int:
    """Where the flag of what is saved stands, from the end: before three roots and eight sums."""
    return 1 + 3 * 32 + 8 * 16


Case = tuple[Callable[[bytes], Any], bytes, str]

REFUSED: dict[str, Case] = {
    "an account of nobody": (
        decode_account,
        account()[:1] + bytes(20) + account()[21:],
        "an absent account is the empty leaf",
    ),
    "a key from the future": (
        decode_account,
        account(keys=(session(10),)),
        "an epoch that its account has given out",
    ),
    "a key of the owner's epoch": (
        decode_account,
        account(keys=(session(0),)),
        "an epoch that its account has given out",
    ),
    "seventeen positions": (
        decode_account,
        account(positions=tuple(Position(number, lots=1) for number in range(17))),
        "17 positions, at most 16",
    ),
    "sixty-five orders": (
        decode_account,
        account(orders=tuple(OrderReference(0, n, 0, 0, 0) for n in range(65))),
        "65 orders, at most 64",
    ),
    "five session keys": (
        decode_account,
        account(keys=tuple(session(number) for number in range(1, 6))),
        "5 session keys, at most 4",
    ),
    "an order on a third side": (
        decode_account,
        account(orders=(OrderReference(0, 1, 0, 2, 0),)),
        "a side is 0 or 1",
    ),
    "a row in no mode": (
        decode_board_row,
        encode_board_row(replace(ROW, mode=0)),
        "0 is no mode",
    ),
    "a row in a fifth mode": (
        decode_board_row,
        encode_board_row(replace(ROW, mode=5)),
        "5 is no mode",
    ),
    "a market without a publisher": (decode_market, market(publishers=()), "0 publishers"),
    "a market with nine publishers": (
        decode_market,
        market(publishers=tuple(Publisher(bytes([n]) * 20, 1, 1) for n in range(9))),
        "9 publishers, 1 to 8 expected",
    ),
    "a batch of sixty-five chunks": (decode_header, header(65), "65 chunks, at most 64"),
    "an order of no lots": (
        decode_order,
        encode_order(RestingOrder(1, 0, 1, 0, 0, 0)),
        "^no such order can rest$",
    ),
    "an order that lives at once or never": (
        decode_order,
        encode_order(RestingOrder(1, 0, 1, 5, 0, encode_flags(Flags(BUY, life=Life.IOC)))),
        "^no such order can rest$",
    ),
    "an order with a flag too many": (
        decode_order,
        encode_order(RestingOrder(1, 0, 1, 5, 0, 128)),
        "^no such order can rest$",
    ),
    "something else than a machine": (
        decode_machine,
        b"\7" + encode_machine(Machine(), ZERO)[1:],
        "not a machine",
    ),
    "roots kept though nothing is saved": (
        decode_machine,
        machine(0, SavedRoots(board=b"\1" * 32)),
        "nothing is saved, yet something is kept",
    ),
    "a flag that is no flag": (decode_machine, machine(2), "yet something is kept"),
    "something else than a withdrawal": (
        decode_withdrawal,
        b"\4" + encode_withdrawal(Withdrawal(0, 1, OWNER, 1))[1:],
        "^not a withdrawal leaf$",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_leaf_is_refused_and_told_why(name: str) -> None:
    decode, data, words = REFUSED[name]
    with pytest.raises(NotCanonical, match=words):
        decode(data)


def test_what_lies_within_the_same_bounds_is_a_leaf() -> None:
    most = account(
        positions=tuple(Position(number, lots=1) for number in range(16)),
        orders=tuple(OrderReference(0, number, 0, number & 1, 0) for number in range(64)),
        keys=tuple(session(number) for number in (1, 2, 3, 9)),
    )
    assert encode_account(decode_account(most)) == most
    assert encode_header(decode_header(header(64))) == header(64)
    for mode in (1, 4):
        assert decode_board_row(encode_board_row(replace(ROW, mode=mode))).mode == mode
    assert decode_machine(machine(1))[0].saved == Sums()
    assert decode_machine(encode_machine(Machine(), ZERO))[0].saved is None


def test_a_symbol_is_named_without_its_padding() -> None:
    assert MARKET.symbol == b"BTC-USD-PERP\0\0\0\0"
    assert MARKET.name == "BTC-USD-PERP"
