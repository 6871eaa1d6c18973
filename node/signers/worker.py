"""A worker process: reads frames of transactions, answers with digests and signers.

    python -m node.signers.worker CHAIN_ID ROLLUP

It ends when its input does, however the node at the other end went.
"""

import contextlib
import fcntl
import signal
import sys
from typing import BinaryIO

from node.rpc.messages import digest_of
from node.signatures import Recoverer
from node.signers.frames import PIPE_BYTES, SIZE_BYTES, decode_rows, framed, signatures_of
from state.chunks import Row
from state.crypto import ZERO_HASH
from state.eip712 import Domain, domain
from state.transactions import Header, decode_transaction


def answer(body: bytes, on: Domain, recover: Recoverer) -> bytes:
    """The body that answers `body`."""
    found = []
    for row in decode_rows(body):
        digest = _digest(row, on)
        found += [digest + recover.recover(digest, one) for one in signatures_of(row)]
    return b"".join(found)


def _digest(row: Row, on: Domain) -> bytes:
    """Zero for what nobody can have signed: the rules turn it away before they ask who did."""
    tx = decode_transaction(row.kind, row.row)
    assert not isinstance(tx, Header), "a header is nobody's"
    try:
        return digest_of(on, tx)
    except (ValueError, IndexError, KeyError):
        return ZERO_HASH


def serve(source: BinaryIO, sink: BinaryIO, on: Domain) -> None:
    """Until `source` ends, or `sink` is gone."""
    recover = Recoverer()
    while len(size := source.read(SIZE_BYTES)) == SIZE_BYTES:
        body = source.read(int.from_bytes(size, "big"))
        try:
            sink.write(framed(answer(body, on, recover)))
            sink.flush()
        except BrokenPipeError:
            return


def main(chain_id: str, rollup: str) -> None:
    # An interrupt from the keyboard is for the node, which closes the pipe when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        # Answers find room also while the node is busy.
        fcntl.fcntl(sys.stdout.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    serve(sys.stdin.buffer, sys.stdout.buffer, domain(int(chain_id), bytes.fromhex(rollup)))


if __name__ == "__main__":
    main(*sys.argv[1:])
