"""Batches as the journal and readers know them."""

from node.conservation import figures_of_machine
from node.records import Adopted
from node.view import BatchRecord
from sequencer.batches import SealedBatch
from state.batch import decode_header
from state.chunks import decode_chunk, split_payload
from state.execution import Batch


def batch_of(record: Adopted) -> Batch:
    """What was adopted: derived from L1 once, so it decodes."""
    header = decode_header(record.header)
    if record.void:
        return Batch(header, record.items, (), void=True)
    compressed = split_payload(record.payload, [chunk.size for chunk in header.chunks])
    chunks = [
        decode_chunk(data, chunk.raw_hash)
        for data, chunk in zip(compressed, header.chunks, strict=True)
    ]
    return Batch(header, record.items, chunks)


def record_of(batch: SealedBatch) -> BatchRecord:
    content = batch.content
    return BatchRecord(
        number=batch.number,
        state_root=batch.commitment.state_root,
        withdrawals_root=batch.commitment.withdrawals.root,
        steps=batch.steps,
        transactions=len(batch.rows),
        orders=batch.orders,
        fills=batch.fills,
        items=len(batch.items),
        raw_bytes=batch.raw_bytes,
        time_min=content.time_min,
        time_max=content.time_max,
        compressed_bytes=batch.compressed_bytes,
        void=batch.void,
        withdrawals=batch.machine.withdrawals,
        figures=figures_of_machine(batch.machine),
    )
