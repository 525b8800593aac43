"""The statements of a migration, which are written beside it in SQL."""

from __future__ import annotations

from importlib.resources import files

from alembic import op


def execute(*names: str) -> None:
    """Run these files of the folder ``versions``, in order, in the migration's transaction."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - alembic always binds a live connection
    folder = files("orchestration_pipelines.store.migrations.versions")
    for name in names:
        driver.execute((folder / name).read_text(encoding="utf-8"))
