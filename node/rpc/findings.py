"""What a refused transaction should have been and what it was, status by status."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from node.rpc import order_findings as orders
from node.rpc.amounts import usd, usdc
from node.rpc.case import Case, MovedOn
from node.rpc.messages import digest_of, flags_of
from node.rpc.order_findings import Finding
from node.rpc.views.margin import margin_terms, withdrawable_micro
from state.accounts import (
    OWNER_KEY,
    PERMIT_BLOCK,
    PERMIT_CANCEL,
    PERMIT_TRADE,
    last_sequence,
)
from state.authentication import key_address
from state.crypto import ZERO_ADDRESS
from state.eip712 import LIVES, ORDER_TYPES
from state.limits import (
    ACCOUNT_KEYS_MAX,
    KEY_EPOCH_MAX,
    PRICE_MAX,
    WITHDRAWALS_MAX,
)
from state.status import Status
from state.transactions import (
    AddKey,
    Amend,
    BlockTrade,
    Cancel,
    CancelAll,
    NewOrder,
    RevokeKey,
    SignedPrice,
    Transfer,
    Withdraw,
)
from state.units import nano

# --- who signed ---


def _malformed(case: Case) -> Finding:
    tx = case.tx
    if isinstance(tx, BlockTrade):
        markets = [leg.market for leg in tx.legs[: tx.count]]
        return "legs by ascending market, each market once", {"markets": markets}
    if isinstance(tx, Amend):
        return "at least one tick: what rests has a price", {"ticks": tx.ticks}
    expected = "a limit order has at least one tick; a market order has none and is IOC or FOK"
    if not isinstance(tx, NewOrder):
        return expected, None
    flags = flags_of(tx)
    kind = ORDER_TYPES[flags.is_market]
    return expected, {"orderType": kind, "ticks": tx.ticks, "life": LIVES[flags.life]}


def _unknown_account(case: Case) -> Finding:
    return "the number of an account that has had a deposit or a transfer", case.number


def _unknown_key(case: Case) -> Finding:
    return [OWNER_KEY, *(key.epoch for key in case.account.keys)], case.signer.epoch


def _bad_signature(case: Case) -> Finding:
    signer = key_address(case.account, case.signer.epoch)
    expected = {
        "signer": "0x" + (signer or ZERO_ADDRESS).hex(),
        "owner": "0x" + case.account.owner.hex(),
    }
    return expected, _recovered(case)


def _unknown_publisher(case: Case) -> Finding:
    expected = {"publishers": ["0x" + p.address.hex() for p in case.market.publishers]}
    return expected, _recovered(case)


def _recovered(case: Case) -> dict[str, Any]:
    """Who the signature is of, and over what: a wrong domain shows in the digest."""
    signer = case.recovered
    domain = case.view.domain
    return {
        "recovered": None if signer == ZERO_ADDRESS else "0x" + signer.hex(),
        "digest": "0x" + digest_of(domain, case.tx).hex(),
        "chainId": domain.chain_id,
        "verifyingContract": "0x" + domain.rollup.hex(),
    }


def _sequence_used(case: Case) -> Finding:
    last = last_sequence(case.account, case.signer.epoch)
    return {"lastSequence": str(last)}, str(case.signer.sequence)


def _not_permitted(case: Case) -> Finding:
    key = case.account.key(case.signer.epoch)
    if key is None:
        raise MovedOn
    match case.tx:
        case Cancel() | CancelAll():
            permissions = "bit 0 or 1 set"
        case BlockTrade():
            permissions = "bit 2 set"
        case _:
            permissions = "bit 0 set"
    got = {"expiry": key.expiry, "permissions": key.permissions, "now": case.now}
    return {"expiry": f"at least {case.now}", "permissions": permissions}, got


# --- time ---


def _expired(case: Case) -> Finding:
    assert not isinstance(case.tx, SignedPrice)
    return f"an expiry of at least {case.now}, the venue's time", case.tx.expiry


# --- margin ---


def _margin_too_low(case: Case) -> Finding:
    if isinstance(case.tx, NewOrder | Amend):
        return orders.order_margin(case, case.order)
    assert isinstance(case.tx, Withdraw | Transfer)
    amount = nano(case.tx.amount) if isinstance(case.tx, Withdraw) else case.tx.amount
    account = case.account
    after = replace(account, cash=account.cash - amount)
    expected = {
        "rule": "equity without the amount is at least the initial margin, both at the worse of "
        "mark and slow mark, and every mark is fresh",
        "withdrawable": usdc(withdrawable_micro(case.view, account)),
    }
    terms = margin_terms(case.view, after, cautious=True)
    return expected, {"amount": usd(amount), "without": terms}


# --- cancels, transfers ---


def _unknown_order(case: Case) -> Finding:
    assert isinstance(case.tx, Cancel | Amend)
    open_orders = [{"epoch": o.epoch, "sequence": str(o.sequence)} for o in case.account.orders]
    got = {"epoch": case.tx.order_epoch, "sequence": str(case.tx.order_sequence)}
    return open_orders, got


def _other_account(case: Case) -> Finding:
    if isinstance(case.tx, BlockTrade):
        return "two accounts", {"maker": case.tx.maker, "taker": case.tx.taker}
    assert isinstance(case.tx, Transfer)
    first = case.tx.account >> 8 << 8
    expected = (
        f"an account from {first} to {first + 255} of the same owner, but not {case.tx.account}"
    )
    return expected, case.tx.to_account


def _amount_out_of_range(case: Case) -> Finding:
    assert isinstance(case.tx, Withdraw | Transfer)
    return "an amount above zero", str(case.tx.amount)


def _no_recipient(case: Case) -> Finding:
    assert isinstance(case.tx, Withdraw)
    return "an address that can be paid", "0x" + case.tx.recipient.hex()


def _withdrawals_full(case: Case) -> Finding:
    return f"fewer than {WITHDRAWALS_MAX} withdrawals", case.view.state.machine.withdrawals


# --- session keys ---


def _too_many_keys(case: Case) -> Finding:
    account = case.account
    expected = {"keys": f"fewer than {ACCOUNT_KEYS_MAX}", "keyEpoch": f"below {KEY_EPOCH_MAX}"}
    return expected, {"keys": [key.epoch for key in account.keys], "keyEpoch": account.key_epoch}


def _bad_key(case: Case) -> Finding:
    assert isinstance(case.tx, AddKey)
    tx, may = case.tx, case.tx.permissions
    expected = {
        "key": "an address",
        "keyExpiry": f"at least {case.now}",
        "permissions": "mayTrade, mayCancel or mayBlockTrade",
    }
    got = {
        "key": "0x" + tx.key.hex(),
        "keyExpiry": tx.key_expiry,
        "mayTrade": bool(may & PERMIT_TRADE),
        "mayCancel": bool(may & PERMIT_CANCEL),
        "mayBlockTrade": bool(may & PERMIT_BLOCK),
    }
    return expected, got


def _no_such_key(case: Case) -> Finding:
    assert isinstance(case.tx, RevokeKey)
    return [key.epoch for key in case.account.keys], case.tx.key_epoch


# --- prices ---


def _publisher_time(case: Case) -> int:
    signer = case.recovered
    for publisher in case.market.publishers:
        if publisher.address == signer:
            return publisher.time
    raise MovedOn


def _price_not_newer(case: Case) -> Finding:
    return f"a time after {_publisher_time(case)}", case.price.time


def _price_from_future(case: Case) -> Finding:
    return f"a time of at most {case.now}, the venue's", case.price.time


def _price_stale(case: Case) -> Finding:
    return f"a time of at least {case.now - case.row.price_age_max}", case.price.time


def _price_out_of_range(case: Case) -> Finding:
    return f"1 to {PRICE_MAX} nano-USD per lot", str(case.price.price)


FINDINGS: dict[Status, Callable[[Case], Finding]] = {
    Status.MALFORMED: _malformed,
    Status.UNKNOWN_ACCOUNT: _unknown_account,
    Status.UNKNOWN_KEY: _unknown_key,
    Status.BAD_SIGNATURE: _bad_signature,
    Status.SEQUENCE_USED: _sequence_used,
    Status.NOT_PERMITTED: _not_permitted,
    Status.EXPIRED: _expired,
    Status.EXPIRY_TOO_FAR: orders.expiry_too_far,
    Status.UNKNOWN_MARKET: orders.unknown_market,
    Status.MARKET_CLOSED: orders.market_closed,
    Status.PRICE_OUT_OF_BAND: orders.price_out_of_band,
    Status.LOTS_OUT_OF_RANGE: orders.lots_out_of_range,
    Status.NOTIONAL_TOO_SMALL: orders.notional_too_small,
    Status.TOO_MANY_ORDERS: orders.too_many_orders,
    Status.TOO_MANY_POSITIONS: orders.too_many_positions,
    Status.NOTHING_TO_REDUCE: orders.nothing_to_reduce,
    Status.MARGIN_TOO_LOW: _margin_too_low,
    Status.UNKNOWN_ORDER: _unknown_order,
    Status.SAME_ACCOUNT: _other_account,
    Status.NOT_OWN_ACCOUNT: _other_account,
    Status.AMOUNT_OUT_OF_RANGE: _amount_out_of_range,
    Status.WITHDRAWALS_FULL: _withdrawals_full,
    Status.POSITION_LIMIT: orders.position_limit,
    Status.NO_RECIPIENT: _no_recipient,
    Status.TOO_MANY_KEYS: _too_many_keys,
    Status.BAD_KEY: _bad_key,
    Status.NO_SUCH_KEY: _no_such_key,
    Status.UNKNOWN_PUBLISHER: _unknown_publisher,
    Status.PRICE_NOT_NEWER: _price_not_newer,
    Status.PRICE_FROM_FUTURE: _price_from_future,
    Status.PRICE_STALE: _price_stale,
    Status.PRICE_OUT_OF_RANGE: _price_out_of_range,
}
