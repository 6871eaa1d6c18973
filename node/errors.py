"""What the node does when the world outside fails, one class per reaction.

Exception
├── Retry
├── Rewind
├── Halt
│   └── WrongChain
└── L1Error
"""

from typing import Any


class Retry(Exception):
    """The same call may succeed later: a timeout, a busy server, a full pool."""


class Rewind(Exception):
    """Our view of L1 is void: derive again from the last finalized block."""


class Halt(Exception):
    """Going on could lose money: a root mismatch, a corrupt journal."""


class WrongChain(Halt):
    """The L1 endpoint serves another chain than the one we were told to use."""

    def __init__(self, *, expected: int, found: int, url: str) -> None:
        super().__init__(
            f"L1 at {url} has chain id {found}, expected {expected}: "
            "point the node at the right endpoint, or change the expected chain id"
        )
        self.expected = expected
        self.found = found


class L1Error(Exception):
    """L1 answered, and the answer is a JSON-RPC error: asking again changes nothing.

    `code` and `message` are the server's; `data` is whatever it sent along, for
    a revert the ABI-encoded reason as 0x-prefixed hex.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"L1 refused: {message} (code {code})")
        self.code = code
        self.message = message
        self.data = data
