"""Refusals by the rules, as errors that say what was expected and what came."""

from contextlib import suppress
from typing import Any

import msgspec

from node.rpc import wire
from node.rpc.blame import field_of, leg_field
from node.rpc.block_findings import block_finding, stop_of
from node.rpc.case import Case, MovedOn
from node.rpc.errors import REFUSED, RpcError
from node.rpc.findings import FINDINGS
from node.rpc.messages import Signed
from node.rpc.statuses import BLOCK_REFUSALS, REFUSALS, RETRYABLE, reason_of
from node.rpc.suspicion import suspicion
from node.signatures import recover
from node.view import SequencedReceipt, VenueView
from state.accounts import last_sequence
from state.authentication import Recover
from state.execution import Receipt
from state.status import IDENTITY_LAST, Status
from state.transactions import BlockTrade, SignedPrice

_BEFORE_LEGS = (Status.NOT_PERMITTED, Status.EXPIRED, Status.SAME_ACCOUNT)


def is_refusal(tx: Signed, receipt: Receipt) -> bool:
    """Whether nothing of `tx` was done. Of a block trade either all is done or nothing.

    A reduce-only order that ran out of position after a fill has traded: that is no refusal.
    """
    if isinstance(tx, BlockTrade):
        return receipt.status != Status.OK
    return receipt.status in REFUSALS and not receipt.fills


def refusal(
    view: VenueView,
    tx: Signed,
    signature: bytes,
    receipt: Receipt,
    recover_signer: Recover = recover,
) -> RpcError:
    """The error of a transaction that the rules refused.

    What was expected is told from the state as it stands; where that shows no reason any
    more, it is the rule in words.
    """
    status = receipt.status
    case = Case(view, tx, signature, status, recover_signer)
    of_block = BLOCK_REFUSALS.get(status) if isinstance(tx, BlockTrade) else None
    message, mend = of_block or REFUSALS[status]
    details: dict[str, Any] = {
        "status": int(status),
        "field": None,
        "expected": message,
        "got": None,
        "retryable": status in RETRYABLE,
    }
    with suppress(MovedOn):
        details |= _details(case)
    if not isinstance(tx, SignedPrice):
        details["sequenceConsumed"] = status > IDENTITY_LAST
        details |= _next_sequences(case)
    if isinstance(receipt, SequencedReceipt) and receipt.resubmission:
        details["resubmission"] = True
    return RpcError(REFUSED + status, reason_of(status), message, mend, **details)


def _details(case: Case) -> dict[str, Any]:
    """Field, what was expected, what came, and of a block trade whose fault it is."""
    status = case.status
    if isinstance(case.tx, BlockTrade) and status > IDENTITY_LAST and status not in _BEFORE_LEGS:
        stop = stop_of(case)
        expected, got = block_finding(case, stop)
        field = field_of(case) if stop.leg is None else leg_field(case, stop.leg)
        party = {"party": field} if stop.leg is None else {"leg": stop.leg}
        return {"field": field, "expected": wire.plain(expected), "got": wire.plain(got), **party}
    field, finding = field_of(case), FINDINGS.get(status)
    details: dict[str, Any] = {"field": field}
    likely = suspicion(case) if status == Status.BAD_SIGNATURE else None
    if likely is not None:
        details["likely"] = msgspec.to_builtins(likely)
    if isinstance(case.tx, BlockTrade) and finding is not None and _is_of_one(status):
        details["party"] = case.signer.party
    if finding is not None:
        expected, got = finding(case)
        details |= {"expected": wire.plain(expected), "got": wire.plain(got)}
    return details


def _is_of_one(status: Status) -> bool:
    return Status.MALFORMED < status <= Status.NOT_PERMITTED


def _next_sequences(case: Case) -> dict[str, Any]:
    """The next sequence number of each key that signed, under the names of a message."""
    found = {}
    for signer in case.signers:
        account = case.view.state.account(signer.number)
        if not account.is_absent:
            name = f"{signer.party}NextSequence" if signer.party else "nextSequence"
            found[name] = str(last_sequence(account, signer.epoch) + 1)
    return found
