"""What a story of a lie came to, in numbers."""

from msgspec import Struct


class Told(Struct, frozen=True, kw_only=True):
    """Something that somebody did in the dispute; steps from 1, zero where none is meant."""

    who: str
    what: str
    first: int = 0
    last: int = 0
    gas: int = 0
    wei: int = 0


class Decided(Struct, frozen=True, kw_only=True):
    """What ended the dispute: `how` is step, time or refuted; the step is the first wrong one."""

    how: str
    step: int
    kind: str
    status: str
    rules: tuple[str, ...]


class Bonds(Struct, frozen=True, kw_only=True):
    """Wei: what the liar put up for the lie and lost, and who has it now.

    `honest_back` are the bonds of the honest side that came back, `honest_net` what that side
    gained by the whole dispute, gas paid; below zero it cost so much.
    """

    liar_lost: int
    to_movers: int
    to_insurance: int
    honest_back: int
    honest_net: int


class EvilOutcome(Struct, frozen=True, kw_only=True):
    """A lie from its claim to its end. Roots and claims as 0x-hex, money in wei and micro-USDC.

    `gas` and `wei` are what each side used and paid for it in the whole story, `jumped` the
    seconds that L1's clock was moved on.
    """

    kind: str
    lie: str
    batch: int
    steps: int
    wrong_claim: str
    right_claim: str
    wrong_root: str
    right_root: str
    decided: Decided
    moves: tuple[Told, ...]
    rejected: tuple[str, ...]
    bonds: Bonds
    gas: dict[str, int]
    wei: dict[str, int]
    paid: int
    fake_refused: str
    jumped: int
    seconds: float = 0.0
    set_up_seconds: float = 0.0
