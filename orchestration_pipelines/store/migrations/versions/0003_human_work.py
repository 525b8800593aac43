"""Human work: people, queues, lanes, assignments, clocks, and who may do what."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of human work, and replace the functions that know more now."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - alembic always binds a live connection
    folder = files("orchestration_pipelines.store.migrations.versions")
    for name in ("0003_people.sql", "0003_work.sql"):
        driver.execute((folder / name).read_text(encoding="utf-8"))
