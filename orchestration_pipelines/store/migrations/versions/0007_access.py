"""Who signs in to the console: accounts, sessions, and the record of both."""

from __future__ import annotations

from orchestration_pipelines.store.migrations.statements import execute

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create accounts, sessions and the record of access; who may see which case."""
    execute("0007_access.sql")
