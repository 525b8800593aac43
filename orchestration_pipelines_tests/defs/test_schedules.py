"""Old runs are purged, and only ended ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration_pipelines.defs import schedules
from orchestration_pipelines.defs.schedules import purge_job_and_schedule, purge_runs


@dg.op
def nothing() -> None:
    """Leaves a run in the history."""


@dg.job
def idle() -> None:
    nothing()


class _Later(datetime):
    """A clock three weeks on."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + 21 * 86_400, UTC)


def test_ended_runs_are_purged_when_they_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is still going is kept, however old."""
    instance = dg.DagsterInstance.ephemeral()
    for _ in range(3):
        assert idle.execute_in_process(instance=instance).success
    going = instance.create_run_for_job(idle, status=dg.DagsterRunStatus.STARTED)
    assert purge_runs(instance, keep_days=14) == 0
    monkeypatch.setattr(schedules, "datetime", _Later)
    monkeypatch.setattr(schedules, "_AT_ONCE", 2)
    assert purge_runs(instance, keep_days=14) == 3
    assert [run.run_id for run in instance.get_runs()] == [going.run_id]


def test_the_purge_is_scheduled_every_night(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Running by default, and it cannot hold a slot of the queue for ever."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    job, schedule = purge_job_and_schedule()
    assert schedule.cron_schedule == "17 3 * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert job.tags["dagster/max_runtime"] == "3600"
    assert job.execute_in_process(instance=dg.DagsterInstance.ephemeral()).success
