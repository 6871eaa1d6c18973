"""Block trades for tests: alice makes, bob takes, in any of four markets at one mark."""

from typing import Any

from builders import FAR, Key, Venue, key, listing, sign_transaction
from msgspec.structs import replace

from state.commitment import Commitment
from state.execution import Receipt
from state.legs import Leg, legs_of
from state.orders import BUY
from state.transactions import BlockTrade

AROUND = 500_000
"""The mark in ticks; the band is a tenth of it."""

VALUE = AROUND * 100
"""Nano-USD of one lot at the mark."""


def block_venue(dollars: int = 10_000, **options: Any) -> Venue:
    """Alice and bob, with as many dollars each, and four markets."""
    markets = tuple(listing(number, symbol=b"M%d-USD-PERP" % number) for number in range(4))
    venue = Venue(markets=options.pop("markets", markets), **options)
    for name in ("alice", "bob"):
        venue.open(name, dollars)
    return venue


def leg(side: int = BUY, lots: int = 10, ticks: int = AROUND, market: int = 0) -> Leg:
    """The taker buys ten lots at the mark, unless told otherwise."""
    return Leg(market, side, ticks, lots)


def block(venue: Venue, *legs: Leg, **changed: Any) -> BlockTrade:
    """Alice and bob agree on `legs`; `changed` replaces any other field."""
    alice, bob = (venue.numbers[name] << 8 for name in ("alice", "bob"))
    tx = BlockTrade(
        *(alice, 0, next(venue.sequences), bob, 0, next(venue.sequences)),
        *(FAR, len(legs), legs_of(*legs)),
    )
    return replace(tx, **changed)


def signed(tx: BlockTrade, maker: Key | None = None, taker: Key | None = None) -> bytes:
    """By alice's and bob's own keys, unless told otherwise."""
    return sign_transaction(tx, maker or key("alice"), taker=taker or key("bob"))


def trade(venue: Venue, *legs: Leg, **changed: Any) -> Receipt:
    """Agreed on and signed by alice and bob."""
    tx = block(venue, *legs, **changed)
    return venue.run(tx, signed(tx))


def roots(venue: Venue) -> tuple[bytes, bytes, bytes]:
    """Of the accounts, the markets and the board."""
    commitment: Commitment = venue.committer.commit()
    return commitment.accounts.root, commitment.markets.root, commitment.board.root


def change_account(venue: Venue, name: str, **changed: Any) -> None:
    """Write an account's fields by hand, sums kept."""
    state, number = venue.state, venue.numbers[name] << 8
    before = state.account(number)
    state.accounts[number] = replace(before, **changed)
    state.dirty.add(("accounts", number))
    difference = state.accounts[number].cash - before.cash
    state.machine.sums.cash += difference
    state.machine.deposited += difference


def change_market(venue: Venue, number: int = 0, **changed: Any) -> None:
    """Write a market's fields by hand."""
    market = venue.state.market(number)
    assert market is not None
    venue.state.markets[number] = replace(market, **changed)
    venue.state.dirty.add(("markets", number))


def change_row(venue: Venue, number: int = 0, **changed: Any) -> None:
    """Write a board row's fields by hand."""
    row = venue.state.row(number)
    assert row is not None
    venue.state.rows[number] = replace(row, **changed)
    venue.state.dirty.add(("rows", number))
