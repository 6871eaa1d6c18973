"""Figures: samples of a rate, each with the R that was measured around it."""

from collections.abc import Callable
from statistics import median
from time import process_time

from msgspec import Struct, structs

from node.signatures import recover, sign
from state.crypto import keccak


class Sample(Struct, frozen=True):
    """One measurement, and the mean of what R was before and after it, 0 where it was not asked."""

    value: float
    r: float = 0.0


class Figure(Struct, frozen=True, kw_only=True):
    """What was measured, in `unit`. `aim` is a bound on `ratio`, or on the value without one."""

    name: str
    unit: str
    samples: tuple[Sample, ...]
    ratio: float | None = None
    ratio_of: str = ""
    aim: str = ""
    note: str = ""

    @property
    def value(self) -> float:
        """The median."""
        return median(sample.value for sample in self.samples)

    @property
    def spread(self) -> float:
        """(largest - smallest) / median; 0 of a single sample."""
        values = [sample.value for sample in self.samples]
        return (max(values) - min(values)) / self.value if self.value else 0.0


def single(name: str, value: float, unit: str, **more: str | float) -> Figure:
    """A figure that is counted or was measured once."""
    return Figure(name=name, unit=unit, samples=(Sample(value),), **more)  # type: ignore[arg-type]


def of_r(name: str, samples: list[Sample], unit: str, *, aim: str = "", note: str = "") -> Figure:
    """A rate and its multiple of R: the median over samples of value / R around that sample."""
    return Figure(
        name=name,
        unit=unit,
        samples=tuple(samples),
        ratio=median(sample.value / sample.r for sample in samples),
        ratio_of="R",
        aim=aim,
        note=note,
    )


def of_other(name: str, samples: list[Sample], unit: str, other: str, *, note: str = "") -> Figure:
    """A rate and its multiple of something else that was measured around each sample."""
    figure = of_r(name, samples, unit, note=note)
    return structs.replace(figure, ratio_of=other)


Measure = Callable[[], float]
"""Does the work once: its rate per second of CPU."""


class Gauge:
    """R, measured again between everything else, `recoveries` at a time."""

    def __init__(self, recoveries: int) -> None:
        private_keys = [keccak(b"gauge" + bytes([at])) for at in range(8)]
        digests = [keccak(bytes([at])) for at in range(64)]
        signed = [
            (digest, sign(digest, private_keys[at % len(private_keys)]))
            for at, digest in enumerate(digests)
        ]
        self._signed = (signed * (recoveries // len(signed) + 1))[:recoveries]
        self.samples: list[Sample] = []

    def read(self) -> float:
        """R now: recoveries per second of CPU in this process."""
        rate = per_cpu_second(self._recover)
        self.samples.append(Sample(rate))
        return rate

    @property
    def r(self) -> float:
        """The median so far."""
        return median(sample.value for sample in self.samples)

    def interleaved(self, measure: Measure, rounds: int) -> list[Sample]:
        """`measure` so many times, R before, between and after."""
        return interleaved(self.read, measure, rounds)

    def _recover(self) -> int:
        for digest, signature in self._signed:
            recover(digest, signature)
        return len(self._signed)


def per_cpu_second(work: Callable[[], int]) -> float:
    """What `work` says it has done, per second of this process's CPU."""
    began = process_time()
    done = work()
    return done / max(process_time() - began, 1e-9)


def interleaved(read: Measure, measure: Measure, rounds: int) -> list[Sample]:
    """`measure` so many times, `read` before, between and after: what each is compared with."""
    samples, before = [], read()
    for _ in range(rounds):
        value = measure()
        after = read()
        samples.append(Sample(value, (before + after) / 2))
        before = after
    return samples
