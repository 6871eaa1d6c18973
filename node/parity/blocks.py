"""LZ4 blocks that cost the most to decode on L1."""

from state.limits import CHUNK_BYTES_MAX, CHUNK_SEQUENCES_MAX, CHUNK_TRANSACTIONS_MAX
from state.lz4_block import decode

LAST_LITERALS = 12
"""As many as keep the last match away from the end."""

NIBBLE = 15
MATCH_LEAST = 4
HEAD = CHUNK_TRANSACTIONS_MAX.to_bytes(2) + b"\1" * CHUNK_TRANSACTIONS_MAX
"""What a chunk of the most transactions begins with."""


def worst_blocks() -> dict[str, bytes]:
    """By what makes them dear. Each is sound and as long as a chunk may be, but the last two."""
    blocks = {
        f"most sequences, offset {offset}": _many(HEAD, offset, literals, match)
        for offset, literals, match in ((1, 1, 6), (2, 1, 6), (31, 3, 4), (258, 0, 7), (33, 0, 7))
    }
    blocks["one match as long as it can be"] = _sequence(HEAD, 1, 7_900) + _last(
        bytes(CHUNK_BYTES_MAX - len(HEAD) - 7_900)
    )
    blocks["literals alone"] = _last(HEAD + bytes(CHUNK_BYTES_MAX - len(HEAD)))
    for name, block in blocks.items():
        assert len(decode(block, CHUNK_BYTES_MAX)) == CHUNK_BYTES_MAX, name
    blocks["a length that never ends"] = b"\xff" * (2**16 - 1)
    blocks["cut behind the most sequences"] = _many(HEAD, 1, 1, 6)[:-1]
    return blocks


def _many(head: bytes, offset: int, literals: int, match: int) -> bytes:
    """`head`, then as many sequences as there may be, then what is left as literals."""
    count = CHUNK_SEQUENCES_MAX - 2
    left = CHUNK_BYTES_MAX - len(head) - MATCH_LEAST - count * (literals + match)
    assert left >= LAST_LITERALS
    first = _sequence(head, offset, MATCH_LEAST)
    return first + _sequence(b"\1" * literals, offset, match) * count + _last(b"\1" * left)


def _sequence(literals: bytes, offset: int, match: int) -> bytes:
    """Literals, then a match of `match` bytes from `offset` bytes back."""
    run, more = min(len(literals), NIBBLE), min(match - MATCH_LEAST, NIBBLE)
    front = bytes([run << 4 | more]) + _length(len(literals)) + literals
    return front + offset.to_bytes(2, "little") + _length(match - MATCH_LEAST)


def _last(literals: bytes) -> bytes:
    """The sequence that ends a block."""
    return bytes([min(len(literals), NIBBLE) << 4]) + _length(len(literals)) + literals


def _length(value: int) -> bytes:
    """What follows a full nibble."""
    if value < NIBBLE:
        return b""
    full, rest = divmod(value - NIBBLE, 255)
    return b"\xff" * full + bytes([rest])
