# pragma version 0.4.3
"""
@title Governance: which markets there are, and under which terms
@notice Section 4 of docs/protocol.md. An account's money stands for all of its markets and
        everybody's is in one escrow, so a new market concerns whoever has deposited as much as
        new terms do. Both come only after PARAMETER_DELAY, in which everybody can read what is
        coming and leave.
"""

from . import batches
from . import inbox

uses: inbox


# Seconds that a scheduled change stays applicable: one announced long ago is no news.
PARAMETER_LIFE: constant(uint64) = 30 * 86_400


# @notice The only account that may list markets and schedule changes.
GOVERNOR: public(immutable(address))

# @notice Seconds from scheduling to the earliest application.
PARAMETER_DELAY: public(immutable(uint64))


struct Scheduled:
    change_hash: bytes32  # keccak(u8 kind | market listing); zero where there is nothing
    ready_at: uint64  # seconds


# @notice What is coming for a market, listing or parameters. There is one place for each, so
#         that nobody can apply an older change after a newer one, nor new terms right after
#         the listing.
scheduled_changes: public(HashMap[uint16, Scheduled])


event ChangeScheduled:
    market: indexed(uint16)
    kind: uint8
    ready_at: uint64
    listing: Bytes[inbox.PAYLOAD_BYTES_MAX]


event ChangeCancelled:
    market: indexed(uint16)


@deploy
def __init__(governor: address, parameter_delay: uint64):
    """
    @notice Nobody can be given this role later. The delay is in seconds.
    """
    assert governor != empty(address), "governance: no governor"
    assert parameter_delay > 0, "governance: parameter delay is zero"
    assert parameter_delay <= batches.DURATION_MAX, "governance: parameter delay is too long"
    GOVERNOR = governor
    PARAMETER_DELAY = parameter_delay


@external
def list_market(listing: Bytes[inbox.PAYLOAD_BYTES_MAX]):
    """
    @notice Append a market listing at once, as long as nobody has ever deposited. Its form
            is judged by the rules on L2, where a bad one changes nothing. What was scheduled
            for the market before is void. The governor only.
    """
    assert msg.sender == GOVERNOR, "governance: not the governor"
    deposited: uint128 = inbox._item_before(inbox.inbox_size).deposited
    assert deposited == 0, "governance: somebody has deposited"
    if len(listing) >= 2:
        # Who comes to a new market has the whole delay before its terms change.
        self._take_back(self._market(listing))
    inbox._append(inbox.KIND_LIST_MARKET, 0, listing)


@external
def schedule_listing(listing: Bytes[inbox.PAYLOAD_BYTES_MAX]):
    """
    @notice Announce a new market, in the place of whatever was announced for its number
            before; the delay begins anew. The governor only.
    """
    self._schedule(inbox.KIND_LIST_MARKET, listing)


@external
def schedule_parameters(listing: Bytes[inbox.PAYLOAD_BYTES_MAX]):
    """
    @notice Announce a market's new parameters, in the form of a listing, in the place of
            whatever was announced for it before; the delay begins anew. The governor only.
    """
    self._schedule(inbox.KIND_SET_PARAMETERS, listing)


@external
def cancel_scheduled(market: uint16):
    """
    @notice Take back what was announced for a market. The governor only.
    """
    assert msg.sender == GOVERNOR, "governance: not the governor"
    assert self._take_back(market), "governance: nothing is scheduled"


@external
def apply_scheduled(kind: uint8, listing: Bytes[inbox.PAYLOAD_BYTES_MAX]):
    """
    @notice Append what was announced, once, when its delay is over. Anyone may.
    @param kind The inbox item's: 2 of a listing, 5 of parameters.
    """
    market: uint16 = self._market(listing)
    scheduled: Scheduled = self.scheduled_changes[market]
    change_hash: bytes32 = self._change_hash(kind, listing)
    assert scheduled.change_hash == change_hash, "governance: not what is scheduled"
    now: uint64 = convert(block.timestamp, uint64)
    assert now >= scheduled.ready_at, "governance: parameter delay is not over"
    assert now - scheduled.ready_at <= PARAMETER_LIFE, "governance: scheduled too long ago"
    self.scheduled_changes[market] = empty(Scheduled)
    inbox._append(kind, 0, listing)


@internal
def _schedule(kind: uint8, listing: Bytes[inbox.PAYLOAD_BYTES_MAX]):
    """
    @notice Keep and tell what is coming for the market that a listing names.
    """
    assert msg.sender == GOVERNOR, "governance: not the governor"
    market: uint16 = self._market(listing)
    ready_at: uint64 = convert(block.timestamp, uint64) + PARAMETER_DELAY
    self.scheduled_changes[market] = Scheduled(
        change_hash=self._change_hash(kind, listing), ready_at=ready_at
    )
    log ChangeScheduled(market=market, kind=kind, ready_at=ready_at, listing=listing)


@internal
def _take_back(market: uint16) -> bool:
    """
    @notice Forget what was announced for a market; false where nothing was.
    """
    if self.scheduled_changes[market].change_hash == empty(bytes32):
        return False
    self.scheduled_changes[market] = empty(Scheduled)
    log ChangeCancelled(market=market)
    return True


@internal
@pure
def _change_hash(kind: uint8, listing: Bytes[inbox.PAYLOAD_BYTES_MAX]) -> bytes32:
    """
    @notice keccak(u8 kind | listing): what was announced as one kind is not applied as another.
    """
    return keccak256(concat(convert(kind, bytes1), listing))


@internal
@pure
def _market(listing: Bytes[inbox.PAYLOAD_BYTES_MAX]) -> uint16:
    """
    @notice The market that a listing names in its first two bytes.
    """
    assert len(listing) >= 2, "governance: listing names no market"
    return convert(slice(listing, 0, 2), uint16)
