"""Posting sealed batches on L1, in order.

The contract takes a batch behind its own parent only, so nothing is lost or doubled by
asking again: whoever was stopped between sending and the receipt finds the batch on L1,
where it is compared with ours, or posts it again. A batch's hash is known before L1 has it,
so the next one can be sent right behind it.
"""

from collections.abc import Callable

from msgspec import Struct

from contracts import calls
from node.errors import Halt, Retry
from node.l1.refusals import TransactionReverted
from node.l1.sender import GAS_MAX, TransactionSender
from node.scanner import Mark
from sequencer.batches import SealedBatch
from sequencer.posting import Resequence, Wait
from state.batch import BatchHeader, batch_hash
from state.chunks import decode_chunk
from state.lz4_block import CodecError

NOT_THE_SEQUENCER = "batches: not the sequencer"

GAS_FIXED = 250_000
GAS_PER_BYTE = 64
"""40 is the dearest byte of calldata (EIP-7623), 64 what is planned for it (EIP-7976)."""

_NEVER = {
    "batches: time lags too far": "its times are too old by now",
    "batches: time runs backwards": "L1 has moved on to later times",
    "batches: overdue item left out": "it leaves out an overdue inbox item",
}
_LATER = {
    "batches: parent is not the last batch": "L1 has another batch there, or lacks the one before",
    "batches: time is in the future": "L1's clock is behind",
    "batches: inbox has no such item": "L1 took an inbox item back",
    "batches: inbox runs backwards": "L1 has another batch before it",
    "batches: origin is on another branch": "L1 reorganised",
    "batches: origin is too old": "L1 moved on before it took the batch",
    "batches: origin is not in the past": "L1 went back",
}


class Posted(Struct, frozen=True):
    """It is on L1, if L1 keeps that block."""

    block: int
    transaction: bytes
    gas: int


class Poster:
    """Sends batches to one rollup; `corrupt` is the number of a batch to damage, for drills."""

    def __init__(
        self, sender: TransactionSender, rollup: bytes, *, corrupt: int | None = None
    ) -> None:
        self.sender = sender
        self._rollup = rollup
        self.corrupt = corrupt

    async def post(
        self,
        batch: SealedBatch,
        origin: Mark,
        parent: bytes,
        *,
        is_ahead: bool = False,
        taken: Callable[[], None] | None = None,
    ) -> Posted | Resequence | Wait:
        """Post `batch`, whose inbox items were all read from L1 up to the block of `origin`.

        L1 takes the batch only behind `parent` and on the branch of that block. Were its items
        taken back and replaced meanwhile, it would run other ones there than were run here. What
        to do where the contract refused it; Retry and L1Error where L1 does not answer or does
        not take the transaction, Halt where it never will.

        One that `is_ahead` has a parent that L1 has not taken yet, so its gas is not estimated.
        `taken` is called once L1 has the transaction waiting.
        """
        data = self._calldata(batch, origin, parent)
        gas = gas_limit(data) if is_ahead else None
        try:
            receipt = await self.sender.send(self._rollup, data, gas=gas, taken=taken)
        except TransactionReverted as refusal:
            return self._move(batch.number, refusal.reason)
        return Posted(receipt.block_number, receipt.transaction_hash, receipt.gas_used)

    def is_sound(self, batch: SealedBatch) -> bool:
        """Whether what is sent of `batch` decodes, so that L1 cannot hold it for void."""
        try:
            for data, chunk in zip(self._chunks(batch), batch.content.chunks, strict=True):
                decode_chunk(data, chunk.raw_hash)
        except CodecError:
            return False
        return True

    def _chunks(self, batch: SealedBatch) -> list[bytes]:
        chunks = list(batch.payload)
        if batch.number == self.corrupt and chunks:
            # The last byte is a literal of the raw chunk, so its hash is sure to differ.
            chunks[0] = chunks[0][:-1] + bytes([chunks[0][-1] ^ 1])
        return chunks

    def _calldata(self, batch: SealedBatch, origin: Mark, parent: bytes) -> bytes:
        chunks, content = self._chunks(batch), batch.content
        return calls.post_batch(
            parent=parent,
            inbox_to=content.inbox_to,
            origin_number=origin.block,
            origin_hash=origin.hash,
            time_min=content.time_min,
            time_max=content.time_max,
            chunks=chunks,
            raw_hashes=[chunk.raw_hash for chunk in content.chunks],
        )

    def _move(self, number: int, reason: str) -> Resequence | Wait:
        """What to do about a refusal of the contract."""
        if reason in _NEVER:
            return Resequence(_NEVER[reason])
        if reason in _LATER:
            return Wait(_LATER[reason])
        if reason == NOT_THE_SEQUENCER:
            raise Halt(
                f"the rollup takes no batches from 0x{self.sender.address.hex()}: start the node "
                "with the key of the rollup's sequencer"
            )
        raise Retry(f"L1 refused batch {number}: {reason}")


def posted_hash(batch: SealedBatch, origin: Mark, parent: bytes) -> bytes:
    """The hash that `batch` has on L1 if L1 takes what `Poster.post` sends of it."""
    content = batch.content
    return batch_hash(
        BatchHeader(
            number=content.number,
            parent=parent,
            inbox_from=content.inbox_from,
            inbox_to=content.inbox_to,
            inbox_accumulator=content.accumulator,
            origin_number=origin.block,
            origin_hash=origin.hash,
            time_min=content.time_min,
            time_max=content.time_max,
            chunks=content.chunks,
        )
    )


def gas_limit(data: bytes) -> int:
    """250,000 + 64 per byte of calldata: more than post_batch uses, whatever it is sent."""
    return min(GAS_FIXED + GAS_PER_BYTE * len(data), GAS_MAX)
