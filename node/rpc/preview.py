"""`venue_preview`: what would become of a transaction, by the rules themselves.

The rules run over a layer that is thrown away (`node/trial.py`), so nothing of them is said
twice and nothing is written. No signature is asked for: what is shown is public.
"""

from collections.abc import Sequence
from typing import cast

from msgspec import Struct

from node.rpc.amounts import Grid, usd, usdc
from node.rpc.context import Context
from node.rpc.dispatch import checked
from node.rpc.errors import InvalidParams
from node.rpc.message_types import MESSAGES
from node.rpc.messages import Signed, transaction_of
from node.rpc.params import PreviewParams
from node.rpc.preview_results import AccountPreview, Preview
from node.rpc.receipts import submit_receipt
from node.rpc.refusals import is_refusal, refusal
from node.rpc.statuses import reason_of
from node.rpc.typed_data import drafted
from node.rpc.views.fills import fill_summary
from node.rpc.views.lookup import grid_of
from node.rpc.views.maintenance import account_maintenance, maintenance_prices
from node.rpc.views.margin import margin_terms, withdrawable_micro
from node.rpc.wire import U64
from node.sequencing.answers import market_of, sequenced
from node.trial import Trial, TrialState, as_signed, tried
from node.view import VenueView
from state.eip712 import Domain
from state.memory import MemoryState
from state.orders import BUY
from state.store import Fill
from state.transactions import Amend, BlockTrade, NewOrder, Transfer, Withdraw
from state.units import notional, ratio_down, ratio_up

NO_GRID = Grid(0, 1)
"""Sizes of what has none."""


class TrialView(Struct, frozen=True):
    """As much of a node as errors and margins look at."""

    domain: Domain
    state: TrialState


def preview(context: Context, params: PreviewParams) -> Preview:
    """Status, fills, what would rest, and margin before and after."""
    tx = _transaction(context, params)
    state, domain = context.view.state, context.view.domain
    signature, verifier = as_signed(state, domain, tx)
    trial = tried(state, context.now, tx, signature, verifier)
    receipt = sequenced(
        *(cast(MemoryState, trial.after), tx, trial.receipt),
        batch=trial.after.machine.batch,
        market=market_of(state, tx),
    )
    error = None
    if is_refusal(tx, receipt):
        before = view_of(domain, trial.before)
        error = refusal(before, tx, signature, receipt, verifier.recover)
    message = error.message if error else submit_receipt(context.view, params.kind, tx, receipt)
    order = tx if isinstance(tx, NewOrder | Amend) else None
    filled = sum(fill.lots for fill in receipt.fills) if order else 0
    remaining = order.lots - filled if order else 0
    grid = grid_of(state.markets[receipt.market]) if receipt.market in state.markets else NO_GRID
    return Preview(
        kind=params.kind,
        time=trial.before.machine.time,
        status=reason_of(receipt.status),
        status_number=int(receipt.status),
        message=message if isinstance(message, str) else message.message,
        refused=error is not None,
        error=None if error is None else error.as_json(),
        fills=[fill_summary(context.view, fill) for fill in receipt.fills],
        filled_lots=filled,
        filled_size=grid.size(filled),
        notional=usd(_value(receipt.fills)),
        average_price=_average_price(grid, receipt.fills) if order else None,
        fees=usd(sum(fill.taker_fee for fill in receipt.fills)),
        remaining_lots=U64(remaining),
        remaining_size=grid.size(remaining),
        resting_lots=U64(receipt.resting_lots),
        resting_size=grid.size(receipt.resting_lots),
        accounts=[_account(domain, trial, tx, party) for party in _parties(tx)],
    )


def _transaction(context: Context, params: PreviewParams) -> Signed:
    if (params.fields is None) == (params.message is None):
        raise InvalidParams(
            "fields_or_message_expected",
            "what to preview comes either as fields, as venue_typedData takes them, or as the "
            "message of typed data",
            "send one of the two",
            expected=["fields", "message"],
        )
    if params.fields is not None:
        return transaction_of(drafted(context, params.kind, params.fields))
    mend = f"send the message of the typed data of a {params.kind}"
    message = checked(params.message, MESSAGES[params.kind], mend, root="$.message")
    return transaction_of(message)


def _value(fills: Sequence[Fill]) -> int:
    return sum(notional(fill.lots, fill.price) for fill in fills)


def _average_price(grid: Grid, fills: Sequence[Fill]) -> str | None:
    """By size, rounded to a nano-USD per lot against who takes."""
    if not fills:
        return None
    ratio = ratio_up if fills[0].taker_side == BUY else ratio_down
    return grid.price_of_nano(ratio(_value(fills), 1, sum(fill.lots for fill in fills)))


# --- accounts ---


def _parties(tx: Signed) -> list[str]:
    match tx:
        case BlockTrade():
            return ["maker", "taker"]
        case Transfer():
            return ["account", "to_account"]
    return ["account"]


def _account(domain: Domain, trial: Trial, tx: Signed, party: str) -> AccountPreview:
    number = int(getattr(tx, party))
    cautious = isinstance(tx, Withdraw | Transfer | BlockTrade)
    before, after = view_of(domain, trial.before), view_of(domain, trial.after)
    account = trial.after.account(number)
    return AccountPreview(
        account=number,
        party="toAccount" if party == "to_account" else party,
        cautious=cautious,
        before=margin_terms(before, trial.before.account(number), cautious=cautious),
        after=margin_terms(after, account, cautious=cautious),
        maintenance_margin=usd(account_maintenance(trial.after, account)),
        maintenance_prices=maintenance_prices(trial.after, account),
        withdrawable=usdc(withdrawable_micro(after, account)),
    )


def view_of(domain: Domain, state: TrialState) -> VenueView:
    """A node whose state is one of a trial, for what tells refusals and margins."""
    return cast(VenueView, TrialView(domain, state))
