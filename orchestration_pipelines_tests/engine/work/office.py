"""An office to act in at random: a drawing with all kinds of human work, people, a policy; a database for each run."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import psycopg
from psycopg import sql

from orchestration_pipelines.domain.people import Person, Shift, Staff
from orchestration_pipelines.engine import advance, people, policy, sweep
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import WORKERS

QUEUES = ("reviews", "turns", "seniors")
#: people, somebody who submits and does not review, and somebody whom nobody knows
REVIEWERS = ("ann", "bob", "cleo", "dan", "eve")
EVERYBODY = (*REVIEWERS, "max", "broker", "stranger")
_DRAWING = (
    "service check",
    "user review orch:queue==queue orch:skill==skill orch:region==region 'orch:priority==if urgent then 5 else 0' "
    "'orch:level==if urgent then 2 else 1' 'orch:signatures==if pair then 2 else 1' orch:editable=amount "
    "orch:approves=true",
    "user ask orch:queue=requesters orch:editable=amount",
    "user decide orch:queue=seniors orch:approves=true",
    "end done",
    "end rejected",
    "received -> check -> again -> review -> which",
    'which -> ask if review.outcome = "return"',
    'which -> decide if review.outcome = "escalate"',
    'which -> done if review.outcome = "approve"',
    "which -> rejected default",
    "ask -> again",
    "decide -> what",
    'what -> done if decide.outcome = "approve"',
    "what -> rejected default",
    "timer late on review P12D -> rejected",
    "timer silent on ask P5D -> rejected",
    "timer overdue on decide P9D -> rejected",
)
_SETTINGS = """
owner: tests
intake:
  key: case_key
  fields:
    amount: number
    queue: text
    skill: text?
    region: text?
    urgent: flag
    pair: flag
queues:
  reviews: {owner: head, role: reviewer}
  turns: {owner: head, role: reviewer}
  seniors: {owner: chief, role: senior}
  requesters: {owner: head, role: requester}
reviewers: {max: [manager]}
"""
_WEEK = tuple(Shift(weekday, 8 * 3_600, 18 * 3_600) for weekday in range(1, 6))
STAFF = Staff(
    {
        person.id: person
        for person in (
            Person("ann", ("reviewer",), level=2, capacity=1),
            Person("bob", ("reviewer",), regions=("north",), skills={"loans": 1}, capacity=1),
            Person("cleo", ("reviewer", "senior"), level=3, skills={"fraud": 3}, capacity=3),
            Person("dan", ("reviewer", "senior"), level=2, shifts=_WEEK),
            Person("eve", ("senior",), level=3),
        )
    }
)
_POLICY = """
calendars: {office: {zone: Europe/Berlin, hours: {mon-fri: [09:00-17:00]}}}
skills: [loans, fraud]
regions: [north, south]
weights: {0: PT0S, 5: PT4H}
queues:
  reviews: {wip_limit: %(queue)s, fallback: seniors, escalates_to: seniors, stuck_after: PT6H}
  turns: {strategy: %(strategy)s, fallback: seniors, escalates_to: seniors, stuck_after: PT20H}
  seniors: {excludes: [decided_before]}
steps:
  review:
    wip_limit: %(station)s
    sla:
      calendar: office
      budget: PT8H
      ladder:
      - {after: PT2H, act: remind}
      - {after: PT4H, act: reassign}
      - {after: PT6H, act: escalate}
      - {after: PT30H, act: fallback}
  decide: {sla: {calendar: office, budget: PT4H, ladder: [{after: PT4H, act: remind}]}}
case: {sla: {calendar: office, budget: PT40H, pauses: [ask], ladder: [{after: PT20H, act: remind}]}}
"""
#: every firing of a rung, seen by the table itself: an update that changes nothing is seen too
_WITNESS = """
CREATE TABLE firing (id bigint GENERATED ALWAYS AS IDENTITY, clock_id bigint, no smallint, at timestamptz);
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO firing (clock_id, no, at) VALUES (NEW.clock_id, NEW.no, NEW.fired_at);
    RETURN NULL;
END $$;
CREATE TRIGGER witness AFTER UPDATE ON sla_rung FOR EACH ROW WHEN (NEW.status = 'fired') EXECUTE FUNCTION witness();
"""


class Killed(Exception):
    """The process that swept is no more."""


class Office:
    """The workflow on a database that is copied for each run; ``happened`` counts what was done, and was refused."""

    def __init__(self, server: EmbeddedServer, place: Path) -> None:
        self._server, self._template = server, f"office_{uuid4().hex[:12]}"
        self.workflow: Workflow = load_workflow(workflow_folder(place, drawing(*_DRAWING), WORKERS, _SETTINGS))
        self.happened: Counter[str] = Counter()
        url = server.url(self._template)
        urls.ensure_database(url)
        schema.migrate(url)
        clock = SetClock()
        engine = Engine(url, self.workflow, clock=clock)
        engine.version  # noqa: B018 - released on first use
        with engine.connect() as connection:
            policy.put(connection, self.workflow, rules(2, 4), by="max", reason="the first", at=clock())
            people.bring_in(connection, STAFF, by="max", at=clock())
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(_WITNESS)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh office, as its owner."""
        name = f"{self._template}_{uuid4().hex[:12]}"
        self._administer("CREATE DATABASE {} TEMPLATE {}", name, self._template)
        try:
            yield self._server.url(name)
        finally:
            self._administer("DROP DATABASE {} WITH (FORCE)", name)

    def close(self) -> None:
        """Leave nothing behind."""
        self._administer("DROP DATABASE {} WITH (FORCE)", self._template)

    def _administer(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def rules(queue: int | None, station: int | None, strategy: str = "round_robin") -> bytes:
    """A policy document with these limits."""
    given = {"queue": "null" if queue is None else queue, "station": "null" if station is None else station}
    return (_POLICY % {**given, "strategy": strategy}).encode()


@contextmanager
def death(url: str, window: str, spared: set[int]) -> Iterator[None]:
    """Whoever sweeps meanwhile dies at this window, in the database's eyes: the server ends its connections there.

    Its leases and its lock are left as a killed process leaves them. From then on none of its lanes gets any further.
    """
    dead = threading.Event()

    def reached(at: str) -> None:
        if at == window and not dead.is_set():
            dead.set()
            with psycopg.connect(url, autocommit=True) as owner:
                owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND pid <> ALL (%s)",
                    (list(spared),),
                )
        if dead.is_set():
            raise Killed(at)

    with patch.object(sweep, "reached", reached), patch.object(advance, "reached", reached):
        yield
