"""Databases for tests. One whose schema a test left alone is emptied and used again: to make one costs far more."""

from __future__ import annotations

from uuid import uuid4

import psycopg
from psycopg import sql

from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.server import EmbeddedServer

#: the newest schema, to make others from
TEMPLATE = "migrated"
#: what has grown beyond this is thrown away: the next test would meet its dead rows
_LARGEST = 2_000_000

#: Any change of the schema, by whomever, leaves a mark (one in a transaction that is rolled back does not).
_WATCH = """
CREATE SCHEMA test_marks;
CREATE TABLE test_marks.changed (at timestamptz);
CREATE FUNCTION test_marks.mark() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp') THEN
        INSERT INTO test_marks.changed VALUES (now());
    END IF;
END $$;
CREATE FUNCTION test_marks.mark_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary) THEN
        INSERT INTO test_marks.changed VALUES (now());
    END IF;
END $$;
CREATE EVENT TRIGGER mark ON ddl_command_end EXECUTE FUNCTION test_marks.mark();
CREATE EVENT TRIGGER mark_drop ON sql_drop EXECUTE FUNCTION test_marks.mark_drop();
"""

#: What migrations put in stays; everything else goes. The answer says whether the database is as it was made.
_EMPTY = """
DO $$
DECLARE
    one record; filled boolean; large boolean := false;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT c.oid::regclass AS name, pg_relation_size(c.oid) AS size FROM pg_class c
               WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
                 AND NOT c.relname = ANY (string_to_array(current_setting('test.seeds'), ',')) LOOP
        CONTINUE WHEN one.size = 0;
        large := large OR one.size > current_setting('test.largest')::bigint;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one.name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %s', one.name);
        END IF;
    END LOOP;
    PERFORM setval(c.oid, s.seqstart, false) FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace;
    IF large THEN
        INSERT INTO test_marks.changed VALUES (now());
    END IF;
END $$
"""


class Databases:
    """The test databases of one server."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._at_hand: str | None = None
        url = server.url(TEMPLATE)
        urls.ensure_database(url)
        schema.migrate(url)
        with psycopg.connect(url, autocommit=True) as owner:
            self._seeds = [
                name
                for (name,) in owner.execute(
                    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                    "AND relkind = 'r' AND pg_relation_size(oid) > 0"
                ).fetchall()
            ]
            self._seeded = self._state(owner)
            owner.execute(_WATCH)

    def take(self) -> str:
        """The name of an empty database at the newest schema."""
        name, self._at_hand = self._at_hand or self._make(), None
        return name

    def give_back(self, name: str) -> None:
        """Empty a database for the next test, or drop it if it is not as it was made."""
        if self._at_hand is None and self._empty(name):
            self._at_hand = name
        else:
            self._act(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _make(self) -> str:
        name = f"test_{uuid4().hex[:12]}"
        self._act(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
        return name

    def _empty(self, name: str) -> bool:
        with psycopg.connect(self._server.url(name), autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            owner.execute(
                "SELECT set_config('test.seeds', %s, false), set_config('test.largest', %s, false)",
                (",".join(self._seeds), str(_LARGEST)),
            )
            owner.execute(_EMPTY)
            owner.execute("SELECT pg_stat_reset()")
            unchanged = owner.execute("SELECT NOT EXISTS (SELECT FROM test_marks.changed)").fetchone()
            return unchanged == (True,) and self._state(owner) == self._seeded

    def _state(self, owner: psycopg.Connection) -> list[tuple[object, ...]]:
        """What lies in the tables that migrations fill."""
        return [
            row
            for name in self._seeds
            for row in owner.execute(
                sql.SQL("SELECT {}::text AS here, t::text FROM {} t ORDER BY 2").format(name, sql.Identifier(name))
            )
        ]

    def _act(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as owner:
            owner.execute(statement)
