"""The life of a review task: the table of its legal moves. Nothing else moves a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple


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


#: what a reviewer says in words; more belongs into a document
MAX_RATIONALE_CHARS = 10_000
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


def result(
    before: Mapping[str, Any],
    *,
    outcome: Outcome,
    by: Sequence[str],
    visit: int,
    last_round: int,
    rationale: Sequence[str],
    reasons: Sequence[str],
) -> dict[str, Any]:
    """What a user task adds to its case, under its own name, when all have signed; ``before`` is what it added last.

    A case that stuck behind this very decision and is tried again counts it once.
    """
    again = before.get("visit") == visit
    return {
        "outcome": outcome.value,
        "by": list(by),
        "round": last_round,
        "visit": visit,
        "returns": before.get("returns", 0) + (outcome is Outcome.RETURN and not again),
        "rounds": before.get("rounds", 0) + (not again),
        "rationale": [said for said in rationale if said],
        "reasons": sorted(set(reasons)),
    }
