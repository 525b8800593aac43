"""The database's address in each driver's form, migrating, and the end of the embedded server."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from orchestration_pipelines_tests.cli.command import Command, at_home

#: nothing answers there; an address is printed without asking
OWN = "postgresql://ops:p%40ss%3A%2F%25w@db.example.org:6432/work?sslmode=require"


def test_the_address_works_in_each_driver(tmp_path: Path) -> None:
    """psycopg and psql, SQLAlchemy with psycopg2, and Dagster's own database; migrating is repeatable."""
    with at_home(tmp_path / "home") as command:
        assert command("db", "migrate", "--json").json["database"] == "orchestration"
        assert command("db", "migrate").code == 0
        with psycopg.connect(command("db", "url").out.strip()) as connection:
            assert connection.info.dbname == "orchestration"
        for driver, database in (("psycopg2", "orchestration"), ("dagster", "orchestration_dagster")):
            engine = sqlalchemy.create_engine(command("db", "url", "--driver", driver).out.strip())
            with engine.connect() as opened:
                assert opened.execute(sqlalchemy.text("SELECT current_database()")).scalar() == database
            engine.dispose()
        assert "Delete" in command("down", "--remove", answer="n\n").err
        assert command.server.answers()
        assert command("down").code == 0
        assert not command.server.answers()
        assert command.server.data.exists()
        folder = command.server.folder
        assert command("down", "--remove", "--yes").code == 0
        assert not folder.exists()


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "dagster"])
def test_a_password_is_shown_only_when_asked_for(tmp_path: Path, driver: str) -> None:
    """Masked by default; with the flag it is there, escaped as the form wants it."""
    command = Command(tmp_path / "home", ORCHESTRATION_DATABASE_URL=OWN)
    masked = command("db", "url", "--driver", driver)
    assert masked.code == 0, masked.err
    assert "ops:***@db.example.org:6432" in masked.out
    shown = command("db", "url", "--driver", driver, "--show-password").out
    assert "ops:p%40ss%3A%2F%25w@db.example.org:6432" in shown
    assert "sslmode=require" in shown


def test_a_server_that_is_not_there_gets_a_message(tmp_path: Path) -> None:
    """What could not be reached, why, and both ways out; no password, no traceback."""
    url = "postgresql://ops:secret@127.0.0.1:1/work"
    said = Command(tmp_path / "home", ORCHESTRATION_DATABASE_URL=url)("db", "migrate")
    assert said.code == 1
    assert "database work at 127.0.0.1:1 cannot be reached" in said.err
    assert "ORCHESTRATION_DATABASE_URL" in said.err
    assert "secret" not in said.err
    assert "Traceback" not in said.err
