"""The report as one page that stands alone: no script, nothing fetched, readable in light and dark and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from orchestration_pipelines.domain.measures import FlowFigures
from orchestration_pipelines.engine.report.executive import Executive
from orchestration_pipelines.engine.report.flow import FlowReport
from orchestration_pipelines.engine.report.tables import cell, duration, heading

TEMPLATES = Environment(
    loader=PackageLoader("orchestration_pipelines.engine.report", ""), autoescape=True, undefined=StrictUndefined
)


def page(report: FlowReport, status: Executive | None, now: datetime) -> str:
    """The page, as HTML: how the workflow stands comes first; of a log, which does not stand, only how it ran."""
    return TEMPLATES.get_template("page.html").render(
        report=report,
        status=status,
        numbers=list(_told(report.figures)),
        made_at=f"{now.astimezone(UTC):%Y-%m-%d %H:%M}",
        cell=cell,
        heading=heading,
    )


def _told(figures: FlowFigures) -> Iterator[tuple[str, str]]:
    """The figures in words; a rate as a percentage."""
    for name, value in figures.numbers().items():
        words = name.replace("_", " ").removesuffix(" hours")
        if name.endswith(("_rate", "_yield", "_efficiency")):
            yield words, f"{value:.1%}"
        elif name.endswith("_hours"):
            yield words, duration(value * 3_600)
        else:
            yield words, cell(value)
