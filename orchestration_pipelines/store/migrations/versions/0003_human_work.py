"""Human work: people, queues, lanes, assignments, clocks, and who may do what."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from orchestration_pipelines.domain.review import MOVES

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of human work, and replace the functions that know more now."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - alembic always binds a live connection
    folder = files("orchestration_pipelines.store.migrations.versions")
    for name in (
        "0003_people.sql",
        "0003_work.sql",
        "0003_clocks.sql",
        "0003_authority.sql",
        "0003_hand.sql",
        "0003_signing.sql",
    ):
        driver.execute((folder / name).read_text(encoding="utf-8"))
    driver.execute("DELETE FROM review_move")
    with driver.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO review_move (from_status, act, to_status) VALUES (%s, %s, %s)",
            [(move.source, move.act, move.target) for move in MOVES],
        )
