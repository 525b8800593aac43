"""Ticks: 10,000 timers or rungs due at once, each kind of rung, and nothing due beside all that waits.

python -m orchestration_pipelines_tests.trials.ticks [--due 10000] [--daemon 200] [--json]

Every case waits for a reviewer, with a deadline drawn and a ladder promised; business time is set forward. With
``--daemon``, so many deadlines are spread over a minute under ``orchestrate up``: how late does each fire?
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestration_pipelines.engine.deployment import Deployment
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.tick import Ticked
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.defs.flows import location
from orchestration_pipelines_tests.defs.live import Live, until
from orchestration_pipelines_tests.drawing import drawing, workflow_folder

#: what the issue allows, in seconds: everything due at once, a look at nothing, and how late a deadline may fire (p95)
DUE_S, IDLE_S, LATE_S = 2.0, 0.02, 6.0
_PEOPLE = 100
_START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: hours after the start at which each kind is due: alone
_LADDER = {"remind": 1, "reassign": 2, "escalate": 3, "fallback": 4}

_DRAWING = (
    "user review orch:queue=reviews",
    "end done",
    "end late",
    "received -> review -> done",
    "timer expired on review P3D -> late",
)
_SETTINGS = """
owner: trial
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: trial, role: reviewer}
  seniors: {owner: trial, role: senior}
reviewers: {sue: [senior], tom: [senior]}
"""
_POLICY = """
UPDATE queue SET escalates_to = 'seniors', stuck_after = '90 days' WHERE name = 'reviews';
INSERT INTO reviewer (person, roles) SELECT 'reviewer ' || n, '{reviewer}' FROM generate_series(1, %(people)s) n;
INSERT INTO calendar VALUES ('flow', 'always', 'Europe/Berlin');
INSERT INTO calendar_hours SELECT 'flow', 'always', day, '00:00', '24:00' FROM generate_series(1, 7) day;
INSERT INTO sla_policy (workflow, element, calendar, budget) VALUES ('flow', 'review', 'always', '100 days');
"""
_CLAIM = """
SELECT count(*) FILTER (WHERE h.moved) FROM (
    SELECT array_agg(id ORDER BY id) AS tasks, array_agg('reviewer ' || 1 + id %% %s ORDER BY id) AS people
    FROM review_task WHERE status = 'open') t, hand(t.tasks, t.people, 'round_robin', 'system', %s) h
"""


_SPREAD = """
UPDATE timer t SET due_at = now() + interval '10 seconds' + n.no * interval '60 seconds' / %s
FROM (SELECT case_id, row_number() OVER (ORDER BY case_id) AS no FROM timer WHERE status = 'armed') n
WHERE n.case_id = t.case_id
"""
_LATENESS = """
SELECT count(*), percentile_cont(ARRAY[0.5, 0.95, 1.0]) WITHIN GROUP (
    ORDER BY extract(epoch FROM t.ended_at - m.due_at)::float8)
FROM timer m JOIN review_task t ON t.case_id = m.case_id AND t.visit = m.visit WHERE m.status = 'fired'
"""


class _Clock:
    def __init__(self) -> None:
        self.now = _START

    def __call__(self) -> datetime:
        return self.now


def measure(due: int) -> dict[str, float]:
    """The seconds of each tick."""
    with tempfile.TemporaryDirectory() as place:
        server = EmbeddedServer(Home(Path(place) / "home"))
        server.start()
        try:
            folder = workflow_folder(Path(place) / "flow", drawing(*_DRAWING), "", _SETTINGS)
            clock = _Clock()
            found: dict[str, float] = {"due": due}
            deployment = Deployment(server.home, server.url("ticks"))
            deployment.prepare()
            engine = Engine(deployment.url, load_workflow(folder), clock=clock)
            assert engine.version
            with connect(deployment.url, role=None) as owner:
                for statement in (_POLICY % {"people": _PEOPLE}).split(";"):
                    if statement.strip():
                        owner.execute(statement.encode())
            for act, hours in _LADDER.items():
                found[f"{act}_s"] = _of_rungs(engine, clock, act, hours, due)
            with engine.connect() as connection:
                connection.execute("DELETE FROM sla_ladder")
            _wait(engine, clock, due)
            found["idle_s"] = min(_timed(engine)[0] for _ in range(5))
            clock.now += timedelta(days=4)
            found["timers_s"], ticked = _timed(engine)
            _expect(ticked.timers, due, "timers")
        finally:
            server.remove()
    return found


def lateness(deadlines: int) -> dict[str, float]:
    """How late deadlines fire through the real daemon, in seconds of the wall clock."""
    with tempfile.TemporaryDirectory() as place:
        live = Live(Path(place), location(Path(place)))
        try:
            live.start()
            engine = Engine(live.server.url(), load_workflow(Path(place) / "small"))
            rows = [Row(n, {"case_key": str(n), "amount": 1}) for n in range(deadlines)]
            engine.submit(rows, requested_by="broker", source="trial")
            armed = "SELECT 1 FROM timer WHERE status = 'armed'"
            until(120, "all wait for a person", lambda: len(live.sql(armed)) == deadlines)
            live.sql(_SPREAD, deadlines)
            until(180, "all have fired", lambda: not live.sql(armed))
            ((count, (median, p95, most)),) = live.sql(_LATENESS)
        finally:
            live.remove()
    _expect(count, deadlines, "deadlines")
    return {"deadlines": deadlines, "late_p50_s": median, "late_p95_s": p95, "late_most_s": most}


def _of_rungs(engine: Engine, clock: _Clock, act: str, hours: int, due: int) -> float:
    """A tick in which one rung of each of so many clocks is due; afterwards these cases are out of the way."""
    with engine.connect() as connection:
        connection.execute("DELETE FROM sla_ladder")
        connection.execute("INSERT INTO sla_ladder VALUES ('flow', 'review', 1, %s, %s)", (act, f"{hours}:00"))
    _wait(engine, clock, due)
    if act != "fallback":
        with engine.connect() as connection:
            connection.execute(_CLAIM, (_PEOPLE, clock.now))
    clock.now += timedelta(hours=hours)
    seconds, ticked = _timed(engine)
    while ticked.rungs[act] < due:  # a tick is bounded: the next one goes on
        more, again = _timed(engine)
        seconds += more
        ticked.add(again)
        _expect(again.rungs[act] > 0, True, act)
    clock.now += timedelta(days=4)
    engine.tick()
    return seconds


def _wait(engine: Engine, clock: _Clock, count: int) -> None:
    """So many more cases that wait for a reviewer."""
    rows = [Row(n, {"case_key": f"{clock.now:%j-%H}-{n}", "amount": 1}) for n in range(count)]
    submitted = engine.submit(rows, requested_by="broker", source="trial")
    _expect(submitted.accepted, count, f"cases ({submitted.problems[:1]})")
    with connect(engine.url, role=None) as owner:
        owner.execute("VACUUM ANALYZE")


def _timed(engine: Engine) -> tuple[float, Ticked]:
    begun = time.monotonic()
    ticked = engine.tick()
    return round(time.monotonic() - begun, 4), ticked


def _expect(found: int, wanted: int, what: str) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} {what}, not {wanted}")


def missed(found: dict[str, float]) -> list[str]:
    """The aims that were not reached."""
    aims = {"timers_s": DUE_S, "remind_s": DUE_S, "idle_s": IDLE_S, "late_p95_s": LATE_S}
    return [f"{name} is {found[name]}, not {most}" for name, most in aims.items() if found.get(name, 0) > most]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--due", type=int, default=10_000)
    parser.add_argument("--daemon", type=int, default=0, help="deadlines through the real daemon instead")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    result = lateness(asked.daemon) if asked.daemon else measure(asked.due)
    print(json.dumps(result, indent=2) if asked.json else result)
    sys.exit(1 if missed(result) else 0)
