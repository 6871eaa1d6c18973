"""A leaf of another form is refused, though every root above it is made anew to hold it.

The number of an id is the case of the table in docs/testing.md.
"""

from typing import Any

import pytest
from attack_world import (
    answered,
)
from attacked_steps import ALICE, over, shown
from builders import PUBLISHER, key
from msgspec.structs import replace

from node.parity.case import Refused
from node.parity.mutations import with_leaf
from state.accounts import OrderReference, Position, SessionKey, encode_account
from state.accounts import decode_account as account_of
from state.markets import (
    Publisher,
    Tier,
    decode_board_row,
    decode_market,
    encode_board_row,
    encode_market,
)
from state.orders import SELL, encode_order
from state.orders import decode_order as order_of


def alice(**changed: Any) -> bytes:
    """Her leaf as nobody may write it."""
    return encode_account(replace(account_of(leaf_of("accounts", ALICE)), **changed))


def leaf_of(name: str, at: Any) -> bytes:
    return shown("match").trees.leaf(name, at)


def position(number: int, lots: int = 1) -> Position:
    return Position(number, lots)


def bot(epoch: int) -> SessionKey:
    return SessionKey(epoch, key("bot").address, 0, 0, 1)


def a_market(**changed: Any) -> bytes:
    found, *roots = decode_market(leaf_of("markets", 0))
    return encode_market(replace(found, **changed), *roots)


def a_row(**changed: Any) -> bytes:
    return encode_board_row(replace(decode_board_row(leaf_of("rows", 0)), **changed))


def front() -> tuple[int, int, int]:
    (proven,) = shown("match").witness.orders
    return proven.market, proven.side, proven.key


def an_order(**changed: Any) -> bytes:
    return encode_order(replace(order_of(leaf_of("orders", front())), **changed))


def account_leaves() -> dict[str, bytes]:
    whole = leaf_of("accounts", ALICE)
    reference = account_of(whole).orders[0]
    later = OrderReference(0, reference.sequence + 1, 0, SELL, 1)
    many = tuple(replace(later, sequence=99 + at) for at in range(65))
    return {
        "a zero behind": whole + b"\0",
        "a byte short": whole[:-1],
        "another domain": b"\2" + whole[1:],
        "of nobody": bytes([1]) + bytes(20) + whole[21:],
        "positions reordered": alice(positions=(position(1), position(0))),
        "a position twice": alice(positions=(position(0), position(0, 2))),
        "a position of nothing": alice(positions=(position(0, 0),)),
        "seventeen positions": alice(positions=tuple(map(position, range(17)))),
        "orders reordered": alice(orders=(later, reference)),
        "an order twice": alice(orders=(reference, reference)),
        "sixty-five orders": alice(orders=many),
        "a third side": alice(orders=(replace(reference, side=2),)),
        "keys reordered": alice(key_epoch=9, keys=(bot(2), bot(1))),
        "five keys": alice(key_epoch=9, keys=tuple(map(bot, range(1, 6)))),
        "a key of no epoch": alice(keys=(bot(0),)),
        "a key of an epoch to come": alice(key_epoch=1, keys=(bot(2),)),
    }


def other_leaves() -> dict[str, tuple[str, Any, bytes]]:
    first, second = Publisher(b"\1" * 20, 1, 1), Publisher(PUBLISHER.address, 1, 1)
    nine = tuple(Publisher(bytes([at]) * 20, 1, 1) for at in range(1, 10))
    tier, place = Tier(0, 50_000, 30_000), front()
    markets = {
        "a zero behind": leaf_of("markets", 0) + b"\0",
        "a byte short": leaf_of("markets", 0)[:-1],
        "another domain": b"\1" + leaf_of("markets", 0)[1:],
        "publishers reordered": a_market(publishers=tuple(sorted((first, second), key=by))[::-1]),
        "a publisher twice": a_market(publishers=(first, first)),
        "nine publishers": a_market(publishers=nine),
        "no publisher": a_market(publishers=()),
    }
    rows = {
        "a zero behind": leaf_of("rows", 0) + b"\0",
        "another domain": b"\2" + leaf_of("rows", 0)[1:],
        "mode 0": a_row(mode=0),
        "mode 5": a_row(mode=5),
        "no tier": a_row(tiers=()),
        "five tiers": a_row(tiers=tuple(replace(tier, start=at) for at in range(5))),
        "tiers reordered": a_row(tiers=(tier, replace(tier, start=9), replace(tier, start=5))),
        "a first tier above zero": a_row(tiers=(replace(tier, start=1),)),
    }
    orders = {
        "a zero behind": leaf_of("orders", place) + b"\0",
        "a byte short": leaf_of("orders", place)[:-1],
        "another domain": b"\5" + leaf_of("orders", place)[1:],
        "no lots": an_order(lots=0),
        "a market order": an_order(flags=0b0110),
        "IOC": an_order(flags=0b0100),
        "flags that say nothing": an_order(flags=0x80),
    }
    return {
        **{f"4 market, {name}": ("markets", 0, leaf) for name, leaf in markets.items()},
        **{f"4 row, {name}": ("rows", 0, leaf) for name, leaf in rows.items()},
        **{f"4 order, {name}": ("orders", place, leaf) for name, leaf in orders.items()},
    }


def by(publisher: Publisher) -> bytes:
    return publisher.address


def every_leaf() -> dict[str, tuple[str, Any, bytes]]:
    accounts = {
        f"4 account, {name}": ("accounts", ALICE, leaf) for name, leaf in account_leaves().items()
    }
    return accounts | other_leaves()


@pytest.mark.parametrize("name", every_leaf())
def test_a_leaf_packed_in_another_way_is_refused(name: str) -> None:
    """Case 4: one content has one leaf, and every other form proves nothing about the step."""
    tree, at, leaf = every_leaf()[name]
    step = shown("match")
    if tree == "markets":
        # A leaf that is none has no books: a step that reads no order is shown.
        step = shown("price")
        trees = replace(step.trees, markets=step.trees.markets.update({at: leaf}))
    else:
        trees = with_leaf(step.trees, (tree, at), leaf)
    said = answered(over(step, trees))
    assert isinstance(said, Refused) and said.reason.startswith("leaves: ")
