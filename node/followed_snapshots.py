"""Snapshots of a follower, beside the events it keeps: what they led to up to some batch.

    snapshot        the batch, its root
    leaf/…          the state's leaves (node/leaves.py)
    earlier/, back/ what it was written over (node/earlier_states.py)
    batch/ u64      every batch up to that one, and what is known of it
    tape, tape/…    trades, candles, orders and profit (node/tape/storage.py)

A snapshot is one synced write over the one before it. The events stay whole, so what a
snapshot says can always be made again from them; where L1 takes its batch back, it goes.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from node.earlier_states import EarlierStates
from node.followed import Followed, FollowedBatch
from node.leaves import MACHINE, PREFIX, all_places, leaf_changes, load_state
from node.snapshot_policy import SnapshotPolicy
from node.store import Changes, Store
from node.tape.storage import KeptTape, dropped_tape, kept_tape, load_tape, tape_changes
from state.commitment import Commitment

HEAD, BATCH = b"snapshot", b"batch/"


class Head(Struct, frozen=True):
    """Of which batch it is, the state root after it, and its block if that was final, or -1."""

    number: int
    state_root: bytes
    final_block: int = -1


class FollowedSnapshots:
    """The newest snapshot in a follower's store; `earlier` has the states from before it."""

    def __init__(self, store: Store, policy: SnapshotPolicy | None = None) -> None:
        self._store = store
        self._policy = policy or SnapshotPolicy()
        self.earlier = EarlierStates(store)
        self._commitment: Commitment | None = None
        """That of the snapshot: what is on disk is never read to write over it."""
        encoded = store.read(HEAD)
        self._head: Head | None = None if encoded is None else self._decode(encoded, Head)
        if self._head is None and store.read(MACHINE) is not None:
            raise store.damaged("the head of the snapshot is missing")

    @property
    def number(self) -> int:
        """The batch of the snapshot; zero where there is none."""
        return 0 if self._head is None else self._head.number

    @property
    def final_block(self) -> int:
        """A block that L1 called final before the snapshot was written; -1 where none is known."""
        return -1 if self._head is None else self._head.final_block

    def forget(self) -> None:
        """There is none: somebody emptied the store."""
        self._head = self._commitment = None

    # --- writing ---

    def keep(self, followed: Followed, final: int) -> bool:
        """Write one of batch `final`, or of the nearest that is still known, if it is due."""
        replayer = followed.replayer
        number = max(min(final, followed.number), replayer.oldest)
        if number > followed.number or not self._is_due(followed, number):
            return False
        if self._head is None:
            followed.tape.is_stored = False
        commitment = replayer.version(number)
        leaves = self._leaves(followed, commitment, number)
        batches = followed.batches[self.number : number]
        final_block = batches[-1].record.posted_block if number <= final else -1
        tape = kept_tape(followed.tape, number)
        self._write(commitment, leaves, batches, final_block, tape)
        followed.tape.kept(number)
        replayer.forget_places(number)
        return True

    def _is_due(self, followed: Followed, number: int) -> bool:
        new = followed.batches[self.number : number]
        records = sum(batch.record.transactions + batch.record.items for batch in new)
        return self._policy.is_due(len(new), records)

    def _leaves(self, followed: Followed, commitment: Commitment, number: int) -> Changes:
        """The leaves that change, and what they were as long as that can still be disputed."""
        if self._head is None:
            return leaf_changes(commitment, all_places(commitment))
        assert self._commitment is not None, "`resume` comes first"
        places = followed.replayer.places
        old = leaf_changes(self._commitment, places)
        new = leaf_changes(commitment, places)
        # What was settled by then stays so for as long as L1 has the snapshot's batch.
        settled = followed.confirmed_at(followed.batches[number - 1].record.posted_block)
        kept = self.earlier.kept(number, self.number, old, new)
        return {**new, **self.earlier.forgotten(number, self.number, settled), **kept}

    def _write(
        self,
        commitment: Commitment,
        leaves: Changes,
        batches: Sequence[FollowedBatch],
        final_block: int,
        tape: KeptTape,
    ) -> None:
        changes = {**leaves, **tape_changes(tape, self._store)}
        for batch in batches:
            changes[_key(batch.record.number)] = msgspec.msgpack.encode(batch)
        head = Head(batches[-1].record.number, commitment.state_root, final_block)
        changes[HEAD] = msgspec.msgpack.encode(head)
        self._store.write(changes)
        self._head, self._commitment = head, commitment

    def drop(self) -> None:
        """L1 took back what it is of. On disk before the events are taken back.

        The earlier states go with it: until there are new ones, old batches begin at genesis.
        """
        changes: dict[bytes, bytes | None] = {HEAD: None, MACHINE: None}
        changes |= {**dropped_tape(self._store), **self.earlier.dropped()}
        for prefix in (PREFIX, BATCH):
            changes |= {key: None for key, _ in self._store.entries(prefix)}
        self._store.write(changes)
        self.forget()
        self.earlier.clear()

    # --- reading ---

    def resume(self, followed: Followed) -> None:
        """Let `followed`, which knows nothing yet, go on from here, if there is a snapshot.

        StoreDamaged where its leaves do not make its root, or a batch is missing.
        """
        if self._head is None:
            return
        batches: list[FollowedBatch] = []
        for key, value in self._store.entries(BATCH):
            if key != _key(len(batches) + 1):
                raise self._store.damaged(f"the record of batch {len(batches) + 1} is missing")
            batches.append(self._decode(value, FollowedBatch))
        if len(batches) != self._head.number:
            found, expected = len(batches), self._head.number
            raise self._store.damaged(f"{expected} batches expected, {found} found")
        state = load_state(self._store)
        if state.machine.batch != self._head.number:
            raise self._store.damaged(f"the leaves are those after batch {state.machine.batch}")
        followed.resume(state, batches)
        self._compare(followed)
        self._commitment = followed.replayer.commitment()
        load_tape(followed.tape, self._store, state, followed.fills)

    def _compare(self, followed: Followed) -> None:
        assert self._head is not None
        root, number = followed.replayer.commitment().state_root, self._head.number
        for expected in (self._head.state_root, followed.batches[-1].record.state_root):
            if root != expected:
                raise self._store.damaged(
                    f"the leaves after batch {number} make the root {root.hex()}, "
                    f"not {expected.hex()}"
                )

    def _decode(self, value: bytes, shape: Any) -> Any:
        try:
            return msgspec.msgpack.decode(value, type=shape)
        except msgspec.MsgspecError as error:
            raise self._store.damaged(f"a record does not read: {error}") from error


def _key(number: int) -> bytes:
    return BATCH + number.to_bytes(8, "big")
