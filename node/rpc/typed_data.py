"""`venue_typedData`: what a wallet shows and signs, from what a trader means."""

from node.rpc import drafting, wire
from node.rpc.context import Context
from node.rpc.dispatch import checked
from node.rpc.messages import (
    TYPES,
    AnyMessage,
    Kind,
    fields_of,
    type_fields,
    type_name,
)
from node.rpc.params import (
    CancelFields,
    OrderFields,
    Params,
    PriceFields,
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

FIELDS: dict[Kind, type[Params]] = {
    "order": OrderFields,
    "cancel": CancelFields,
    "withdraw": WithdrawFields,
    "transfer": TransferFields,
    "price": PriceFields,
}


def typed_data(context: Context, params: TypedDataParams) -> TypedData:
    """The next sequence number and a short life, unless the fields say otherwise."""
    fields = checked(
        params.fields,
        FIELDS[params.kind],
        f"rpc.discover lists the fields of a {params.kind}",
        root="$.fields",
    )
    return typed_data_of(context.view.domain, params.kind, _draft(context, fields))


def typed_data_of(domain: Domain, kind: Kind, message: AnyMessage) -> TypedData:
    """The JSON of eth_signTypedData_v4 for a message."""
    name = type_name(TYPES[kind])
    types = {"EIP712Domain": type_fields(eip712.DOMAIN_TYPE), name: fields_of(kind)}
    return TypedData(
        types={name: [TypeField(**field) for field in fields] for name, fields in types.items()},
        primary_type=name,
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
        case PriceFields():
            market, _ = find_market(context.view, fields.market)
            return drafting.price_message(grid_of(market), market.market, fields)
    expiry = drafting.action_expiry(context.now)
    match fields:
        case CancelFields():
            sequence = _sequence(context, fields.account, fields.key_epoch, fields.sequence)
            return drafting.cancel_message(
                fields, sequence=sequence, expiry=_given(fields.expiry, expiry)
            )
        case WithdrawFields():
            return drafting.withdraw_message(
                fields,
                find_account(context.view, fields.account).owner,
                sequence=_sequence(context, fields.account, None, fields.sequence),
                expiry=_given(fields.expiry, expiry),
            )
    assert isinstance(fields, TransferFields)
    return drafting.transfer_message(
        fields,
        sequence=_sequence(context, fields.account, None, fields.sequence),
        expiry=_given(fields.expiry, expiry),
    )


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


def _sequence(context: Context, number: int, epoch: int | None, given: U64 | None) -> int:
    account = find_account(context.view, number)
    return _given(given, next_sequence(account, OWNER_KEY if epoch is None else epoch))


def _given(value: int | None, default: int) -> int:
    return default if value is None else value
