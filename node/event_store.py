"""The rollup's events on disk, so that a restart executes again without asking L1 again.

LevelDB notices a damaged block; that a record is missing is noticed here, since each one
is stored with the hash of the chain up to it:

    chain[0] = keccak(terms);  chain[i + 1] = keccak(chain[i] | event i)

L1 remains the truth: whatever is wrong with this folder, deleting it is the mend.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import plyvel

from node.database import OpenDatabase, open_leveldb
from node.errors import Halt
from node.rollup import RollupTerms
from node.rollup_events import BatchPosted, RollupEvent
from node.scanner import L1Scanner, Mark
from state.crypto import keccak

TERMS, HEAD = b"terms", b"head"
EVENT, MARK, ROOT = b"event/", b"mark/", b"root/"
HASH_BYTES = 32


class StoreDamaged(Halt):
    """What is on disk is not what was written."""

    def __init__(self, directory: Path, detail: str) -> None:
        super().__init__(
            f"STORE_DAMAGED: {directory}: {detail}; delete this folder, "
            "and it is made again from L1"
        )


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
        with self._guard():
            self._db = open_database(directory)
        self.terms = self._read(TERMS, RollupTerms)
        head = self._read(HEAD, Head)
        if (self.terms is None) != (head is None):
            raise StoreDamaged(directory, "the record of its beginning is missing")
        self._head = head or Head(0, b"")

    def close(self) -> None:
        self._db.close()

    def begin(self, terms: RollupTerms) -> None:
        """An empty store of this rollup's events, whatever was in it before."""
        encoded = msgspec.msgpack.encode(terms)
        head = Head(0, keccak(encoded))
        with self._guard(), self._db.write_batch(transaction=True) as batch:
            for key in self._db.iterator(include_value=False):
                batch.delete(key)
            batch.put(TERMS, encoded)
            batch.put(HEAD, msgspec.msgpack.encode(head))
        self.terms, self._head = terms, head

    def __len__(self) -> int:
        return self._head.count

    def events(self) -> Iterator[RollupEvent]:
        """All of them in order; StoreDamaged at the first that is missing or changed."""
        chain = keccak(msgspec.msgpack.encode(self.terms))
        count = 0
        for key, value in self._entries(EVENT):
            body = value[HASH_BYTES:]
            chain = keccak(chain + body)
            if key != _key(EVENT, count) or value[:HASH_BYTES] != chain:
                raise StoreDamaged(self.directory, f"event {count} is missing or changed")
            yield self._decode(body, RollupEvent)
            count += 1
        if Head(count, chain) != self._head:
            found, expected = count, self._head.count
            raise StoreDamaged(self.directory, f"{expected} events expected, {found} found")

    def marks(self) -> list[Mark]:
        """The blocks up to which everything was read, oldest first."""
        return [Mark(_number(key, MARK), value) for key, value in self._entries(MARK)]

    def append(self, events: Sequence[RollupEvent], mark: Mark) -> None:
        """`events`, and with them all up to `mark`: both or neither reach the disk."""
        count, chain = self._head.count, self._head.chain
        with self._guard(), self._db.write_batch(transaction=True) as batch:
            for event in events:
                body = msgspec.msgpack.encode(event)
                chain = keccak(chain + body)
                batch.put(_key(EVENT, count), chain + body)
                count += 1
            batch.put(_key(MARK, mark.block), mark.hash)
            for old in self.marks()[: -L1Scanner.MARKS_MAX]:
                batch.delete(_key(MARK, old.block))
            batch.put(HEAD, msgspec.msgpack.encode(Head(count, chain)))
        self._head = Head(count, chain)

    def rewind(self, block: int) -> None:
        """Forget what happened after `block`, and the roots it led to."""
        count = self._head.count
        with self._guard(), self._db.write_batch(transaction=True) as batch:
            for key, value in self._entries(EVENT, reverse=True):
                event = self._decode(value[HASH_BYTES:], RollupEvent)
                if event.block <= block:
                    break
                batch.delete(key)
                if isinstance(event, BatchPosted):
                    batch.delete(_key(ROOT, event.number))
                count -= 1
            for mark in self.marks():
                if mark.block > block:
                    batch.delete(_key(MARK, mark.block))
            head = Head(count, self._chain_at(count))
            batch.put(HEAD, msgspec.msgpack.encode(head))
        self._head = head

    def put_root(self, batch: int, root: bytes) -> None:
        """What executing up to `batch` led to, to be compared after a restart."""
        with self._guard():
            self._db.put(_key(ROOT, batch), root)

    def root(self, batch: int) -> bytes | None:
        """The root after `batch`, where it was kept."""
        with self._guard():
            root: bytes | None = self._db.get(_key(ROOT, batch), verify_checksums=True)
        return root

    def _chain_at(self, count: int) -> bytes:
        if count == 0:
            return keccak(msgspec.msgpack.encode(self.terms))
        value: bytes | None = self._db.get(_key(EVENT, count - 1), verify_checksums=True)
        if value is None:
            raise StoreDamaged(self.directory, f"event {count - 1} is missing")
        return value[:HASH_BYTES]

    def _entries(self, prefix: bytes, *, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        with self._guard():
            yield from self._db.iterator(prefix=prefix, reverse=reverse, verify_checksums=True)

    def _read(self, key: bytes, shape: Any) -> Any:
        with self._guard():
            value = self._db.get(key, verify_checksums=True)
        return None if value is None else self._decode(value, shape)

    def _decode(self, value: bytes, shape: Any) -> Any:
        try:
            return msgspec.msgpack.decode(value, type=shape)
        except msgspec.DecodeError as error:
            raise StoreDamaged(self.directory, f"a record does not read: {error}") from error

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """LevelDB's errors, told with their mend."""
        try:
            yield
        except plyvel.CorruptionError as error:
            raise StoreDamaged(self.directory, str(error)) from error
        except plyvel.Error as error:
            if "LOCK: " in str(error):
                raise Halt(
                    f"STORE_IN_USE: {self.directory} is in use by another process; stop that "
                    "one, or give this node a data directory of its own"
                ) from error
            if "does not exist" in str(error):
                raise StoreDamaged(self.directory, "files of the database are missing") from error
            raise Halt(
                f"STORE_FAILED: {self.directory}: {error}; check the disk and its free space, or "
                "delete this folder, and it is made again from L1"
            ) from error


def _key(prefix: bytes, number: int) -> bytes:
    return prefix + number.to_bytes(8, "big")


def _number(key: bytes, prefix: bytes) -> int:
    return int.from_bytes(key[len(prefix) :], "big")
