"""The course of one token through an advance: what its steps have added up to so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration_pipelines.engine.verdict import Cancelled, NoAnswer, Resume, Undo, Way, variables_of
from orchestration_pipelines.model.semantics import Arrive, Finish, NoBranch
from orchestration_pipelines.store.tokens import Claimed


class Course:
    """Where a trip has brought a token and its case so far."""

    __slots__ = (
        "approval",
        "approval_change",
        "entered_at",
        "head",
        "outcome",
        "over",
        "patch",
        "seq",
        "state",
        "token",
        "visit",
        "visits",
        "way",
    )

    def __init__(self, token: Claimed) -> None:
        self.token = token
        self.seq, self.head = token.audit_seq, token.audit_head
        self.visit, self.visits, self.entered_at = token.visit, token.visits, token.entered_at
        self.approval = token.approval
        self.approval_change: str | None = None
        self.patch: Mapping[str, Any] | None = None
        self.way: Way | None = None
        self.over: str | None = None
        self.state: str | None = None
        self.outcome: str | None = None

    def onward(self) -> Claimed:
        """The token as the next station will see it, its lease kept."""
        token = self.token
        return token.onward(
            visits=self.visits,
            claim_no=token.claim_no + 1,
            entered_at=self.entered_at,
            approval=self.approval,
            audit_seq=self.seq,
            audit_head=self.head,
            variables={**variables_of(token), **self.patch} if self.patch else token.variables,
        )


def where(way: Way) -> str:
    """The element that a way leads to."""
    match way:
        case Arrive():
            return way.station
        case Finish():
            return way.end
        case Undo():
            return way.handler
        case Resume():
            return way.throw
        case Cancelled():
            return "cancelled"
        case NoBranch():
            return way.gateway
        case NoAnswer():
            return way.station
