# pragma version 0.4.3
"""
@title Governance: which markets there are, and under which terms
@notice Section 4 of docs/protocol.md. A market is listed at once, since nobody stands in it.
        The terms of one that people stand in change only after PARAMETER_DELAY, in which
        everybody can read what is coming and leave.
"""

from . import batches
from . import inbox

uses: inbox


# Seconds that scheduled parameters stay applicable: a change announced long ago is no news.
PARAMETER_LIFE: constant(uint64) = 30 * 86_400


# @notice The only account that may list markets and schedule parameters.
GOVERNOR: public(immutable(address))

# @notice Seconds from scheduling to the earliest application.
PARAMETER_DELAY: public(immutable(uint64))


struct Scheduled:
    listing_hash: bytes32  # keccak of the market listing; zero where there is nothing
    ready_at: uint64  # seconds


# @notice What is coming for a market. There is one place for each, so that nobody can apply
#         an older change after a newer one.
scheduled_parameters: public(HashMap[uint16, Scheduled])


event ParametersScheduled:
    market: indexed(uint16)
    ready_at: uint64
    listing: Bytes[inbox.PAYLOAD_BYTES_MAX]


event ParametersCancelled:
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
    @notice Append a market listing. Its form is judged by the rules on L2, where a
            bad one changes nothing. What was announced for the market before is void.
            The governor only.
    """
    assert msg.sender == GOVERNOR, "governance: not the governor"
    if len(listing) >= 2:
        # Who comes to a new market has the whole delay before its terms change.
        self._take_back(self._market(listing))
    inbox._append(inbox.KIND_LIST_MARKET, 0, listing)


@external
def schedule_parameters(listing: Bytes[inbox.PAYLOAD_BYTES_MAX]):
    """
    @notice Announce a market's new parameters, in the form of a listing, in the place of any
            announced before; the delay begins anew. The governor only.
    """
    assert msg.sender == GOVERNOR, "governance: not the governor"
    market: uint16 = self._market(listing)
    ready_at: uint64 = convert(block.timestamp, uint64) + PARAMETER_DELAY
    self.scheduled_parameters[market] = Scheduled(
        listing_hash=keccak256(listing), ready_at=ready_at
    )
    log ParametersScheduled(market=market, ready_at=ready_at, listing=listing)


@external
def cancel_parameters(market: uint16):
    """
    @notice Take back what was announced for a market. The governor only.
    """
    assert msg.sender == GOVERNOR, "governance: not the governor"
    assert self._take_back(market), "governance: nothing is scheduled"


@external
def apply_parameters(listing: Bytes[inbox.PAYLOAD_BYTES_MAX]):
    """
    @notice Append what was announced, once, when its delay is over. Anyone may.
    """
    market: uint16 = self._market(listing)
    scheduled: Scheduled = self.scheduled_parameters[market]
    assert scheduled.listing_hash == keccak256(listing), "governance: not what is scheduled"
    now: uint64 = convert(block.timestamp, uint64)
    assert now >= scheduled.ready_at, "governance: parameter delay is not over"
    assert now - scheduled.ready_at <= PARAMETER_LIFE, "governance: scheduled too long ago"
    self.scheduled_parameters[market] = empty(Scheduled)
    inbox._append(inbox.KIND_SET_PARAMETERS, 0, listing)


@internal
def _take_back(market: uint16) -> bool:
    """
    @notice Forget what was announced for a market; false where nothing was.
    """
    if self.scheduled_parameters[market].listing_hash == empty(bytes32):
        return False
    self.scheduled_parameters[market] = empty(Scheduled)
    log ParametersCancelled(market=market)
    return True


@internal
@pure
def _market(listing: Bytes[inbox.PAYLOAD_BYTES_MAX]) -> uint16:
    """
    @notice The market that a listing names in its first two bytes.
    """
    assert len(listing) >= 2, "governance: listing names no market"
    return convert(slice(listing, 0, 2), uint16)
