"""LZ4 blocks by hand, sound or not: as the format writes them, and as nobody should."""

from random import Random

from state.limits import CHUNK_BYTES_MAX, CHUNK_SEQUENCES_MAX
from state.lz4_block import encode_literals

LAST = b"\xc0" + b"ZYXWVUTSRQPO"
"""A last sequence as short as the format allows behind a match."""


def seeded(seed: int) -> Random:
    """Chance that is the same for the same seed, so that a failure comes again."""
    return Random(seed)  # noqa: S311  (nothing secret is drawn)


def length_nibble(length: int) -> tuple[int, bytes]:
    """What stands of a length in a token's nibble, and what behind the token."""
    if length < 15:
        return length, b""
    full, rest = divmod(length - 15, 255)
    return 15, b"\xff" * full + bytes([rest])


def sequence(literals: bytes, offset: int, match: int) -> bytes:
    """A sequence as the block format writes it, whatever its offset."""
    high, literal_bytes = length_nibble(len(literals))
    low, match_bytes = length_nibble(match - 4)
    token = bytes([high << 4 | low])
    return token + literal_bytes + literals + offset.to_bytes(2, "little") + match_bytes


def drawn_block(random: Random) -> bytes:
    """A sound block of sequences of every shape, often one that fills its chunk."""
    block, size = b"", 0
    end = random.choice([50, 500, 4_000, 8_000])
    most = CHUNK_BYTES_MAX - 12
    while size < end:
        fewest = 0 if size else 1
        run = random.choice([fewest, 1, 2, 5, 14, 15, 16, 40, 300])
        literals = random.randbytes(min(run, most - 4 - size))
        size += len(literals)
        offset = random.randint(1, min(size, random.choice([3, 40, CHUNK_BYTES_MAX])))
        match = random.choice([4, 5, 6, 7, 18, 19, 20, 33, 64, 100, 274, 600, most])
        match = min(match, most - size)
        block += sequence(literals, offset, match)
        size += match
    last = min(random.choice([12, 13, 20, 300, most]), CHUNK_BYTES_MAX - size)
    return block + encode_literals(random.randbytes(last))


def damaged(random: Random, block: bytes) -> bytes:
    """`block` with a bit flipped, cut, continued, or with one of its parts somewhere else."""
    at, other = random.randrange(len(block)), random.randrange(len(block))
    match random.randrange(5):
        case 0:
            return block[:at] + bytes([block[at] ^ 1 << random.randrange(8)]) + block[at + 1 :]
        case 1:
            return block[:at]
        case 2:
            return block + random.randbytes(random.choice([1, 2, 3, 20]))
        case 3:
            return block[:at] + bytes([random.choice([0, 15, 240, 255])]) + block[at + 1 :]
        case _:
            return block[:at] + block[min(at, other) : max(at, other)]


def many_sequences(literals: int, offset: int, match: int) -> bytes:
    """As many equal sequences as a block may have, or a chunk has room for, and what fills it."""
    block, size = sequence(b"ABCDEFGH", offset, match), 8 + match
    for _ in range(CHUNK_SEQUENCES_MAX - 2):
        if size + literals + match + 12 > CHUNK_BYTES_MAX:
            break
        block += sequence(b"x" * literals, offset, match)
        size += literals + match
    return block + encode_literals(b"y" * (CHUNK_BYTES_MAX - size))
