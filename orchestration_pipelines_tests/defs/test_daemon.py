"""Through the real daemon: nothing but rows sets anything off, and what died is taken up again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines_tests.defs.flows import location
from orchestration_pipelines_tests.defs.live import Live, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("daemon")]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    place = tmp_path_factory.mktemp("live")
    running = Live(place, location(place))
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def engine(live: Live) -> Engine:
    return Engine(live.server.url(), load_workflow(live.place / "small"))


def _submit(engine: Engine, key: str) -> None:
    assert engine.submit([Row(1, {"case_key": key, "amount": 5})], requested_by="broker", source="t").accepted == 1


def _task(live: Live, key: str) -> list[tuple[int]]:
    return live.sql(
        "SELECT t.id FROM review_task t JOIN cases c ON c.id = t.case_id WHERE case_key = %s AND ended_at IS NULL", key
    )


def _outcome(live: Live, key: str) -> str | None:
    return str(live.sql("SELECT coalesce(outcome, '') FROM cases WHERE case_key = %s", key)[0][0])


def test_arrivals_are_swept_and_a_decision_alone_leads_to_its_effect(live: Live, engine: Engine) -> None:
    """A row in the decision table, written in SQL, is all that is needed."""
    _submit(engine, "A")
    until(90, "the arrival stands before a person", lambda: _task(live, "A"))
    until(90, "the sweep has ended", lambda: {status for _, status, _ in live.runs()} == {"SUCCESS"})
    live.sql("SET ROLE orchestration_app; INSERT INTO review_decision (task_id, outcome, digest, decided_by) "
             "SELECT id, 'approve', digest, 'ann' FROM review_task WHERE ended_at IS NULL")  # fmt: skip
    until(90, "the effect is committed", lambda: live.sql("SELECT 1 FROM effect WHERE status = 'done'"))
    assert _outcome(live, "A") == "done"
    until(90, "the run has ended", lambda: live.runs()[-1][1] == "SUCCESS")
    assert live.runs()[-1][2]["orchestration/sweep"] == "urgent"


def test_h14_a_due_timer_fires(live: Live, engine: Engine) -> None:
    """H14: a deadline that passes is acted on by the daemon alone."""
    _submit(engine, "late")
    until(90, "it waits for a person", lambda: _task(live, "late"))
    live.sql("UPDATE timer SET due_at = now() - interval '1 second' WHERE status = 'armed'")
    until(90, "the case expired", lambda: _outcome(live, "late") == "expired")
    assert live.sql("SELECT status FROM review_task ORDER BY id DESC LIMIT 1") == [("expired",)]


def test_after_all_of_dagster_was_killed_work_goes_on(live: Live, engine: Engine) -> None:
    """The run that died is reported as failed, its case is taken up by another, and nothing is left over."""
    (live.place / "hold").touch()
    _submit(engine, "held")
    until(
        40, "a worker holds the case", lambda: live.sql("SELECT 1 FROM token WHERE holder IS NOT NULL AND attempt = 1")
    )
    live.kill_everything()
    died = {run for run, status, _ in live.runs() if status == "STARTED"}
    assert len(died) == 1
    (live.place / "hold").unlink()
    live.start(wait=False)
    until(90, "the case stands before a person", lambda: _task(live, "held"))
    until(90, "the dead run is reported", lambda: {s for run, s, _ in live.runs() if run in died} == {"FAILURE"})
    assert live.sql("SELECT attempt FROM activity JOIN cases c ON c.id = case_id WHERE case_key = 'held'") == [(2,)]


def test_a_decision_is_taken_on_by_the_run_that_stands_and_another_stands_when_that_is_killed(
    live: Live, engine: Engine
) -> None:
    """No run is started for a decision then; and one that is cancelled ends well."""
    live.end()
    live.env["ORCHESTRATION_STANDING_SWEEP"] = "on"
    live.start()
    first = until(60, "one stands", engine.standing)[0]
    for key in ("at once", "after the kill"):
        _submit(engine, key)
    assert not engine.sweep().errors
    before = len(live.runs())
    _approve(engine, "at once")
    until(5, "the effect is committed", lambda: _outcome(live, "at once") == "done")
    assert len(live.runs()) == before
    os.kill(live.sql("SELECT pid FROM sweeper WHERE id = %s", first.id)[0][0], signal.SIGKILL)
    _approve(engine, "after the kill")
    until(60, "the effect is committed", lambda: _outcome(live, "after the kill") == "done")
    second = until(60, "another stands", lambda: [s for s in engine.standing() if s.id > first.id])[0]
    live.cancel(second.run)
    until(
        60, "it is cancelled", lambda: {status for run, status, _ in live.runs() if run == second.run} == {"CANCELED"}
    )
    assert live.sql("SELECT died FROM sweeper WHERE id = %s", second.id) == [(False,)]


def _approve(engine: Engine, key: str) -> None:
    with engine.connect() as connection:
        connection.execute(
            "INSERT INTO review_decision (task_id, outcome, digest, decided_by) "
            "SELECT t.id, 'approve', t.digest, 'ann' FROM review_task t JOIN cases c ON c.id = t.case_id "
            "WHERE case_key = %s AND ended_at IS NULL",
            (key,),
        )
