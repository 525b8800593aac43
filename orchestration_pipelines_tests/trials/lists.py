"""Lists of 100,000 open tasks: a page of one queue in every order, filtered, first and last; what is mine; the figures.

    python -m orchestration_pipelines_tests.trials --only lists [--small]

One queue holds nine in ten of them, in twelve lanes; as many have ended. Each list is read as the console reads it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from orchestration_pipelines.store import backlog, listing, schema, search, urls, worklist
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.listing import Place, Wanted
from orchestration_pipelines.store.server import EmbeddedServer

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
_AIM_MS = 100.0
_RUNS = 20

_LOAD = """
SET session_replication_role = replica;  -- the rows are made up, so no trigger is asked
INSERT INTO workflow (name, owner) VALUES ('flow', 'trial');
INSERT INTO queue (workflow, name, owner, role)
    VALUES ('flow', 'big', 'trial', 'reviewer'), ('flow', 'other', 'trial', 'other');
INSERT INTO reviewer (person, roles, capacity) SELECT 'person ' || n, '{reviewer}', 5 FROM generate_series(1, 50) n;
INSERT INTO work_lane (workflow, queue, skill, region)
    SELECT 'flow', q, 'skill ' || s, 'region ' || r
    FROM unnest(ARRAY['big', 'other']) q, generate_series(1, 4) s, generate_series(1, 3) r;
INSERT INTO cases (workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq,
                   audit_head, submitted_at)
    SELECT 'flow', 1, 'C-' || lpad((n * 7919 % %(count)s)::text, 7, '0'), 'broker ' || n % 100, '\\x00',
           jsonb_build_object('amount', n, 'note', repeat('x', 200)), 1, 0, '\\x', '2026-02-01'
    FROM generate_series(1, 2 * %(count)s) n ON CONFLICT DO NOTHING;
INSERT INTO cases (workflow, version_id, case_key, requested_by, payload_digest, variables, visits, audit_seq,
                   audit_head, submitted_at)
    SELECT 'flow', 1, 'D-' || n, 'broker', '\\x00', '{}', 1, 0, '\\x', '2026-02-01'
    FROM generate_series(1, 2 * %(count)s - (SELECT count(*) FROM cases)) n;
INSERT INTO review_task (case_id, workflow, element, visit, signature, signatures, queue, skill, region, lane, question,
                         editable, digest, opened_at, due_at, order_key, priority, requested_by, status, ended_at)
    SELECT c.id, 'flow', CASE WHEN c.id / 2 % 50 = 0 THEN 'second_look' ELSE 'review' END, 1, 1, 1, l.queue, l.skill,
           l.region, l.id, 'Is the income proved?', '{}', 'd', at, at + (c.id * 31 % 240) * interval '1 hour',
           at - (c.id % 4) * interval '1 day', c.id % 4, c.requested_by,
           CASE WHEN c.id % 2 = 0 THEN 'decided' ELSE 'open' END,
           CASE WHEN c.id % 2 = 0 THEN timestamptz '2026-03-01' END
    FROM cases c JOIN work_lane l
        ON l.id = 1 + (hashint8(c.id)::bigint & 1073741823) % 12 + CASE WHEN c.id / 2 % 10 = 0 THEN 12 ELSE 0 END
    -- many of one instant, as a sweep opens them
    CROSS JOIN LATERAL (SELECT '2026-02-20'::timestamptz + (c.id / 2000) * interval '1 hour' AS at) w;
UPDATE review_task t SET status = 'claimed', assignee = h.person, assigned_at = opened_at, claimed_at = opened_at
    FROM (SELECT id, 'person ' || 1 + row_number() OVER (ORDER BY id) % 50 AS person FROM review_task
          WHERE status = 'open' AND queue = 'big' ORDER BY id LIMIT 200) h WHERE t.id = h.id;
"""


def load(url: str, count: int) -> None:
    """Put ``count`` open tasks into a migrated database, and as many that have ended."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(_LOAD.replace("%(count)s", str(count)).encode())
        owner.execute("VACUUM ANALYZE")


def _asked(connection: psycopg.Connection) -> dict[str, Callable[[], Any]]:
    mine = worklist.lanes_of(connection, "person 1")
    whole = Wanted("flow", "big", mine)
    few, many = True, False
    wanted = {
        "": (whole, many),
        ", in hand": (whole._replace(status="claimed"), few),
        ", waiting": (whole._replace(status="open"), many),
        ", past due": (whole._replace(due_before=NOW), many),
        ", nothing past due": (whole._replace(due_before=datetime(2026, 1, 1, tzinfo=UTC)), few),
        ", of one lane": (whole._replace(lanes=mine[:1]), many),
        ", of a rare step": (whole._replace(step="second_look"), few),
        ", of no step": (whole._replace(step="none"), few),
        ", of one class": (whole._replace(priority=3), many),
        ", of no class": (whole._replace(priority=9), many),
        ", by key": (whole._replace(prefix="C-00"), many),
        ", by rare key": (whole._replace(prefix="C-00071"), many),
        ", by no key": (whole._replace(prefix="X"), many),
        ", gathered": (whole._replace(lanes=mine[:1]), few),
    }
    far = {
        "order": "2026-02-22T00:00:00Z",
        "age": "2026-02-22T00:00:00Z",
        "due": "2026-03-01T00:00:00Z",
        "key": "C-0050000",
    }

    def read(which: Wanted, order: str, after: Place | None, few: bool = False) -> list[worklist.Line]:
        found = listing.page(connection, which, order, after, few=few)
        return worklist.lines(connection, [place.task for place in found[: listing.PAGE]])

    asked: dict[str, Callable[[], Any]] = {
        f"by {order}{name}": lambda which=which, order=order, few=few: read(which, order, None, few)  # type: ignore[misc]
        for order in listing.ORDERS
        for name, (which, few) in wanted.items()
    }
    for order, value in far.items():
        asked[f"by {order}, far behind"] = lambda order=order, value=value: read(whole, order, Place(0, value))  # type: ignore[misc]
    asked["what is in hand"] = lambda: worklist.in_hand(connection, "person 1", 200)
    asked["what is next"] = lambda: worklist.next_tasks(connection, "person 1", 3)
    asked["limits"] = lambda: worklist.limits(connection, "person 1")
    asked["lanes"] = lambda: worklist.lanes_of(connection, "person 1")
    asked["may claim a page"] = lambda: worklist.may_each(connection, "person 1", "claim", tasks)
    asked["figures"] = lambda: backlog.heaps(connection, NOW)
    asked["who is there"] = lambda: backlog.colleagues(connection, NOW)
    asked["search C-001"] = lambda: search.hits(connection, search.beginning(connection, ["C-001", "c-001"], 50))
    tasks = [place.task for place in listing.page(connection, whole, "order")[: listing.PAGE]]
    return asked


def _worst(ask: Callable[[], Any], runs: int) -> tuple[float, float]:
    """Median and longest of so many runs, in ms; the first, which fills caches, is not counted."""
    ask()
    spent = []
    for _ in range(runs):
        begun = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(spent), max(spent)


def measure(count: int, runs: int = _RUNS) -> tuple[dict[str, Any], list[str]]:
    """Read every list on a server of its own; the figures, and what took longer than it may."""
    with tempfile.TemporaryDirectory() as place:
        server = EmbeddedServer(Home(Path(place) / "home").ensure())
        try:
            server.start()
            url = server.url(urls.DATABASE)
            urls.ensure_database(url)
            schema.migrate(url)
            load(url, count)
            with connect(url) as connection:
                found = {name: _worst(ask, runs) for name, ask in _asked(connection).items()}
        finally:
            server.remove()
    figures: dict[str, Any] = {"open tasks": f"{count:,}"}
    figures |= {
        f"{name}: median (longest), ms": f"{median:.1f} ({worst:.1f})" for name, (median, worst) in found.items()
    }
    return figures, [
        f"{name}: {median:.1f} ms, not below {_AIM_MS} ms" for name, (median, _) in found.items() if median >= _AIM_MS
    ]
