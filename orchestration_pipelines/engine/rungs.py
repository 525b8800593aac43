"""Climbing the ladder of a promise: who is told, who gets the task next, and the way that is drawn for no answer.

No rung decides anything. The last one goes the way of the boundary timer that the model draws for the wait, which the
model's checks keep from approving (H5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import psycopg

from orchestration_pipelines.domain.policy import Act
from orchestration_pipelines.engine import routing
from orchestration_pipelines.store import faults, reviews, timers
from orchestration_pipelines.store import rungs as table
from orchestration_pipelines.store.outbox import Notice, tell
from orchestration_pipelines.store.rungs import Breached, FiredRung, OpenTask

_Tasks = Mapping[int, Sequence[OpenTask]]  # clock to its open tasks
_Climb = Callable[[psycopg.Connection, Sequence[FiredRung], _Tasks, datetime], None]


def climb(connection: psycopg.Connection, act: Act, now: datetime, limit: int) -> list[FiredRung]:
    """Fire due rungs of one act, and do what they say. One transaction: a rung that fired has acted."""
    try:
        with connection.transaction():
            fired = table.fire_due(connection, act, now, limit)
            if fired:
                _CLIMBS[act](connection, fired, _by_clock(connection, fired), now)
            return fired
    except psycopg.errors.DeadlockDetected:
        return []  # somebody else gives the same people tasks just now: the rungs are due still, for the next tick


def _by_clock(connection: psycopg.Connection, clocks: Sequence[FiredRung | Breached]) -> _Tasks:
    tasks: dict[int, list[OpenTask]] = defaultdict(list)
    for task in table.tasks_of(connection, clocks):
        tasks[task.clock_id].append(task)
    return tasks


def _remind(connection: psycopg.Connection, fired: Sequence[FiredRung], tasks: _Tasks, now: datetime) -> None:
    """Whoever has the task is told; whose queue it waits in, where nobody has it."""
    notices = []
    for rung in fired:
        for task in tasks.get(rung.clock_id, ()):
            waits = "waits for you" if task.assignee else f"waits in queue {task.queue}, and nobody has taken it"
            person = task.assignee or task.owner
            notices.append(_notice(rung, person, "reminded", f"task {task.id} {waits}", task))
    tell(connection, [*notices, *_between_steps(connection, fired, tasks, "reminded")], now)


def _reassign(connection: psycopg.Connection, fired: Sequence[FiredRung], tasks: _Tasks, now: datetime) -> None:
    """Whoever has the task loses it to somebody else, or to the queue where there is nobody else."""
    held = {
        task.id: (rung, task, task.assignee) for rung in fired for task in tasks.get(rung.clock_id, ()) if task.assignee
    }
    got = pass_on(connection, [(task, holder) for task, (_, _, holder) in held.items() if holder], "sla", now)
    notices = []
    for task_id, (rung, task, holder) in held.items():
        notices.append(_notice(rung, holder or "", "reassigned", f"task {task_id} is no longer yours", task))
        if (person := got.get(task_id)) is not None:
            notices.append(_notice(rung, person, "assigned", f"task {task_id} is yours now", task))
    for rung in fired:
        for task in tasks.get(rung.clock_id, ()):
            if task.assignee is None:
                said = f"task {task.id} waits in queue {task.queue}, and nobody has taken it"
                notices.append(_notice(rung, task.owner, "untaken", said, task))
    tell(connection, [*notices, *_between_steps(connection, fired, tasks, "overdue")], now)


def pass_on(
    connection: psycopg.Connection, held: Sequence[tuple[int, str]], cause: str, now: datetime
) -> dict[int, str]:
    """Take tasks (task, holder) away from who has them; who got each. The others are back in their queues."""
    got = routing.reassign(connection, held, cause, now)
    table.back_to_queue(connection, [task for task, _ in held if task not in got], cause, now)
    return got


def _escalate(connection: psycopg.Connection, fired: Sequence[FiredRung], tasks: _Tasks, now: datetime) -> None:
    """The task goes to the queue of the next role, free for whoever takes it there.

    It keeps the order key that was fixed when it was opened: it stands there as if it had been queued there then.
    """
    up = [(rung, task) for rung in fired for task in tasks.get(rung.clock_id, ()) if task.next_queue is not None]
    table.back_to_queue(connection, [task.id for _, task in up if task.assignee], "sla", now)
    table.send_up(connection, [(task.id, task.next_queue or "") for _, task in up])
    notices, incidents = [], []
    for rung, task in up:
        said = f"task {task.id} went from queue {task.queue} up to queue {task.next_queue}"
        notices.append(_notice(rung, task.next_owner or task.owner, "escalated", said, task))
        if task.assignee:
            notices.append(_notice(rung, task.assignee, "escalated", said, task))
    for rung in fired:
        for task in tasks.get(rung.clock_id, ()):
            if task.next_queue is None:
                reason = (
                    f"task {task.id} is overdue and queue {task.queue} escalates to no other: decide it, or say where"
                )
                incidents.append((rung, "nowhere to escalate", reason, task.owner))
    tell(connection, [*notices, *_between_steps(connection, fired, tasks, "escalated")], now)
    incidents += _orphaned(connection, up)
    _alarm(connection, incidents, now)
    table.note(connection, "escalated", fired, now)


def _orphaned(
    connection: psycopg.Connection, up: Sequence[tuple[FiredRung, OpenTask]]
) -> list[tuple[FiredRung, str, str, str]]:
    """Those for whom there is nobody up there either."""
    if not up:
        return []
    rungs = {task.case_id: (rung, task) for rung, task in up}
    found = []
    for orphaned in reviews.orphans(connection, sorted({(task.case_id, task.visit) for _, task in up})):
        rung, task = rungs[orphaned.case_id]
        reason = (
            f"{orphaned.tasks} tasks were escalated to the queue {orphaned.queue}, need {orphaned.signatures} people "
            f"and {orphaned.able} may decide them: give somebody the role"
        )
        found.append((rung, "nobody may decide", reason, task.next_owner or task.owner))
    return found


def _fall_back(connection: psycopg.Connection, fired: Sequence[FiredRung], tasks: _Tasks, now: datetime) -> None:
    """The wait ends by the way that is drawn for no answer; where none is drawn, a person must see to it."""
    visits = {
        rung.clock_id: {(task.case_id, task.visit) for task in tasks.get(rung.clock_id, ())}
        if rung.visit is None
        else {(rung.case_id, rung.visit)}
        for rung in fired
    }
    waiting = sorted(set().union(*visits.values()))
    ended = {(case_id, visit) for case_id, visit, _ in timers.fire_early(connection, waiting, now)}
    owners = table.owners(connection)
    incidents = []
    for rung in fired:
        if not visits[rung.clock_id] & ended:
            reason = (
                f"the time of {_what(rung)} is up, and the model draws no timer for where it stands: "
                "decide it, cancel the case, or draw a boundary timer"
            )
            incidents.append((rung, "no fallback", reason, owners[rung.workflow]))
    _alarm(connection, incidents, now)
    table.note(connection, "fell back", fired, now)


_CLIMBS: Mapping[Act, _Climb] = {
    Act.REMIND: _remind,
    Act.REASSIGN: _reassign,
    Act.ESCALATE: _escalate,
    Act.FALLBACK: _fall_back,
}


def tell_breaches(connection: psycopg.Connection, breached: Sequence[Breached], now: datetime) -> None:
    """Whose queue or workflow it is learns of every promise that was broken."""
    if not breached:
        return
    tasks, owners = _by_clock(connection, breached), table.owners(connection)
    notices = []
    for clock in breached:
        here = tasks.get(clock.clock_id) if clock.visit is not None else None
        person = here[0].owner if here else owners[clock.workflow]
        said = f"{_what(clock)} was due at {clock.due_at.isoformat()}: the promise is broken"
        key = f"breach:{clock.clock_id}"
        notices.append(Notice(key, clock.workflow, person, "breached", said, clock.case_id))
    tell(connection, notices, now)


def _between_steps(
    connection: psycopg.Connection, fired: Sequence[FiredRung], tasks: _Tasks, kind: str
) -> list[Notice]:
    """A case that is past a rung while no person is asked: whose workflow it is learns of it."""
    alone = [rung for rung in fired if not tasks.get(rung.clock_id)]
    owners = table.owners(connection) if alone else {}
    return [
        _notice(rung, owners[rung.workflow], kind, f"{_what(rung)} is not done, and waits for no person")
        for rung in alone
    ]


def _notice(rung: FiredRung, person: str, kind: str, said: str, task: OpenTask | None = None) -> Notice:
    key = f"rung:{rung.clock_id}:{rung.no}:{task.id if task else 'case'}:{person}"
    late = " (late)" if rung.late else ""
    return Notice(key, rung.workflow, person, kind, said + late, rung.case_id, task.id if task else None)


def _what(clock: FiredRung | Breached) -> str:
    return f"step {clock.element} of case {clock.case_id}" if clock.element else f"case {clock.case_id}"


def _alarm(connection: psycopg.Connection, incidents: Sequence[tuple[FiredRung, str, str, str]], now: datetime) -> None:
    by_workflow: dict[str, list[faults.NewIncident]] = defaultdict(list)
    for rung, kind, reason, owner in incidents:
        by_workflow[rung.workflow].append(faults.NewIncident(rung.case_id, rung.element or None, kind, reason, owner))
    for workflow, opened in by_workflow.items():
        faults.open_incidents(connection, workflow, opened, now)
