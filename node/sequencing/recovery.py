"""The sequencer as its last run left it: the snapshot, and the journal from there."""

from pathlib import Path

import structlog
from msgspec import Struct

from node.database import OpenDatabase
from node.disk import Disk
from node.journal import Journal
from node.sequencing.history import History
from node.sequencing.snapshot_store import open_snapshots
from node.sequencing.snapshots import Snapshots
from node.snapshot_policy import SnapshotPolicy
from sequencer.sequencer import Sequencer
from state.authentication import Verifier

log = structlog.get_logger(__name__)


class Paths(Struct, frozen=True):
    """The file of the journal, and the folder of the snapshots; None takes none."""

    journal: Path
    snapshots: Path | None = None


def recovered(
    paths: Paths,
    policy: SnapshotPolicy,
    verifier: Verifier,
    disk: Disk,
    open_database: OpenDatabase,
) -> History:
    """Everything up to the last sync of the run before.

    Halt where journal or snapshots are damaged, in use, or do not belong together.
    """
    identity = verifier.domain.genesis_hash
    journal, snapshots = Journal(disk, paths.journal, identity), None
    try:
        if paths.snapshots is not None:
            store = open_snapshots(paths.snapshots, identity, open_database)
            snapshots = Snapshots(store, policy)
        history = History(Sequencer(verifier), journal, snapshots)
        records = history.recover()
    except BaseException:
        journal.abandon()
        if snapshots is not None:
            snapshots.store.close()
        raise
    log.info("journal_replayed", records=records, batches=history.sequencer.number)
    return history
