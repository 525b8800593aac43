"""The routing run at full size: 50,000 open tasks in 50 queues, 500 people with mixed roles, skills and shifts.

All by the database's own rules: strategies, limits, the account of everybody else, audit. Durability is on.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from orchestration_pipelines.engine.routing import route
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

TASKS, SMALL = 50_000, 500
WITHIN_S = 5.0
_NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_LOAD = """
INSERT INTO workflow (name, owner) VALUES ('w', 'tests');
INSERT INTO queue (workflow, name, owner, role, strategy)
    SELECT 'w', 'q' || n, 'tests', 'r' || n % 10, (ARRAY['round_robin', 'least_load', 'best_skill'])[1 + n % 3]
    FROM generate_series(1, 50) n;
INSERT INTO reviewer (person, roles, level, regions, capacity)
    SELECT 'p' || n, ARRAY['r' || n % 10, 'r' || n / 10 % 10], 1 + n % 3,
           CASE n % 4 WHEN 0 THEN '{}'::text[] ELSE ARRAY['north', 'south'] END, 200
    FROM generate_series(1, 500) n;
INSERT INTO reviewer_skill SELECT 'p' || n, 's' || k, 1 + (n + k) % 3
    FROM generate_series(1, 500) n, generate_series(0, 3) k WHERE (n + k) % 2 = 0;
INSERT INTO shift SELECT 'p' || n, d, '00:00', '12:00'
    FROM generate_series(1, 500) n, generate_series(1, 7) d WHERE n % 10 = 0;
SET session_replication_role = replica;  -- the cases are made up: no version stands behind them
INSERT INTO cases (workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq,
                   audit_head, submitted_at)
    SELECT 'w', 1, 'c' || n, 'broker' || n % 100, '\\x00', '{}', 1, 0, '', '2026-03-02'
    FROM generate_series(1, TASKS) n;
SET session_replication_role = DEFAULT;
INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, skill, region, level, lane,
                         priority, order_key, question, editable, digest, requested_by, opened_at)
    SELECT c.id, 'w', 'review', 1, 1, 1, s.queue, s.skill, s.region, 1,
           lane_of('w', s.queue, s.skill, s.region, 1::int2), 0,
           '2026-03-02'::timestamptz + c.id * interval '1 ms', '?', '{}', 'd', c.requested_by, '2026-03-02'
    FROM cases c, LATERAL (SELECT 'q' || 1 + c.id % 50 AS queue, CASE WHEN c.id % 2 = 0 THEN 's' || c.id / 2 % 4 END
        AS skill, CASE WHEN c.id % 3 = 0 THEN 'north' END AS region) s;
ANALYZE;
"""


def measure(*, small: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Give all tasks out once; the figures, and what was missed."""
    tasks = SMALL if small else TASKS
    with tempfile.TemporaryDirectory() as place:
        server = EmbeddedServer(Home(Path(place)))
        server.start()
        try:
            url = server.url("routing")
            urls.ensure_database(url)
            schema.migrate(url)
            with psycopg.connect(url, autocommit=True) as owner:
                owner.execute(_LOAD.replace("TASKS", str(tasks)).encode())
            with connect(url) as connection:
                begun = time.monotonic()
                routed = route(connection, "w", _NOW)
                took = time.monotonic() - begun
                begun = time.monotonic()
                route(connection, "w", _NOW)
                idle = time.monotonic() - begun
        finally:
            server.remove()
    missed = [] if routed.assigned == tasks else [f"{routed.assigned} of {tasks} tasks were given out"]
    if not small and took > WITHIN_S:
        missed.append(f"{tasks} tasks took {took:.1f} s instead of {WITHIN_S:.0f} s")
    return {
        "tasks given out": routed.assigned,
        "seconds": round(took, 2),
        "… with nothing to do": round(idle, 3),
    }, missed


if __name__ == "__main__":
    figures, missed = measure(small="--small" in sys.argv[1:])
    print(figures, *missed, sep="\n")
    sys.exit(1 if missed else 0)
