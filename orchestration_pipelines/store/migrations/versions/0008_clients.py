"""Clients of the interface, and the answers that they were given."""

from __future__ import annotations

from orchestration_pipelines.store.migrations.statements import execute

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the clients with their tokens, and the keys of requests with their answers."""
    execute("0008_clients.sql")
