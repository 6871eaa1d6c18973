"""Posting a batch: what is sent, and what each refusal of the contract means."""

from typing import Any, cast

import pytest
from builders import DOMAIN
from eth_abi.abi import decode
from sequenced_world import deposit_item, order, started

from contracts.calls import POST_BATCH
from node.errors import Halt, L1Error, Retry
from node.l1.answers import L1Receipt
from node.l1.refusals import TransactionReverted
from node.l1.sender import TransactionSender
from node.poster import Posted, Poster, gas_limit
from node.scanner import Mark
from sequencer.batches import SealedBatch
from sequencer.posting import Resequence, Wait
from state.chunks import decode_chunk
from state.lz4_block import CodecError

ORIGIN = Mark(17, b"\x17" * 32)
PARENT = b"\x16" * 32


class Sender:
    """Keeps what it is given and answers as told."""

    address = b"\x5e" * 20

    def __init__(self, answer: Exception | None = None) -> None:
        self.answer = answer
        self.sent: list[tuple[bytes, bytes]] = []
        self.gas: list[int | None] = []

    async def send(self, to: bytes, data: bytes, *, gas: int | None, **_: Any) -> L1Receipt:
        self.sent.append((to, data))
        self.gas.append(gas)
        if self.answer is not None:
            raise self.answer
        return L1Receipt(b"\x07" * 32, 18, b"\x18" * 32, True, 4_000, 1, None, (), self.address)


def poster(sender: Sender, corrupt: int | None = None) -> Poster:
    return Poster(cast(TransactionSender, sender), DOMAIN.rollup, corrupt=corrupt)


@pytest.fixture(scope="module")
def batches() -> list[SealedBatch]:
    """One with items and two transactions, one with an item alone."""
    sequencer = started()
    sequencer.submit(*order("alice", 1))
    first = sequencer.seal()
    sequencer.take_items([deposit_item(5, "alice")])
    return [first, sequencer.seal()]


async def test_what_is_sent_is_what_the_contract_writes_its_header_from(
    batches: list[SealedBatch],
) -> None:
    sender = Sender()
    posted = await poster(sender).post(batches[0], ORIGIN, PARENT)
    assert posted == Posted(block=18, transaction=b"\x07" * 32, gas=4_000)
    ((to, data),) = sender.sent
    sent = decode(POST_BATCH.inputs, data[4:])
    content = batches[0].content
    assert (to, data[:4]) == (DOMAIN.rollup, POST_BATCH.selector)
    assert sent[:3] == (content.inbox_to, ORIGIN.block, ORIGIN.hash)
    assert sent[3:5] == (content.time_min, content.time_max)
    assert sent[5] == tuple(chunk.size for chunk in content.chunks)
    assert sent[7] == b"".join(batches[0].payload) and sent[8] == PARENT
    assert decode_chunk(sent[7], content.chunks[0].raw_hash) == list(batches[0].rows)


@pytest.mark.parametrize(("corrupt", "flipped"), [(1, 1), (2, 0), (None, 0)])
async def test_a_drill_flips_one_byte_of_the_batch_it_names(
    batches: list[SealedBatch], corrupt: int | None, flipped: int
) -> None:
    sender = Sender()
    drill = poster(sender, corrupt)
    for batch in batches:
        await drill.post(batch, ORIGIN, PARENT)
    payload, empty = (decode(POST_BATCH.inputs, data[4:])[7] for _, data in sender.sent)
    whole = b"".join(batches[0].payload)
    assert empty == b"" and len(payload) == len(whole)
    assert sum(a != b for a, b in zip(payload, whole, strict=True)) == flipped
    if flipped:
        with pytest.raises(CodecError):
            decode_chunk(payload, batches[0].content.chunks[0].raw_hash)


@pytest.mark.parametrize(("corrupt", "sound"), [(1, False), (2, True), (None, True)])
def test_a_batch_is_sound_if_what_is_sent_of_it_decodes(
    batches: list[SealedBatch], corrupt: int | None, sound: bool
) -> None:
    drill = poster(Sender(), corrupt)
    assert [drill.is_sound(batch) for batch in batches] == [sound, True]


async def test_only_what_is_ahead_of_its_parent_has_its_gas_said(
    batches: list[SealedBatch],
) -> None:
    sender = Sender()
    await poster(sender).post(batches[0], ORIGIN, PARENT)
    await poster(sender).post(batches[0], ORIGIN, PARENT, is_ahead=True)
    assert sender.gas == [None, gas_limit(sender.sent[1][1])]
    assert gas_limit(bytes(10)) == 250_640 and gas_limit(bytes(300_000)) == 2**24


@pytest.mark.parametrize(
    ("reason", "reaction"),
    [
        ("time lags too far", Resequence),
        ("time runs backwards", Resequence),
        ("overdue item left out", Resequence),
        ("parent is not the last batch", Wait),
        ("time is in the future", Wait),
        ("inbox has no such item", Wait),
        ("inbox runs backwards", Wait),
        ("origin is on another branch", Wait),
        ("origin is too old", Wait),
        ("origin is not in the past", Wait),
        ("not the sequencer", Halt),
        ("inbox budget exceeded", Retry),
    ],
)
async def test_every_refusal_has_a_reaction(
    batches: list[SealedBatch], reason: str, reaction: type
) -> None:
    refused = poster(Sender(TransactionReverted(f"batches: {reason}", b"", None)))
    if issubclass(reaction, Exception):
        with pytest.raises(reaction):
            await refused.post(batches[0], ORIGIN, PARENT)
    else:
        assert isinstance(await refused.post(batches[0], ORIGIN, PARENT), reaction)


@pytest.mark.parametrize("fault", [Retry("timeout"), L1Error(809, "insufficient funds")])
async def test_an_l1_that_takes_nothing_is_the_callers_to_wait_for(
    batches: list[SealedBatch], fault: Exception
) -> None:
    with pytest.raises(type(fault)):
        await poster(Sender(fault)).post(batches[0], ORIGIN, PARENT)


def test_the_reasons_are_those_of_the_contract() -> None:
    """A word changed in the source would turn a reaction into an endless retry."""
    from contracts.compiler import SOURCES
    from node import poster as module

    source = (SOURCES / "batches.vy").read_text()
    known: dict[str, Any] = module._NEVER | module._LATER | {module.NOT_THE_SEQUENCER: ""}
    for reason in known:
        assert f'"{reason}"' in source, reason
