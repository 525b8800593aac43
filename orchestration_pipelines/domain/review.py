"""The life of a review task: the table of its legal moves. Nothing else moves a task."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class TaskStatus(StrEnum):
    """Where a review task stands."""

    OPEN = "open"
    ASSIGNED = "assigned"
    CLAIMED = "claimed"
    DECIDED = "decided"
    RETURNED = "returned"
    ESCALATED = "escalated"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What a reviewer can decide."""

    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"
    ESCALATE = "escalate"


class Move(NamedTuple):
    """A legal move of a task, and the act that makes it."""

    source: TaskStatus
    act: str
    target: TaskStatus


_OPEN = (TaskStatus.OPEN, TaskStatus.ASSIGNED, TaskStatus.CLAIMED)

MOVES: tuple[Move, ...] = (
    Move(TaskStatus.OPEN, "assign", TaskStatus.ASSIGNED),
    Move(TaskStatus.OPEN, "claim", TaskStatus.CLAIMED),
    Move(TaskStatus.ASSIGNED, "claim", TaskStatus.CLAIMED),
    Move(TaskStatus.ASSIGNED, "unassign", TaskStatus.OPEN),
    Move(TaskStatus.CLAIMED, "release", TaskStatus.OPEN),
    Move(TaskStatus.CLAIMED, "reassign", TaskStatus.ASSIGNED),
    *(Move(status, "decide", TaskStatus.DECIDED) for status in _OPEN),
    *(Move(status, "return", TaskStatus.RETURNED) for status in _OPEN),
    *(Move(status, "escalate", TaskStatus.ESCALATED) for status in _OPEN),
    *(Move(status, "expire", TaskStatus.EXPIRED) for status in _OPEN),
    *(Move(status, "cancel", TaskStatus.CANCELLED) for status in _OPEN),
)


#: an edit starts a new round; in place of a third one, somebody higher decides
ROUNDS = 2


def joint_outcome(outcomes: list[str], last_round: int = 1) -> Outcome:
    """What k signatures amount to: the choice they share; where they differ, or edit once more, it goes up."""
    if not outcomes:
        raise ValueError("a joint outcome needs at least one signature")
    if last_round > ROUNDS:
        return Outcome.ESCALATE
    first = Outcome(outcomes[0])
    return first if all(outcome == first for outcome in outcomes) else Outcome.ESCALATE
