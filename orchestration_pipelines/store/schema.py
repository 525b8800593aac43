"""Migrating the product's database, and refusing to start on one that does not protect its record."""

from __future__ import annotations

from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

#: what the application's role must not be able to do, ever: (table, privilege)
_FORBIDDEN = [
    (table, privilege) for table in ("audit_entry", "review_decision") for privilege in ("UPDATE", "DELETE", "TRUNCATE")
] + [("withheld_outcome", "SELECT"), ("withheld_protected", "SELECT")]


class UnprotectedRecord(RuntimeError):
    """The application could change the record or read what was withheld: starting is refused."""


def migrate(url: str) -> None:
    """Bring the database at ``url`` (its owner's URL) to the newest schema. Safe to repeat and to race."""
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.connect() as connection:
            # One migration at a time: the second process waits and then finds nothing to do.
            connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('orchestration migrate'))")
            connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            connection.exec_driver_sql("SELECT pg_advisory_unlock(hashtext('orchestration migrate'))")
            connection.commit()
    finally:
        engine.dispose()


def refuse_unprotected(connection: psycopg.Connection) -> None:
    """Raise :class:`UnprotectedRecord` if the application's role could change decisions or the audit."""
    for table, privilege in _FORBIDDEN:
        row = connection.execute(
            "SELECT has_table_privilege('orchestration_app', %s, %s)", (table, privilege)
        ).fetchone()
        if row and row[0]:
            raise UnprotectedRecord(
                f"the role orchestration_app may {privilege} {table}: somebody granted what must never be "
                f"granted. Run REVOKE {privilege} ON {table} FROM orchestration_app and start again."
            )
