"""The codec: chunks of signed messages to what L1 is given, and back."""

from collections.abc import Sequence

from node.benchmark.figures import Figure, Gauge, of_r, per_cpu_second, single
from node.benchmark.flow import Trader
from node.benchmark.memory_venue import DOMAIN, memory_flow
from node.rpc.messages import digest_of
from node.signatures import address_of, sign
from sequencer.payload import Chunk, Payload
from state.chunks import Row, chunk_layout, decode_chunk, encode_chunk, pack_chunk
from state.crypto import keccak
from state.lz4_block import encode
from state.transactions import encode_transaction


def signed_chunks(accounts: int, messages: int) -> list[Chunk]:
    """The mix as the sequencer would post it, really signed: signatures do not compress."""
    keys = [keccak(number.to_bytes(8)) for number in range(accounts)]
    traders = [Trader((number + 1) << 8, address_of(key), key) for number, key in enumerate(keys)]
    payload = Payload()
    for at, tx in memory_flow(traders).take(messages):
        signature = sign(digest_of(DOMAIN, tx), traders[at].private_key)
        payload.add(Row(*encode_transaction(tx), signature))
    payload.close()
    return payload.chunks


def measure_codec(gauge: Gauge, *, accounts: int, messages: int, rounds: int) -> list[Figure]:
    """Both ways, and the bytes of an order with and without its signature."""
    chunks = signed_chunks(accounts, messages)
    assert [row for chunk in chunks for row in _decoded(chunk)] == [
        row for chunk in chunks for row in chunk.rows
    ], "a chunk came back as another one"

    def encoding() -> float:
        def encode_all() -> int:
            for chunk in chunks:
                encode_chunk(chunk.rows)
            return messages

        return per_cpu_second(encode_all)

    def decoding() -> float:
        return per_cpu_second(lambda: sum(len(_decoded(chunk)) for chunk in chunks))

    with_signatures = sum(len(chunk.compressed) for chunk in chunks) / messages
    without = sum(_unsigned_bytes(chunk.rows) for chunk in chunks) / messages
    plain = sum(chunk.raw_size for chunk in chunks) / messages
    return [
        of_r("chunks, packed and compressed", gauge.interleaved(encoding, rounds), "orders/s"),
        of_r("chunks, decoded", gauge.interleaved(decoding, rounds), "orders/s"),
        single(
            "bytes of an order",
            with_signatures,
            "bytes",
            note=f"compressed, its signature's 64 included; {plain:.1f} before",
        ),
        single("  without signatures", without, "bytes", note="rows alone, compressed"),
    ]


def _decoded(chunk: Chunk) -> list[Row]:
    return decode_chunk(chunk.compressed, chunk.commitment.raw_hash)


def _unsigned_bytes(rows: Sequence[Row]) -> int:
    raw = pack_chunk(rows)
    return len(encode(raw[: chunk_layout(raw).signatures]))
