"""A comparison as one page that stands alone and can be published: no case is on it, only what was counted."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestration_pipelines.engine.pilot_deltas import Deltas
from orchestration_pipelines.engine.report.page import TEMPLATES
from orchestration_pipelines.engine.report.tables import cell, heading


def deltas_page(found: Deltas, now: datetime) -> str:
    """The page, as HTML."""
    return TEMPLATES.get_template("deltas.html").render(
        found=found,
        rows=found.rows(),
        made_at=f"{now.astimezone(UTC):%Y-%m-%d %H:%M}",
        cell=cell,
        heading=heading,
    )
