"""Accounts: positions, open orders, keys and margin."""

from msgspec.structs import replace

from node.rpc.amounts import usdc
from node.rpc.params import AccountParams, OwnerParams
from node.rpc.results import AccountSummary, OpenOrder, OrderId, SessionKeySummary
from node.rpc.views.lookup import find_account, grid_of
from node.rpc.views.margin import margin_terms, withdrawable_micro
from node.rpc.wire import U64, Address
from node.sequencing.answers import OrderName, RemembersAnswers
from node.view import VenueView
from state.accounts import (
    OWNER_KEY,
    PERMIT_BLOCK,
    PERMIT_CANCEL,
    PERMIT_TRADE,
    Account,
    OrderReference,
    last_sequence,
)
from state.eip712 import LIVES, SELF_TRADES, SIDES
from state.orders import decode_flags, key_ticks


def account(view: VenueView, params: AccountParams) -> AccountSummary:
    return summary(view, params.account, find_account(view, params.account))


def accounts(view: VenueView, params: OwnerParams) -> list[AccountSummary]:
    """Every account of an address, by number; an address without any has an empty list."""
    found = [
        number for number, account in view.state.accounts.items() if account.owner == params.owner
    ]
    return [summary(view, number, view.state.account(number)) for number in sorted(found)]


def summary(view: VenueView, number: int, account: Account) -> AccountSummary:
    machine = view.state.machine
    return AccountSummary(
        account=number,
        owner=Address(account.owner),
        owner_number=number >> 8,
        subaccount=number & 255,
        batch=machine.batch,
        time=machine.time,
        next_sequence=next_sequence(account, OWNER_KEY),
        keys=[
            SessionKeySummary(
                epoch=key.epoch,
                address=Address(key.address),
                next_sequence=next_sequence(account, key.epoch),
                expiry=key.expiry,
                may_trade=bool(key.permissions & PERMIT_TRADE),
                may_cancel=bool(key.permissions & (PERMIT_TRADE | PERMIT_CANCEL)),
                may_block_trade=bool(key.permissions & PERMIT_BLOCK),
                permissions=key.permissions,
            )
            for key in account.keys
        ],
        margin=margin_terms(view, account),
        withdrawable=usdc(withdrawable_micro(view, account)),
        orders=[open_order(view, number, reference) for reference in account.orders],
    )


def revalued(view: VenueView, told: AccountSummary, account: Account) -> AccountSummary:
    """`told` of an account whose leaf is the same, at the marks as they are now."""
    machine = view.state.machine
    return replace(
        told,
        batch=machine.batch,
        time=machine.time,
        margin=margin_terms(view, account),
        withdrawable=usdc(withdrawable_micro(view, account)),
    )


def next_sequence(account: Account, epoch: int) -> U64:
    """The lowest sequence number that this key can still use."""
    return U64(last_sequence(account, epoch) + 1)


def open_order(view: VenueView, number: int, reference: OrderReference) -> OpenOrder:
    """A resting order of account `number`, with its client's id while that is remembered."""
    market = view.state.markets[reference.market]
    resting = view.state.order(reference.market, reference.side, reference.key)
    assert resting is not None, "a reference leads to a resting order"
    flags = decode_flags(resting.flags)
    assert flags is not None, "no other flags rest"
    ticks, grid = key_ticks(reference.side, reference.key), grid_of(market)
    return OpenOrder(
        id=OrderId(epoch=reference.epoch, sequence=U64(reference.sequence)),
        market=market.market,
        symbol=market.name,
        side=SIDES[reference.side],
        price=grid.price(ticks),
        ticks=ticks,
        size=grid.size(resting.lots),
        lots=resting.lots,
        expiry=resting.expiry,
        life=LIVES[flags.life],
        reduce_only=flags.reduce_only,
        self_trade=SELF_TRADES[flags.self_trade],
        flags=resting.flags,
        client_order_id=_client_order_id(view, (number, reference.epoch, reference.sequence)),
    )


def _client_order_id(view: VenueView, name: OrderName) -> str | None:
    answer = view.answers.by_name(name) if isinstance(view, RemembersAnswers) else None
    return (answer.receipt.client_order_id or None) if answer is not None else None
