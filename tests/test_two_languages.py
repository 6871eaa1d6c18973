"""One rule, two languages, one name: what the page of rules names in Python stands on L1 too."""

import re
from pathlib import Path

import pytest
from test_rules import ROWS

from state import eip712, limits
from state.status import Status

ROOT = Path(__file__).resolve().parents[1]
L1 = ROOT / "contracts"
TRANSACTIONS, ON_L1 = "state/transactions", "contracts/state/transactions"

OTHERWISE = {
    # Not a step's business: L1 knows it already, or nobody proves it.
    "state/batch.py:batch_hash": "contracts/batches.vy:_seal",
    "state/batch.py:claim_id": "contracts/claims.vy:_claim",
    "state/batch.py:encode_header": "contracts/batches.vy:_seal",
    "state/batch.py:encode_output": "contracts/outputs.vy:_check_sums",
    "state/eip712.py:domain": "a fact: the separator is of the rollup and its chain",
    "state/inbox.py:accumulate": "contracts/inbox.vy:_append",
    "state/inbox.py:item_hash": "contracts/inbox.vy:_append",
    # Encoders of what L1 only reads.
    "state/chunks.py:pack_chunk": "whoever posts packs",
    "state/chunks.py:unpack_chunk": "contracts/state/chunks.vy:_row_at",
    "state/lz4_block.py:encode": "whoever posts compresses",
    "state/lz4_block.py:encode_literals": "whoever posts compresses",
    "state/orders.py:encode_flags": "contracts/state/orders.vy:_decode_flags",
    f"{TRANSACTIONS}/list_market.py:encode_listing": f"{ON_L1}/list_market.vy:_decode_listing",
    "state/units.py:micro_down": "contracts/escrow.vy:withdraw",
    # A method of Python, a module of its own or a part of a function in Vyper.
    "state/authentication.py:key_address": "contracts/state/authentication.vy:_signer_status",
    "state/authentication.py:may_block_trade": "contracts/state/authentication.vy:_is_permitted",
    "state/authentication.py:may_cancel": "contracts/state/authentication.vy:_is_permitted",
    "state/authentication.py:may_trade": "contracts/state/authentication.vy:_is_permitted",
    "state/chunks.py:check_count": "contracts/state/chunks.vy:_row_count",
    "state/chunks.py:check_size": "contracts/state/chunks.vy:_chunk_layout",
    "state/commitment.py:leaf_of": "contracts/prover/witness_state.vy:_expand_proofs",
    "state/commitment.py:state_root": "contracts/prover/witness_state.vy:_state_root",
    "state/lz4_block.py:copy_match": "contracts/state/lz4_block.vy:_copied",
    "state/lz4_block.py:match_length": "contracts/state/lz4_block.vy:_sequences",
    "state/machine.py:Phase": "contracts/state/machine.vy",
    "state/markets.py:Mode": "contracts/state/markets.vy",
    "state/matching.py:_meet_own": "contracts/state/matching.vy",
    "state/matching.py:_rest_or_drop": "contracts/state/matching.vy",
    "state/packing.py:Reader.end": "contracts/state/canonical.vy",
    "state/packing.py:check_ascending": "contracts/state/canonical.vy:_check_ascending",
    "state/packing.py:i128": "contracts/state/packing.vy:_pack",
    "state/packing.py:u": "contracts/state/packing.vy:_pack",
    "state/radix.py:Update.hash": "contracts/state/tree.vy:_climb",
    "state/status.py:Status": "contracts/state/status.vy",
    "state/steps.py:begin": "contracts/steps/step.vy:_begin",
    "state/steps.py:boot": "contracts/steps/step.vy:_boot",
    "state/steps.py:next_step": "contracts/steps/step.vy:_next_step",
    "state/store.py:Changes.save": "contracts/steps/step.vy:_save",
    "state/store.py:Changes.write_market": "no step of today moves what a market holds",
    "state/trade.py:Trade.__init__": "contracts/state/trade.vy:_trade",
    "state/trade.py:Trade._reducible": "contracts/state/trade.vy",
    "state/trade.py:Trade._standing": "contracts/state/trade.vy:_trade",
    "state/trade.py:Trade.maker_stands": "contracts/state/trade.vy",
    "state/trade.py:Trade.taker_status": "contracts/state/trade.vy",
    "state/transactions/__init__.py:decode_transaction": "contracts/steps/step.vy",
    "state/transactions/amend.py:_admit_anew": "contracts/state/transactions/amend.vy:_apply_amend",
    "state/transactions/kinds.py:InboxKind": "contracts/state/transactions/kinds.vy",
    "state/transactions/kinds.py:Kind": "contracts/state/transactions/kinds.vy",
    f"{TRANSACTIONS}/revoke_key.py:apply_key_revocation": (
        f"{ON_L1}/key_revocation.vy:_apply_key_revocation"
    ),
    f"{TRANSACTIONS}/set_parameters.py:_publishers": f"{ON_L1}/set_parameters.vy",
    "state/tree.py:Tree.branch": "whoever proves lists siblings",
    "state/tree.py:calc_root": "contracts/state/tree.vy:_climb",
    "state/tree.py:check_leaf": "contracts/state/canonical.vy",
}
"""Where the rule stands on L1 under another name, or why it does not."""


def constants(path: Path) -> dict[str, str]:
    """Names and values of a Vyper module's constants, as they are written."""
    return dict(re.findall(r"^([A-Z0-9_]+): constant\([^)]*\) = (.+)$", path.read_text(), re.M))


def stands(place: str) -> bool:
    """Whether there is such a function, struct or file on L1."""
    name, _, function = place.partition(":")
    path = ROOT / name
    text = path.read_text() if path.is_file() else ""
    return (
        bool(re.search(rf"^(def {function}\(|struct {function}:)", text, re.M))
        if function
        else bool(text)
    )


def places() -> list[str]:
    """Every function of the rules that a page names."""
    named = {place for row in ROWS for place in row.places if place.startswith("state/")}
    return sorted(place for place in named if ":" in place)


@pytest.mark.parametrize("place", places())
def test_a_rule_has_its_name_in_both_languages(place: str) -> None:
    if place in OTHERWISE:
        there = OTHERWISE[place]
        assert " " in there or stands(there), f"{there} is not there"
        return
    name, _, function = place.partition(":")
    last = function.split(".")[-1]
    twin = L1 / Path(name).with_suffix(".vy")
    names = (last, f"_{last.lstrip('_')}")
    relative = twin.relative_to(ROOT).as_posix()
    assert any(stands(f"{relative}:{name}") for name in names), f"{place} has no twin in {relative}"


def test_nothing_is_excused_that_has_its_twin_or_is_no_rule() -> None:
    assert not OTHERWISE.keys() - set(places())


def test_statuses_have_one_number() -> None:
    found = constants(L1 / "state/status.vy")
    assert {name: int(value) for name, value in found.items()} == {s.name: int(s) for s in Status}


def test_bounds_are_the_same() -> None:
    found = constants(L1 / "state/limits.vy")
    values: dict[str, int] = {}
    for name, text in found.items():
        values[name] = eval(text, {"__builtins__": {}}, values)
    here = {name: value for name, value in vars(limits).items() if isinstance(value, int)}
    shared = values.keys() & here.keys()
    assert len(shared) > 25
    assert {name: values[name] for name in shared} == {name: here[name] for name in shared}


def test_what_is_signed_has_one_text() -> None:
    source = (L1 / "state/eip712.vy").read_text()
    texts = dict(
        re.findall(
            r'^([A-Z_]+_TYPE)_HASH: constant\(bytes32\) = keccak256\(\s*"([^"]+)"', source, re.M
        )
    )
    types = {name: text for name, text in vars(eip712).items() if name.endswith("_TYPE")}
    del types["DOMAIN_TYPE"]
    assert texts == types
