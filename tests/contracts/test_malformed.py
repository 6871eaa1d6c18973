"""A batch with a chunk that is none can be voided by anybody, and an honest batch by nobody."""

import pytest
from evm_engines import TRANSACTION_GAS, PyEvm, Pyrevm, Reverted
from lz4_blocks import LAST, many_sequences, sequence
from rollup_world import ALICE, BOB, CLAIMANT, PARAMETERS, SEQUENCER, World

from contracts import calls, views
from contracts.events import BatchVoidedLog
from prover.derivation import Cursor, derive_batch
from state.chunks import Row, encode_chunk
from state.crypto import ZERO_HASH, keccak
from state.limits import CHUNK_BYTES_MAX, CHUNK_SEQUENCES_MAX
from state.lz4_block import CodecReason, encode_literals

GAS_MAX = 12_000_000
CALLDATA_GAS_TO_COME = 64

HEADERS = [Row(1, bytes([0, 0, 0, 0, second])) for second in range(256)]
ORDER = Row(3, bytes(range(33)), bytes(range(64)))


def packed(rows: list[Row]) -> tuple[bytes, bytes]:
    """A chunk of `rows`, and the hash that a header names."""
    compressed, raw = encode_chunk(rows)
    return compressed, keccak(raw)


HONEST, RAW = encode_chunk([HEADERS[0], ORDER, ORDER, HEADERS[9]])


def literals(raw: bytes) -> tuple[bytes, bytes]:
    """A chunk of one run of literals, and the true hash of what it decodes to."""
    return encode_literals(raw), keccak(raw)


# Compressed chunk and raw hash as a sequencer posted them, and why they are no chunk.
MALFORMED = {
    "a truncated chunk, one byte short": (HONEST[:-1], keccak(RAW), CodecReason.LITERALS_CUT),
    "a chunk of nothing but a token": (b"\x10", keccak(RAW), CodecReason.LITERALS_CUT),
    "a trailing byte behind a valid stream": (
        HONEST + b"\0",
        keccak(RAW),
        CodecReason.OFFSET_CUT,
    ),
    "trailing bytes that a decoder might pass over": (
        encode_literals(RAW) + bytes(9),
        keccak(RAW),
        CodecReason.OFFSET_ZERO,
    ),
    "an offset beyond what is produced": (
        sequence(b"A", 2, 20) + LAST,
        keccak(b"A"),
        CodecReason.OFFSET_TOO_FAR,
    ),
    "offset 0": (sequence(b"A", 0, 20) + LAST, keccak(b"A"), CodecReason.OFFSET_ZERO),
    "length overflow": (
        b"\x1fA\x01\x00" + b"\xff" * 9_000,
        keccak(b"A"),
        CodecReason.MATCH_TOO_LONG,
    ),
    "a literal run past the end": (b"\xf0\x20" + bytes(20), keccak(b""), CodecReason.LITERALS_CUT),
    "more sequences than a block may have": (
        sequence(b"A", 1, 4) + sequence(b"", 1, 4) * (CHUNK_SEQUENCES_MAX - 1) + LAST,
        keccak(b"A"),
        CodecReason.TOO_MANY_SEQUENCES,
    ),
    "a decoded hash that is not the one named": (HONEST, keccak(RAW[:-1]), CodecReason.WRONG_HASH),
    "no hash at all": (HONEST, bytes(32), CodecReason.WRONG_HASH),
    "the hash of the compressed chunk": (HONEST, keccak(HONEST), CodecReason.WRONG_HASH),
    "a raw chunk of no bytes": (*literals(b""), CodecReason.COUNT_CUT),
    "no rows": (*literals(bytes(2)), CodecReason.NO_ROWS),
    "257 rows": (
        *literals(b"\1\1" + b"\1" * 257 + bytes(1_285)),
        CodecReason.TOO_MANY_ROWS,
    ),
    "a count without its kinds": (*literals(b"\1\0\1"), CodecReason.KINDS_CUT),
    "a kind that is none": (*literals(b"\0\1\x0c" + bytes(50)), CodecReason.UNKNOWN_KIND),
    "256 rows announced and 255 in the columns": (
        *literals(b"\1\0" + b"\1" * 256 + bytes(1_275)),
        CodecReason.CHUNK_CUT,
    ),
    "a kinds lane that disagrees with the columns": (
        *literals(RAW[:3] + b"\1" + RAW[4:]),
        CodecReason.CHUNK_TRAILING_BYTES,
    ),
    "as many bytes as a header can name": (
        b"\xff" * 65_535,
        keccak(b""),
        CodecReason.LITERALS_TOO_LONG,
    ),
}


def void_reason(world: World, number: int = 1) -> str:
    """Why a node that reads the logs finds a batch without items to be void, if it does."""
    log = world.batches[number]
    before = Cursor(number - 1, world.read(views.BATCH_HASHES, number - 1), 0, ZERO_HASH)
    derived = derive_batch(log.header, log.payload, (), after=before, batch_hash=log.batch_hash)
    return derived.void_reason


@pytest.mark.parametrize(
    ("compressed", "raw_hash", "reason"), MALFORMED.values(), ids=MALFORMED.keys()
)
def test_a_malformed_chunk_voids_its_batch(
    world: World, compressed: bytes, raw_hash: bytes, reason: CodecReason
) -> None:
    chunks, raw_hashes = [HONEST, compressed, HONEST], [keccak(RAW), raw_hash, keccak(RAW)]
    world.post(chunks=chunks, raw_hashes=raw_hashes)
    for honest in (0, 2):
        with pytest.raises(Reverted, match="malformed: chunk is well-formed"):
            world.prove_malformed(chunk=honest)
    assert not world.read(views.VOID_BATCHES, 1)
    assert void_reason(world).startswith(f"chunk 1: {reason.name}")

    receipt = world.prove_malformed(chunk=1, sender=ALICE)
    assert world.logs(receipt) == [BatchVoidedLog(1, 1, reason, ALICE)]
    assert world.read(views.VOID_BATCHES, 1)
    assert not world.read(views.VOID_BATCHES, 0) and not world.read(views.VOID_BATCHES, 2)


HONEST_CHUNKS = {
    "compressed": (HONEST, keccak(RAW)),
    "literals": literals(RAW),
    "256 rows": packed(HEADERS),
    "the same order 83 times": packed([ORDER] * 83),
}


@pytest.mark.parametrize(
    ("compressed", "raw_hash"), HONEST_CHUNKS.values(), ids=HONEST_CHUNKS.keys()
)
def test_an_honest_batch_survives(world: World, compressed: bytes, raw_hash: bytes) -> None:
    world.post(chunks=[compressed], raw_hashes=[raw_hash])
    with pytest.raises(Reverted, match="malformed: chunk is well-formed"):
        world.prove_malformed()
    for lie in (compressed[:-1], compressed + b"\0", b"", b"\0", bytes(len(compressed))):
        with pytest.raises(Reverted, match="malformed: wrong chunk"):
            world.prove_malformed(compressed=lie)
    assert not world.read(views.VOID_BATCHES, 1) and not void_reason(world)


def post_bad(world: World) -> None:
    """Post one good chunk and one bad."""
    world.post(chunks=[HONEST, b"bad"], raw_hashes=[keccak(RAW)] * 2)


def test_the_header_of_another_batch_proves_nothing(world: World) -> None:
    post_bad(world)
    world.wait(12)
    world.post(chunks=[HONEST, HONEST], raw_hashes=[keccak(RAW)] * 2)
    bad, good = (world.batches[number].header for number in (1, 2))
    changed = good[:-64] + keccak(b"bad") + good[-32:]
    for header in (bad, changed, good[:-1], good + b"\0", good[:148], good[:100], b""):
        with pytest.raises(Reverted, match="malformed: wrong header"):
            world.prove_malformed(2, 1, header=header, compressed=b"bad")
    assert not world.read(views.VOID_BATCHES, 2)


@pytest.mark.parametrize("number", [2, 3, 2**32, 2**64 - 1])
def test_a_batch_that_is_not_posted_cannot_be_voided(world: World, number: int) -> None:
    post_bad(world)
    for header in (b"", world.batches[1].header):
        with pytest.raises(Reverted, match="malformed: wrong header"):
            world.prove_malformed(number, 1, header=header, compressed=b"bad")


def test_batch_0_cannot_be_voided_by_what_its_hash_is_made_of(world: World) -> None:
    preimage = b"tallystick genesis" + (1).to_bytes(32) + world.rollup
    assert keccak(preimage) == world.read(views.BATCH_HASHES, 0)
    with pytest.raises(Reverted, match="malformed: batch is settled"):
        world.prove_malformed(0, 0, header=preimage, compressed=b"")


@pytest.mark.parametrize("chunk", [2, 3, 63, 64, 255])
def test_a_chunk_beyond_the_last_proves_nothing(world: World, chunk: int) -> None:
    post_bad(world)
    for compressed in (b"", b"bad", HONEST):
        with pytest.raises(Reverted, match="malformed: no such chunk"):
            world.prove_malformed(chunk=chunk, compressed=compressed)


def test_a_batch_of_items_alone_has_no_chunk_to_be_malformed(world: World) -> None:
    world.deposit(ALICE)
    world.wait(12)
    world.post()
    with pytest.raises(Reverted, match="malformed: no such chunk"):
        world.prove_malformed(compressed=b"")


def test_another_chunk_proves_nothing(world: World) -> None:
    """Not even one of the same batch, or the raw bytes."""
    post_bad(world)
    for chunk, compressed in ((0, b"bad"), (1, HONEST), (0, RAW), (0, b""), (1, b"")):
        with pytest.raises(Reverted, match="malformed: wrong chunk"):
            world.prove_malformed(chunk=chunk, compressed=compressed)


def test_a_batch_is_voided_once(world: World) -> None:
    world.post(chunks=[b"bad", b"worse"], raw_hashes=[keccak(RAW)] * 2)
    world.prove_malformed(chunk=1)
    for chunk in (0, 1):
        with pytest.raises(Reverted, match="malformed: batch is void already"):
            world.prove_malformed(chunk=chunk, sender=ALICE)


def test_a_settled_batch_stays_what_it_is(world: World) -> None:
    """Up to the confirmation of its claim a batch can be voided, and from then on no more."""
    for _ in range(3):
        post_bad(world)
        world.wait(12)
    first = world.claim(world.output(1))
    second = world.claim(world.output(2), parent=first)
    world.wait(PARAMETERS.claim_window)
    world.confirm(world.output(1))
    with pytest.raises(Reverted, match="malformed: batch is settled"):
        world.prove_malformed(1, 1)
    # Claimed, and open to be confirmed, but not confirmed.
    world.prove_malformed(2, 1)
    world.confirm(world.output(2), parent=first)
    assert world.read(views.CONFIRMED_HEAD).claim == second
    for number in (1, 2):
        with pytest.raises(Reverted, match="malformed: batch is settled"):
            world.prove_malformed(number, 1)
    world.prove_malformed(3, 1)
    assert [world.read(views.VOID_BATCHES, number) for number in range(5)] == [
        False,
        False,
        True,
        True,
        False,
    ]


def test_each_of_64_chunks_is_found_in_the_header(world: World) -> None:
    chunks = [bytes([number, 7]) for number in range(64)]
    for number, last in enumerate((0, 31, 62, 63), start=1):
        world.post(chunks=chunks, raw_hashes=[keccak(RAW)] * 64)
        receipt = world.prove_malformed(number, last, sender=CLAIMANT)
        (log,) = world.logs(receipt)
        assert isinstance(log, BatchVoidedLog)
        assert (log.number, log.chunk, log.by) == (number, last, CLAIMANT)
        world.wait(12)


@pytest.mark.parametrize("size", [2**64, 2**255, 2**256 - 1])
def test_a_size_of_up_to_256_bits_is_refused_when_it_is_sent(world: World, size: int) -> None:
    """In the calldata itself: how many chunks are posted, or how many bytes a chunk has."""
    post = world.batch_call(chunks=[HONEST], raw_hashes=[keccak(RAW)])
    proof = calls.prove_malformed(number=1, header=b"header", chunk=0, compressed=HONEST)
    for call, places in ((post, (5, 6, 7)), (proof, (1, 3))):
        for place in places:
            at = 4 + int.from_bytes(call[4 + 32 * place : 4 + 32 * (place + 1)])
            with pytest.raises(Reverted, match="no reason"):
                world.send(call[:at] + size.to_bytes(32) + call[at + 32 :], SEQUENCER)
    world.posted(world.send(post, SEQUENCER))


# Blocks that take the most work: as many sequences as there may be, each of a match that takes
# as many turns to copy as it can; or as many bytes as there may be, refused as late as possible.
DEAREST = {
    "7 bytes repeated, 1 literal": many_sequences(1, 1, 7),
    "8 bytes repeated, no literal": many_sequences(0, 1, 8),
    "7 bytes of two repeated": many_sequences(1, 2, 7),
    "4 bytes repeated, 4 literals": many_sequences(4, 1, 4),
    "8 bytes copied": many_sequences(0, 8, 8),
    "lengths with bytes of their own": many_sequences(15, 1, 19),
    "one match": sequence(b"A", 1, CHUNK_BYTES_MAX - 13) + LAST,
    "no match": encode_literals(bytes(CHUNK_BYTES_MAX)),
    "1,023 sequences, then 62,000 bytes": many_sequences(0, 1, 7)[:-800].ljust(65_535, b"\1"),
    "1,023 sequences, then cut": (sequence(b"A", 1, 4) + sequence(b"x" * 3, 1, 4) * 1_022).ljust(
        65_535, b"\xff"
    ),
    "a length overflow of 65,535 bytes": b"\xff" * 65_535,
    "a token and 65,534 zeros": b"\xf0".ljust(65_535, b"\0"),
}


def test_the_dearest_chunk_is_judged_within_its_bound() -> None:
    """With the header of 64 chunks, and calldata at the price that is planned (EIP-7976)."""
    engine = Pyrevm()
    world = World(engine)
    costs = {}
    for number, (name, block) in enumerate(DEAREST.items(), start=1):
        chunks = [*[HONEST] * 63, block]
        world.post(chunks=chunks, raw_hashes=[b"\xff" * 32] * 64)
        call = calls.prove_malformed(
            number=number, header=world.batches[number].header, chunk=63, compressed=block
        )
        world.send(call, BOB)
        assert engine.evm.result is not None
        calldata = sum(16 if byte else 4 for byte in call)
        costs[name] = engine.evm.result.gas_used - calldata + CALLDATA_GAS_TO_COME * len(call)
        world.wait(12)
    for name, gas in sorted(costs.items(), key=lambda cost: -cost[1]):
        print(f"prove_malformed, {name}: {gas} gas")
    assert max(costs.values()) <= GAS_MAX
    assert min(costs.values()) > TRANSACTION_GAS


def test_the_dearest_chunk_fits_one_transaction_on_the_engine_that_charges_like_l1() -> None:
    world = World(PyEvm())
    block = many_sequences(4, 1, 4)
    world.post(chunks=[block], raw_hashes=[bytes(32)])
    receipt = world.prove_malformed()
    print(f"prove_malformed, {len(block)} bytes: {receipt.gas_used} gas")
    assert world.logs(receipt) == [BatchVoidedLog(1, 0, CodecReason.WRONG_HASH, BOB)]
    assert receipt.gas_used <= GAS_MAX
