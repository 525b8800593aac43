"""The state of a task as an ETag (RFC 9110, 8.8.3): what a decision was made on, and what has changed since."""

from __future__ import annotations

import re
from hashlib import sha256

from orchestration_pipelines.console.api.problems import Kind, Problem
from orchestration_pipelines.engine.reviews import OpenTask

_TAG = re.compile(r'"([0-9a-f]{64})\.([a-z]+)\.([0-9a-f]{8})"')


def etag(task: OpenTask) -> str:
    """The facts as shown, the status, and in whose hands it is."""
    return f'"{task.digest}.{task.status}.{_hands(task)}"'


def refuse_stale(task: OpenTask, seen: str) -> None:
    """:class:`Problem` unless the header If-Match names the task as it is; it says what is different."""
    current = etag(task)
    if current in (tag.strip() for tag in seen.split(",")):
        return
    if seen.strip() == "*":
        raise Problem(Kind.UNSEEN, "If-Match: * does not say what was looked at: send the ETag of the task")
    raise Problem(
        Kind.STALE,
        f"task {task.task} is not as it was looked at: get it again, and decide on what it is now",
        headers={"etag": current},
        changed=_changed(task, seen),
    )


def _changed(task: OpenTask, seen: str) -> list[str]:
    shown = _TAG.search(seen)
    if shown is None:
        return ["what was sent is no ETag of a task"]
    digest, status, hands = shown.groups()
    changed = []
    if digest != task.digest:
        changed.append("the facts are others than those that were shown")
    if (status, hands) != (task.status, _hands(task)):
        who = f" by {task.assignee}" if task.assignee else ""
        changed.append(f"it was {status}, and is {task.status}{who}")
    return changed


def _hands(task: OpenTask) -> str:
    return sha256((task.assignee or "").encode()).hexdigest()[:8]
