"""`venue_typedData`: what a wallet shows and signs, from what a trader means."""

from typing import Any

from node.rpc import drafting, wire
from node.rpc.context import Context
from node.rpc.dispatch import checked
from node.rpc.drafting import Standing
from node.rpc.errors import InvalidParams, NotFound
from node.rpc.message_types import TYPES, AnyMessage, Kind, structs_of, type_name
from node.rpc.params import (
    AddKeyFields,
    AmendFields,
    BlockTradeFields,
    CancelAllFields,
    CancelFields,
    OrderFields,
    Params,
    PriceFields,
    RevokeKeyFields,
    TransferFields,
    TypedDataParams,
    WithdrawFields,
)
from node.rpc.results import TypedData, TypeField
from node.rpc.views.accounts import next_sequence
from node.rpc.views.lookup import find_account, find_market, grid_of
from node.rpc.wire import U64
from state import eip712
from state.accounts import OWNER_KEY
from state.eip712 import Domain
from state.orders import key_ticks

FIELDS: dict[Kind, type[Params]] = {
    "order": OrderFields,
    "cancel": CancelFields,
    "withdraw": WithdrawFields,
    "transfer": TransferFields,
    "price": PriceFields,
    "cancelAll": CancelAllFields,
    "amend": AmendFields,
    "addKey": AddKeyFields,
    "revokeKey": RevokeKeyFields,
    "blockTrade": BlockTradeFields,
}


def typed_data(context: Context, params: TypedDataParams) -> TypedData:
    """The next sequence number and a short life, unless the fields say otherwise."""
    message = drafted(context, params.kind, params.fields)
    return typed_data_of(context.view.domain, params.kind, message)


def drafted(context: Context, kind: Kind, fields: dict[str, Any]) -> AnyMessage:
    """The message of what a trader means. InvalidParams or NotFound where it means nothing."""
    mend = f"rpc.discover lists the fields of a {kind}"
    return _draft(context, checked(fields, FIELDS[kind], mend, root="$.fields"))


def typed_data_of(domain: Domain, kind: Kind, message: AnyMessage) -> TypedData:
    """The JSON of eth_signTypedData_v4 for a message."""
    structs = structs_of(eip712.DOMAIN_TYPE) | structs_of(TYPES[kind])
    return TypedData(
        types={name: [TypeField(**field) for field in fields] for name, fields in structs.items()},
        primary_type=type_name(kind),
        domain={
            "name": eip712.NAME,
            "version": eip712.VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": "0x" + domain.rollup.hex(),
        },
        message=wire.plain(message),
    )


def _draft(context: Context, fields: Params) -> AnyMessage:
    match fields:
        case OrderFields():
            return _draft_order(context, fields)
        case AmendFields():
            return _draft_amend(context, fields)
        case BlockTradeFields():
            return _draft_block_trade(context, fields)
        case PriceFields():
            market, _ = find_market(context.view, fields.market)
            return drafting.price_message(grid_of(market), market.market, fields)
    assert isinstance(
        fields,
        CancelFields
        | CancelAllFields
        | WithdrawFields
        | TransferFields
        | AddKeyFields
        | RevokeKeyFields,
    )
    return _draft_action(context, fields)


def _draft_action(
    context: Context,
    fields: CancelFields
    | CancelAllFields
    | WithdrawFields
    | TransferFields
    | AddKeyFields
    | RevokeKeyFields,
) -> AnyMessage:
    """What is neither an order nor priced; a session key signs cancels only."""
    expiry = _given(fields.expiry, drafting.action_expiry(context.now))
    epoch = fields.key_epoch if isinstance(fields, CancelFields | CancelAllFields) else None
    sequence = _sequence(context, fields.account, epoch, fields.sequence)
    match fields:
        case CancelFields():
            return drafting.cancel_message(fields, sequence=sequence, expiry=expiry)
        case CancelAllFields():
            number = None
            if fields.market is not None:
                number = find_market(context.view, fields.market)[0].market
            return drafting.cancel_all_message(fields, number, sequence=sequence, expiry=expiry)
        case AddKeyFields():
            now = context.now
            return drafting.add_key_message(fields, now=now, sequence=sequence, expiry=expiry)
        case RevokeKeyFields():
            return drafting.revoke_key_message(fields, sequence=sequence, expiry=expiry)
        case WithdrawFields():
            owner = find_account(context.view, fields.account).owner
            return drafting.withdraw_message(fields, owner, sequence=sequence, expiry=expiry)
    return drafting.transfer_message(fields, sequence=sequence, expiry=expiry)


def _draft_order(context: Context, fields: OrderFields) -> AnyMessage:
    market, _ = find_market(context.view, fields.market)
    expiry = drafting.order_expiry(context.now, drafting.order_life(fields), market.order_life_max)
    return drafting.order_message(
        grid_of(market),
        market.market,
        fields,
        sequence=_sequence(context, fields.account, fields.key_epoch, fields.sequence),
        expiry=_given(fields.expiry, expiry),
    )


def _draft_amend(context: Context, fields: AmendFields) -> AnyMessage:
    view, account = context.view, find_account(context.view, fields.account)
    place = account.order(fields.order.epoch, fields.order.sequence)
    resting = None if place is None else view.state.order(place.market, place.side, place.key)
    if place is None or resting is None:
        raise NotFound(
            "unknown_order",
            f"account {fields.account} has no open order "
            f"{fields.order.epoch}:{fields.order.sequence}",
            "venue_account lists the open orders; venue_order tells what became of one",
            expected=[{"epoch": o.epoch, "sequence": str(o.sequence)} for o in account.orders],
        )
    market, _ = find_market(view, place.market)
    ticks = key_ticks(place.side, place.key)
    return drafting.amend_message(
        fields,
        Standing(grid_of(market), ticks, resting.lots, resting.expiry),
        sequence=_sequence(context, fields.account, fields.key_epoch, fields.sequence),
    )


def _draft_block_trade(context: Context, fields: BlockTradeFields) -> AnyMessage:
    legs = []
    for leg in fields.legs:
        market, _ = find_market(context.view, leg.market)
        legs.append(drafting.leg_message(grid_of(market), market.market, leg))
    maker, taker = (fields.maker, fields.maker_key_epoch), (fields.taker, fields.taker_key_epoch)
    return drafting.block_trade_message(
        fields,
        legs,
        maker_sequence=_sequence(context, *maker, fields.maker_sequence),
        taker_sequence=_sequence(context, *taker, fields.taker_sequence),
        expiry=_given(fields.expiry, drafting.action_expiry(context.now)),
    )


def _sequence(context: Context, number: int, epoch: int | None, given: U64 | None) -> int:
    account = find_account(context.view, number)
    following = next_sequence(account, OWNER_KEY if epoch is None else epoch)
    if given is None and following.bit_length() > U64.bits:
        raise InvalidParams(
            *("integer_out_of_range", "this key has used the last sequence number that there is"),
            "sign with another key of the account: venue_account lists them",
            path="$.sequence",
            expected=f"0 to 2^{U64.bits} - 1",
            got=str(following),
        )
    return _given(given, following)


def _given(value: int | None, default: int) -> int:
    return default if value is None else value
