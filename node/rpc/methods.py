"""Every method of a node: its name, what it takes, what it gives, in one table."""

from collections.abc import Callable
from functools import cache
from typing import Any

from node.rpc import arming, submission, subscriptions
from node.rpc import params as p
from node.rpc import results as r
from node.rpc import rollup_results as rollup_r
from node.rpc import tape_params as t
from node.rpc import tape_results as past
from node.rpc.conservation_results import BatchClaims
from node.rpc.context import Context
from node.rpc.cost_results import FeeSchedule, FundingSummary
from node.rpc.discovery import discover
from node.rpc.dispatch import Method, Methods, method_table
from node.rpc.order_results import BatchItem, OrderStanding
from node.rpc.preview import preview
from node.rpc.preview_results import Preview
from node.rpc.streams.results import CHANNELS
from node.rpc.switch_results import SwitchStanding
from node.rpc.typed_data import typed_data
from node.rpc.views import (
    accounts,
    book,
    claims,
    costs,
    markets,
    positions,
    proofs,
    rollup,
    standing,
    tape,
    withdrawals,
)
from node.view import VenueView


def _reads(view_of: Callable[[VenueView, Any], Any]) -> Callable[[Context, Any], Any]:
    """A method that looks at the node and at nothing else."""
    return lambda context, params: view_of(context.view, params)


_VENUE = [
    Method(
        *("venue_markets", p.NoParams, list[r.MarketSummary], _reads(markets.markets)),
        "Every market: units, prices, open interest, fees, band and margin tiers.",
    ),
    Method(
        *("venue_market", p.MarketParams, r.MarketSummary, _reads(markets.market)),
        "One market, by number or symbol.",
    ),
    Method(
        *("venue_book", p.BookParams, r.BookDepth, _reads(book.book)),
        "The book of a market, aggregated by price, best first.",
    ),
    Method(
        *("venue_fees", p.FeesParams, FeeSchedule, _reads(costs.fees)),
        "What fills cost, who is paid it, and how it is rounded.",
    ),
    Method(
        *("venue_funding", p.FundingParams, FundingSummary, _reads(costs.funding)),
        "What holding a position costs: nothing yet, and which rule it will come from.",
    ),
    Method(
        *("venue_account", p.AccountParams, r.AccountSummary, _reads(accounts.account)),
        "An account: margin term by term, open orders, next sequence number.",
    ),
    Method(
        *("venue_accounts", p.OwnerParams, list[r.AccountSummary], _reads(accounts.accounts)),
        "Every account of an address.",
    ),
    Method(
        *("venue_typedData", p.TypedDataParams, r.TypedData, typed_data),
        "The EIP-712 typed data that a wallet signs, from amounts as people write them.",
    ),
    Method(
        *("venue_preview", p.PreviewParams, Preview, preview),
        "What would become of a transaction, margin before and after it; nothing is changed.",
    ),
    Method(
        *("venue_submit", p.SubmitParams, r.SubmitReceipt, submission.submit),
        "Sequence a signed message; the receipt comes once it is on disk.",
        queues=True,
    ),
    Method(
        *("venue_submitBatch", p.SubmitBatchParams, list[BatchItem], submission.submit_batch),
        "Sequence several messages with nothing between them; what became of each, in order.",
        queues=True,
    ),
    Method(
        *("venue_order", p.OrderStandingParams, OrderStanding, _reads(standing.standing)),
        "Where an order stands, by its name or its client order id.",
    ),
    Method(
        *("venue_cancel", p.CancelParams, r.SubmitReceipt, submission.submit_cancel),
        "venue_submit of kind cancel.",
        queues=True,
    ),
    Method(
        *("venue_submitPrice", p.SubmitPriceParams, r.SubmitReceipt, submission.submit_price),
        "Sequence a publisher's signed price.",
        queues=True,
    ),
    Method(
        "venue_cancelOnDisconnect",
        *(p.CancelOnDisconnectParams, SwitchStanding, arming.cancel_on_disconnect),
        "Hold a signed cancelAll back until this WebSocket ends.",
    ),
    Method(
        "venue_deadManSwitch",
        *(p.DeadManSwitchParams, SwitchStanding, arming.dead_man_switch),
        "Hold a signed cancelAll back, and submit it unless that is put off in time.",
    ),
    Method(
        *("venue_subscribe", p.SubscribeParams, str, subscriptions.subscribe),
        "Be sent a snapshot and what changes, as venue_subscription notifications; WebSocket only.",
    ),
    Method(
        *("venue_unsubscribe", p.UnsubscribeParams, bool, subscriptions.unsubscribe),
        "End a subscription of this connection.",
    ),
]

_TAPE = [
    Method(
        *("venue_trades", t.TradesParams, past.TradePage, _reads(tape.trades)),
        "The last trades of a market, the newest first.",
    ),
    Method(
        *("venue_candles", t.CandlesParams, past.CandlePage, _reads(tape.candles)),
        "Candles of a market, the newest first.",
    ),
    Method(
        *("venue_fills", t.FillsParams, past.FillPage, _reads(tape.fills)),
        "The last fills of an account, the newest first: its role, its fee, what it realised.",
    ),
    Method(
        *("venue_orders", t.OrdersParams, past.OrderPage, _reads(tape.orders)),
        "The last orders of an account, the newest first, and what became of them.",
    ),
    Method(
        *("venue_positions", t.PositionsParams, past.PositionPage, _reads(positions.positions)),
        "Positions of an account: entry price, profit, fees, and the margin they take.",
    ),
]

_ROLLUP = [
    Method(
        *("rollup_syncStatus", p.NoParams, rollup_r.SyncStatus, _reads(rollup.sync_status)),
        "The heads, the L1 block they were seen at, and what keeps the node from its work.",
    ),
    Method(
        *("rollup_config", p.NoParams, rollup_r.RollupConfig, _reads(rollup.config)),
        "The deployment: chain, addresses, version, signing domain.",
    ),
    Method(
        *("rollup_batch", p.BatchParams, rollup_r.BatchSummary, _reads(rollup.batch)),
        "One batch.",
    ),
    Method(
        *("rollup_batches", p.BatchesParams, list[rollup_r.BatchSummary], _reads(rollup.batches)),
        "Batches from a number on, or the last ones.",
    ),
    Method(
        *("rollup_claims", p.BatchParams, BatchClaims, _reads(claims.claims)),
        "Every claim on a batch beside what was executed: what conserves, and what differs.",
    ),
    Method(
        "rollup_accountProof",
        *(p.AccountProofParams, rollup_r.AccountProof, _reads(proofs.account_proof)),
        "An account's leaf, or its absence, proved against the state root.",
    ),
    Method(
        "rollup_bestOrderProof",
        *(p.BestOrderParams, rollup_r.BestOrderProof, _reads(proofs.best_order_proof)),
        "The best order of a side, with the proof that nothing comes before it.",
    ),
    Method(
        "rollup_withdrawal",
        *(p.WithdrawalParams, rollup_r.WithdrawalStatus, _reads(withdrawals.withdrawal)),
        "Where a withdrawal stands, and what it waits for.",
    ),
    Method(
        "rollup_withdrawalProof",
        *(p.WithdrawalProofParams, rollup_r.WithdrawalProof),
        *(_reads(withdrawals.withdrawal_proof), "The branch that L1 pays a withdrawal by."),
    ),
]


def _discover(_context: Context, _params: p.NoParams) -> dict[str, Any]:
    return _listing()


@cache
def _listing() -> dict[str, Any]:
    return discover(list(METHODS.values()), CHANNELS)


_DISCOVER = Method(
    *("rpc.discover", p.NoParams, dict[str, Any], _discover),
    "This list as an OpenRPC document: every method, every kind of message, every error.",
)

METHODS: Methods = method_table([*_VENUE, *_TAPE, *_ROLLUP, _DISCOVER])
