"""What helps to decide: reasons that are used again, questions to colleagues."""

from __future__ import annotations

from orchestration_pipelines.store.migrations.statements import execute

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create the reasons and the questions."""
    execute("0010_deciding.sql", "0010_advice.sql")
