"""Armed switches on disk: a small file that is replaced whole, and synced, with every change."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from node.errors import Halt
from node.l1.jsonrpc import NotJson, parse
from node.rpc import wire
from node.rpc.wire import Hex
from state.limits import SIGNATURE_BYTES
from state.transactions import CancelAll, decode_transaction, encode_transaction
from state.transactions.kinds import ROW_WIDTHS, Kind

VERSION = 1


class KeptSwitch(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A signed cancel-all, by its kind byte and row. `deadline` is in seconds since 1970; without
    one it waits for the end of a connection.
    """

    body: Hex
    signature: Hex
    deadline: float | None

    @property
    def tx(self) -> CancelAll:
        tx = decode_transaction(self.body[0], self.body[1:])
        assert isinstance(tx, CancelAll), "nothing else is kept"
        return tx


class SwitchFile(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    version: int
    switches: list[KeptSwitch]


def kept(tx: CancelAll, signature: bytes, deadline: float | None) -> KeptSwitch:
    kind, row = encode_transaction(tx)
    return KeptSwitch(Hex(bytes([kind]) + row), Hex(signature), deadline)


def read_switches(path: Path) -> list[KeptSwitch]:
    """What was armed; nothing where there is no file. Halt where it cannot be read."""
    try:
        found = wire.convert(parse(path.read_bytes()), SwitchFile)
    except FileNotFoundError:
        return []
    except (OSError, NotJson, msgspec.ValidationError):
        found = None
    if found is None or found.version != VERSION or not all(map(_is_whole, found.switches)):
        raise Halt(
            f"{path} does not hold switches of this version: restore it, or delete it and tell "
            "the traders that cancel-on-disconnect and dead-man switches are no longer armed"
        )
    return found.switches


def _is_whole(switch: KeptSwitch) -> bool:
    """Whether it is a cancel-all with as much of a signature as there must be."""
    is_one = switch.body[:1] == bytes([Kind.CANCEL_ALL])
    is_row = len(switch.body) == 1 + ROW_WIDTHS[Kind.CANCEL_ALL]
    return is_one and is_row and len(switch.signature) == SIGNATURE_BYTES


def write_switches(path: Path, switches: Sequence[KeptSwitch]) -> None:
    """All of them or those before; on disk when this returns. OSError where it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    with open(beside, "wb") as file:
        file.write(wire.encode(SwitchFile(VERSION, list(switches))))
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
