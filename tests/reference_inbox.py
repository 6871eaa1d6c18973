"""What L1 says: deposits, listings, forced changes of keys, and parameters.

docs/protocol.md, sections 4 and 5.1.
"""

from dataclasses import replace

from reference_keys import revoke_key
from reference_ledger import ZERO, Holder, Key, Ledger, Market, Markets
from reference_listing import FIXED, Terms, decode, is_sound

from state.status import Status

MICRO = 1_000
"""Nano-USD in a micro-USDC."""

BOARD = 64


def deposit(ledger: Ledger, payload: bytes) -> int | None:
    """Nano-USD that came in, for whom L1 names: they have the account now. None for nobody."""
    account, owner, micro = _number(payload[:4]), payload[4:24], _number(payload[24:])
    if owner == ZERO:
        return None
    holder = ledger.holders.setdefault(account, Holder({0: Key(owner)}))
    _hand_over(holder, owner)
    holder.cash += micro * MICRO
    return micro * MICRO


def list_market(markets: Markets, payload: bytes) -> Status:
    terms = decode(payload)
    if terms is None or not is_sound(terms):
        return Status.BAD_LISTING
    if terms.market % BOARD in {market % BOARD for market in markets}:
        return Status.MARKET_EXISTS
    markets[terms.market] = Market(terms)
    return Status.OK


def set_parameters(markets: Markets, payload: bytes) -> Status:
    terms = decode(payload)
    if terms is None:
        return Status.BAD_LISTING
    market = markets.get(terms.market)
    if market is None:
        return Status.UNKNOWN_MARKET
    if not is_sound(terms):
        return Status.BAD_LISTING
    if _fixed(terms) != _fixed(market.terms):
        return Status.FIXED_PARAMETER
    stays = terms.publisher == market.terms.publisher
    markets[terms.market] = replace(
        market,
        terms=terms,
        signed_price=market.signed_price if stays else 0,
        signed_time=market.signed_time if stays else market.time,
    )
    return Status.OK


def end_key(ledger: Ledger, sender: bytes, payload: bytes) -> Status:
    if len(payload) != 4 + 4:
        return Status.BAD_ITEM
    holder, epoch = ledger.holders.get(_number(payload[:4])), _number(payload[4:])
    if holder is None:
        return Status.UNKNOWN_ACCOUNT
    if epoch == 0 or epoch not in holder.keys:
        return Status.NO_SUCH_KEY
    if sender != holder.owner:
        return Status.NOT_OWNER
    return revoke_key(holder, epoch)


def rotate_owner(ledger: Ledger, payload: bytes) -> Status:
    if len(payload) != 4 + 20:
        return Status.BAD_ITEM
    holder, new = ledger.holders.get(_number(payload[:4])), payload[4:]
    if holder is None:
        return Status.UNKNOWN_ACCOUNT
    if new == ZERO:
        return Status.BAD_ITEM
    _hand_over(holder, new)
    return Status.OK


def _hand_over(holder: Holder, new: bytes) -> None:
    """Only a change of hands ends session keys."""
    if holder.owner != new:
        holder.keys = {0: replace(holder.keys[0], address=new)}


def _number(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _fixed(terms: Terms) -> tuple[object, ...]:
    return tuple(getattr(terms, name) for name in FIXED)
