"""Refusals by the rules, as errors that say what was expected and what came."""

from typing import Any

from node.rpc import wire
from node.rpc.case import Case
from node.rpc.errors import REFUSED, RpcError
from node.rpc.findings import FINDINGS
from node.rpc.messages import Signed
from node.rpc.statuses import REFUSALS, RETRYABLE, reason_of
from node.view import VenueView
from state.accounts import last_sequence
from state.status import IDENTITY_LAST, Status
from state.transactions import SignedPrice


def refusal(view: VenueView, tx: Signed, signature: bytes, status: Status) -> RpcError:
    """The error of a transaction that the rules refused with `status`."""
    case = Case(view, tx, signature)
    message, mend = REFUSALS[status]
    finding = FINDINGS.get(status)
    expected, got = finding(case) if finding is not None else (message, None)
    details: dict[str, Any] = {
        "status": int(status),
        "expected": wire.plain(expected),
        "got": wire.plain(got),
        "retryable": status in RETRYABLE,
    }
    if not isinstance(tx, SignedPrice):
        details["sequenceConsumed"] = status > IDENTITY_LAST
        if not case.account.is_absent:
            details["nextSequence"] = str(last_sequence(case.account, case.epoch) + 1)
    return RpcError(REFUSED + status, reason_of(status), message, mend, **details)
