"""What a liar can lie about."""

from enum import StrEnum


class Kind(StrEnum):
    """One way to claim what did not happen."""

    ROOT = "root"
    STEP = "step"
    PRIORITY = "priority"
    MARGIN = "margin"
    SEQUENCE = "sequence"
    CHUNK = "chunk"
    WITHDRAWAL = "withdrawal"
    INBOX = "inbox"
    STALL = "stall"


IN_WORDS = {
    Kind.ROOT: "the last state root is made up",
    Kind.STEP: "money goes to the liar in the middle of somebody else's trade",
    Kind.PRIORITY: "the worst price trades first",
    Kind.MARGIN: "a withdrawal is let out that margin forbids",
    Kind.SEQUENCE: "a used sequence number counts again: an order is executed twice",
    Kind.CHUNK: "a malformed chunk is posted and executed all the same",
    Kind.WITHDRAWAL: "a withdrawal leaves that nobody asked for",
    Kind.INBOX: "somebody's deposit is credited to the liar",
    Kind.STALL: "money goes to the liar, who then moves at the last second, once",
}
"""What each one claims."""

LYING_SEQUENCER = frozenset({Kind.SEQUENCE, Kind.CHUNK})
"""Lies over batches that no honest sequencer posts."""
