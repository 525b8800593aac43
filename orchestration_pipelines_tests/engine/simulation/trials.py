"""Small trials: a workflow with one question, a few people, a database for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from orchestration_pipelines.domain.people import Person, Staff
from orchestration_pipelines.engine.simulation.arrivals import Supply
from orchestration_pipelines.engine.simulation.conduct import Conduct
from orchestration_pipelines.engine.simulation.setting import Setting
from orchestration_pipelines.engine.simulation.simulation import Simulated, Trial, simulate
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.drawing import drawing, workflow_folder

ASKED = (
    "user review orch:queue=reviews orch:approves=true orch:editable=amount",
    "end done",
    "end rejected",
    "received -> review -> which",
    'which -> done if review.outcome = "approve"',
    "which -> rejected default",
    "timer late on review P20D -> rejected",
)
SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
"""
POLICY = """
calendars: {office: {zone: UTC, hours: {mon-fri: ["09:00-17:00"]}}}
queues: {reviews: {strategy: %s, wip_limit: %s}}
steps:
  review:
    sla:
      calendar: office
      budget: PT8H
      ladder: [{after: PT2H, act: remind}, {after: PT10H, act: remind}]
"""
#: a Thursday: a weekend lies in the middle
START = datetime(2026, 1, 8, tzinfo=UTC)
DAYS = 6
#: with eight hours on four days
WORKING_S = 4 * 8 * 3_600
#: two people do eight a day, and ten come
BUSY = Conduct(service=timedelta(hours=2))


def workflow(place: Path) -> Workflow:
    """One question to a reviewer."""
    return load_workflow(workflow_folder(place, drawing(*ASKED), "", SETTINGS))


def staff(*names: str) -> Staff:
    """Reviewers who work office hours."""
    return Staff({name: Person(name, roles=("reviewer",)) for name in names})


def trial(flow: Workflow, *names: str, strategy: str = "pull", wip_limit: str = "null", **more: Any) -> Trial:
    """These people under a policy."""
    policy = (POLICY % (strategy, wip_limit)).encode()
    supply = Supply([{"amount": 10}, {"amount": 20}], "case_key")
    given = {"days": DAYS, "per_day": 10.0, "start": START, "conduct": BUSY, **more}
    return Trial(flow, Setting(staff(*names), policy), supply, **given)


@dataclass
class Kept:
    """What a trial came to, and its database."""

    outcome: Simulated
    url: str

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What plain SQL finds."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def one(self, statement: str, *parameters: object) -> Any:
        """The one value that plain SQL finds."""
        ((value,),) = self.rows(statement, *parameters)
        return value


@contextmanager
def kept(server: EmbeddedServer, template: str, tried: Trial) -> Iterator[Kept]:
    """Run a trial in a database of its own."""
    name = f"trial_{uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        connection.execute(made)
        try:
            yield Kept(simulate(tried, server.url(name)), server.url(name))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
