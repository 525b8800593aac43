"""The mortgage workflow for tests: hand-made applications, and one engine that walks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psycopg

from orchestration_pipelines.domain.canonical import decode
from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row, Submitted
from orchestration_pipelines.engine.reviews import OpenTask
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines.workflows import mortgage_underwriting
from orchestration_pipelines.workflows.mortgage_underwriting import lender
from orchestration_pipelines_tests.conftest import SetClock

FOLDER = Path(mortgage_underwriting.__file__).parent
BROKER = "broker_adams"

#: an application that the grid approves by itself
GOOD: Mapping[str, Any] = {
    "loanamt": 100, "price": 160, "apr": 165, "other": 0, "term": 360, "fixadj": 0, "unit": 1, "prop": 2, "occ": 1,
    "suffolk": 0, "inss": 0, "gift": 0, "cosign": 0, "appinc": 80, "atotinc": 5000, "cototinc": 1500, "emp": 0,
    "yjob": 0, "self": 0, "liq": 60, "netw": 150, "hexp": 1300, "hrat": 20, "obrat": 28, "rep": 1, "lines": 8,
    "mortg": 2, "cons": 1, "pubrec": 0, "chist": 1, "unver": 0, "action": 1, "approve": 1, "reject": 0, "typur": 0,
    "review": 1, "inson": 0, "gdlin": 1, "black": 0, "hispan": 0, "white": 1, "male": 1, "married": 1, "old": 0,
    "dep": 0, "min30": 0,
}  # fmt: skip
#: what makes the grid want one person, two, or block
FAIR: Mapping[str, Any] = {"cons": 5, "obrat": 40}
DOUBTFUL: Mapping[str, Any] = {"cons": 6, "obrat": 50, "loanamt": 200, "price": 240, "apr": 250}
HOPELESS: Mapping[str, Any] = {"cons": 6, "obrat": 60, "unver": 1, "pubrec": 1, "price": 102, "apr": 102}


def application(key: str, *changes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A good application, changed."""
    made: dict[str, Any] = {"case_key": key, **GOOD}
    for change in (*changes, more):
        made.update(change)
    return made


class Underwriting:
    """The workflow on one database, with its lender beside it."""

    def __init__(self, url: str, lender_url: str, clock: SetClock) -> None:
        self.url, self.lender_url, self.clock = url, lender_url, clock
        self.workflow: Workflow = load_workflow(FOLDER)
        self.engine = Engine(url, self.workflow, clock=clock, tool_urls={"lender": lender_url})

    def submit(self, *applications: Mapping[str, Any], by: str = BROKER) -> Submitted:
        rows = [Row(number, columns) for number, columns in enumerate(applications, 1)]
        return self.engine.submit(rows, requested_by=by, source="test")

    def sweep(self) -> None:
        report = self.engine.sweep()
        assert report.errors == []
        with self.engine.connect() as connection:
            letters = connection.execute("SELECT element, error FROM dead_letter WHERE status = 'dead'").fetchall()
        assert letters == []

    def arrive(self, *applications: Mapping[str, Any]) -> None:
        """Submit and sweep until people must decide."""
        assert self.submit(*applications).accepted == len(applications)
        self.sweep()

    def later(self, **by: float) -> None:
        """Time passes; what is due fires."""
        self.clock.advance(**by)
        self.sweep()

    def tasks(self, key: str) -> list[OpenTask]:
        with self.engine.connect() as connection:
            return [task for task in reviews.open_tasks(connection, self.workflow.name) if task.case_key == key]

    def decide(self, key: str, outcome: str, *people: str, sweep: bool = True, **edits: Any) -> None:
        """Decide a case's open tasks, a person for each, and sweep."""
        with self.engine.connect() as connection:
            for task, person in zip(self.tasks(key), people, strict=True):
                reviews.decide(
                    connection,
                    task.task,
                    person=person,
                    seen=task.digest,
                    outcome=outcome,
                    rationale="for the test",
                    edits=edits,
                    at=self.clock(),
                )
        if sweep:
            self.sweep()

    def answer(self, key: str, *, declines: bool = False, **supplied: Any) -> None:
        """The broker answers what they were asked, and the next sweep comes."""
        [task] = self.tasks(key)
        with self.engine.connect() as connection:
            reviews.answer(
                connection, task.task, person=BROKER, declines=declines, edits=supplied, rationale="so", at=self.clock()
            )
        self.sweep()

    def waits_at(self, key: str) -> set[str]:
        return {task.element for task in self.tasks(key)}

    def outcome(self, key: str) -> str | None:
        with self.engine.connect() as connection:
            row = connection.execute("SELECT outcome FROM cases WHERE case_key = %s", (key,)).fetchone()
        assert row is not None
        return None if row[0] is None else str(row[0])

    def variables(self, key: str) -> dict[str, Any]:
        with self.engine.connect() as connection:
            row = connection.execute("SELECT variables FROM cases WHERE case_key = %s", (key,)).fetchone()
        assert row is not None
        variables: dict[str, Any] = decode(row[0])
        return variables

    def path(self, key: str) -> list[str]:
        """The activities of a case in order; throws left out."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                "SELECT a.element FROM activity a JOIN cases c ON c.id = a.case_id WHERE c.case_key = %s "
                "ORDER BY a.visit",
                (key,),
            ).fetchall()
        return [row[0] for row in rows if not row[0].startswith("undo_")]

    def reservations(self, key: str) -> list[str]:
        """How the lender's reservations of a case ended, in order."""
        with psycopg.connect(self.lender_url) as connection:
            rows = connection.execute(
                "SELECT ended FROM lender.reservation_rule WHERE case_key = %s "
                "ORDER BY length(reservation), reservation",
                (key,),
            ).fetchall()
        return [row[0] for row in rows]

    def lender_holds(self, still_open: Iterable[str] = ()) -> None:
        assert lender.violations(self.lender_url, list(still_open)) == []
        assert lender.balanced(self.lender_url)


MADE = ["screen", "score", "risk_grid", "lock_rate", "reserve_funds"]
COMMITTED = ["commit_loan", "book_loan", "notify"]
UNDONE = ["release_funds", "release_rate"]
DECLINED = ["decline", "adverse_action_notice"]
