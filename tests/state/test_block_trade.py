"""A block trade until its first leg: form, two signatures, permissions; what both consent to."""

from typing import Any

import pytest
from block_world import (
    AROUND,
    VALUE,
    block,
    block_venue,
    change_account,
    leg,
    roots,
    signed,
    trade,
)
from builders import FAR, NOW, VERIFIER, Key, Venue, key, sign_transaction
from msgspec.structs import replace

from state.accounts import PERMISSIONS_ALL, PERMIT_BLOCK, PERMIT_CANCEL, PERMIT_TRADE, SessionKey
from state.eip712 import domain
from state.invariants import check_invariants
from state.legs import Leg, legs_of
from state.limits import BLOCK_STEPS_MAX
from state.machine import NO_BLOCK, NO_ORDER
from state.orders import BUY, SELL
from state.status import Status, is_identity
from state.steps import Step, take_transaction
from state.store import Changes
from state.transactions import BlockTrade, Header, Transfer

ALICE, BOB = 1 << 8, 2 << 8


@pytest.fixture
def venue() -> Venue:
    """Every step of what it runs is held against the invariants."""
    venue = block_venue()
    venue.on_step = lambda *_: check_invariants(venue.state)
    return venue


def sequences(venue: Venue) -> tuple[int, int]:
    return tuple(venue.state.account(n).owner_sequence for n in (ALICE, BOB))  # type: ignore[return-value]


def refuse(venue: Venue, tx: BlockTrade, signature: bytes, status: Status) -> None:
    """`status`; nothing changed but, past identity, the two sequence numbers."""
    before = {number: venue.state.account(number) for number in venue.state.accounts}
    others, sums = roots(venue)[1:], venue.state.machine.copied().sums
    assert venue.run(tx, signature).status == status
    machine = venue.state.machine
    assert (machine.order, machine.block, machine.saved) == (NO_ORDER, NO_BLOCK, None)
    assert machine.sums == sums and roots(venue)[1:] == others
    after = {number: venue.state.account(number) for number in venue.state.accounts}
    if is_identity(status):
        assert after == before
        return
    for number in {tx.maker, tx.taker}:
        assert after[number] != before[number]
        epochs = [key.epoch for key in before[number].keys]
        plain = replace(
            after[number], owner_sequence=before[number].owner_sequence, keys=before[number].keys
        )
        assert plain == before[number]
        assert [key.epoch for key in after[number].keys] == epochs


def test_two_accounts_exchange_lots_past_the_book_for_a_fee_each(venue: Venue) -> None:
    venue.open("carol", 1_000)
    venue.sell("carol", 5, AROUND - 1)
    tx = block(venue, leg(BUY, 10), leg(SELL, 4, market=2))
    receipt = venue.run(tx, signed(tx))
    assert (receipt.status, receipt.steps) == (Status.OK, 1 + 1 + 2 + 1)
    assert (venue.lots("alice"), venue.lots("bob"), venue.lots("carol")) == (-10, 10, 0)
    assert (venue.lots("alice", 2), venue.lots("bob", 2)) == (4, -4)
    # Maker's fee a hundredth of a percent, taker's five: on fourteen lots, each leg rounded up.
    start, paid, taken = 10_000 * 10**9, 14 * VALUE * 100 // 10**6, 14 * VALUE * 500 // 10**6
    assert venue.cash("alice") == start + 6 * VALUE - paid
    assert venue.cash("bob") == start - 6 * VALUE - taken
    assert venue.state.machine.sums.fees == paid + taken
    assert sequences(venue) == (tx.maker_sequence, tx.taker_sequence)
    assert venue.state.front(0, SELL) is not None


def test_its_fills_say_so_and_name_both_parties(venue: Venue) -> None:
    tx = block(venue, leg(BUY, 10, AROUND + 7), leg(SELL, 4, market=2))
    fills = venue.run(tx, signed(tx)).fills
    assert [(f.market, f.taker_side, f.ticks, f.lots) for f in fills] == [
        (0, BUY, AROUND + 7, 10),
        (2, SELL, AROUND, 4),
    ]
    for fill in fills:
        assert fill.block and (fill.maker, fill.taker) == (ALICE, BOB)
        assert fill.maker_order == (0, tx.maker_sequence)
        assert fill.taker_order == (0, tx.taker_sequence)
    assert (fills[0].price, fills[0].maker_fee, fills[0].taker_fee) == (
        VALUE + 700,
        -(-10 * (VALUE + 700) * 100 // 10**6),
        -(-10 * (VALUE + 700) * 500 // 10**6),
    )
    venue.sell("alice", 1, AROUND)
    assert [f.block for f in venue.buy("bob", 1, AROUND).fills] == [False]


SWAPPED: list[tuple[str, Any]] = [
    ("swapped", lambda tx: sign_transaction(tx, key("bob"), taker=key("alice"))),
    ("the maker's twice", lambda tx: sign_transaction(tx, key("alice"))),
    ("the taker's twice", lambda tx: sign_transaction(tx, key("bob"))),
    ("a stranger's for the maker", lambda tx: signed(tx, maker=key("mallory"))),
    ("a stranger's for the taker", lambda tx: signed(tx, taker=key("mallory"))),
    ("no maker's", lambda tx: bytes(64) + signed(tx)[64:]),
    ("no taker's", lambda tx: signed(tx)[:64] + bytes(64)),
    ("none", lambda _: b""),
    ("the maker's alone", lambda tx: signed(tx)[:64]),
    ("the taker's alone", lambda tx: signed(tx)[64:]),
    ("a byte more", lambda tx: signed(tx) + b"\0"),
    ("a byte less", lambda tx: signed(tx)[:-1]),
    ("the maker's over more lots", lambda tx: signed(more_lots(tx))[:64] + signed(tx)[64:]),
    ("the taker's over more lots", lambda tx: signed(tx)[:64] + signed(more_lots(tx))[64:]),
    (
        "of another venue",
        lambda tx: sign_transaction(tx, key("alice"), domain(1, bytes(20)), taker=key("bob")),
    ),
]


def more_lots(tx: BlockTrade) -> BlockTrade:
    return replace(tx, legs=legs_of(replace(tx.legs[0], lots=11)))


@pytest.mark.parametrize("signature", [row[1] for row in SWAPPED], ids=[row[0] for row in SWAPPED])
def test_unless_both_signed_this_trade_nothing_changes_for_either(
    venue: Venue, signature: Any
) -> None:
    tx = block(venue, leg())
    refuse(venue, tx, signature(tx), Status.BAD_SIGNATURE)
    # The same trade under both signatures is as good as before.
    assert venue.run(tx, signed(tx)).status == Status.OK


@pytest.mark.parametrize("side", ["maker", "taker"])
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"": 99 << 8}, Status.UNKNOWN_ACCOUNT),
        ({"_epoch": 1}, Status.UNKNOWN_KEY),
        ({"_sequence": 0}, Status.SEQUENCE_USED),
    ],
    ids=["account", "key", "sequence"],
)
def test_either_party_who_is_not_authenticated_leaves_no_trace(
    venue: Venue, side: str, changed: dict[str, int], status: Status
) -> None:
    fields = {side + name: value for name, value in changed.items()}
    tx = block(venue, leg(), **fields)
    refuse(venue, tx, signed(tx), status)


def test_the_maker_is_looked_at_before_the_taker(venue: Venue) -> None:
    tx = block(venue, leg(), maker_sequence=0, taker=99 << 8)
    refuse(venue, tx, signed(tx), Status.SEQUENCE_USED)
    tx = block(venue, leg(), taker=99 << 8)
    refuse(venue, tx, signed(tx, maker=key("mallory")), Status.BAD_SIGNATURE)


def test_a_trade_is_made_once(venue: Venue) -> None:
    tx = block(venue, leg())
    assert venue.run(tx, signed(tx)).status == Status.OK
    refuse(venue, tx, signed(tx), Status.SEQUENCE_USED)
    late = replace(block(venue, leg()), taker_sequence=tx.taker_sequence)
    refuse(venue, late, signed(late), Status.SEQUENCE_USED)


def test_a_sequence_number_below_the_floor_is_used(venue: Venue) -> None:
    tx = block(venue, leg())
    change_account(venue, "bob", sequence_floor=tx.taker_sequence)
    refuse(venue, tx, signed(tx), Status.SEQUENCE_USED)


FOUR = legs_of(*(leg(market=market) for market in range(4)))
BAD_FORMS: list[tuple[str, dict[str, Any]]] = [
    ("no leg", {"count": 0, "legs": legs_of()}),
    ("no leg counts", {"count": 0}),
    ("five legs", {"count": 5, "legs": FOUR}),
    ("255 legs", {"count": 255, "legs": FOUR}),
    ("a leg that does not count", {"legs": legs_of(leg(), leg(market=1))}),
    ("a trace in the last place", {"legs": (leg(), Leg(), Leg(), Leg(ticks=1))}),
    ("one market twice", {"count": 2, "legs": legs_of(leg(), leg())}),
    ("descending markets", {"count": 2, "legs": legs_of(leg(market=2), leg(market=1))}),
    (
        "a third that descends",
        {"count": 3, "legs": legs_of(leg(), leg(market=2), leg(market=1))},
    ),
    ("side 2", {"legs": legs_of(leg(2))}),
    ("side 255 in the last", {"count": 2, "legs": legs_of(leg(), leg(255, market=1))}),
]


@pytest.mark.parametrize(
    "changed", [row[1] for row in BAD_FORMS], ids=[row[0] for row in BAD_FORMS]
)
def test_a_trade_that_says_nothing_is_malformed_and_nobodys(
    venue: Venue, changed: dict[str, Any]
) -> None:
    tx = block(venue, leg(), **changed)
    refuse(venue, tx, signed(tx), Status.MALFORMED)


@pytest.mark.parametrize(
    ("more", "status"), [(0, Status.OUT_OF_STEPS), (1, Status.OK)], ids=["7 left", "8 left"]
)
def test_the_longest_trade_and_halt_must_fit_the_budget(
    venue: Venue, more: int, status: Status
) -> None:
    machine = venue.state.machine
    machine.steps_left = BLOCK_STEPS_MAX + more
    tx = block(venue, *(leg(market=market) for market in range(4)))
    receipt = venue.run(tx, signed(tx))
    assert receipt.status == status
    if status == Status.OK:
        assert venue.state.machine.steps_left == 1 and receipt.steps == BLOCK_STEPS_MAX
    else:
        assert sequences(venue) == (0, 0) and receipt.steps == 1


def test_the_budget_is_asked_before_the_form(venue: Venue) -> None:
    venue.state.machine.steps_left = BLOCK_STEPS_MAX
    tx = block(venue, leg(2))
    assert venue.run(tx, signed(tx)).status == Status.OUT_OF_STEPS


def delegate(venue: Venue, name: str, permissions: int, expiry: int = FAR) -> Key:
    bot = key(f"{name}'s bot")
    session = SessionKey(1, bot.address, 0, expiry, permissions)
    change_account(venue, name, key_epoch=1, keys=(session,))
    return bot


@pytest.mark.parametrize("name", ["alice", "bob"])
@pytest.mark.parametrize(
    ("permissions", "expiry", "status"),
    [
        (PERMIT_BLOCK, FAR, Status.OK),
        (PERMISSIONS_ALL, FAR, Status.OK),
        (PERMIT_BLOCK, NOW, Status.OK),
        (PERMIT_BLOCK, NOW - 1, Status.NOT_PERMITTED),
        (PERMIT_TRADE, FAR, Status.NOT_PERMITTED),
        (PERMIT_TRADE | PERMIT_CANCEL, FAR, Status.NOT_PERMITTED),
        (0xFFFF & ~PERMIT_BLOCK, FAR, Status.NOT_PERMITTED),
        (0, FAR, Status.NOT_PERMITTED),
    ],
)
def test_a_session_key_of_either_needs_the_permission_for_block_trades(
    name: str, permissions: int, expiry: int, status: Status
) -> None:
    venue = block_venue()
    venue.run(Header(venue.state.machine.time))
    bot = delegate(venue, name, permissions, expiry + venue.state.machine.time - NOW)
    side, keys = ("maker", "maker") if name == "alice" else ("taker", "taker")
    tx = block(venue, leg(), **{f"{side}_epoch": 1})
    signature = signed(tx, **{keys: bot})
    if status == Status.OK:
        [fill] = venue.run(tx, signature).fills
        sequence = tx.maker_sequence if name == "alice" else tx.taker_sequence
        assert (1, sequence) == (fill.maker_order if name == "alice" else fill.taker_order)
        account = venue.state.account(ALICE if name == "alice" else BOB)
        assert (account.owner_sequence, account.keys[0].sequence) == (0, sequence)
    else:
        refuse(venue, tx, signature, status)


def test_permission_is_asked_of_both_before_expiry_and_expiry_before_the_rest(
    venue: Venue,
) -> None:
    past = venue.state.machine.time - 1
    bot = delegate(venue, "bob", 0)
    tx = block(venue, leg(market=9), taker_epoch=1, expiry=past)
    refuse(venue, tx, signed(tx, taker=bot), Status.NOT_PERMITTED)
    tx = block(venue, leg(market=9), expiry=past, taker=ALICE)
    refuse(venue, tx, signed(tx, taker=key("alice")), Status.EXPIRED)
    tx = block(venue, leg(market=9), taker=ALICE)
    refuse(venue, tx, signed(tx, taker=key("alice")), Status.SAME_ACCOUNT)


def test_a_trade_is_valid_up_to_and_including_its_expiry(venue: Venue) -> None:
    now = venue.state.machine.time
    assert trade(venue, leg(), expiry=now).status == Status.OK
    tx = block(venue, leg(), expiry=now - 1)
    refuse(venue, tx, signed(tx), Status.EXPIRED)


def test_an_account_on_both_sides_consumes_one_number_after_the_other(venue: Venue) -> None:
    mine = {"taker": ALICE}
    backwards = block(venue, leg(), maker_sequence=41, taker_sequence=41, **mine)
    refuse(venue, backwards, signed(backwards, taker=key("alice")), Status.SEQUENCE_USED)
    tx = block(venue, leg(), maker_sequence=41, taker_sequence=42, **mine)
    refuse(venue, tx, signed(tx, taker=key("alice")), Status.SAME_ACCOUNT)
    assert sequences(venue) == (42, 0)
    bot = delegate(venue, "alice", PERMIT_BLOCK)
    tx = block(venue, leg(), maker_sequence=50, taker_epoch=1, taker_sequence=3, **mine)
    refuse(venue, tx, signed(tx, taker=bot), Status.SAME_ACCOUNT)
    account = venue.state.account(ALICE)
    assert (account.owner_sequence, account.keys[0].sequence) == (50, 3)


def test_two_subaccounts_of_one_owner_trade_with_each_other(venue: Venue) -> None:
    transfer = Transfer(ALICE, next(venue.sequences), ALICE | 1, 10**12, FAR)
    venue.run(transfer, sign_transaction(transfer, key("alice")))
    tx = block(venue, leg(), taker=ALICE | 1)
    assert venue.run(tx, signed(tx, taker=key("alice"))).status == Status.OK
    assert venue.lots("alice") == -10
    position = venue.state.account(ALICE | 1).position(0)
    assert position is not None and position.lots == 10


def test_between_its_steps_a_trade_stands_in_the_registers(venue: Venue) -> None:
    seen: list[tuple[int, int, str | None]] = []

    def watch(_: Step, changes: Changes) -> None:
        check_invariants(venue.state)
        order, held = changes.machine.order, changes.machine.block
        seen.append((order.phase, held.leg, changes.rewind))
        if order.phase:
            assert (order.account, order.sequence) == (BOB, tx.taker_sequence)
            assert (held.maker, held.maker_sequence) == (ALICE, tx.maker_sequence)
            assert (held.count, held.legs) == (2, tx.legs)
            assert replace(order, phase=0, account=0, sequence=0) == NO_ORDER

    venue.on_step = watch
    tx = block(venue, leg(), leg(market=1))
    venue.run(tx, signed(tx))
    assert seen == [(1, 0, None), (4, 0, "save"), (4, 1, None), (4, 2, None), (0, 0, "keep")]
    assert venue.state.machine.block == NO_BLOCK


def test_admit_reads_two_accounts_and_writes_nothing_else(venue: Venue) -> None:
    tx = block(venue, leg())
    changes = take_transaction(venue.state, tx, signed(tx), VERIFIER, last=False)
    assert changes.accounts.keys() == {ALICE, BOB}
    assert not (changes.markets or changes.rows or changes.orders or changes.events)
