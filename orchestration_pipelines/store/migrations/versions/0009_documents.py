"""Documents of a case."""

from __future__ import annotations

from orchestration_pipelines.store.migrations.statements import execute

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the documents."""
    execute("0009_documents.sql")
