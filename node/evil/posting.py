"""A sequencer's key in the wrong hands: batches that no honest sequencer posts."""

from collections.abc import Sequence

from contracts import calls, views
from contracts.events import BatchPostedLog
from node.l1.sender import TransactionSender
from node.rollup import RollupReader
from node.settlement import log_of
from state.chunks import Row, encode_chunk
from state.crypto import keccak
from state.transactions import Header, encode_transaction

ANOTHER_CHUNK = keccak(b"the hash of a raw chunk that nobody has")


async def post_rows(
    reader: RollupReader, sender: TransactionSender, rows: Sequence[Row], *, is_sound: bool
) -> int:
    """Post the next batch: the clock, then `rows`, in one chunk, with all that waits in the inbox.

    Unless it `is_sound` its header names another raw chunk, which makes the batch void. The
    number of the batch.
    """
    head = await reader.read(views.HEAD)
    latest = await reader.block("latest")
    opening = Row(*encode_transaction(Header(latest.timestamp)))
    compressed, raw = encode_chunk([opening, *rows])
    data = calls.post_batch(
        parent=await reader.read(views.BATCH_HASHES, head.number),
        inbox_to=await reader.read(views.INBOX_SIZE),
        origin_number=latest.number,
        origin_hash=latest.hash,
        time_min=max(head.time_max, latest.timestamp - 1),
        time_max=latest.timestamp,
        chunks=[compressed],
        raw_hashes=[keccak(raw) if is_sound else ANOTHER_CHUNK],
    )
    receipt = await sender.send(reader.address, data)
    return log_of(receipt, reader.address, BatchPostedLog).number
