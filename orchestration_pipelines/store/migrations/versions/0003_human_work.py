"""Human work: people, queues, lanes, assignments, clocks, and who may do what."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from orchestration_pipelines.domain.review import MOVES

revision = "0003"
down_revision = "0002"


#: the legal moves stand in the condition of the trigger: nothing is called for a task that makes one
_GUARD = """
DO $$ BEGIN
    DROP TRIGGER guard ON review_task;
    EXECUTE format($sql$
        CREATE TRIGGER guard BEFORE UPDATE ON review_task FOR EACH ROW
        WHEN (OLD.status <> NEW.status AND OLD.status || ' ' || NEW.status <> ALL (%L::text[]))
        EXECUTE FUNCTION review_task_guard()
    $sql$, (SELECT array_agg(from_status || ' ' || to_status) FROM review_move));
END $$
"""


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
    driver.execute(_GUARD)
