"""The figures of flow over a long history: all of it, and a single day of it.

python -m orchestration_pipelines_tests.trials.measures [--cases 1000000] [--json]

The rows are written by SQL, ten activities to a case, a hundred days long: what is measured is the reading.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg

from orchestration_pipelines.domain.measures import figures
from orchestration_pipelines.engine.deployment import Deployment
from orchestration_pipelines.engine.measures import day_window, facts
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.measures import Window
from orchestration_pipelines.store.server import EmbeddedServer

#: what the issue allows: seconds for everything, megabytes, and seconds for a day
ALL_S, MOST_MB, DAY_S = 120.0, 2_000.0, 3.0
_DAYS = 100
_ACTIVITIES = 10
_FIRST = date(2026, 1, 1)

_FILL = """
INSERT INTO workflow (name, owner) VALUES ('flow', 'trial') ON CONFLICT DO NOTHING;
CREATE TEMP TABLE chunk AS SELECT n, timestamptz '2026-01-01 00:00Z' + n * (interval '{days} days' / {cases}) AS at
    FROM generate_series({begin}, {end} - 1) n;
INSERT INTO cases (workflow, version_id, case_key, state, outcome, requested_by, payload_digest, variables, visits,
                   audit_seq, audit_head, submitted_at, closed_at)
    SELECT 'flow', 1, n::text, CASE WHEN n % 50 = 0 THEN 'open' ELSE 'closed' END,
           CASE WHEN n % 50 <> 0 THEN 'done' END, 'trial', '\\x', jsonb_build_object('note', repeat('x', 400)),
           {activities}, 1, '\\x', at,
           CASE WHEN n % 50 <> 0 THEN at + interval '1 hour' * (1 + n % 40) END
    FROM chunk ORDER BY n;
INSERT INTO activity (case_id, visit, element, outcome, attempt, entered_at, started_at, finished_at, sweeper)
    SELECT c.id, v, CASE WHEN v = {activities} AND k.n % 20 = 1 THEN 'step 1' ELSE 'step ' || v END, 'completed', 1,
           k.at + (w.s * (v - 1) / {activities}) * interval '1 second',
           k.at + (w.s * (v - 0.5) / {activities}) * interval '1 second',
           k.at + (w.s * v / {activities}) * interval '1 second', 1
    FROM chunk k JOIN cases c ON c.workflow = 'flow' AND c.case_key = k.n::text
    CROSS JOIN LATERAL (SELECT 3600 * (1 + k.n % 40) AS s) w, generate_series(1, {activities}) v
    ORDER BY 8;
DROP TABLE chunk;
"""


def measure(cases: int) -> dict[str, float]:
    """Fill a database, and read all of it, and days of it."""
    with tempfile.TemporaryDirectory() as place:
        server = EmbeddedServer(Home(Path(place)))
        server.start()
        try:
            deployment = Deployment(server.home, server.url("measures"))
            deployment.prepare()
            _fill(server.url("measures"), cases)
            with connect(deployment.url) as connection:
                now = datetime(2026, 12, 1, tzinfo=UTC)
                days = []
                for day in (0, _DAYS // 2, _DAYS - 1, _DAYS // 2 + 1):  # the first of them counts the days, too
                    begun = time.monotonic()
                    figures(facts(connection, day_window("flow", _FIRST + timedelta(day)), now))
                    days.append(time.monotonic() - begun)
                begun = time.monotonic()
                begin = day_window("flow", _FIRST).begin
                found = figures(facts(connection, Window("flow", begin, begin + timedelta(_DAYS + 3)), now))
                whole = time.monotonic() - begun
        finally:
            server.remove()
    if found.submitted != cases or found.closed != cases - len(range(0, cases, 50)):
        raise RuntimeError(f"{found.submitted} came and {found.closed} closed of {cases}")
    return {
        "cases": cases,
        "activities": cases * _ACTIVITIES,
        "all_s": round(whole, 2),
        "first_day_s": round(days[0], 2),
        "day_s": round(max(days[1:]), 2),
        "client_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _fill(url: str, cases: int) -> None:
    at_once = 100_000
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for begin in range(0, cases, at_once):
            connection.execute(
                _FILL.format(
                    days=_DAYS, cases=cases, begin=begin, end=min(begin + at_once, cases), activities=_ACTIVITIES
                ).encode()
            )
            print(f"  {min(begin + at_once, cases):,} cases written", file=sys.stderr)
        connection.execute("VACUUM ANALYZE")


def missed(found: dict[str, float]) -> list[str]:
    """The aims that were not reached."""
    aims = {"all_s": ALL_S, "day_s": DAY_S, "client_rss_mb": MOST_MB}
    return [f"{name} is {found[name]}, not {most}" for name, most in aims.items() if found[name] > most]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    result = measure(asked.cases)
    print(json.dumps(result, indent=2) if asked.json else result)
    sys.exit(1 if missed(result) else 0)
