"""States from before a follower's snapshot, so that what is not settled begins at one nearby.

    earlier/ u64 n      the number, u64, of the snapshot that the one of batch n was written over
    back/ u64 n / key   what snapshot n wrote over at leaf/ key (node/leaves.py); empty: no leaf

What every snapshot after number s wrote over, the newest first, laid over the leaves of the
newest one makes those of snapshot s. Whoever uses them compares the root.
"""

from collections.abc import Iterator

import structlog

from node.leaves import PREFIX, load_state, stored_machine
from node.store import Changes, Store, StoreDamaged
from state.memory import MemoryState

log = structlog.get_logger(__name__)

EARLIER, BACK = b"earlier/", b"back/"
NUMBER_BYTES = 8

FORGOTTEN_MAX = 200_000
"""Leaves that one write forgets at most. A snapshot is due after a tenth as many records."""


class EarlierStates:
    """Leads from the newest snapshot in `store` back to those before it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- what the snapshot's own write also holds ---

    def kept(self, number: int, before: int, old: Changes, new: Changes) -> Changes:
        """That snapshot `number` writes `new` over `old`, which are the leaves of `before`."""
        group = _group(number)
        # Something of that number may be left from a snapshot that L1 took back.
        changes: dict[bytes, bytes | None] = {key: None for key, _ in self._entries(group)}
        for key, leaf in old.items():
            if leaf != new[key]:
                changes[group + key[len(PREFIX) :]] = leaf or b""
        changes[_key(EARLIER, number)] = _u64(before)
        return changes

    def forgotten(self, number: int, before: int, settled: int) -> Changes:
        """Once snapshot `number` stands on `before`: what leads further back than to the newest
        snapshot that is not after batch `settled`. Of the leaves a part, the next write the rest.
        """
        heads = self._heads() | {number: before}
        needed = set()
        while number > settled and heads.get(number, number) < number:
            needed.add(number)
            number = heads[number]
        heads_gone: Changes = {_key(EARLIER, one): None for one in heads if one not in needed}
        return {**heads_gone, **self._unneeded(needed)}

    def dropped(self) -> Changes:
        """What goes with the snapshot: nothing leads back any more."""
        return {key: None for key, _ in self._entries(EARLIER)}

    def clear(self) -> None:
        """Take the room back, once all was dropped. What is left by a crash goes later."""
        while leaves := self._unneeded(set()):
            self._store.write(leaves)

    def _unneeded(self, needed: set[int]) -> Changes:
        """The oldest leaves, up to the first that are needed or FORGOTTEN_MAX of them."""
        found: dict[bytes, bytes | None] = {}
        for key, _ in self._entries(BACK):
            if len(found) == FORGOTTEN_MAX or _number(key[len(BACK) :][:NUMBER_BYTES]) in needed:
                break
            found[key] = None
        return found

    def _entries(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """What can be read of them: nobody but a dispute needs them, so they stop no follower."""
        try:
            yield from self._store.entries(prefix)
        except StoreDamaged as damage:
            log.warning("earlier states are damaged", problem=str(damage))

    # --- reading ---

    def state(self, number: int) -> MemoryState | None:
        """The state of the newest snapshot that is not after batch `number`; None where none is
        kept. Its root is not checked. StoreDamaged where what is kept does not read.
        """
        # The leaves first: a snapshot that is written meanwhile changes nothing below them.
        leaves = _Leaves(self._store)
        newest = stored_machine(leaves).batch
        reached, heads = newest, self._heads()
        while reached > number:
            before = heads.get(reached, reached)
            if not 0 < before < reached:
                return None
            for key, leaf in self._store.entries(_group(reached)):
                leaves.put(PREFIX + key[len(_group(reached)) :], leaf)
            reached = before
        if reached == 0:
            return None
        state = load_state(leaves)
        if state.machine.batch != reached or state.machine.saved is not None:
            raise self._store.damaged(f"the earlier leaves are not those after batch {reached}")
        return state

    def _heads(self) -> dict[int, int]:
        """Each snapshot that was written over another, and that other."""
        return {
            _number(key[len(EARLIER) :]): _number(value) for key, value in self._entries(EARLIER)
        }


class _Leaves:
    """Leaves in memory, as a store has them."""

    def __init__(self, store: Store) -> None:
        self.damaged = store.damaged
        self._values = dict(store.entries(PREFIX))

    def put(self, key: bytes, leaf: bytes) -> None:
        if leaf:
            self._values[key] = leaf
        else:
            self._values.pop(key, None)

    def read(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def entries(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        return iter(sorted(pair for pair in self._values.items() if pair[0].startswith(prefix)))


def _group(number: int) -> bytes:
    return _key(BACK, number) + b"/"


def _key(prefix: bytes, number: int) -> bytes:
    return prefix + _u64(number)


def _u64(number: int) -> bytes:
    return number.to_bytes(NUMBER_BYTES, "big")


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")
