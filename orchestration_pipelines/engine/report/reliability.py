"""The reliability diagram: how often people said yes, by what the score said (DeGroot and Fienberg 1983)."""

from __future__ import annotations

from orchestration_pipelines.domain.thresholds import Calibration
from orchestration_pipelines.engine.report.svg import Frame

_TITLE = "How often people approved, by score"


def reliability(found: Calibration) -> str:
    """A point for each bin of scores; on the diagonal the score is right."""
    judged = sum(each.judged for each in found.bins)
    summary = f"{_TITLE}: {judged:,} judgements, Brier score {found.brier:.3g}"
    frame = Frame(_TITLE, summary, (0, 1), (0, 1))
    frame.axes("approved; across: the score", lambda value: f"{value:.1f}")
    frame.line([(0.0, 0.0), (1.0, 1.0)])
    for each in found.bins:
        frame.bar(each.low + 0.02, each.high - 0.02, each.approved)
    frame.dots([(each.said, each.approved) for each in found.bins], "w")
    return frame.drawn()
