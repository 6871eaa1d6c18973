"""Engines for tests: the twin in Python in the contracts' place, honest or not."""

from collections.abc import Callable

from node.parity.case import Answer, Refused, case_of_calldata, twin
from node.parity.engines import Engine
from node.parity.world import VERIFIER


class Python(Engine):
    """Answers as the rules do, from the call's bytes; remembers every call."""

    name = "python"

    def __init__(self) -> None:
        self.contracts = {}
        self.calls: list[bytes] = []

    def step(self, calldata: bytes) -> bytes | Refused:
        self.calls.append(calldata)
        answer = self.told(twin(case_of_calldata(calldata), VERIFIER))
        if isinstance(answer, Refused):
            return answer
        return answer.root + answer.status.to_bytes(32)

    def told(self, answer: Answer) -> Answer:
        """What is said of it."""
        return answer


class Lying(Python):
    """Says what `lie` makes of its answer, to one call or, where `at` is None, to each."""

    def __init__(self, *, at: int | None, lie: Callable[[Answer], Answer]) -> None:
        super().__init__()
        self.at, self.lie = at, lie

    def told(self, answer: Answer) -> Answer:
        return self.lie(answer) if self.at in (None, len(self.calls) - 1) else answer
