"""EIP-712: our digests are those of a library that wallets use."""

from typing import Any

import pytest
from builders import DOMAIN
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from state import eip712
from state.legs import Leg, legs_of
from state.orders import decode_flags
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
    decode_transaction,
)
from state.transactions.add_key import add_key_digest
from state.transactions.amend import amend_digest
from state.transactions.block_trade import block_trade_digest
from state.transactions.cancel import cancel_digest
from state.transactions.cancel_all import cancel_all_digest
from state.transactions.kinds import ROW_WIDTHS, Kind
from state.transactions.order import order_digest
from state.transactions.price import price_digest
from state.transactions.revoke_key import revoke_key_digest
from state.transactions.transfer import transfer_digest
from state.transactions.withdraw import withdraw_digest


def fields_of(type_text: str) -> tuple[str, list[dict[str, str]]]:
    """The primary type and its fields, read off the text that is hashed."""
    name, rest = type_text.rstrip(")").split("(")
    pairs = [field.split(" ") for field in rest.split(",")]
    return name, [{"type": kind, "name": field} for kind, field in pairs]


def types_of(type_text: str) -> tuple[str, dict[str, list[dict[str, str]]]]:
    """The primary type, and the fields of every type in a text that lists it first."""
    types = dict(fields_of(text + ")") for text in type_text.split(")") if text)
    return next(iter(types)), types


def library_digest(type_text: str, message: dict[str, Any]) -> bytes:
    name, types = types_of(type_text)
    typed = {
        "types": {"EIP712Domain": fields_of(eip712.DOMAIN_TYPE)[1], **types},
        "primaryType": name,
        "domain": {
            "name": eip712.NAME,
            "version": eip712.VERSION,
            "chainId": DOMAIN.chain_id,
            "verifyingContract": "0x" + DOMAIN.rollup.hex(),
        },
        "message": message,
    }
    return bytes(_hash_eip191_message(encode_typed_data(full_message=typed)))


def leg_message(leg: Leg) -> dict[str, Any]:
    side = "sell" if leg.taker_side else "buy"
    return {"market": leg.market, "takerSide": side, "ticks": leg.ticks, "lots": leg.lots}


def ours_and_theirs(tx: Any) -> tuple[bytes, bytes] | None:
    message: dict[str, Any]
    match tx:
        case NewOrder():
            flags = decode_flags(tx.flags)
            if flags is None:
                return None
            message = {
                "account": tx.account,
                "keyEpoch": tx.epoch,
                "sequence": tx.sequence,
                "market": tx.market,
                "side": ("buy", "sell")[flags.side],
                "orderType": "market" if flags.is_market else "limit",
                "life": ("GTC", "IOC", "FOK", "post-only")[flags.life],
                "reduceOnly": flags.reduce_only,
                "selfTrade": ("cancel-resting", "cancel-taking", "cancel-both")[flags.self_trade],
                "ticks": tx.ticks,
                "lots": tx.lots,
                "expiry": tx.expiry,
            }
            ours = order_digest(DOMAIN, tx, flags)
            return ours, library_digest(eip712.ORDER_TYPE, message)
        case Cancel():
            message = {
                "account": tx.account,
                "keyEpoch": tx.epoch,
                "sequence": tx.sequence,
                "orderKeyEpoch": tx.order_epoch,
                "orderSequence": tx.order_sequence,
                "expiry": tx.expiry,
            }
            return cancel_digest(DOMAIN, tx), library_digest(eip712.CANCEL_TYPE, message)
        case Withdraw():
            message = {
                "account": tx.account,
                "sequence": tx.sequence,
                "recipient": "0x" + tx.recipient.hex(),
                "amount": tx.amount,
                "expiry": tx.expiry,
            }
            return withdraw_digest(DOMAIN, tx), library_digest(eip712.WITHDRAW_TYPE, message)
        case Transfer():
            message = {
                "account": tx.account,
                "sequence": tx.sequence,
                "toAccount": tx.to_account,
                "amount": tx.amount,
                "expiry": tx.expiry,
            }
            return transfer_digest(DOMAIN, tx), library_digest(eip712.TRANSFER_TYPE, message)
        case CancelAll():
            message = {
                "account": tx.account,
                "keyEpoch": tx.epoch,
                "sequence": tx.sequence,
                "everyMarket": tx.every_market == 1,
                "market": tx.market,
                "expiry": tx.expiry,
            }
            if tx.every_market > 1:
                return None
            return cancel_all_digest(DOMAIN, tx), library_digest(eip712.CANCEL_ALL_TYPE, message)
        case Amend():
            message = {
                "account": tx.account,
                "keyEpoch": tx.epoch,
                "sequence": tx.sequence,
                "orderKeyEpoch": tx.order_epoch,
                "orderSequence": tx.order_sequence,
                "ticks": tx.ticks,
                "lots": tx.lots,
                "expiry": tx.expiry,
            }
            return amend_digest(DOMAIN, tx), library_digest(eip712.AMEND_TYPE, message)
        case AddKey():
            message = {
                "account": tx.account,
                "sequence": tx.sequence,
                "key": "0x" + tx.key.hex(),
                "keyExpiry": tx.key_expiry,
                "mayTrade": bool(tx.permissions & 1),
                "mayCancel": bool(tx.permissions & 2),
                "mayBlockTrade": bool(tx.permissions & 4),
                "expiry": tx.expiry,
            }
            return add_key_digest(DOMAIN, tx), library_digest(eip712.ADD_KEY_TYPE, message)
        case RevokeKey():
            message = {
                "account": tx.account,
                "sequence": tx.sequence,
                "keyEpoch": tx.key_epoch,
                "expiry": tx.expiry,
            }
            return revoke_key_digest(DOMAIN, tx), library_digest(eip712.REVOKE_KEY_TYPE, message)
        case BlockTrade():
            message = {
                "maker": tx.maker,
                "makerKeyEpoch": tx.maker_epoch,
                "makerSequence": tx.maker_sequence,
                "taker": tx.taker,
                "takerKeyEpoch": tx.taker_epoch,
                "takerSequence": tx.taker_sequence,
                "legs": [leg_message(leg) for leg in tx.legs[: tx.count]],
                "expiry": tx.expiry,
            }
            return block_trade_digest(DOMAIN, tx), library_digest(eip712.BLOCK_TRADE_TYPE, message)
        case SignedPrice():
            message = {"market": tx.market, "price": tx.price, "time": tx.time}
            return price_digest(DOMAIN, tx), library_digest(eip712.PRICE_TYPE, message)
    raise AssertionError(tx)


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.HEADER}), ids=lambda k: k.name.lower())
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_our_digest_is_the_librarys(kind: Kind, data: st.DataObject) -> None:
    row = data.draw(st.binary(min_size=ROW_WIDTHS[kind], max_size=ROW_WIDTHS[kind]))
    pair = ours_and_theirs(decode_transaction(kind, row))
    assert pair is None or pair[0] == pair[1]


@pytest.mark.parametrize("byte", [b for b in range(256) if decode_flags(b)])
def test_every_flag_byte_has_the_words_a_wallet_shows(byte: int) -> None:
    pair = ours_and_theirs(NewOrder(1, 0, 1, 0, byte, 5, 5, 5))
    assert pair is not None and pair[0] == pair[1]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_the_legs_that_count_are_what_both_parties_sign(count: int, data: st.DataObject) -> None:
    numbers = st.tuples(*(st.integers(0, 2**bits - 1) for bits in (16, 1, 24, 48)))
    some = data.draw(st.lists(numbers, min_size=count, max_size=count))
    tx = BlockTrade(1, 2, 3, 4, 5, 6, 7, count, legs_of(*(Leg(*leg) for leg in some)))
    pair = ours_and_theirs(tx)
    assert pair is not None and pair[0] == pair[1]


def test_there_are_as_many_flag_bytes_as_sensible_orders() -> None:
    # Two sides, reduce-only or not, three ways of self-trade; four lives for a limit order, two
    # for a market order.
    assert sum(decode_flags(b) is not None for b in range(256)) == 2 * 2 * 3 * (4 + 2)
