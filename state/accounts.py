"""Accounts: cash, positions, references to resting orders, session keys.

There is no entry price: buying moves cash down and lots up, selling the other way,
and profit is what remains.
"""

import struct
from bisect import bisect_left, insort
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from state.crypto import ZERO_ADDRESS
from state.limits import ACCOUNT_KEYS_MAX, ACCOUNT_ORDERS_MAX, ACCOUNT_POSITIONS_MAX
from state.packing import NotCanonical, Reader, check_ascending, i128, u
from state.units import INDEX_ONE

DOMAIN = 1
OWNER_KEY = 0
"""The epoch that stands for the owner's own key."""

PERMIT_TRADE = 1
PERMIT_CANCEL = 2
PERMIT_BLOCK = 4
"""Apart from PERMIT_TRADE: at prices agreed on with an accomplice, past the book, a stolen
key could give the account away."""

PERMISSIONS_ALL = PERMIT_TRADE | PERMIT_CANCEL | PERMIT_BLOCK


class Position(Struct, frozen=True, gc=False):
    """A holding in one market and the lots of the account's resting orders there."""

    market: int
    lots: int = 0
    bid_lots: int = 0
    ask_lots: int = 0
    a: int = INDEX_ONE
    k: int = 0
    f: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.lots or self.bid_lots or self.ask_lots)


class OrderReference(Struct, frozen=True, gc=False):
    """Where an order known by (epoch, sequence) rests."""

    epoch: int
    sequence: int
    market: int
    side: int
    key: int


class SessionKey(Struct, frozen=True, gc=False):
    """A delegated key. Its epoch is never given twice within an account."""

    epoch: int
    address: bytes
    sequence: int
    expiry: int
    permissions: int


class Account(Struct, frozen=True, gc=False):
    """One leaf of the account tree. Cash is negative for a leveraged long."""

    owner: bytes
    owner_sequence: int = 0
    sequence_floor: int = 0
    key_epoch: int = 0
    cash: int = 0
    liquidation_stage: int = 0
    liquidation_since: int = 0
    window_start: int = 0
    window_withdrawn: int = 0
    positions: tuple[Position, ...] = ()
    orders: tuple[OrderReference, ...] = ()
    keys: tuple[SessionKey, ...] = ()

    @property
    def is_absent(self) -> bool:
        return self.owner == ZERO_ADDRESS

    def position(self, market: int) -> Position | None:
        """The account's slot in `market`, if it has one."""
        for position in self.positions:
            if position.market == market:
                return position
        return None

    def order(self, epoch: int, sequence: int) -> OrderReference | None:
        """The resting order known by (epoch, sequence), if there is one."""
        for reference in self.orders:
            if reference.sequence == sequence and reference.epoch == epoch:
                return reference
        return None

    def key(self, epoch: int) -> SessionKey | None:
        """The session key of `epoch`, if it is still there."""
        for key in self.keys:
            if key.epoch == epoch:
                return key
        return None


_market = attrgetter("market")
_order_name = attrgetter("epoch", "sequence")

ABSENT = Account(owner=ZERO_ADDRESS)
"""What an unknown number holds: nothing, owned by nobody."""


def with_position(account: Account, position: Position, cash: int | None = None) -> Account:
    """`account` with its slot for that market replaced, added, or removed when empty."""
    market, positions = position.market, list(account.positions)
    index = bisect_left(positions, market, key=_market)
    if index < len(positions) and positions[index].market == market:
        del positions[index]
    if not position.is_empty:
        positions.insert(index, position)
    cash = account.cash if cash is None else cash
    return replace(account, positions=tuple(positions), cash=cash)


def with_order(account: Account, reference: OrderReference) -> Account:
    """`account` with one more resting order."""
    orders = list(account.orders)
    insort(orders, reference, key=_order_name)
    return replace(account, orders=tuple(orders))


def without_order(account: Account, epoch: int, sequence: int) -> Account:
    """`account` without the resting order (epoch, sequence)."""
    held, name = account.orders, (epoch, sequence)
    index = bisect_left(held, name, key=_order_name)
    if index == len(held) or _order_name(held[index]) != name:
        return account
    return replace(account, orders=held[:index] + held[index + 1 :])


def without_key(account: Account, epoch: int) -> Account:
    """`account` without the session key of `epoch`; `key_epoch` stays, so none gets it again."""
    return replace(account, keys=tuple(key for key in account.keys if key.epoch != epoch))


def handed_to(account: Account, owner: bytes) -> Account:
    """`account` as `owner`'s: opened, or with every session key ended if it was another's.

    What it holds and which numbers it has used stay. To its owner nothing changes.
    """
    if account.owner == owner:
        return account
    return replace(account, owner=owner, keys=())


def last_sequence(account: Account, epoch: int) -> int:
    """The sequence number that the next one of this key must exceed."""
    key = None if epoch == OWNER_KEY else account.key(epoch)
    last = account.owner_sequence if key is None else key.sequence
    return max(last, account.sequence_floor)


def with_sequence(account: Account, epoch: int, sequence: int) -> Account:
    """`account` with `sequence` consumed for the key of `epoch`."""
    if epoch == OWNER_KEY:
        return replace(account, owner_sequence=sequence)
    keys = tuple(
        replace(key, sequence=sequence) if key.epoch == epoch else key for key in account.keys
    )
    return replace(account, keys=keys)


_POSITION = struct.Struct(">HqQQQ")
_REFERENCE = struct.Struct(">IQHBQ")


def encode_account(account: Account) -> bytes:
    """The leaf of `account`; an absent account is the empty leaf."""
    if account.is_absent:
        assert account == ABSENT, "nobody owns nothing"
        return b""
    parts = [
        u(DOMAIN, 8) + account.owner + u(account.owner_sequence, 64),
        u(account.sequence_floor, 64) + u(account.key_epoch, 32) + i128(account.cash),
        u(account.liquidation_stage, 8) + u(account.liquidation_since, 64),
        u(account.window_start, 64) + u(account.window_withdrawn, 128),
        u(len(account.positions), 8),
    ]
    for p in account.positions:
        parts.append(_POSITION.pack(p.market, p.lots, p.bid_lots, p.ask_lots, p.a))
        parts.append(i128(p.k) + i128(p.f))
    parts.append(u(len(account.orders), 8))
    for o in account.orders:
        parts.append(_REFERENCE.pack(o.epoch, o.sequence, o.market, o.side, o.key))
    parts.append(u(len(account.keys), 8))
    for k in account.keys:
        parts.append(
            u(k.epoch, 32) + k.address + u(k.sequence, 64) + u(k.expiry, 64) + u(k.permissions, 16)
        )
    return b"".join(parts)


def decode_account(leaf: bytes) -> Account:
    """The account of `leaf`. NotCanonical for bytes that `encode_account` never writes."""
    if leaf == b"":
        return ABSENT
    r = Reader(leaf)
    if r.u(8) != DOMAIN:
        raise NotCanonical("not an account leaf")
    fields = {
        "owner": r.raw(20),
        "owner_sequence": r.u(64),
        "sequence_floor": r.u(64),
        "key_epoch": r.u(32),
        "cash": r.i(128),
        "liquidation_stage": r.u(8),
        "liquidation_since": r.u(64),
        "window_start": r.u(64),
        "window_withdrawn": r.u(128),
    }
    account = Account(
        **fields,  # type: ignore[arg-type]
        positions=_positions(r),
        orders=_orders(r),
        keys=_keys(r),
    )
    r.end()
    if account.is_absent:
        raise NotCanonical("an absent account is the empty leaf")
    if any(not OWNER_KEY < key.epoch <= account.key_epoch for key in account.keys):
        raise NotCanonical("a session key has an epoch that its account has given out")
    return account


def _count(r: Reader, maximum: int, name: str) -> int:
    count = r.u(8)
    if count > maximum:
        raise NotCanonical(f"{count} {name}, at most {maximum}")
    return count


def _positions(r: Reader) -> tuple[Position, ...]:
    positions = tuple(
        Position(r.u(16), r.i(64), r.u(64), r.u(64), r.u(64), r.i(128), r.i(128))
        for _ in range(_count(r, ACCOUNT_POSITIONS_MAX, "positions"))
    )
    check_ascending([p.market for p in positions], "positions")
    if any(p.is_empty for p in positions):
        raise NotCanonical("an empty position has no slot")
    return positions


def _orders(r: Reader) -> tuple[OrderReference, ...]:
    orders = tuple(
        OrderReference(r.u(32), r.u(64), r.u(16), r.u(8), r.u(64))
        for _ in range(_count(r, ACCOUNT_ORDERS_MAX, "orders"))
    )
    check_ascending([(o.epoch, o.sequence) for o in orders], "orders")
    if any(o.side > 1 for o in orders):
        raise NotCanonical("a side is 0 or 1")
    return orders


def _keys(r: Reader) -> tuple[SessionKey, ...]:
    keys = tuple(
        SessionKey(r.u(32), r.raw(20), r.u(64), r.u(64), r.u(16))
        for _ in range(_count(r, ACCOUNT_KEYS_MAX, "session keys"))
    )
    check_ascending([k.epoch for k in keys], "session keys")
    return keys
