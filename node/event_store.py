"""The rollup's events on disk, so that a restart executes again without asking L1 again.

LevelDB notices a damaged block; that a record is missing is noticed here, since each one
is stored with the hash of the chain up to it:

    chain[0] = keccak(terms);  chain[i + 1] = keccak(chain[i] | event i)

L1 remains the truth: whatever is wrong with this folder, deleting it is the mend.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from node.database import OpenDatabase, open_leveldb
from node.rollup import RollupTerms
from node.rollup_events import BatchPosted, RollupEvent
from node.scanner import L1Scanner, Mark
from node.store import Store, StoreDamaged
from state.crypto import keccak

TERMS, HEAD = b"terms", b"head"
EVENT, MARK, ROOT = b"event/", b"mark/", b"root/"
HASH_BYTES = 32
MEND = "delete this folder, and it is made again from L1"


class Head(msgspec.Struct, frozen=True):
    """How many events there are, and the hash of their chain."""

    count: int
    chain: bytes


class EventStore:
    """Events in L1's order, the blocks they were read up to, and the root after each batch.

    One process at a time. Raises Halt where the folder is damaged or in use.
    """

    def __init__(self, directory: Path, open_database: OpenDatabase = open_leveldb) -> None:
        self.directory = directory
        self.store = Store(directory, mend=MEND, open_database=open_database)
        self.terms = self._read(TERMS, RollupTerms)
        head = self._read(HEAD, Head)
        if (self.terms is None) != (head is None):
            raise self.damaged("the record of its beginning is missing")
        self._head = head or Head(0, b"")

    def damaged(self, detail: str) -> StoreDamaged:
        """What to raise where something kept here is not what it was."""
        return self.store.damaged(detail)

    def close(self) -> None:
        self.store.close()

    def begin(self, terms: RollupTerms) -> None:
        """An empty store of this rollup's events, whatever was in it before."""
        encoded = msgspec.msgpack.encode(terms)
        head = Head(0, keccak(encoded))
        written: dict[bytes, bytes | None] = {key: None for key, _ in self.store.entries(b"")}
        written[TERMS], written[HEAD] = encoded, msgspec.msgpack.encode(head)
        self.store.write(written)
        self.terms, self._head = terms, head

    def __len__(self) -> int:
        return self._head.count

    def events(self) -> Iterator[RollupEvent]:
        """All of them in order; StoreDamaged at the first that is missing or changed."""
        chain = keccak(msgspec.msgpack.encode(self.terms))
        count = 0
        for key, value in self.store.entries(EVENT):
            body = value[HASH_BYTES:]
            chain = keccak(chain + body)
            if key != _key(EVENT, count) or value[:HASH_BYTES] != chain:
                raise self.damaged(f"event {count} is missing or changed")
            yield self._decode(body, RollupEvent)
            count += 1
        if Head(count, chain) != self._head:
            found, expected = count, self._head.count
            raise self.damaged(f"{expected} events expected, {found} found")

    def since(self, block: int) -> Iterator[RollupEvent]:
        """Those of `block` and after it; none before them is read. StoreDamaged at the first that
        is missing or changed.
        """
        first = bisect_left(range(len(self)), block, key=lambda at: self._event(at).block)
        for at in range(first, len(self)):
            yield self._event(at)

    def _event(self, at: int) -> RollupEvent:
        value = self.store.read(_key(EVENT, at)) or b""
        body = value[HASH_BYTES:]
        if value[:HASH_BYTES] != keccak(self._chain_at(at) + body):
            raise self.damaged(f"event {at} is missing or changed")
        event: RollupEvent = self._decode(body, RollupEvent)
        return event

    def marks(self) -> list[Mark]:
        """The blocks up to which everything was read, oldest first."""
        return [Mark(_number(key, MARK), value) for key, value in self.store.entries(MARK)]

    def append(self, events: Sequence[RollupEvent], mark: Mark) -> None:
        """`events`, and with them all up to `mark`: both or neither reach the disk."""
        count, chain = self._head.count, self._head.chain
        written: dict[bytes, bytes | None] = {}
        for event in events:
            body = msgspec.msgpack.encode(event)
            chain = keccak(chain + body)
            written[_key(EVENT, count)] = chain + body
            count += 1
        for old in self.marks()[: -L1Scanner.MARKS_MAX]:
            written[_key(MARK, old.block)] = None
        written[_key(MARK, mark.block)] = mark.hash
        written[HEAD] = msgspec.msgpack.encode(Head(count, chain))
        self.store.write(written, sync=False)
        self._head = Head(count, chain)

    def rewind(self, block: int) -> None:
        """Forget what happened after `block`, and the roots it led to."""
        count = self._head.count
        written: dict[bytes, bytes | None] = {}
        for key, value in self.store.entries(EVENT, reverse=True):
            event = self._decode(value[HASH_BYTES:], RollupEvent)
            if event.block <= block:
                break
            written[key] = None
            if isinstance(event, BatchPosted):
                written[_key(ROOT, event.number)] = None
            count -= 1
        for mark in self.marks():
            if mark.block > block:
                written[_key(MARK, mark.block)] = None
        head = Head(count, self._chain_at(count))
        written[HEAD] = msgspec.msgpack.encode(head)
        self.store.write(written, sync=False)
        self._head = head

    def put_root(self, batch: int, root: bytes) -> None:
        """What executing up to `batch` led to, to be compared after a restart."""
        self.store.write({_key(ROOT, batch): root}, sync=False)

    def root(self, batch: int) -> bytes | None:
        """The root after `batch`, where it was kept."""
        return self.store.read(_key(ROOT, batch))

    def _chain_at(self, count: int) -> bytes:
        if count == 0:
            return keccak(msgspec.msgpack.encode(self.terms))
        value = self.store.read(_key(EVENT, count - 1))
        if value is None:
            raise self.damaged(f"event {count - 1} is missing")
        return value[:HASH_BYTES]

    def _read(self, key: bytes, shape: Any) -> Any:
        value = self.store.read(key)
        return None if value is None else self._decode(value, shape)

    def _decode(self, value: bytes, shape: Any) -> Any:
        try:
            return msgspec.msgpack.decode(value, type=shape)
        except msgspec.DecodeError as error:
            raise self.damaged(f"a record does not read: {error}") from error


def _key(prefix: bytes, number: int) -> bytes:
    return prefix + number.to_bytes(8, "big")


def _number(key: bytes, prefix: bytes) -> int:
    return int.from_bytes(key[len(prefix) :], "big")
