"""Calldata, answers and logs in Python are those of the compiled contracts."""

from typing import Any

import pytest
from compiled_abi import abi_functions, abi_type
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from contracts import calls, token, views
from contracts.abi import ERROR_SELECTOR, Function, UnexpectedAnswer, View, keccak, revert_reason
from contracts.compiler import compile_contract
from contracts.events import (
    BATCH_POSTED,
    CONFIRMED,
    EVENTS,
    BatchPostedLog,
    ConfirmedLog,
    Event,
    decode_log,
)
from contracts.step import PROVE_STEP


def test_there_is_a_builder_for_every_function_that_writes() -> None:
    compiled = abi_functions(compile_contract("rollup"), reading=False)
    assert {function.signature for function in calls.FUNCTIONS} == set(compiled)


def test_there_is_a_view_for_every_function_that_reads() -> None:
    compiled = abi_functions(compile_contract("rollup"), reading=True)
    ours = {view.function.signature: view.function.outputs for view in views.VIEWS}
    # The one that is asked with a proof instead of a key.
    ours[PROVE_STEP.signature] = PROVE_STEP.outputs
    assert ours == compiled


def test_the_token_calls_are_those_of_the_test_token() -> None:
    artifact = compile_contract("test_usdc")
    writing = abi_functions(artifact, reading=False)
    reading = abi_functions(artifact, reading=True)
    assert {function.signature for function in token.FUNCTIONS} == set(writing)
    for view in token.VIEWS:
        assert reading[view.function.signature] == view.function.outputs


def test_the_constructor_takes_what_the_deployment_gives() -> None:
    (entry,) = (e for e in compile_contract("rollup").abi if e["type"] == "constructor")
    assert tuple(map(abi_type, entry["inputs"])) == calls.CONSTRUCTOR_INPUTS
    names = tuple(component["name"] for component in entry["inputs"][-1]["components"])
    assert names == calls.Parameters.__struct_fields__


def test_there_is_an_event_for_every_event_with_the_same_fields_in_the_same_order() -> None:
    abi = compile_contract("rollup").abi
    compiled = {entry["name"]: entry["inputs"] for entry in abi if entry["type"] == "event"}
    assert {event.name for event in EVENTS} == set(compiled)
    for event in EVENTS:
        fields = compiled[event.name]
        assert tuple(map(abi_type, fields)) == event.types
        assert tuple(field["name"] for field in fields) == event.shape.__struct_fields__
        indexed = [field["indexed"] for field in fields]
        assert indexed == [True] * event.indexed + [False] * (len(fields) - event.indexed)


def test_selectors_and_topics_are_hashes_of_signatures() -> None:
    assert calls.CONFIRM.selector == keccak(b"confirm(bytes32,bytes32)")[:4]
    assert token.TRANSFER.selector.hex() == "a9059cbb"
    assert CONFIRMED.topic == keccak(b"Confirmed(uint64,bytes32)")


# --- logs ---

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "uint8": st.integers(0, 2**8 - 1),
    "uint16": st.integers(0, 2**16 - 1),
    "uint32": st.integers(0, 2**32 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "bytes32": st.binary(min_size=32, max_size=32),
    "address": st.binary(min_size=20, max_size=20),
    "bytes": st.binary(max_size=300),
    "string": st.text(max_size=32),
}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
@given(data=st.data())
def test_logs_are_read_back_as_they_were_written(event: Event[Any], data: st.DataObject) -> None:
    values = [data.draw(VALUES[kind]) for kind in event.types]
    count = event.indexed
    pairs = zip(event.types[:count], values[:count], strict=True)
    topics = [event.topic, *(encode([kind], [value]) for kind, value in pairs)]
    rest = encode(event.types[count:], values[count:])
    assert decode_log(topics, rest) == event.shape(*values)


def test_the_logs_of_others_are_none_of_ours() -> None:
    assert decode_log([], b"") is None
    assert decode_log([keccak(b"Transfer(address,address,uint256)")], bytes(32)) is None


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([], b""),
        ([CONFIRMED.topic], b""),
        ([CONFIRMED.topic, bytes(32)], b""),
        ([CONFIRMED.topic, bytes(32), bytes(32), bytes(32)], b""),
        ([CONFIRMED.topic, b"\xff" * 32, bytes(32)], b""),
        ([CONFIRMED.topic, bytes(31), bytes(32)], b""),
        ([BATCH_POSTED.topic, bytes(32), bytes(32)], b""),
    ],
)
def test_a_malformed_log_is_refused_by_name(topics: list[bytes], data: bytes) -> None:
    event: Event[Any] = BATCH_POSTED if topics[:1] == [BATCH_POSTED.topic] else CONFIRMED
    with pytest.raises(UnexpectedAnswer, match=event.name):
        event.decode(topics, data)


def test_a_cut_log_is_refused_at_every_length() -> None:
    whole = encode(["bytes", "bytes"], [b"header", b"payload" * 9])
    topics = [BATCH_POSTED.topic, bytes(32), bytes(32)]
    assert BATCH_POSTED.decode(topics, whole) == BatchPostedLog(
        0, bytes(32), b"header", b"payload" * 9
    )
    # The last byte of the padding is not missed; anything more is.
    for length in range(len(whole) - 1):
        with pytest.raises(UnexpectedAnswer):
            BATCH_POSTED.decode(topics, whole[:length])


def test_two_events_are_told_apart() -> None:
    log = decode_log([CONFIRMED.topic, (7).to_bytes(32, "big"), bytes(32)], b"")
    assert log == ConfirmedLog(7, bytes(32))


# --- answers and refusals ---


def test_an_empty_answer_says_what_may_be_wrong() -> None:
    with pytest.raises(UnexpectedAnswer, match=r"head\(\): expected .*found 0 bytes.*address"):
        views.HEAD.answer(b"")


@pytest.mark.parametrize("view", views.VIEWS, ids=lambda view: view.function.name)
@given(data=st.binary(max_size=200))
def test_any_answer_is_shaped_or_refused(view: View[Any], data: bytes) -> None:
    try:
        view.answer(data)
    except UnexpectedAnswer as refusal:
        assert view.function.signature in str(refusal)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ERROR_SELECTOR + encode(["string"], ["claims: window is open"]), "claims: window is open"),
        (ERROR_SELECTOR + encode(["string"], [""]), ""),
        (b"", None),
        (ERROR_SELECTOR, None),
        (ERROR_SELECTOR + encode(["string"], ["cut"])[:-33], None),
        (ERROR_SELECTOR + encode(["bytes"], [b"\xff\xfe"]), None),
        (Function("Panic", ("uint256",)).encode(0x11), None),
    ],
)
def test_revert_reasons_are_read_where_there_are_any(data: bytes, reason: str | None) -> None:
    assert revert_reason(data) == reason


@given(data=st.binary(max_size=200))
def test_no_revert_data_is_too_strange(data: bytes) -> None:
    assert revert_reason(data) is None or data.startswith(ERROR_SELECTOR)
    revert_reason(ERROR_SELECTOR + data)
