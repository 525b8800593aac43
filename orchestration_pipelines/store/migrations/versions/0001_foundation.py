"""The foundation: cases, tokens, the reviewer table, effects, sagas, audit, and who may do what."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from orchestration_pipelines.domain.review import MOVES

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table, function and grant, and load the legal moves of a review task."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - alembic always binds a live connection
    folder = files("orchestration_pipelines.store.migrations.versions")
    for name in ("0001_foundation.sql", "0001_authority.sql"):
        driver.execute((folder / name).read_text(encoding="utf-8"))
    with driver.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO review_move (from_status, act, to_status) VALUES (%s, %s, %s)",
            [(move.source, move.act, move.target) for move in MOVES],
        )
