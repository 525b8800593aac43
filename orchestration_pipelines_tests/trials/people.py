"""The people of a trial: ``python -m orchestration_pipelines_tests.trials.people``, until it is ended.

They decide as the record says; but every fourth case that one of them alone should decide is returned first.
"""

from __future__ import annotations

import time
from hashlib import sha256

import psycopg

from orchestration_pipelines.engine import reviews
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.reviews import OpenTask, Refused
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.workflows.mortgage_underwriting import record
from orchestration_pipelines_tests.trials.ground import WORKFLOW

_EVERY_S = 0.3
_ONE_IN = 4


def play(engine: Engine) -> int:
    """Decide what is open now; how many tasks were decided."""
    return _return_some(engine) + record.play(engine).tasks


def _return_some(engine: Engine) -> int:
    returned = 0
    with engine.connect() as connection:
        for task in reviews.open_tasks(connection, engine.workflow.name):
            if task.element == "human_review" and task.signature == "1 of 1" and _is_doubted(task):
                reviewers = sorted(engine.workflow.reviewers.items())
                able = [name for name, person in reviewers if person.fits(task.role, task.skill)]
                reviews.decide(
                    connection,
                    task.task,
                    person=able[task.task % len(able)],
                    seen=task.digest,
                    outcome="return",
                    rationale="look at it again",
                    asserted_by="the trial",
                )
                returned += 1
    return returned


def _is_doubted(task: OpenTask) -> bool:
    """By the task's number too: the next time it comes, the same case may be decided."""
    return sha256(f"{task.case_key} {task.task}".encode()).digest()[0] % _ONE_IN == 0


def main() -> None:
    """Play on, through whatever happens to the database."""
    engine = deploy().engine(load_workflow(WORKFLOW))
    while True:
        try:
            play(engine)
        except (psycopg.OperationalError, Refused) as error:
            print(f"{type(error).__name__}: {error}", flush=True)
        time.sleep(_EVERY_S)


if __name__ == "__main__":
    main()
