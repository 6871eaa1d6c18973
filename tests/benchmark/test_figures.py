"""Figures: samples beside what they are compared with."""

import pytest

from node.benchmark.figures import Figure, Gauge, Sample, interleaved, of_other, of_r, single
from node.benchmark.primitives import measure_primitives
from node.benchmark.scale import TINY


def test_every_sample_is_compared_with_what_was_read_before_and_after_it() -> None:
    readings, values = iter([10.0, 20.0, 40.0]), iter([1.0, 2.0])
    samples = interleaved(lambda: next(readings), lambda: next(values), 2)
    assert samples == [Sample(1.0, 15.0), Sample(2.0, 30.0)]


def test_a_ratio_is_the_median_of_the_samples_own_ratios() -> None:
    figure = of_r("any", [Sample(10.0, 5.0), Sample(30.0, 10.0), Sample(8.0, 2.0)], "orders/s")
    assert (figure.value, figure.ratio, figure.ratio_of) == (10.0, 3.0, "R")
    assert of_other("any", [Sample(1.0, 4.0)], "steps/s", "raw keccak").ratio_of == "raw keccak"


@pytest.mark.parametrize(
    ("values", "spread"), [([5.0], 0.0), ([8.0, 10.0, 12.0], 0.4), ([0.0, 0.0], 0.0)]
)
def test_the_spread_is_that_of_all_samples_over_the_median(
    values: list[float], spread: float
) -> None:
    samples = tuple(Sample(value) for value in values)
    assert Figure(name="any", unit="", samples=samples).spread == pytest.approx(spread)


def test_what_is_counted_has_no_ratio() -> None:
    assert single("any", 7.0, "bytes", note="why").ratio is None


def test_r_is_read_around_everything() -> None:
    gauge = Gauge(TINY.recoveries)
    figures = measure_primitives(gauge, hashes=TINY.hashes, signatures=TINY.signatures, rounds=2)
    assert len(gauge.samples) == 2 * (2 + 1)
    assert all(len(figure.samples) == 2 and (figure.ratio or 0) > 0 for figure in figures)
    assert gauge.r > 0
