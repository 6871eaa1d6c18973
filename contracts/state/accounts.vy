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
# Of its words, those that end behind `a` and behind `f`.
POSITION_INDEX_WORD: constant(uint256) = 34 - 32
POSITION_LAST_WORD: constant(uint256) = POSITION_BYTES - 32
U64: constant(uint256) = 2**64 - 1
REFERENCE_LAYOUT: constant(bytes32) = (
    0x0408020108000000000000000000000000000000000000000000000000000000
)
REFERENCE_BYTES: constant(uint256) = 23
REFERENCES_BYTES_MAX: constant(uint256) = limits.ACCOUNT_ORDERS_MAX * REFERENCE_BYTES
REFERENCES_WORDS: constant(uint256) = REFERENCES_BYTES_MAX // 32
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


# Nothing in it has a length of its own, so that one MCOPY hands it on; code is scarce. Of each list
# the first `count` entries are there, and what follows them means nothing.
struct Account:
    head: Head
    position_count: uint256
    positions: Position[limits.ACCOUNT_POSITIONS_MAX]
    order_count: uint256
    orders: bytes32[REFERENCES_WORDS]  # `_references` has them as bytes
    key_count: uint256
    keys: SessionKey[limits.ACCOUNT_KEYS_MAX]


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
    account.position_count = self._count_before(leaf, at)
    for i: uint256 in range(account.position_count, bound=limits.ACCOUNT_POSITIONS_MAX):
        account.positions[i] = self._decode_position(leaf, at)
        at += POSITION_BYTES
    at += 1
    account.order_count = self._count_before(leaf, at)
    size: uint256 = account.order_count * REFERENCE_BYTES
    account.orders = self._words(convert(slice(leaf, at, size), Bytes[REFERENCES_BYTES_MAX]))
    at += size + 1
    account.key_count = self._count_before(leaf, at)
    for i: uint256 in range(account.key_count, bound=limits.ACCOUNT_KEYS_MAX):
        account.keys[i] = abi_decode(packing._unpack(leaf, at, KEY_LAYOUT), SessionKey)
        at += KEY_BYTES
    return account


@internal
@pure
def _decode_position(leaf: Bytes[packing.LEAF_BYTES_MAX], at: uint256) -> Position:
    """
    @notice The position that begins at byte `at`, by POSITION_LAYOUT. Margin reads up to 32 of them
            a step, so they are not decoded field by field; no word reaches past the position.
    """
    first: uint256 = extract32(leaf, at, output_type=uint256)
    index: uint256 = extract32(leaf, unsafe_add(at, POSITION_INDEX_WORD), output_type=uint256)
    last: uint256 = extract32(leaf, unsafe_add(at, POSITION_LAST_WORD), output_type=uint256)
    return Position(
        market=first >> 240,
        lots=convert(convert(first << 16, bytes32), int256) >> 192,
        bid_lots=(first >> 112) & U64,
        ask_lots=(first >> 48) & U64,
        a=index & U64,
        k=convert(convert(last, bytes32), int256) >> 128,
        f=convert(convert(last << 128, bytes32), int256) >> 128,
    )


@internal
@pure
def _encode_account(account: Account) -> Bytes[packing.LEAF_BYTES_MAX]:
    """
    @notice The leaf of an account that somebody owns.
    """
    leaf: Bytes[packing.LEAF_BYTES_MAX] = concat(
        packing._pack(abi_encode(account.head), HEAD_LAYOUT), self._count(account.position_count)
    )
    for i: uint256 in range(account.position_count, bound=limits.ACCOUNT_POSITIONS_MAX):
        leaf = convert(
            concat(leaf, packing._pack(abi_encode(account.positions[i]), POSITION_LAYOUT)),
            Bytes[packing.LEAF_BYTES_MAX],
        )
    leaf = convert(
        concat(
            leaf,
            self._count(account.order_count),
            self._references(account),
            self._count(account.key_count),
        ),
        Bytes[packing.LEAF_BYTES_MAX],
    )
    for i: uint256 in range(account.key_count, bound=limits.ACCOUNT_KEYS_MAX):
        leaf = convert(
            concat(leaf, packing._pack(abi_encode(account.keys[i]), KEY_LAYOUT)),
            Bytes[packing.LEAF_BYTES_MAX],
        )
    return leaf


@internal
@pure
def _count_before(leaf: Bytes[packing.LEAF_BYTES_MAX], at: uint256) -> uint256:
    """
    @notice The byte of count in front of a list that begins at byte `at`.
    """
    return convert(slice(leaf, at - 1, 1), uint256)


@internal
@pure
def _references(account: Account) -> Bytes[REFERENCES_BYTES_MAX]:
    """
    @notice The references to the account's resting orders, REFERENCE_BYTES each.
    """
    return slice(abi_encode(account.orders), 0, account.order_count * REFERENCE_BYTES)


@internal
@pure
def _words(references: Bytes[REFERENCES_BYTES_MAX]) -> bytes32[REFERENCES_WORDS]:
    """
    @notice References as an account holds them.
    """
    padded: Bytes[2 * REFERENCES_BYTES_MAX + 64] = concat(
        packing.ONE, references, abi_encode(empty(bytes32[REFERENCES_WORDS]))
    )
    return abi_decode(
        slice(padded, 0, len(packing.ONE) + REFERENCES_BYTES_MAX),
        DynArray[bytes32[REFERENCES_WORDS], 1],
    )[0]


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
    for i: uint256 in range(account.position_count, bound=limits.ACCOUNT_POSITIONS_MAX):
        if account.positions[i].market == market:
            return True
    return False


@internal
@pure
def _position(account: Account, market: uint256) -> Position:
    """
    @notice The account's slot in `market`, or the empty one that a new slot begins as.
    """
    for i: uint256 in range(account.position_count, bound=limits.ACCOUNT_POSITIONS_MAX):
        if account.positions[i].market == market:
            return account.positions[i]
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
    count: uint256 = 0
    is_placed: bool = (
        position.lots == 0 and position.bid_lots == 0 and position.ask_lots == 0
    )
    for i: uint256 in range(account.position_count, bound=limits.ACCOUNT_POSITIONS_MAX):
        p: Position = account.positions[i]
        if not is_placed and position.market <= p.market:
            after.positions[count] = position
            count += 1
            is_placed = True
        if p.market != position.market:
            after.positions[count] = p
            count += 1
    if not is_placed:
        after.positions[count] = position
        count += 1
    after.position_count = count
    return after


# --- orders ---


@internal
@pure
def _order_place(orders: Bytes[REFERENCES_BYTES_MAX], epoch: uint256, sequence: uint256) -> uint256:
    """
    @notice The byte at which the first reference begins whose name is not below this one.
    """
    name: uint256 = (epoch << 64) + sequence
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
    references: Bytes[REFERENCES_BYTES_MAX] = self._references(account)
    place: uint256 = self._order_place(references, epoch, sequence)
    if place == len(references):
        return False, empty(OrderReference)
    found: OrderReference = self._reference_at(references, place)
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
    references: Bytes[REFERENCES_BYTES_MAX] = self._references(account)
    place: uint256 = self._order_place(references, reference.epoch, reference.sequence)
    after.order_count += 1
    after.orders = self._words(
        convert(
            concat(
                slice(references, 0, place),
                packing._pack(abi_encode(reference), REFERENCE_LAYOUT),
                slice(references, place, len(references) - place),
            ),
            Bytes[REFERENCES_BYTES_MAX],
        )
    )
    return after


@internal
@pure
def _without_order(account: Account, epoch: uint256, sequence: uint256) -> Account:
    """
    @notice `account` without the resting order (epoch, sequence).
    """
    after: Account = account
    references: Bytes[REFERENCES_BYTES_MAX] = self._references(account)
    place: uint256 = self._order_place(references, epoch, sequence)
    # Those that are not below the name begin here: the first above it, where it is not there.
    rest: uint256 = self._order_place(references, epoch, sequence + 1)
    if rest == place:
        return account
    after.order_count -= 1
    after.orders = self._words(
        convert(
            concat(
                slice(references, 0, place),
                slice(references, rest, len(references) - rest),
            ),
            Bytes[REFERENCES_BYTES_MAX],
        )
    )
    return after


# --- keys and sequence numbers ---


@internal
@pure
def _key(account: Account, epoch: uint256) -> (bool, SessionKey):
    """
    @notice The session key of `epoch`, if it is still there.
    """
    for i: uint256 in range(account.key_count, bound=limits.ACCOUNT_KEYS_MAX):
        if account.keys[i].epoch == epoch:
            return True, account.keys[i]
    return False, empty(SessionKey)


@internal
@pure
def _without_key(account: Account, epoch: uint256) -> Account:
    """
    @notice `account` without the session key of `epoch`; `key_epoch` stays, so none gets it again.
    """
    after: Account = account
    after.key_count = 0
    for i: uint256 in range(account.key_count, bound=limits.ACCOUNT_KEYS_MAX):
        if account.keys[i].epoch != epoch:
            after.keys[after.key_count] = account.keys[i]
            after.key_count += 1
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
        after.key_count = 0
    return after


@internal
@pure
def _last_sequence(account: Account, epoch: uint256) -> uint256:
    """
    @notice The sequence number that the next one of this key must exceed.
    """
    last: uint256 = account.head.owner_sequence
    if epoch != OWNER_KEY:
        for i: uint256 in range(account.key_count, bound=limits.ACCOUNT_KEYS_MAX):
            if account.keys[i].epoch == epoch:
                last = account.keys[i].sequence
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
    for i: uint256 in range(account.key_count, bound=limits.ACCOUNT_KEYS_MAX):
        if account.keys[i].epoch == epoch:
            after.keys[i].sequence = sequence
    return after
