"""Calldata, answers and logs of the contract of disputes are those of the compiled one."""

from typing import Any

import msgspec
import pytest
from compiled_abi import abi_functions, abi_type
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from contracts import dispute_views, disputes
from contracts.abi import Function, UnexpectedAnswer, keccak
from contracts.compiler import compile_contract
from contracts.dispute_events import EVENTS, How, Why, decode_log
from contracts.dispute_views import EntryStatus, MatchStatus, ResultStatus
from contracts.events import Event

HASH = st.binary(min_size=32, max_size=32)
BRANCH = st.lists(HASH, max_size=16).map(tuple)
ROOTS = st.tuples(HASH, HASH, HASH)
ENUMS: dict[str, Any] = {"status": MatchStatus, "how": How, "why": Why}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "uint8": st.integers(0, 2**8 - 1),
    "uint32": st.integers(0, 2**32 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "bytes32": HASH,
    "bytes32[]": BRANCH,
    "address": st.binary(min_size=20, max_size=20),
    "bytes": st.binary(max_size=300),
}


def test_there_is_a_builder_for_every_function_that_writes() -> None:
    compiled = abi_functions(compile_contract("disputes"), reading=False)
    assert {function.signature for function in disputes.FUNCTIONS} == set(compiled)


def test_there_is_a_view_for_every_function_that_reads() -> None:
    compiled = abi_functions(compile_contract("disputes"), reading=True)
    views = {view.function.signature: view.function.outputs for view in dispute_views.VIEWS}
    assert views == compiled


@pytest.mark.parametrize(
    ("function", "record"),
    [
        ("dispute", dispute_views.DisputeRecord),
        ("entry", dispute_views.EntryRecord),
        ("match_of", dispute_views.MatchRecord),
    ],
)
def test_a_record_has_the_fields_of_its_struct(function: str, record: Any) -> None:
    (entry,) = (e for e in compile_contract("disputes").abi if e.get("name") == function)
    (struct,) = entry["outputs"]
    assert tuple(field["name"] for field in struct["components"]) == record.__struct_fields__


def test_the_constructor_takes_what_the_deployment_gives() -> None:
    (entry,) = (e for e in compile_contract("disputes").abi if e["type"] == "constructor")
    assert tuple(map(abi_type, entry["inputs"])) == disputes.CONSTRUCTOR_INPUTS
    names = tuple(component["name"] for component in entry["inputs"][-1]["components"])
    assert names == disputes.DisputeParameters.__struct_fields__


def test_there_is_an_event_for_every_event_with_the_same_fields_in_the_same_order() -> None:
    abi = compile_contract("disputes").abi
    compiled = {entry["name"]: entry["inputs"] for entry in abi if entry["type"] == "event"}
    assert {event.name for event in EVENTS} == set(compiled)
    for event in EVENTS:
        fields = compiled[event.name]
        assert tuple(map(abi_type, fields)) == event.types
        assert tuple(field["name"] for field in fields) == event.shape.__struct_fields__
        indexed = [field["indexed"] for field in fields]
        assert indexed == [True] * event.indexed + [False] * (len(fields) - event.indexed)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
@given(data=st.data())
def test_logs_are_read_back_as_they_were_written(event: Event[Any], data: st.DataObject) -> None:
    values = []
    for name, kind in zip(event.shape.__struct_fields__, event.types, strict=True):
        known = st.sampled_from(ENUMS[name]) if name in ENUMS else VALUES[kind]
        values.append(data.draw(known))
    count = event.indexed
    pairs = zip(event.types[:count], values[:count], strict=True)
    topics = [event.topic, *(encode([kind], [value]) for kind, value in pairs)]
    found = decode_log(topics, encode(event.types[count:], values[count:]))
    assert found == event.shape(*values)
    for name in ENUMS.keys() & set(event.shape.__struct_fields__):
        assert type(getattr(found, name)) is ENUMS[name]


def test_the_logs_of_others_are_none_of_ours() -> None:
    assert decode_log([], b"") is None
    assert decode_log([keccak(b"Contested(uint64,bytes32,uint64)")], bytes(32)) is None


def test_an_answer_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(UnexpectedAnswer, match="entry"):
        dispute_views.ENTRY.answer(bytes(64))


def test_statuses_are_told_by_name() -> None:
    entry = encode(dispute_views.ENTRY.function.outputs, [*[bytes(32)] * 4, bytes(20), 4])
    assert dispute_views.ENTRY.answer(entry).status is EntryStatus.REDEEMED
    result = encode(dispute_views.RESULT.function.outputs, [2, bytes(32), bytes(32)])
    assert dispute_views.RESULT.answer(result).status is ResultStatus.NOBODY_WON
    match = encode(
        dispute_views.MATCH_OF.function.outputs, [*[bytes(32)] * 5, 0, 9, 0, 1, 2, 3, 4, 5, 6]
    )
    found = dispute_views.MATCH_OF.answer(match)
    assert found.status is MatchStatus.BOTH_LOST
    assert (found.index, found.clock_two, found.earned_two) == (9, 2, 6)


@given(step=st.builds(disputes.DisputedStep, previous=HASH, previous_branch=BRANCH, roots=ROOTS))
def test_a_step_is_handed_in_field_by_field(step: disputes.DisputedStep) -> None:
    data = disputes.settle(match=bytes(32), step=step, left=bytes(32), right=bytes(32))
    again = Function("settle", (), disputes.SETTLE.inputs).decode(data[4:])
    assert again == (bytes(32), msgspec.structs.astuple(step), bytes(32), bytes(32))
