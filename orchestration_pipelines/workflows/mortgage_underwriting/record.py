"""The people's part, played from the record: flagged applications are decided as the underwriters of 1990 did.

What they did is withheld from everything else. It is read here on a connection that may, as is everything that
compares the automation with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import psycopg

from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.reviews import OpenTask, Refused
from orchestration_pipelines.store.connection import EVALUATION, connect

ASSERTED_BY = "the record"


@dataclass
class Played:
    """What one round of playing did."""

    decided: Counter[str] = field(default_factory=Counter)  #: by element and outcome, as ``human_review approve``
    refused: list[str] = field(default_factory=list)  #: what brokers were told who tried to decide their own case

    @property
    def tasks(self) -> int:
        """How many tasks were decided."""
        return sum(self.decided.values())


def play(engine: Engine, progress: Callable[[int], None] = lambda _: None) -> Played:
    """Decide every task that is open now, once; sweep and play again until nothing is open."""
    played = Played()
    approved = _approved(engine)
    with engine.connect() as connection:
        for task in reviews.open_tasks(connection, engine.workflow.name):
            if not played.refused and task.role != "requester":
                played.refused += _own_case(connection, task, engine.clock())
            if task.case_key in approved:  # of other cases the record says nothing: they wait for you
                _decide(connection, engine, task, approved[task.case_key], played)
                progress(played.tasks)
    return played


def _approved(engine: Engine) -> Mapping[str, bool]:
    """By case key: whether the humans approved."""
    with connect(engine.url, role=EVALUATION) as connection:
        rows = connection.execute(
            "SELECT c.case_key, w.columns -> 'action' IN ('1', '2') FROM cases c "
            "JOIN withheld_outcome w ON w.case_id = c.id "
            "WHERE c.workflow = %s AND w.columns -> 'action' IN ('1', '2', '3')",
            (engine.workflow.name,),
        ).fetchall()
    return {key: bool(approved) for key, approved in rows}


def _own_case(connection: psycopg.Connection, task: OpenTask, at: datetime) -> list[str]:
    """A broker tries to decide the case that they submitted; what they are told."""
    try:
        reviews.decide(
            connection,
            task.task,
            person=task.requested_by,
            seen=task.digest,
            outcome="approve",
            asserted_by=ASSERTED_BY,
            at=at,
        )
    except Refused as refused:
        return [str(refused)]
    raise RuntimeError(f"{task.requested_by} decided their own case {task.case_key}: nobody may")


def _decide(connection: psycopg.Connection, engine: Engine, task: OpenTask, approved: bool, played: Played) -> None:
    at = engine.clock()
    if task.role == "requester":
        # The record supplies nothing; and whom the humans approved would have asked for one.
        declines = task.element == "offer_person" and not approved
        reviews.answer(
            connection,
            task.task,
            person=task.requested_by,
            rationale="the record has nothing to add" if task.element == "request_documents" else "",
            declines=declines,
            asserted_by=ASSERTED_BY,
            at=at,
        )
        outcome = "declined" if declines else "answered"
    else:
        outcome = "approve" if approved else "reject"
        reviews.decide(
            connection,
            task.task,
            person=_reviewer(engine, task),
            seen=task.digest,
            outcome=outcome,
            rationale=f"as recorded in 1990: the loan was {'approved' if approved else 'denied'}",
            asserted_by=ASSERTED_BY,
            at=at,
        )
    played.decided[f"{task.element} {outcome}"] += 1


def _reviewer(engine: Engine, task: OpenTask) -> str:
    """One of the reviewers with the queue's role and the skill: another for each signature, shared out by key."""
    reviewers = sorted(engine.workflow.reviewers.items())
    able = [name for name, person in reviewers if person.fits(task.role, task.skill)]
    signature = int(str(task.signature).split(" ")[0])
    return able[(sha256(task.case_key.encode()).digest()[0] + signature) % len(able)]


# -- how automation compares with what humans decided


@dataclass(frozen=True)
class Group:
    """How one group of applicants fared, and how the automation agreed with the humans about it."""

    attribute: str
    value: str
    cases: int
    auto_approved: int
    blocked: int
    agreed: int  #: of those two, how many the humans decided alike
    humans_approved: int

    @property
    def automated(self) -> int:
        """Decided without a person, at first."""
        return self.auto_approved + self.blocked


@dataclass(frozen=True)
class Agreement:
    """The whole, and by protected attribute."""

    overall: Group
    groups: Sequence[Group]


_COMPARED = """
SELECT {group}, count(*), count(*) FILTER (WHERE route = 'auto'), count(*) FILTER (WHERE route = 'block'),
       count(*) FILTER (WHERE (route = 'auto' AND approved) OR (route = 'block' AND NOT approved)),
       count(*) FILTER (WHERE approved)
FROM (SELECT c.variables #>> '{{risk_grid,route}}' AS route, o.columns -> 'action' IN ('1', '2') AS approved,
             p.columns AS protected
      FROM cases c JOIN withheld_outcome o ON o.case_id = c.id JOIN withheld_protected p ON p.case_id = c.id
      WHERE c.workflow = %(workflow)s AND o.columns -> 'action' IN ('1', '2', '3')) AS compared
"""
_OVERALL = _COMPARED.format(group="'all', 'all'")
_BY_GROUP = (
    _COMPARED.format(group="attribute, coalesce(value, 'not recorded')")
    + ", LATERAL jsonb_each_text(protected) AS held (attribute, value) "
    "WHERE attribute = ANY(%(attributes)s) GROUP BY 1, 2 ORDER BY 1, 2"
)
#: attributes with two values; ``dep`` and ``white`` say little more
_SHOWN = ["black", "hispan", "male", "married", "old", "min30"]


def agreement(engine: Engine) -> Agreement:
    """How often the automation agreed with the humans, over all and by protected group."""
    asked = {"workflow": engine.workflow.name, "attributes": _SHOWN}
    with connect(engine.url, role=EVALUATION) as connection:
        overall = connection.execute(_OVERALL, asked).fetchone()
        groups = connection.execute(_BY_GROUP, asked).fetchall()
    if overall is None:
        raise RuntimeError("a count without a group always has a row")
    return Agreement(Group(*overall), [Group(*row) for row in groups])
