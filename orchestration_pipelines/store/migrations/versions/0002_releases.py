"""Releases: tables and drawings become active by an act on the record, and never by an edit of a file."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from orchestration_pipelines.domain.release import MOVES

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the release tables, carry over what was active, and load the legal moves."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - alembic always binds a live connection
    folder = files("orchestration_pipelines.store.migrations.versions")
    driver.execute((folder / "0002_releases.sql").read_text(encoding="utf-8"))
    with driver.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO release_move (from_state, act, to_state, whose) VALUES (%s, %s, %s, %s)", [*map(tuple, MOVES)]
        )
