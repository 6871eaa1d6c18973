# pragma version 0.4.3
"""
@title Accounts: cash, positions, references to resting orders, session keys
@notice As state/accounts.py. References stay packed, since they are looked up far more often than
        taken apart. Leaves that come here have been proven and are canonical (steps/leaves.vy).
"""

from . import limits
from . import packing
from . import units


DOMAIN: constant(uint256) = 1
OWNER_KEY: constant(uint256) = 0

PERMIT_TRADE: constant(uint256) = 1
PERMIT_CANCEL: constant(uint256) = 2
PERMIT_BLOCK: constant(uint256) = 4
PERMISSIONS_ALL: constant(uint256) = PERMIT_TRADE | PERMIT_CANCEL | PERMIT_BLOCK

# domain .. window_withdrawn, then three lists with a byte of count each.
HEAD_LAYOUT: constant(bytes32) = (
    0x0114080804900108081000000000000000000000000000000000000000000000
)
HEAD_BYTES: constant(uint256) = 90
POSITION_LAYOUT: constant(bytes32) = (
    0x0288080808909000000000000000000000000000000000000000000000000000
)
POSITION_BYTES: constant(uint256) = 66
REFERENCE_LAYOUT: constant(bytes32) = (
    0x0408020108000000000000000000000000000000000000000000000000000000
)
REFERENCE_BYTES: constant(uint256) = 23
REFERENCES_BYTES_MAX: constant(uint256) = limits.ACCOUNT_ORDERS_MAX * REFERENCE_BYTES
KEY_LAYOUT: constant(bytes32) = (
    0x0414080802000000000000000000000000000000000000000000000000000000
)
KEY_BYTES: constant(uint256) = 42

# epoch u32 | sequence u64, the name of an order, begins each reference.
NAME_BITS: constant(uint256) = 96


struct Position:
    market: uint256
    lots: int256
    bid_lots: uint256
    ask_lots: uint256
    a: uint256
    k: int256
    f: int256


struct OrderReference:
    epoch: uint256
    sequence: uint256
    market: uint256
    side: uint256
    key: uint256


struct SessionKey:
    epoch: uint256
    key: uint256  # its address
    sequence: uint256
    expiry: uint256
    permissions: uint256


struct Head:
    domain: uint256  # zero where the account is absent
    owner: uint256
    owner_sequence: uint256
    sequence_floor: uint256
    key_epoch: uint256
    cash: int256
    liquidation_stage: uint256
    liquidation_since: uint256
    window_start: uint256
    window_withdrawn: uint256


struct Account:
    head: Head
    positions: DynArray[Position, limits.ACCOUNT_POSITIONS_MAX]
    orders: Bytes[REFERENCES_BYTES_MAX]
    keys: DynArray[SessionKey, limits.ACCOUNT_KEYS_MAX]


# --- the leaf ---


@internal
@pure
def _decode_account(leaf: Bytes[packing.LEAF_BYTES_MAX]) -> Account:
    """
    @notice The account of a canonical leaf; of an absent one all is zero.
    """
    account: Account = empty(Account)
    if len(leaf) == 0:
        return account
    account.head = abi_decode(packing._unpack(leaf, 0, HEAD_LAYOUT), Head)
    at: uint256 = HEAD_BYTES + 1
    count: uint256 = convert(slice(leaf, HEAD_BYTES, 1), uint256)
    for _: uint256 in range(count, bound=limits.ACCOUNT_POSITIONS_MAX):
        account.positions.append(
            abi_decode(packing._unpack(leaf, at, POSITION_LAYOUT), Position)
        )
        at += POSITION_BYTES
    size: uint256 = convert(slice(leaf, at, 1), uint256) * REFERENCE_BYTES
    account.orders = convert(slice(leaf, at + 1, size), Bytes[REFERENCES_BYTES_MAX])
    at += size + 2
    count = convert(slice(leaf, at - 1, 1), uint256)
    for _: uint256 in range(count, bound=limits.ACCOUNT_KEYS_MAX):
        account.keys.append(abi_decode(packing._unpack(leaf, at, KEY_LAYOUT), SessionKey))
        at += KEY_BYTES
    return account


@internal
@pure
def _encode_account(account: Account) -> Bytes[packing.LEAF_BYTES_MAX]:
    """
    @notice The leaf of an account that somebody owns.
    """
    leaf: Bytes[packing.LEAF_BYTES_MAX] = concat(
        packing._pack(abi_encode(account.head), HEAD_LAYOUT), self._count(len(account.positions))
    )
    for p: Position in account.positions:
        leaf = convert(
            concat(leaf, packing._pack(abi_encode(p), POSITION_LAYOUT)),
            Bytes[packing.LEAF_BYTES_MAX],
        )
    leaf = convert(
        concat(
            leaf,
            self._count(len(account.orders) // REFERENCE_BYTES),
            account.orders,
            self._count(len(account.keys)),
        ),
        Bytes[packing.LEAF_BYTES_MAX],
    )
    for k: SessionKey in account.keys:
        leaf = convert(
            concat(leaf, packing._pack(abi_encode(k), KEY_LAYOUT)),
            Bytes[packing.LEAF_BYTES_MAX],
        )
    return leaf


@internal
@pure
def _count(count: uint256) -> bytes1:
    """
    @notice The byte of count in front of a list.
    """
    return convert(convert(count, uint8), bytes1)


# --- positions ---


@internal
@pure
def _is_absent(account: Account) -> bool:
    """
    @notice Nobody owns it.
    """
    return account.head.owner == 0


@internal
@pure
def _has_position(account: Account, market: uint256) -> bool:
    """
    @notice Whether the account has a slot in `market`.
    """
    for p: Position in account.positions:
        if p.market == market:
            return True
    return False


@internal
@pure
def _position(account: Account, market: uint256) -> Position:
    """
    @notice The account's slot in `market`, or the empty one that a new slot begins as.
    """
    for p: Position in account.positions:
        if p.market == market:
            return p
    return Position(
        market=market, lots=0, bid_lots=0, ask_lots=0, a=units.INDEX_ONE, k=0, f=0
    )


@internal
@pure
def _with_position(account: Account, position: Position) -> Account:
    """
    @notice `account` with its slot for that market replaced, added, or removed when empty.
    """
    after: Account = account
    after.positions = []
    is_placed: bool = (
        position.lots == 0 and position.bid_lots == 0 and position.ask_lots == 0
    )
    for p: Position in account.positions:
        if not is_placed and position.market <= p.market:
            after.positions.append(position)
            is_placed = True
        if p.market != position.market:
            after.positions.append(p)
    if not is_placed:
        after.positions.append(position)
    return after


# --- orders ---


@internal
@pure
def _order_place(orders: Bytes[REFERENCES_BYTES_MAX], epoch: uint256, sequence: uint256) -> uint256:
    """
    @notice The byte at which the first reference begins whose name is not below this one.
    """
    name: uint256 = epoch << 64 | sequence
    padded: Bytes[REFERENCES_BYTES_MAX + 32] = concat(orders, empty(bytes32))
    place: uint256 = 0
    for _: uint256 in range(limits.ACCOUNT_ORDERS_MAX):
        if place == len(orders):
            break
        if extract32(padded, place, output_type=uint256) >> (256 - NAME_BITS) >= name:
            break
        place += REFERENCE_BYTES
    return place


@internal
@pure
def _reference_at(orders: Bytes[REFERENCES_BYTES_MAX], place: uint256) -> OrderReference:
    """
    @notice The reference that begins at byte `place`.
    """
    return abi_decode(
        packing._unpack(slice(orders, place, REFERENCE_BYTES), 0, REFERENCE_LAYOUT),
        OrderReference,
    )


@internal
@pure
def _order(account: Account, epoch: uint256, sequence: uint256) -> (bool, OrderReference):
    """
    @notice Whether the account has a resting order known by (epoch, sequence), and where it rests.
    """
    place: uint256 = self._order_place(account.orders, epoch, sequence)
    if place == len(account.orders):
        return False, empty(OrderReference)
    found: OrderReference = self._reference_at(account.orders, place)
    if found.epoch != epoch or found.sequence != sequence:
        return False, empty(OrderReference)
    return True, found


@internal
@pure
def _with_order(account: Account, reference: OrderReference) -> Account:
    """
    @notice `account` with one more resting order.
    """
    after: Account = account
    place: uint256 = self._order_place(account.orders, reference.epoch, reference.sequence)
    after.orders = convert(
        concat(
            slice(account.orders, 0, place),
            packing._pack(abi_encode(reference), REFERENCE_LAYOUT),
            slice(account.orders, place, len(account.orders) - place),
        ),
        Bytes[REFERENCES_BYTES_MAX],
    )
    return after


@internal
@pure
def _without_order(account: Account, epoch: uint256, sequence: uint256) -> Account:
    """
    @notice `account` without the resting order (epoch, sequence).
    """
    is_there: bool = False
    reference: OrderReference = empty(OrderReference)
    is_there, reference = self._order(account, epoch, sequence)
    if not is_there:
        return account
    after: Account = account
    place: uint256 = self._order_place(account.orders, epoch, sequence)
    rest: uint256 = place + REFERENCE_BYTES
    after.orders = convert(
        concat(
            slice(account.orders, 0, place),
            slice(account.orders, rest, len(account.orders) - rest),
        ),
        Bytes[REFERENCES_BYTES_MAX],
    )
    return after


# --- keys and sequence numbers ---


@internal
@pure
def _key(account: Account, epoch: uint256) -> (bool, SessionKey):
    """
    @notice The session key of `epoch`, if it is still there.
    """
    for k: SessionKey in account.keys:
        if k.epoch == epoch:
            return True, k
    return False, empty(SessionKey)


@internal
@pure
def _without_key(account: Account, epoch: uint256) -> Account:
    """
    @notice `account` without the session key of `epoch`; `key_epoch` stays, so none gets it again.
    """
    after: Account = account
    after.keys = []
    for k: SessionKey in account.keys:
        if k.epoch != epoch:
            after.keys.append(k)
    return after


@internal
@pure
def _handed_to(account: Account, owner: uint256) -> Account:
    """
    @notice `account` as `owner`'s: opened, or with every session key ended if it was another's.
            To its owner nothing changes.
    """
    after: Account = account
    if account.head.owner != owner:
        after.head.domain = DOMAIN
        after.head.owner = owner
        after.keys = []
    return after


@internal
@pure
def _last_sequence(account: Account, epoch: uint256) -> uint256:
    """
    @notice The sequence number that the next one of this key must exceed.
    """
    last: uint256 = account.head.owner_sequence
    if epoch != OWNER_KEY:
        for k: SessionKey in account.keys:
            if k.epoch == epoch:
                last = k.sequence
    return max(last, account.head.sequence_floor)


@internal
@pure
def _with_sequence(account: Account, epoch: uint256, sequence: uint256) -> Account:
    """
    @notice `account` with `sequence` consumed for the key of `epoch`.
    """
    after: Account = account
    if epoch == OWNER_KEY:
        after.head.owner_sequence = sequence
        return after
    for i: uint256 in range(len(account.keys), bound=limits.ACCOUNT_KEYS_MAX):
        if account.keys[i].epoch == epoch:
            after.keys[i].sequence = sequence
    return after
