# pragma version 0.4.3
"""
@title Inbox: what L1 hands to the venue, in order
@notice Section 4 of docs/protocol.md. An item, once appended, can be neither
        skipped nor reordered: batches.vy takes items as a prefix only.
        item_hash = keccak(u8 kind | u64 index | u64 L1 time | address sender | payload)
        accumulator[0] = 0; accumulator[i + 1] = keccak(accumulator[i] | item_hash[i])
"""


PAYLOAD_BYTES_MAX: constant(uint256) = 1_024

KIND_DEPOSIT: constant(uint8) = 1
KIND_LIST_MARKET: constant(uint8) = 2
KIND_REVOKE_KEY: constant(uint8) = 3
KIND_ROTATE_OWNER: constant(uint8) = 4
KIND_SET_PARAMETERS: constant(uint8) = 5

# The most steps an item of each kind can take; kind 0 does not exist.
WEIGHTS: constant(uint64[6]) = [0, 1, 1, 1, 1, 1]

U64: constant(uint256) = 2**64 - 1


struct Item:
    time: uint64  # seconds, of the L1 block that appended it
    weight: uint64  # steps, of all items up to and with this one
    deposited: uint128  # micro-USDC, likewise


# @notice Items appended so far; also the index of the next one.
inbox_size: public(uint64)

# @notice Commitment to the first `count` items.
accumulator: public(HashMap[uint64, bytes32])

# The item before each count: u128 deposited | u64 weight | u64 time, so that the
# sums of an empty inbox are found at zero like any others.
_packed_items: HashMap[uint64, uint256]


event InboxItem:
    index: indexed(uint64)
    kind: uint8
    time: uint64
    sender: address
    payload: Bytes[PAYLOAD_BYTES_MAX]


@external
@view
def inbox_item(index: uint64) -> Item:
    """
    @notice Time of an item, and the sums of everything up to and with it.
    """
    assert index < self.inbox_size, "inbox: no such item"
    return self._item_before(index + 1)


@internal
def _append(kind: uint8, micro: uint64, payload: Bytes[PAYLOAD_BYTES_MAX]) -> uint64:
    """
    @notice Append an item sent by `msg.sender` that brings `micro` micro-USDC.
    @return Its index.
    """
    index: uint64 = self.inbox_size
    time: uint64 = convert(block.timestamp, uint64)
    item_hash: bytes32 = keccak256(
        concat(
            convert(kind, bytes1),
            convert(index, bytes8),
            convert(time, bytes8),
            convert(msg.sender, bytes20),
            payload,
        )
    )
    before: Item = self._item_before(index)
    weight: uint256 = convert(before.weight + WEIGHTS[kind], uint256)
    deposited: uint256 = convert(before.deposited, uint256) + convert(micro, uint256)

    self.inbox_size = index + 1
    self.accumulator[index + 1] = keccak256(concat(self.accumulator[index], item_hash))
    self._packed_items[index + 1] = (deposited << 128) | (weight << 64) | block.timestamp
    log InboxItem(index=index, kind=kind, time=time, sender=msg.sender, payload=payload)
    return index


@internal
@view
def _item_before(count: uint64) -> Item:
    """
    @notice The last of the first `count` items; all zero where there is none.
    """
    packed: uint256 = self._packed_items[count]
    return Item(
        time=convert(packed & U64, uint64),
        weight=convert((packed >> 64) & U64, uint64),
        deposited=convert(packed >> 128, uint128),
    )
