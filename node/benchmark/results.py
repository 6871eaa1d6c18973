"""A report as a document for programs: medians, spreads, ratios, and every sample."""

from typing import Any

import msgspec

from node.benchmark.figures import Figure
from node.benchmark.run import Report


def document(report: Report) -> dict[str, Any]:
    """Plain values, named as in the rest of our JSON."""
    return {
        "scale": report.scale,
        "l1": report.l1,
        "seconds": report.seconds,
        "machine": {
            "cores": report.machine.cores,
            "python": report.machine.python,
            "loadBefore": report.machine.load_before,
            "loadAfter": report.machine.load_after,
        },
        "r": _figure(report.r),
        "parts": {
            name: [_figure(figure) for figure in figures] for name, figures in report.parts.items()
        },
        "profiles": [msgspec.to_builtins(profile) for profile in report.profiles],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": figure.name.strip(),
        "value": round(figure.value, 3),
        "unit": figure.unit,
        "spread": round(figure.spread, 3),
        "samples": [
            {"value": round(sample.value, 3), "r": round(sample.r, 1)} for sample in figure.samples
        ],
    }
    if figure.ratio is not None:
        found |= {"ratio": round(figure.ratio, 4), "ratioOf": figure.ratio_of}
    more = {"aim": figure.aim, "note": figure.note}
    return found | {name: text for name, text in more.items() if text}
