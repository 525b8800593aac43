"""Many cases from few: those that wait for people, again and again under other numbers and keys.

To sweep a hundred thousand cases takes minutes, and says nothing that a trial of the console asks. The copies are rows
like any others, with everything that a page shows of a case; only the entries of their records name the first one's
number in their bodies.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

#: what stands for what in a copy; the other columns are as they were
_TABLES: Mapping[str, Mapping[str, str]] = {
    "cases": {"id": "id + k * {cases}", "case_key": "case_key || '~' || k"},
    "token": {},
    "activity": {},
    "audit_entry": {},
    "timer": {},
    "compensation": {},
    "effect": {"key": "key || '~' || k"},
    "approval": {"id": "format('A-%s-%s', case_id + k * {cases}, visit)"},
    "withheld_outcome": {},
    "withheld_protected": {},
    "review_task": {"id": "id + k * {tasks}"},
    "sla_clock": {"id": "id + k * {clocks}"},
    "sla_rung": {"clock_id": "clock_id + k * {clocks}"},
}
_OF_WAITING = {
    "cases": "id IN (SELECT case_id FROM waiting)",
    "sla_rung": "clock_id IN (SELECT id FROM sla_clock WHERE case_id IN (SELECT case_id FROM waiting))",
}


def multiply(url: str, times: int) -> None:
    """Have each case that waits for people ``times`` more often."""
    with psycopg.connect(url) as owner:
        owner.execute("SET session_replication_role = replica")  # the rows are made up: no trigger is asked
        owner.execute("CREATE TEMP TABLE waiting AS SELECT DISTINCT case_id FROM review_task WHERE ended_at IS NULL")
        steps = {
            name: _one(owner, f"SELECT max(id) FROM {table}")
            for name, table in (("cases", "cases"), ("tasks", "review_task"), ("clocks", "sla_clock"))
        }
        for table, changed in _TABLES.items():
            columns = [
                row[0]
                for row in owner.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' "
                    "AND table_name = %s AND is_generated = 'NEVER'",
                    (table,),
                )
            ]
            shifted = {"case_id": "case_id + k * {cases}", **changed}
            values = ", ".join(shifted.get(column, column).format(**steps) for column in columns)
            which = _OF_WAITING.get(table, "case_id IN (SELECT case_id FROM waiting)")
            owner.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE "
                f"SELECT {values} FROM {table}, generate_series(1, {times}) AS k WHERE {which}".encode()
            )
        for table in ("cases", "review_task", "sla_clock"):
            _one(owner, f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def _one(owner: psycopg.Connection, statement: str) -> int:
    row = owner.execute(statement.encode()).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
