"""Setting a workflow's policy: checked as a whole, recorded with who and why, in force with that transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.policy import Policy, problems
from orchestration_pipelines.engine import forsaken
from orchestration_pipelines.engine.amendment import Place, amended
from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.people import refuse_others
from orchestration_pipelines.engine.policy_reading import FILE, read_policy
from orchestration_pipelines.engine.settings import Queue
from orchestration_pipelines.engine.workflow import Workflow, WorkflowRefused
from orchestration_pipelines.model.process import Element, Kind, Process
from orchestration_pipelines.store import policy as table
from orchestration_pipelines.store import versions
from orchestration_pipelines.store.casework import note
from orchestration_pipelines.store.policy import SetPolicy, history, newest
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines.store.versions import lock_workflow

__all__ = [
    "BadDocument",
    "Governed",
    "Place",
    "Refused",
    "Released",
    "SetPolicy",
    "amend",
    "check",
    "history",
    "install",
    "newest",
    "put",
    "released",
]


class Governed(Protocol):
    """What a policy must fit: the workflow of a folder, or what was released of one."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def owner(self) -> str:
        """Who owns it."""

    @property
    def process(self) -> Process:
        """How it is drawn."""

    @property
    def queues(self) -> Mapping[str, Queue]:
        """Where its tasks wait."""


@dataclass(frozen=True)
class Released:
    """What was released of a workflow: enough to set its policy where its folder is not at hand."""

    name: str
    owner: str
    process: Process
    queues: Mapping[str, Queue]


def released(connection: psycopg.Connection, name: str, process: Process) -> Released:
    """A workflow as the database knows it, drawn as ``process``."""
    queues = {queue: Queue(queue, owner, role) for queue, owner, role in versions.queues(connection, name)}
    return Released(name, versions.owner_of(connection, name), process, queues)


def check(connection: psycopg.Connection, workflow: Governed, content: bytes, name: str = FILE) -> Policy:
    """The policy that a document says, if it can be set; :class:`BadDocument` says everything that is wrong."""
    policy = read_policy(content, name)
    asked = {
        skill: step.id for step in _user_tasks(workflow) if (skill := step.extra.get("skill", ""))[:1] not in ("", "=")
    }
    roles = {name: queue.role for name, queue in workflow.queues.items()}
    steps = {step.id: _queues_of(workflow, step) for step in _user_tasks(workflow)}
    ground = table.ground_of(connection, workflow.name, roles, steps, asked)
    if wrong := problems(policy, ground):
        raise BadDocument([f"{name}: {told}" for told in wrong])
    return policy


def put(
    connection: psycopg.Connection,
    workflow: Governed,
    content: bytes,
    *,
    by: str,
    reason: str,
    at: datetime,
    name: str = FILE,
    asserted_by: str | None = None,
) -> int | None:
    """Set a policy, as a manager; returns its number, or None if it says what holds already."""
    if not reason.strip():
        raise BadDocument(["a reason is needed: whoever comes next must know why"])
    with connection.transaction():
        lock_workflow(connection, workflow.name, workflow.owner)
        refuse_others(connection, by, "policy")
        policy = check(connection, workflow, content, name)
        holds = newest(connection, workflow.name)
        if holds is not None and holds.digest == _digest(content):
            return None
        number = _set(
            connection, workflow, policy, content, by=by, role="manager", reason=reason, at=at, as_by=asserted_by
        )
        forsaken.alarm(connection, at)
        return number


def amend(
    connection: psycopg.Connection,
    workflow: Governed,
    changes: Mapping[Place, int | None],
    *,
    seen: int,
    by: str,
    reason: str,
    at: datetime,
) -> int | None:
    """Set a few settings of the policy that somebody has ``seen`` (its number); as :func:`put` otherwise."""
    with connection.transaction():
        lock_workflow(connection, workflow.name, workflow.owner)
        holds = newest(connection, workflow.name)
        if holds is None:
            raise Refused(f"{workflow.name} has no policy yet: write one, then orchestrate policy set")
        if holds.number != seen:
            raise Refused(f"{holds.set_by} has set the policy meanwhile ({holds.reason}): look at it again")
        content = amended(holds.document.encode(), changes, FILE)
        return put(connection, workflow, content, by=by, reason=reason, at=at)


def install(connection: psycopg.Connection, workflow: Workflow, *, by: str, at: datetime) -> None:
    """The policy that lies in the workflow's folder, with the first release; from then on the database's holds.

    The caller's transaction holds the workflow's row. A slip is told like one in the drawing.
    """
    path = workflow.folder / FILE
    if newest(connection, workflow.name) is not None or not path.is_file():
        return
    content = path.read_bytes()
    try:
        policy = check(connection, workflow, content)
    except BadDocument as error:
        raise WorkflowRefused(workflow.name, error.problems) from error
    _set(connection, workflow, policy, content, by=by, role="owner", reason="came with the workflow", at=at, as_by=None)


def _set(
    connection: psycopg.Connection,
    workflow: Governed,
    policy: Policy,
    content: bytes,
    *,
    by: str,
    role: str,
    reason: str,
    at: datetime,
    as_by: str | None,
) -> int:
    record = lock_workflow(connection, workflow.name, workflow.owner)
    table.spread(connection, workflow.name, policy)
    number = table.add(connection, workflow.name, content.decode(), _digest(content), by=by, reason=reason, now=at)
    detail: Mapping[str, str | None] = {"digest": _digest(content), "reason": reason, "asserted_by": as_by}
    note(
        connection,
        record,
        actor=by,
        role=role,
        act="set policy",
        record=f"policy:{number}",
        at=at,
        detail=encode(detail),
    )
    return number


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _user_tasks(workflow: Governed) -> list[Element]:
    return [element for element in workflow.process.elements.values() if element.kind is Kind.USER]


def _queues_of(workflow: Governed, step: Element) -> tuple[str, ...]:
    """The queues where a step's tasks may come to lie."""
    queue = step.extra.get("queue", "")
    if not queue or queue.startswith("=") or step.extra.get("routing"):
        return tuple(workflow.queues)
    return tuple({queue, step.extra.get("fallbackQueue", queue)})
