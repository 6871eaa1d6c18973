"""Why a witness proves nothing."""

from enum import StrEnum


class WitnessFault(StrEnum):
    """Bytes of no witness, a proof of another root, a leaf that is missing, a wrong input,
    and a state that no step leaves behind."""

    FORM = "FORM"
    ROOT = "ROOT"
    MISSING = "MISSING"
    INPUT = "INPUT"
    STATE = "STATE"


class WitnessRefused(ValueError):
    """The step cannot be run from this witness; it says nothing about the step itself."""

    def __init__(self, fault: WitnessFault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
