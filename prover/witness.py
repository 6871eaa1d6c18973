"""The witness of a step: every leaf it touches, and the proof that it stands in the state.

    witness  = machine | roots | leaves | proofs
    roots    = accounts_root | markets_root | board_root
    leaves   = u8 n | n x (u32 account | leaf)                             n <= 2
             | u8 n | n x (u16 market | leaf)                              n <= 1
             | u8 n | n x (u8 row | leaf)                                  n <= 32
             | u8 n | n x (u16 market | u8 side | u64 key | leaf)          n <= 2
             | u8 n | n x u32 withdrawal                                   n <= 1
    leaf     = u16 size | bytes                                            size zero: absent
    proofs   = branch of each account | of each market | u16 n | n x sibling (of all rows)
             | branch of each order | of each withdrawal

Lists are strictly ascending. A branch is compressed (`state.tree.compress_branch`) and
belongs to the tree as the step finds it; the rows share one multiproof. The leaf of a
withdrawal to come is always absent. The bytes are read in `prover/witness_reader.py`.
"""

from collections.abc import Iterable

from msgspec import Struct

from state.commitment import state_root
from state.crypto import ZERO_HASH, keccak
from state.limits import ACCOUNTS_DEPTH, BOOK_DEPTH, MARKETS_DEPTH, WITHDRAWALS_DEPTH
from state.machine import Machine, encode_machine
from state.packing import u
from state.tree import compress_branch

MACHINE_BYTES = len(encode_machine(Machine(), ZERO_HASH))
HASH_BYTES = len(ZERO_HASH)


class ProvenLeaf(Struct, frozen=True):
    """A leaf, b"" where it is absent, and its siblings from the root down."""

    key: int
    leaf: bytes
    branch: tuple[bytes, ...]


class ProvenOrder(Struct, frozen=True):
    """A leaf of one side of one market's book."""

    market: int
    side: int
    key: int
    leaf: bytes
    branch: tuple[bytes, ...]


class ProvenRows(Struct, frozen=True):
    """Rows of the board by their key, and the siblings that make its root of them."""

    leaves: dict[int, bytes]
    siblings: tuple[bytes, ...]


NO_ROWS = ProvenRows({}, ())


class _Part(Struct, frozen=True):
    """What stands of one tree in the leaves and in the proofs."""

    leaves: bytes
    proofs: bytes


class Witness(Struct, frozen=True, kw_only=True):
    """What one step touches of the state, with proofs. Nothing in it is believed unproven."""

    machine: bytes
    accounts_root: bytes
    markets_root: bytes
    board_root: bytes
    accounts: tuple[ProvenLeaf, ...] = ()
    markets: tuple[ProvenLeaf, ...] = ()
    rows: ProvenRows = NO_ROWS
    orders: tuple[ProvenOrder, ...] = ()
    withdrawals: tuple[ProvenLeaf, ...] = ()

    @property
    def state_root(self) -> bytes:
        """The root of the state that this is a witness of, if its proofs hold."""
        machine_hash = keccak(self.machine)
        return state_root(self.accounts_root, self.markets_root, self.board_root, machine_hash)

    @property
    def roots(self) -> bytes:
        """The roots of accounts, markets and board, 32 bytes each."""
        return self.accounts_root + self.markets_root + self.board_root

    @property
    def leaves(self) -> bytes:
        """The third part of the encoding."""
        return b"".join(part.leaves for part in _parts(self).values())

    @property
    def proofs(self) -> bytes:
        """The last part of the encoding."""
        return b"".join(part.proofs for part in _parts(self).values())

    def encode(self) -> bytes:
        """The bytes that `decode_witness` reads."""
        return self.machine + self.roots + self.leaves + self.proofs

    def sizes(self) -> dict[str, int]:
        """Bytes of each part of the encoding; of each tree its leaves, counts and proofs."""
        trees = {name: len(p.leaves) + len(p.proofs) for name, p in _parts(self).items()}
        return {"machine": len(self.machine), "roots": len(self.roots)} | trees


def _parts(w: Witness) -> dict[str, _Part]:
    """By tree, in the order of the encoding."""
    rows = [u(key, 8) + _sized(leaf) for key, leaf in sorted(w.rows.leaves.items())]
    siblings = w.rows.siblings
    return {
        "accounts": _part((_named(p, 32) for p in w.accounts), ACCOUNTS_DEPTH, w.accounts),
        "markets": _part((_named(p, 16) for p in w.markets), MARKETS_DEPTH, w.markets),
        "board": _Part(_list(rows), u(len(siblings), 16) + b"".join(siblings)),
        "books": _part((_place(p) + _sized(p.leaf) for p in w.orders), BOOK_DEPTH, w.orders),
        "withdrawals": _part(
            (u(p.key, 32) for p in w.withdrawals), WITHDRAWALS_DEPTH, w.withdrawals
        ),
    }


def _part(leaves: Iterable[bytes], depth: int, proven: Iterable[ProvenLeaf | ProvenOrder]) -> _Part:
    return _Part(_list(list(leaves)), b"".join(compress_branch(depth, p.branch) for p in proven))


def _list(entries: list[bytes]) -> bytes:
    return u(len(entries), 8) + b"".join(entries)


def _sized(leaf: bytes) -> bytes:
    return u(len(leaf), 16) + leaf


def _named(p: ProvenLeaf, key_bits: int) -> bytes:
    return u(p.key, key_bits) + _sized(p.leaf)


def _place(p: ProvenOrder) -> bytes:
    return u(p.market, 16) + u(p.side, 8) + u(p.key, 64)
