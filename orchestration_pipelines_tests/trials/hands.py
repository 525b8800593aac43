"""Pulling the next task from a million open ones: 50 queues of mixed skills and regions, 500 people.

    python -m orchestration_pipelines_tests.trials --only hands [--small]

Each pull is the whole act as the command line does it, with its record, in a transaction of its own, durability on. Two
people are measured by themselves: one may do none of the thousand oldest tasks of their queue because they submitted
them, the other because they have signed them already.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from orchestration_pipelines.engine import hands
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
QUEUES, SKILLS, REGIONS, PEOPLE, BARRED = 50, 8, 6, 500, 1_000
_P95_MS = 10.0
_PULLS, _ALONE = 1_000, 100

_PEOPLE = f"""
INSERT INTO workflow (name, owner) VALUES ('flow', 'trial');
INSERT INTO queue (workflow, name, owner, role) SELECT 'flow', 'queue ' || q, 'trial', 'role ' || q
    FROM generate_series(1, {QUEUES}) q;
INSERT INTO reviewer (person, roles, regions)
    SELECT 'person ' || n, array_agg('role ' || (n * 7 + r * 11) % {QUEUES} + 1),
           ARRAY['region ' || n % {REGIONS}, 'region ' || (n + 1) % {REGIONS}]
    FROM generate_series(1, {PEOPLE}) n, generate_series(1, 6) r GROUP BY n;
INSERT INTO reviewer_skill SELECT 'person ' || n, 'skill ' || (n + s * 3) % {SKILLS}, 3
    FROM generate_series(1, {PEOPLE}) n, generate_series(1, 3) s ON CONFLICT DO NOTHING;
INSERT INTO reviewer (person, roles) VALUES ('submitter', '{{submitted}}'), ('signer', '{{signed}}');
INSERT INTO queue (workflow, name, owner, role)
    VALUES ('flow', 'submitted', 'trial', 'submitted'), ('flow', 'signed', 'trial', 'signed');
INSERT INTO work_lane (workflow, queue, skill, region, level)
    SELECT 'flow', 'queue ' || q, 'skill ' || s, 'region ' || r, 1 + (q + s) % 3
    FROM generate_series(1, {QUEUES}) q, generate_series(0, {SKILLS} - 1) s, generate_series(0, {REGIONS} - 1) r;
INSERT INTO work_lane (workflow, queue) VALUES ('flow', 'submitted'), ('flow', 'signed');
"""
#: the rows are made up, so no trigger is asked
_TASKS = f"""
SET session_replication_role = replica;
INSERT INTO cases (workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq,
                   audit_head, submitted_at)
    SELECT 'flow', 1, 'case ' || n, 'broker ' || n % 100, '\\x00', '{{"amount": 1}}', 1, 0, '\\x', '2026-03-01'
    FROM generate_series(1, %(count)s) n;
INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, skill, region, level, lane,
                         question, editable, digest, opened_at, order_key, requested_by)
    SELECT n, 'flow', 'review', 1, 1, 1, l.queue, l.skill, l.region, l.level, l.id, '?', '{{}}', 'd',
           '2026-03-01'::timestamptz + n * interval '10 ms', '2026-03-01'::timestamptz + n * interval '10 ms',
           'broker ' || n % 100
    FROM generate_series(1, %(count)s) n
    JOIN work_lane l ON l.id = 1 + (hashint8(n)::bigint & 1073741823) % {QUEUES * SKILLS * REGIONS};
"""
#: in each of two queues twice as many cases, two signatures each, of which the first half is barred for one person
_BARRED = f"""
SET session_replication_role = replica;
WITH made AS (
    INSERT INTO cases (workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq,
                       audit_head, submitted_at)
        SELECT 'flow', 1, queue || ' ' || n, CASE WHEN queue = 'submitted' AND n <= {BARRED} / 2 THEN 'submitter'
               ELSE 'broker' END, '\\x00', '{{}}', 1, 0, '\\x', '2026-02-01'
        FROM unnest(ARRAY['submitted', 'signed']) queue, generate_series(1, 2 * {BARRED}) n
        RETURNING id, requested_by, split_part(case_key, ' ', 1) AS queue, split_part(case_key, ' ', 2)::int AS n)
INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, lane, question, editable,
                         digest, opened_at, order_key, requested_by, status, ended_at, assignee)
    SELECT m.id, 'flow', 'review', 1, s, 2, m.queue, l.id, '?', '{{}}', 'd',
           '2026-02-01'::timestamptz + n * interval '1 s', '2026-02-01'::timestamptz + n * interval '1 s', requested_by,
           CASE WHEN signed THEN 'decided' ELSE 'open' END, CASE WHEN signed THEN timestamptz '2026-02-02' END,
           CASE WHEN signed THEN 'signer' END
    FROM made m JOIN work_lane l ON l.queue = m.queue CROSS JOIN generate_series(1, 2) s
    CROSS JOIN LATERAL (SELECT s = 1 AND m.queue = 'signed' AND n <= {BARRED} AS signed) w;
INSERT INTO review_decision (task_id, case_id, visit, round, outcome, decided_by, role, digest, version_id)
    SELECT id, case_id, 1, 1, 'approve', 'signer', 'signed', digest, 1 FROM review_task WHERE assignee = 'signer';
"""


def load(url: str, count: int) -> None:
    """Put ``count`` open tasks into a migrated database, and the people who may do them."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(_PEOPLE.encode())
        owner.execute(_TASKS.replace("%(count)s", str(count)).encode())
        owner.execute(_BARRED.encode())
        owner.execute("VACUUM ANALYZE")


def timed(connection: psycopg.Connection, person: str) -> float:
    """Milliseconds that a pull took which handed something over."""
    begun = time.perf_counter()
    hands.pull(connection, person, at=NOW)
    return (time.perf_counter() - begun) * 1_000


def _told(name: str, spent: list[float]) -> dict[str, Any]:
    ranks = statistics.quantiles(spent, n=100)
    return {f"pull next, {name}: median (p95), ms": f"{ranks[49]:.1f} ({ranks[94]:.1f})"}


def measure(count: int, pulls: int, alone: int) -> tuple[dict[str, Any], list[str]]:
    """Pull on a server of its own; the figures, and what was missed."""
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as place:
        server = EmbeddedServer(Home(Path(place) / "home").ensure())
        try:
            server.start()
            url = server.url(urls.DATABASE)
            urls.ensure_database(url)
            schema.migrate(url)
            load(url, count)
            with connect(url) as connection:
                mixed = [timed(connection, f"person {chance.randint(1, PEOPLE)}") for _ in range(pulls)]
                barred = {name: [timed(connection, name) for _ in range(alone)] for name in ("submitter", "signer")}
        finally:
            server.remove()
    figures: dict[str, Any] = {"open tasks": f"{count:,}", **_told("500 people", mixed)}
    short = []
    for name, spent in (("500 people", mixed), *barred.items()):
        figures |= _told(name, spent)
        if (p95 := statistics.quantiles(spent, n=100)[94]) >= _P95_MS:
            short.append(f"{name}: p95 of {p95:.1f} ms, not below {_P95_MS} ms")
    return figures, short
