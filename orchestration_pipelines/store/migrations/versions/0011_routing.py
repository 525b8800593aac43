"""Work given out fast."""

from __future__ import annotations

from orchestration_pipelines.store.migrations.statements import execute

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Change the indexes of the reviewer table to what is asked of it."""
    execute("0011_routing.sql", "0011_lists.sql")
