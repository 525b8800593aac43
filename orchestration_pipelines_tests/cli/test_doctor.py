"""``orchestrate doctor`` finds what is wrong, says what to do, and tells programs by its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from orchestration_pipelines.cli.main import orchestrate
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import urls
from orchestration_pipelines_tests.defs.flows import flow

Doctor = Callable[[], tuple[int, dict[str, dict[str, Any]]]]


@pytest.fixture
def doctor(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doctor]:
    """Exit code and findings, by what was looked at."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("ORCHESTRATION_HOME", str(home))
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", database)
    for variable in ("DAGSTER_HOME", "ORCHESTRATION_DAGSTER_URL"):
        monkeypatch.delenv(variable, raising=False)
    (home / "dagster").mkdir()
    urls.ensure_database(urls.sibling(database, "dagster"))

    def examine() -> tuple[int, dict[str, dict[str, Any]]]:
        ran = CliRunner().invoke(orchestrate, ["doctor", "--json"])
        assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.output
        return ran.exit_code, {finding["what"]: finding for finding in json.loads(ran.stdout)["findings"]}

    yield examine
    with psycopg.connect(urls.on_database(database, "postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{urls.database_of(database)}_dagster" WITH (FORCE)')


def test_a_daemon_that_does_not_run_is_bad(doctor: Doctor) -> None:
    """No deadline fires without it; all else is well, and the code location loads."""
    code, found = doctor()
    assert code == 2
    assert {what for what, finding in found.items() if finding["level"] != "ok"} == {"daemon"}
    assert "no deadline fires" in found["daemon"]["advice"]
    assert found["code orchestration_pipelines.definitions"]["state"] == "loads"


def test_what_waits_for_a_person_is_told(doctor: Doctor, database: str, tmp_path: Path) -> None:
    """An overdue deadline, a hold, an incident, a case that nobody claims, a dead sweeper."""
    engine = Engine(database, load_workflow(flow(tmp_path / "small")))
    engine.submit([Row(1, {"case_key": "A", "amount": 1})], requested_by="broker", source="t")
    engine.sweep()
    engine.submit([Row(1, {"case_key": "B", "amount": 1})], requested_by="broker", source="t")
    engine.submit([Row(1, {"case_key": "C", "amount": 1})], requested_by="broker", source="t")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE timer SET due_at = now() - interval '1 hour'")
        connection.execute("UPDATE token SET entered_at = now() - interval '1 hour' WHERE status = 'ready'")
        connection.execute("INSERT INTO sweeper (run, pid) VALUES ('gone', 1)")
        connection.execute(
            "INSERT INTO hold (workflow, element, reason, held_by, held_at) "
            "VALUES ('small', 'commit', 'rates look wrong', 'ann', now())"
        )
        connection.execute(
            "INSERT INTO incident (workflow, kind, reason, owner, opened_at) VALUES ('small', 'k', 'r', 'o', now())"
        )
    code, found = doctor()
    assert code == 2
    levels = {what: finding["level"] for what, finding in found.items() if finding["level"] != "ok"}
    assert levels == {
        "daemon": "bad",
        "deadlines": "bad",
        "ready cases": "warn",
        "dead sweepers": "warn",
        "hold": "warn",
        "incidents": "warn",
    }
    assert "rates look wrong" in found["hold"]["state"]
    assert found["ready cases"]["state"].startswith("2 wait")


def test_a_record_that_is_not_protected_is_bad(doctor: Doctor, database: str) -> None:
    """Somebody granted what must never be granted."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("GRANT UPDATE ON review_decision TO orchestration_app")
        try:
            _, found = doctor()
        finally:
            connection.execute("REVOKE UPDATE ON review_decision FROM orchestration_app")
    assert found["the record"]["level"] == "bad"
    assert "REVOKE" in found["the record"]["advice"]


def test_a_database_that_is_away_is_the_one_finding(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else can be known then."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    code, found = doctor()
    assert code == 2
    assert found["PostgreSQL"]["level"] == "bad"
    assert "ORCHESTRATION_DATABASE_URL" in found["PostgreSQL"]["advice"]


def test_a_home_that_is_not_there_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor only looks."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(tmp_path / "nowhere"))
    ran = CliRunner().invoke(orchestrate, ["doctor"])
    assert ran.exit_code == 2
    assert "make up" in ran.output
    assert not (tmp_path / "nowhere").exists()


def test_purge_keeps_what_is_young(doctor: Doctor, database: str) -> None:
    """A fresh history has nothing to purge, and the verb says so."""
    ran = CliRunner().invoke(orchestrate, ["purge", "--json"])
    assert json.loads(ran.stdout) == {"purged": 0, "answers": 0, "sessions": 0}
