"""Quality: automatic decisions are looked at again, blind; a cell that is beyond its limit falls back to people."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the sample, the fallbacks and who lifts them; the guards know of quality reviews now."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101 - alembic always binds a live connection
    folder = files("orchestration_pipelines.store.migrations.versions")
    for name in ("0006_quality.sql", "0006_blindness.sql"):
        driver.execute((folder / name).read_text(encoding="utf-8"))
