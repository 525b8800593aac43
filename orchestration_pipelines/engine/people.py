"""The people of human work: brought in, away, back, gone. Each act is one transaction of a manager, and recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.people import Person, Shift, Staff, circle, problems
from orchestration_pipelines.engine import forsaken
from orchestration_pipelines.engine.document import BadDocument
from orchestration_pipelines.engine.workflow import Workflow, WorkflowRefused
from orchestration_pipelines.store import hands
from orchestration_pipelines.store import people as table
from orchestration_pipelines.store.casework import note
from orchestration_pipelines.store.people import Absence, Seen, absences, listed, roles, shifts_of
from orchestration_pipelines.store.refusal import Refused, refusals

__all__ = [
    "Absence",
    "BadDocument",
    "Person",
    "Refused",
    "Seen",
    "Shift",
    "absences",
    "add_missing",
    "bring_in",
    "change",
    "deactivate",
    "described",
    "listed",
    "refuse_others",
    "rename",
    "roles",
    "set_absent",
    "set_back",
    "shifts_of",
]


def refuse_others(connection: psycopg.Connection, person: str, act: str) -> None:
    """:class:`Refused` unless this person may change the ``policy`` or the ``people``."""
    allowed, rule = table.manages(connection, person, act)
    if not allowed:
        raise Refused(rule)


def bring_in(
    connection: psycopg.Connection,
    staff: Staff,
    *,
    by: str,
    at: datetime,
    name: str = "people",
    release: bool = False,
    reason: str = "",
    asserted_by: str | None = None,
) -> list[int]:
    """People as described, in place of what was known of them; whoever is not among them stays as they are.

    What they have in hand and may no longer decide goes back to its queue if ``release`` says so; else it is refused.
    Returns the tasks that went back.
    """
    with refusals(), connection.transaction():
        records = table.lock_workflows(connection)
        refuse_others(connection, by, "people")
        if wrong := problems(staff, table.known(connection)):
            raise BadDocument([f"{name}: {told}" for told in wrong])
        ids = sorted(staff.people)
        table.lock(connection, ids)
        table.put(connection, staff.people.values(), staff.teams.values())
        barred = table.barred_from(connection, table.in_hand(connection, ids))
        if barred and not release:
            listed = "; ".join(f"task {task}: {rule}" for task, _, rule in barred)
            raise Refused(f"they have work in hand that they could no longer do ({listed}): --release gives it back")
        given_back = [task for task, _, _ in barred]
        _give_back(connection, given_back, by=by, at=at, reason="may no longer do it", asserted_by=asserted_by)
        detail = {"asserted_by": asserted_by, "given_back": given_back, **({"reason": reason} if reason else {})}
        _record(connection, records, "brought in", ids, by, at, detail)
        forsaken.alarm(connection, at)
        return given_back


def described(connection: psycopg.Connection, seen: Seen) -> Person:
    """Everything that is known of somebody, as a description."""
    return Person(
        seen.person,
        roles=tuple(seen.roles),
        title=seen.title,
        team=seen.team,
        level=seen.level,
        skills=seen.skills,
        regions=tuple(seen.regions),
        zone=seen.zone,
        capacity=seen.capacity,
        address=seen.address,
        shifts=tuple(table.shifts_of(connection, seen.person)),
    )


def change(
    connection: psycopg.Connection,
    person: str,
    settings: Mapping[str, Any],
    *,
    by: str,
    reason: str,
    at: datetime,
    release: bool = False,
) -> list[int]:
    """Some settings of one person (fields of :class:`Person`) put in place; as :func:`bring_in` otherwise."""
    _refuse_no_reason(reason)
    with connection.transaction():
        table.lock_workflows(connection)
        known = table.listed(connection, at, person)
        if not known:
            raise Refused(f"there is nobody {person!r}: see orchestrate people list")
        changed = replace(described(connection, known[0]), **settings)
        return bring_in(connection, Staff({person: changed}), by=by, at=at, release=release, reason=reason)


def add_missing(connection: psycopg.Connection, workflow: Workflow) -> None:
    """The people of ``workflow.yaml`` that nobody knows yet; what a manager changed of the others stays."""
    new = {name: workflow.reviewers[name] for name in table.unknown(connection, workflow.reviewers)}
    if wrong := problems(Staff(new), table.known(connection)):
        raise WorkflowRefused(workflow.name, wrong)
    table.put(connection, new.values())


def set_absent(
    connection: psycopg.Connection,
    person: str,
    *,
    starts: datetime,
    ends: datetime | None,
    delegate: str | None,
    reason: str,
    by: str,
    at: datetime,
    asserted_by: str | None = None,
) -> None:
    """Somebody is away: they are given nothing, and what they have goes to their delegate, or back, once it begins.

    They may say so of themselves; of others a manager does.
    """
    _refuse_no_reason(reason)
    if ends is not None and ends <= starts:
        raise Refused(f"the absence ends at {ends.isoformat()}, before it begins: put --until after --from")
    with refusals(), connection.transaction():
        records = table.lock_workflows(connection)
        if by != person:
            refuse_others(connection, by, "people")
        _refuse_unknown(connection, at, person, delegate)
        around = table.absences(connection, starts, ends)
        if own := [each for each in around if each.person == person]:
            until = own[0].ends.isoformat() if own[0].ends else "they are back"
            raise Refused(
                f"{person} is absent from {own[0].starts.isoformat()} until {until} already: end that with "
                f"orchestrate people set-back {person}"
            )
        if delegate is not None:
            _refuse_delegate(person, delegate, around)
        table.add_absence(connection, person, starts, ends, delegate, reason=reason, by=by, now=at)
        detail = {
            "starts": starts.isoformat(),
            "ends": ends.isoformat() if ends else None,
            "delegate": delegate,
            "reason": reason,
            "asserted_by": asserted_by,
        }
        _record(connection, records, "set absent", [person], by, at, detail)
        forsaken.alarm(connection, at)  # two people of whom one stands in for the other count as one


def set_back(
    connection: psycopg.Connection,
    person: str,
    *,
    by: str,
    at: datetime,
    reason: str = "",
    asserted_by: str | None = None,
) -> None:
    """Somebody is back, earlier than was said or as was left open; absences to come are taken away."""
    with refusals(), connection.transaction():
        records = table.lock_workflows(connection)
        if by != person:
            refuse_others(connection, by, "people")
        _refuse_unknown(connection, at, person, None)
        if table.end_absences(connection, person, at) == 0:
            raise Refused(f"{person} is not absent, and will not be: there is nothing to end")
        detail = {"asserted_by": asserted_by, **({"reason": reason} if reason else {})}
        _record(connection, records, "set back", [person], by, at, detail)


def deactivate(
    connection: psycopg.Connection,
    person: str,
    *,
    by: str,
    at: datetime,
    reason: str,
    release: bool = False,
    asserted_by: str | None = None,
) -> list[int]:
    """Somebody is no reviewer any more; what they did stays. Returns the tasks that went back to their queues."""
    _refuse_no_reason(reason)
    with refusals(), connection.transaction():
        records = table.lock_workflows(connection)
        refuse_others(connection, by, "people")
        _refuse_unknown(connection, at, person, None)
        table.lock(connection, [person])
        given_back = [task for task, _ in table.in_hand(connection, [person])] if release else []
        _give_back(connection, given_back, by=by, at=at, reason=reason, asserted_by=asserted_by)
        if not table.retire(connection, person):
            raise Refused(f"{person} is no active reviewer already")
        detail = {"reason": reason, "asserted_by": asserted_by, "given_back": given_back}
        _record(connection, records, "deactivated", [person], by, at, detail)
        forsaken.alarm(connection, at)
        return given_back


def rename(
    connection: psycopg.Connection, person: str, title: str, *, by: str, at: datetime, asserted_by: str | None = None
) -> None:
    """What somebody is called. Their id stays, and with it everything that refers to them."""
    with refusals(), connection.transaction():
        records = table.lock_workflows(connection)
        refuse_others(connection, by, "people")
        if not table.rename(connection, person, title):
            raise Refused(f"there is nobody {person!r}: see orchestrate people list")
        _record(connection, records, "renamed", [person], by, at, {"title": title, "asserted_by": asserted_by})


def _refuse_no_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("a reason is needed: whoever comes next must know why")


def _refuse_unknown(connection: psycopg.Connection, at: datetime, person: str, delegate: str | None) -> None:
    for who in (person, delegate):
        if who is not None and not any(seen.active for seen in table.listed(connection, at, who)):
            raise Refused(f"there is no active reviewer {who!r}: see orchestrate people list")


def _refuse_delegate(person: str, delegate: str, around: Sequence[Absence]) -> None:
    if delegate == person:
        raise Refused(f"{person} cannot stand in for themselves: name somebody else")
    for other in around:
        if other.person == delegate and other.delegate is None:
            raise Refused(f"{delegate} is absent then, and nobody stands in for them: name somebody who is there")
    way = circle(person, delegate, {other.person: other.delegate for other in around if other.delegate is not None})
    if way is not None:
        raise Refused(f"they would stand in for one another in a circle, {' → '.join(way)}: name somebody else")


def _give_back(
    connection: psycopg.Connection,
    tasks: Sequence[int],
    *,
    by: str,
    at: datetime,
    reason: str,
    asserted_by: str | None,
) -> None:
    """Back to the queues, by a manager; refused where that is refused (a case of the manager's own, say)."""
    if not tasks:
        return
    nobody: list[str | None] = [None] * len(tasks)
    handed = hands.hand(
        connection, tasks, nobody, cause="manager", by=by, at=at, reason=reason, asserted_by=asserted_by
    )
    if refused := [one.rule for one in handed if not one.moved]:
        raise Refused("; ".join(refused))


def _record(
    connection: psycopg.Connection,
    records: Sequence[int],
    act: str,
    people: Sequence[str],
    by: str,
    at: datetime,
    detail: Mapping[str, Any],
) -> None:
    """People belong to no workflow: the record of each tells what became of them."""
    for record in records:
        note(
            connection,
            record,
            actor=by,
            role="manager",
            act=act,
            record=f"people:{','.join(people)}",
            at=at,
            detail=encode(dict(detail)),
        )
