"""What each kind of step can answer is read off the rules themselves."""

import ast
from functools import cache
from pathlib import Path

import pytest

from node.parity.kinds import ALL_PAIRS, STATUSES_OF, StepKind
from state.status import Status

STATE = Path(__file__).resolve().parents[2] / "state"

OWNERS_KEY = {
    Status.UNKNOWN_KEY: "the owner's own key is always there",
    Status.NOT_PERMITTED: "the owner's own key may everything",
}
RULES: dict[tuple[StepKind, ...], tuple[str, dict[Status, str]]] = {
    (StepKind.HEADER,): ("transactions/header.py:apply_header", {}),
    (StepKind.PRICE,): ("transactions/price.py:apply_price", {}),
    (StepKind.ORDER,): ("transactions/order.py:admit_order", {}),
    (StepKind.CANCEL,): ("transactions/cancel.py:apply_cancel", {}),
    (StepKind.WITHDRAW,): ("transactions/withdraw.py:apply_withdraw", OWNERS_KEY),
    (StepKind.TRANSFER,): ("transactions/transfer.py:apply_transfer", OWNERS_KEY),
    (StepKind.CANCEL_ALL,): ("transactions/cancel_all.py:apply_cancel_all", {}),
    (StepKind.AMEND,): (
        "transactions/amend.py:apply_amend",
        {
            Status.UNKNOWN_MARKET: "what is amended rests in a market",
            Status.TOO_MANY_ORDERS: "without the old order there is a place",
            Status.TOO_MANY_POSITIONS: "the old order's place is its own, or free",
        },
    ),
    (StepKind.ADD_KEY,): ("transactions/add_key.py:apply_add_key", OWNERS_KEY),
    (StepKind.REVOKE_KEY,): ("transactions/revoke_key.py:apply_revoke_key", OWNERS_KEY),
    (StepKind.BLOCK_TRADE,): ("transactions/block_trade.py:admit_block_trade", {}),
    (StepKind.ITEM_DEPOSIT,): ("transactions/deposit.py:apply_deposit", {}),
    (StepKind.ITEM_LIST_MARKET,): ("transactions/list_market.py:apply_list_market", {}),
    (StepKind.ITEM_REVOKE_KEY,): ("transactions/revoke_key.py:apply_key_revocation", {}),
    (StepKind.ITEM_ROTATE_OWNER,): ("transactions/rotate_owner.py:apply_rotate_owner", {}),
    (StepKind.ITEM_SET_PARAMETERS,): (
        "transactions/set_parameters.py:apply_set_parameters",
        {},
    ),
    (StepKind.REST, StepKind.DROP, StepKind.DONE, StepKind.KEEP, StepKind.RESTORE): (
        "matching.py:order_step",
        {
            Status.MARGIN_TOO_LOW: "told as REST_MARGIN_TOO_LOW",
            Status.POSITION_LIMIT: "told as REST_MARGIN_TOO_LOW",
        },
    ),
    (StepKind.LEG, StepKind.SETTLE): ("block.py:block_step", {}),
}
"""By kinds of step: where their rules begin, and what is named there and answered never."""

SILENT = {
    *(StepKind.BOOT, StepKind.OPEN, StepKind.HALT, StepKind.SAVE, StepKind.MATCH),
    *(StepKind.SWEEP, StepKind.CANCEL_ONE, StepKind.ITEM_UNKNOWN),
}
"""Their rules name no status, or the one of an item of no kind."""


class Module:
    """The functions of a file by name, methods too, and where its imported names are from."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text())
        defined = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self.functions = {node.name: node for node in defined}
        self.imported: dict[str, Path] = {}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and (from_ := node.module or "").startswith(
                "state."
            ):
                file = STATE.joinpath(*from_.split(".")[1:]).with_suffix(".py")
                self.imported |= dict.fromkeys((alias.name for alias in node.names), file)


@cache
def module(path: Path) -> Module:
    return Module(path)


def statuses_named(path: Path, function: str, seen: set[tuple[Path, str]]) -> set[Status]:
    """Every `Status.X` in `function` and in whatever of ours it calls or hands on."""
    here = module(path)
    if (path, function) in seen or function not in here.functions:
        return set()
    seen.add((path, function))
    found: set[Status] = set()
    for node in ast.walk(here.functions[function]):
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "Status":
                found.add(Status[node.attr])
            # A method: of this file, or of a class that it imports.
            for file in (path, *set(here.imported.values())):
                if file.is_file() and _is_method(file, node.attr):
                    found |= statuses_named(file, node.attr, seen)
        elif isinstance(node, ast.Name):
            file = here.imported.get(node.id, path)
            found |= statuses_named(file, node.id, seen)
    return found


@cache
def _is_method(path: Path, name: str) -> bool:
    tree = ast.parse(path.read_text())
    return any(
        isinstance(inner, ast.FunctionDef) and inner.name == name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for inner in node.body
    )


@pytest.mark.parametrize("kinds", RULES, ids=lambda kinds: kinds[0].value)
def test_a_kind_answers_what_its_rules_name(kinds: tuple[StepKind, ...]) -> None:
    place, never = RULES[kinds]
    name, function = place.split(":")
    named = statuses_named(STATE / name, function, set())
    told = {status for kind in kinds for status in STATUSES_OF[kind] if status is not None}
    assert never.keys() <= named, "an exception that is none"
    assert told - {Status.OK} == named - never.keys() - {Status.OK}
    assert Status.OK in told


def test_every_kind_and_every_status_is_in_the_table() -> None:
    assert {kind for kinds in RULES for kind in kinds} | SILENT == set(StepKind)
    assert set(STATUSES_OF) == set(StepKind)
    assert {status for _, status in ALL_PAIRS} - {None} == set(Status)
