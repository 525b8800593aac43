"""What is tried: the people and the policy, as the deployment has them now or as somebody wrote them, with changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg
import yaml

from orchestration_pipelines.domain.people import Staff
from orchestration_pipelines.engine.document import BadDocument, read
from orchestration_pipelines.engine.people import described
from orchestration_pipelines.engine.policy_reading import FILE
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store import people as table
from orchestration_pipelines.store.people import Absence
from orchestration_pipelines.store.policy import newest


@dataclass(frozen=True)
class Setting:
    """People, their absences, and the policy's document (None: the workflow has none)."""

    staff: Staff
    policy: bytes | None
    absences: Sequence[Absence] = field(default_factory=tuple)
    policy_name: str = FILE
    people_name: str = "people"


def of_folder(workflow: Workflow) -> Setting:
    """As the workflow comes."""
    path = workflow.folder / FILE
    return Setting(Staff(workflow.reviewers), path.read_bytes() if path.is_file() else None)


def of_database(connection: psycopg.Connection, workflow: Workflow, begin: datetime, end: datetime) -> Setting:
    """As a deployment has them now; what the database knows nothing of is as the workflow comes. Only reads."""
    own = of_folder(workflow)
    seen = [each for each in table.listed(connection, begin) if each.active]
    if not seen:
        return own
    people = {each.person: replace(described(connection, each), address=None) for each in seen}  # nobody is written to
    held = newest(connection, workflow.name)
    away = [each for each in table.absences(connection, begin, end) if each.person in people]
    return Setting(
        Staff(people, table.teams(connection)), held.document.encode() if held is not None else own.policy, away
    )


def with_changes(setting: Setting, changes: Mapping[str, str]) -> Setting:
    """The same with settings of the policy put in place: ``queues.underwriters.wip_limit`` to ``5``."""
    if not changes:
        return setting
    written = dict(read(setting.policy, setting.policy_name)) if setting.policy is not None else {}
    for place, text in changes.items():
        here: dict[Any, Any] = written
        *path, last = place.split(".")
        for name in path:
            here = here.setdefault(name, {})
            if not isinstance(here, dict):
                raise BadDocument(
                    [f"{place}: {name} is no group of settings in the policy: see orchestrate policy show"]
                )
        try:
            here[last] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise BadDocument([f"{place}: {text!r} is no value: {error}"]) from None
    return replace(setting, policy=yaml.safe_dump(written, sort_keys=False).encode())


def with_more(setting: Setting, role: str, count: int) -> Setting:
    """The same with so many more people who have a role, each like the first who has it now."""
    like = next((person for _, person in sorted(setting.staff.people.items()) if role in person.roles), None)
    if like is None:
        raise BadDocument([f"nobody has the role {role!r}, so that nobody could be added like them: use --people FILE"])
    people = dict(setting.staff.people)
    for number in range(1, count + 1):
        name = f"more_{role}_{number}"
        people[name] = replace(like, id=name, title="", roles=(role,))
    return replace(setting, staff=replace(setting.staff, people=people))


def without_anybody(workflow: Workflow, staff: Staff) -> list[str]:
    """Queues for whose role there is nobody, each in a sentence."""
    roles = {role for person in staff.people.values() for role in person.roles} | {"requester"}
    return [
        f"queue {queue.name} wants the role {queue.role}, and nobody has it: add somebody who has (--people FILE)"
        for queue in workflow.queues.values()
        if queue.role not in roles
    ]
