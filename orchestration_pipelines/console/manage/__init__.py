"""The manager's pages: what needs somebody, and the acts that mend it. Auditors read them, and can act on nothing."""

from __future__ import annotations

from orchestration_pipelines.console.manage import (
    accounts,
    holds,
    limits,
    mending,
    overview,
    quality,
    quarantine,
    releases,
    sla,
    staff,
    team,
    work,
)

ROUTERS = (
    overview.router,
    work.router,
    team.router,
    sla.router,
    limits.router,
    holds.router,
    mending.router,
    quarantine.router,
    quality.router,
    releases.router,
    staff.router,
    accounts.router,
)
