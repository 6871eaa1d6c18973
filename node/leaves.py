"""The state's leaves in a store: every leaf under a key of its own, as the trees hold it.

    leaf/a u32 account     leaf/m u16 market     leaf/r u8 row of the board
    leaf/w u32 withdrawal  leaf/o u16 market u8 side u64 order key       leaf/x the machine

Numbers are big-endian, so the front of a book is the first key of its prefix. Stored are
the canonical encodings, which a store's reader takes or refuses as L1 would.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from node.store import Changes, StoreDamaged
from state.accounts import decode_account
from state.commitment import Commitment
from state.machine import Machine, decode_machine
from state.markets import decode_board_row, decode_market
from state.memory import Book, MemoryState
from state.orders import decode_order
from state.undo import Place
from state.withdrawals import decode_withdrawal

PREFIX = b"leaf/"
MACHINE = PREFIX + b"x"
PREFIXES: Mapping[str, bytes] = {
    "accounts": PREFIX + b"a",
    "markets": PREFIX + b"m",
    "rows": PREFIX + b"r",
    "withdrawals": PREFIX + b"w",
    "orders": PREFIX + b"o",
}
_KEY_BYTES: Mapping[str, int] = {"accounts": 4, "markets": 2, "rows": 1, "withdrawals": 4}


class LeafReader(Protocol):
    """Where leaves are read: a store, or what is laid over one. Entries come by ascending key."""

    def read(self, key: bytes) -> bytes | None: ...
    def entries(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]: ...
    @property
    def damaged(self) -> Callable[[str], StoreDamaged]: ...


def leaf_key(place: Place) -> bytes:
    """Where the leaf of a place is stored."""
    name, key = place
    if name == "orders":
        market, side, number = key
        return book_prefix(market, side) + int(number).to_bytes(8, "big")
    return PREFIXES[name] + int(key).to_bytes(_KEY_BYTES[name], "big")


def book_prefix(market: int, side: int) -> bytes:
    """What the keys of one side of one market begin with, the best order's the first."""
    return PREFIXES["orders"] + market.to_bytes(2, "big") + side.to_bytes(1, "big")


def place_of(key: bytes) -> Place:
    """The place whose leaf is stored at `key`."""
    kind, rest = key[: len(PREFIX) + 1], key[len(PREFIX) + 1 :]
    name = next(name for name, prefix in PREFIXES.items() if prefix == kind)
    if name == "orders":
        return name, (int.from_bytes(rest[:2], "big"), rest[2], int.from_bytes(rest[3:], "big"))
    return name, int.from_bytes(rest, "big")


def decode_leaf(name: str, leaf: bytes) -> Any:
    """What a leaf of this table says. NotCanonical for a leaf that is none."""
    match name:
        case "accounts":
            return decode_account(leaf)
        case "markets":
            return decode_market(leaf)[0]
        case "rows":
            return decode_board_row(leaf)
        case "orders":
            return decode_order(leaf)
        case _:
            return decode_withdrawal(leaf)


def leaf_changes(commitment: Commitment, places: Iterable[Place]) -> Changes:
    """What brings a store to the leaves of `commitment`, where only `places` can differ."""
    changes: dict[bytes, bytes | None] = {
        leaf_key((name, key)): commitment.leaf(name, key) or None for name, key in places
    }
    changes[MACHINE] = commitment.machine
    return changes


def all_places(commitment: Commitment) -> Iterator[Place]:
    """Every place that has a leaf."""
    for name in ("accounts", "markets", "withdrawals"):
        yield from ((name, key) for key, _ in getattr(commitment, name))
    yield from (("rows", key) for key, _ in commitment.board)
    for (market, side), book in commitment.books.items():
        yield from (("orders", (market, side, key)) for key, _ in book)


def stored_places(store: LeafReader) -> Iterator[tuple[Place, bytes]]:
    """Every leaf but the machine, with the place it is of."""
    for prefix in PREFIXES.values():
        for key, leaf in store.entries(prefix):
            yield place_of(key), leaf


def stored_machine(store: LeafReader) -> Machine:
    """The machine; that of genesis where there is none."""
    leaf = store.read(MACHINE)
    return Machine() if leaf is None else _checked(store, MACHINE, leaf, _decode_machine)


def load_state(store: LeafReader) -> MemoryState:
    """The whole state, into memory. StoreDamaged where a leaf is not one."""
    state = MemoryState()
    state.machine = stored_machine(store)
    for (name, key), leaf in stored_places(store):
        value = stored_value(store, (name, key), leaf)
        if name == "orders":
            market, side, number = key
            state.books.setdefault((market, side), Book()).write(number, value)
        elif name == "withdrawals":
            if key != len(state.withdrawals):
                raise store.damaged(f"withdrawal {len(state.withdrawals)} is missing")
            state.withdrawals.append(value)
        else:
            getattr(state, name)[key] = value
    return state


def stored_value(store: LeafReader, place: Place, leaf: bytes) -> Any:
    """What `leaf`, stored at `place`, says. StoreDamaged where it is none."""
    return _checked(store, leaf_key(place), leaf, lambda data: decode_leaf(place[0], data))


def _decode_machine(leaf: bytes) -> Machine:
    return decode_machine(leaf)[0]


def _checked(store: LeafReader, key: bytes, leaf: bytes, decode: Any) -> Any:
    try:
        return decode(leaf)
    except ValueError as error:
        raise store.damaged(f"the leaf at {key.hex()} is not one ({error})") from error
