"""What a manager looks at."""

from __future__ import annotations

from orchestration_pipelines.store.migrations.statements import execute

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the indexes of the boards."""
    execute("0012_oversight.sql")
