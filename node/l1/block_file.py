"""The devnet's chain on disk: an append-only file of what happened, read again at the start.

    file    magic | record ...
    record  u32 size | u32 crc(size) | payload | u32 crc(payload)
    payload rlp of  [1, version, chain id]                          first, once
                    [2, header, transactions, receipts, nodes]      a block was mined
                    [3, number]                                     blocks above were forgotten
                    [4, i64 offset]                                 the clock was shifted

A block carries the state nodes it added, so nothing is executed again. A record is on
disk before anyone hears of its block. The last record may be torn by a crash and is then
dropped; damage anywhere else stops the start.
"""

import fcntl
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import rlp  # type: ignore[import-untyped]

from node.errors import Halt
from node.l1.assembly import assemble
from node.l1.blocks import Block
from node.l1.envelopes import NotATransaction, decode

MAGIC = b"tallystick l1\n"
VERSION = 1
NAME = "l1-blocks"
_GENESIS, _MINED, _REWOUND, _SHIFTED = range(1, 5)
_SIZE = struct.Struct(">II")
_CHECK = struct.Struct(">I")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mined:
    block: Block


@dataclass(frozen=True, slots=True)
class Rewound:
    number: int


@dataclass(frozen=True, slots=True)
class Shifted:
    offset: int


Record = Mined | Rewound | Shifted


class Store(Protocol):
    """Where the devnet writes what must outlive it."""

    def append(self, record: Record) -> None:
        """Return only when `record` is safe. Raises `Halt`, and from then on always."""
        ...


class NoStore:
    """For a chain that need not outlive its process."""

    def records(self) -> Iterator[Record]:
        return iter(())

    def append(self, record: Record) -> None:
        pass


class BlockFile:
    """One file, one process at a time."""

    def __init__(self, directory: Path, chain_id: int) -> None:
        """Open or create; raises `Halt` for another chain's file or one that is in use."""
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / NAME
        self._chain_id = chain_id
        self._file = open(self.path, "a+b")  # noqa: SIM115 - held open, and locked, until close
        self._failed = False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Halt(f"{self.path} is in use by another L1 devnet: stop that one") from None

    def close(self) -> None:
        self._file.close()

    def records(self) -> Iterator[Record]:
        """What happened so far, oldest first; a torn last record is cut off the file."""
        self._file.seek(0)
        content = self._file.read()
        if len(content) <= len(MAGIC) and MAGIC.startswith(content):
            self._start()
            return
        if not content.startswith(MAGIC):
            raise Halt(f"{self.path} is not a chain of this program: move it away")
        place = len(MAGIC)
        while place < len(content):
            payload, following = self._frame(content, place)
            if payload is None:
                self._cut(place)
                break
            record = self._read(payload, place)
            if record is not None:
                yield record
            place = following
        if place == len(MAGIC):
            self._start()

    def append(self, record: Record) -> None:
        match record:
            case Mined(block):
                raws = [transaction.raw for transaction in block.transactions]
                receipts = [receipt.encoded for receipt in block.receipts]
                self._write([_MINED, block.header.encoded, raws, receipts, list(block.nodes)])
            case Rewound(number):
                self._write([_REWOUND, number])
            case Shifted(offset):
                self._write([_SHIFTED, offset.to_bytes(8, signed=True)])

    def _start(self) -> None:
        self._file.truncate(0)
        self._file.write(MAGIC)
        self._write([_GENESIS, VERSION, self._chain_id])

    def _write(self, fields: list[Any]) -> None:
        if self._failed:
            raise Halt(f"{self.path}: an earlier write failed, so what is on disk is unknown")
        payload = rlp.encode(fields)
        size = _CHECK.pack(len(payload))
        frame = size + _CHECK.pack(zlib.crc32(size)) + payload + _CHECK.pack(zlib.crc32(payload))
        try:
            self._file.write(frame)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._failed = True
            raise Halt(f"{self.path}: cannot write: {error.strerror}") from error

    def _frame(self, content: bytes, place: int) -> tuple[bytes | None, int]:
        """The payload at `place` and what follows it, or None for a torn last record."""
        start = place + _SIZE.size
        if start > len(content):
            return None, place
        size, check = _SIZE.unpack_from(content, place)
        if check != zlib.crc32(content[place : place + _CHECK.size]):
            raise Halt(f"{self.path} is damaged at byte {place}: restore or move it away")
        end = start + size + _CHECK.size
        if end > len(content):
            return None, place
        payload = content[start : start + size]
        if _CHECK.unpack_from(content, start + size)[0] == zlib.crc32(payload):
            return payload, end
        if end == len(content):
            return None, place
        raise Halt(f"{self.path} is damaged at byte {place}: restore or move it away")

    def _cut(self, place: int) -> None:
        log.warning("%s: the last record, at byte %d, is torn and is dropped", self.path, place)
        self._file.truncate(place)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self, payload: bytes, place: int) -> Record | None:
        try:
            match rlp.decode(payload):
                case [kind, version, chain_id] if kind == bytes([_GENESIS]):
                    self._check(int.from_bytes(version), int.from_bytes(chain_id))
                    return None
                case [kind, header, raws, receipts, nodes] if kind == bytes([_MINED]):
                    transactions = [decode(raw) for raw in raws]
                    return Mined(assemble(header, transactions, receipts, nodes))
                case [kind, number] if kind == bytes([_REWOUND]):
                    return Rewound(int.from_bytes(number))
                case [kind, offset] if kind == bytes([_SHIFTED]):
                    return Shifted(int.from_bytes(offset, signed=True))
        except (rlp.exceptions.RLPException, NotATransaction, ValueError) as error:
            raise Halt(f"{self.path}: the record at byte {place} is wrong: {error}") from error
        raise Halt(f"{self.path}: the record at byte {place} is of no known kind")

    def _check(self, version: int, chain_id: int) -> None:
        if version != VERSION:
            raise Halt(f"{self.path} has format {version}, this program reads {VERSION}")
        if chain_id != self._chain_id:
            raise Halt(
                f"{self.path} holds chain {chain_id}, expected {self._chain_id}: "
                "use the other chain id or another data directory"
            )
