"""Migrating the product's database, and refusing to start on one that does not protect its record."""

from __future__ import annotations

from pathlib import Path

import psycopg
import sqlalchemy
import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from orchestration_pipelines.store.urls import DatabaseUnreachable

MIGRATIONS = Path(__file__).parent / "migrations"

_APPEND_ONLY = (
    "audit_entry",
    "review_decision",
    "model_file",
    "model_release",  # but for its state, which a trigger moves
    "release_act",
    "release_rule",
    "pinned_table",
    "assignment",
    "decline",
    "work_policy",
    "quality_draw",
    "quality_sample",
    "quality_lift",
    "shown_facts",
    "inquiry",
    "advice",
    "quality_fallback",  # but for its end, which the second who lifts it sets
    "access_entry",
)
_WITHHELD = ("withheld_outcome", "withheld_protected")
#: everybody but the owner and orchestration_evaluation
_ROLES = ("orchestration_app", "orchestration_reviewer", "orchestration_worker", "orchestration_auditor")

#: What none of the roles may do, by itself, through PUBLIC, or as whatever it is a member of.
_GRANTED = """
WITH forbidden AS (
    SELECT t AS relation, p AS privilege FROM unnest(%(append_only)s::text[]) t,
        unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) p
    UNION ALL SELECT t, 'SELECT' FROM unnest(%(withheld)s::text[]) t)
SELECT r.role, g.rolname, f.privilege, f.relation
FROM unnest(%(roles)s::text[]) WITH ORDINALITY AS r (role, no) CROSS JOIN forbidden f
JOIN pg_roles g ON pg_has_role(r.role, g.oid, 'MEMBER')
WHERE has_table_privilege(g.oid, f.relation, f.privilege)
   OR f.privilege IN ('SELECT', 'UPDATE') AND has_any_column_privilege(g.oid, f.relation, f.privilege)
ORDER BY r.no, g.rolname = r.role LIMIT 1
"""

_DISABLED = """
SELECT tgrelid::regclass::text, tgname FROM pg_trigger
WHERE NOT tgisinternal AND tgenabled NOT IN ('O', 'A') AND tgrelid = ANY(%s::regclass[]) LIMIT 1
"""


class UnprotectedRecord(RuntimeError):
    """The application could change the record or read what was withheld: starting is refused."""


def migrate(url: str, to: str = "head") -> None:
    """Bring the database at ``url`` (its owner's URL) to the newest schema. Safe to repeat and to race.

    ``to`` names an earlier migration, for who wants a database as it once was.
    """
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    config = _config()
    try:
        with engine.connect() as connection:
            # One migration at a time: the second process waits and then finds nothing to do.
            connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('orchestration migrate'))")
            connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            connection.commit()
            connection.exec_driver_sql("SELECT pg_advisory_unlock(hashtext('orchestration migrate'))")
            connection.commit()
    except (psycopg.Error, sqlalchemy.exc.DBAPIError) as error:
        cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error  # alembic's own, or of our SQL
        if not isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise
        raise DatabaseUnreachable(
            f"the database cannot be migrated: {cause.diag.message_primary}. The role in ORCHESTRATION_DATABASE_URL "
            "must own the database and have CREATEROLE; roles that another installation made must be granted to it: "
            f"GRANT {', '.join(_ROLES)} TO that role WITH ADMIN OPTION"
        ) from error
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def revision(connection: psycopg.Connection) -> str:
    """The newest migration that the database has had."""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None  # noqa: S101 - migrate wrote it
    return str(row[0])


def newest() -> str:
    """The newest migration that this version of the product has."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def known(revision: str) -> bool:
    """Whether this version of the product has the migration, and so can go on from it."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def refuse_unprotected(connection: psycopg.Connection) -> None:
    """Raise :class:`UnprotectedRecord` if a role could change decisions or the audit, or read what was withheld."""
    named = {"append_only": list(_APPEND_ONLY), "withheld": list(_WITHHELD), "roles": list(_ROLES)}
    granted = connection.execute(_GRANTED, named).fetchone()
    if granted is not None:
        role, through, privilege, table = granted
        raise UnprotectedRecord(
            f"the role {role} may {privilege} {table}{'' if through == role else f' as a member of {through}'}: "
            f"somebody granted what must never be granted. Run REVOKE {privilege} ON {table} FROM {role}, PUBLIC"
            f"{'' if through == role else f'; REVOKE {through} FROM {role}'} and start again."
        )
    disabled = connection.execute(_DISABLED, ([*_APPEND_ONLY, "review_task"],)).fetchone()
    if disabled is not None:
        raise UnprotectedRecord(
            f"the trigger {disabled[1]} of {disabled[0]} is switched off: the database no longer holds the rules. "
            f"Run ALTER TABLE {disabled[0]} ENABLE TRIGGER {disabled[1]} and start again."
        )
