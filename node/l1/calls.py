"""Calls without a transaction, and the gas that one would need."""

from dataclasses import replace

from node.l1 import reverts, rules
from node.l1.blocks import AccessList, Call, Execution
from node.l1.encoding import data
from node.l1.evm import View
from node.l1.jsonrpc import RpcError

CALL_STIPEND = 2_300
_CODES = {"out of gas": 801, "invalid instruction": 4}


def execute(view: View, call: Call) -> bytes:
    """The output of `call`. Raises `RpcError`: code 3 and the revert data, or what went wrong."""
    outcome = view.run(call, _allowance(call))
    if outcome.error is not None:
        raise _refusal(view, call, outcome)
    return outcome.output


def estimate(view: View, call: Call) -> int:
    """The least gas limit with which `call` succeeds, within 1/64.

    What one run spends is enough for most calls. A subcall gets only 63/64 of what is
    left, so where it is not, the search goes on from (spent + stipend) x 64/63.
    """
    allowance = _allowance(call)
    outcome = view.run(call, allowance)
    if outcome.error is not None:
        raise _refusal(view, call, outcome)
    floor = rules.floor_gas(call.data)
    low = max(outcome.gas, floor)
    if low <= allowance and view.run(call, low).error is None:
        return low
    high = min(allowance, (outcome.gas + CALL_STIPEND) * 64 // 63 + 1)
    if view.run(call, high).error is not None:
        low, high = high, allowance
    while high - low > high // 64:
        middle = (low + high) // 2
        if view.run(call, middle).error is None:
            high = middle
        else:
            low = middle
    return max(high, floor)


def access_list(view: View, call: Call) -> tuple[AccessList, int, str | None]:
    """What `call` touches, the gas it spends with that declared, and what went wrong, if anything.

    Declaring a slot changes the gas and not what runs, unless a contract looks at its gas.
    """
    _, found = view.touched(call, _allowance(call))
    outcome = view.run(replace(call, access_list=found), _allowance(call))
    error = reverts.message(outcome.output) if outcome.error == "revert" else outcome.error
    return found, outcome.gas, error


def _allowance(call: Call) -> int:
    """A call gets what a transaction could get."""
    if call.gas is None:
        return rules.TRANSACTION_GAS_MAX
    return min(call.gas, rules.TRANSACTION_GAS_MAX)


def _refusal(view: View, call: Call, outcome: Execution) -> RpcError:
    if outcome.error == "revert":
        return RpcError(
            rules.EXECUTION_REVERTED, reverts.message(outcome.output), data(outcome.output)
        )
    balance = view.balance(call.sender)
    if balance < call.value:
        return RpcError(
            rules.INSUFFICIENT_FUNDS,
            f"insufficient funds for transfer: balance {balance}, value {call.value}",
        )
    if outcome.error == "intrinsic gas too low":
        return RpcError(
            rules.INTRINSIC_GAS_TOO_LOW,
            f"intrinsic gas too low: gas {_allowance(call)}, minimum needed {outcome.gas}",
        )
    said = str(outcome.error)
    return RpcError(
        _CODES.get(said, rules.INVALID_INPUT), f"{said} (with {_allowance(call)} gas allowed)"
    )
