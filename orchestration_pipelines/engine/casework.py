"""Cases as people ask for them: the list, everything that happened to one, and cancelling it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines.store import casework as table
from orchestration_pipelines.store import dead_letters, releases
from orchestration_pipelines.store.casework import FoundCase, ListedCase, Recorded
from orchestration_pipelines.store.refusal import Refused

__all__ = ["CaseHistory", "ListedCase", "Recorded", "Refused", "cancel", "find", "history", "listed"]

LISTED = 1_000


@dataclass(frozen=True)
class CaseHistory:
    """A case, and everything that the record says of it, in order."""

    case: FoundCase
    entries: list[Recorded]
    words: Mapping[tuple[str, str, str], str]  #: of the rules that decided, as their tables were released

    def rules_of(self, entry: Recorded) -> list[str]:
        """The rules behind an entry, in the words of the table that was in force then."""
        return [self.words.get((table, decision, rule), f"rule {rule}") for table, decision, rule in _rules(entry.body)]


def listed(
    connection: psycopg.Connection,
    workflow: str | None = None,
    *,
    state: str | None = None,
    at: str | None = None,
    limit: int = LISTED,
) -> list[ListedCase]:
    """Cases in the order of their submission; ``at`` names the element where their token rests."""
    return table.listed(connection, workflow, state=state, at=at, limit=limit)


def find(connection: psycopg.Connection, key: str, workflow: str | None = None) -> FoundCase:
    """The case of this key; :class:`Refused` where there is none, or one in several workflows."""
    found = table.find(connection, key, workflow)
    if not found:
        raise Refused(f"there is no case {key!r}: see orchestrate cases list")
    if len(found) > 1:
        names = ", ".join(case.workflow for case in found)
        raise Refused(f"{key!r} is a case of several workflows ({names}): say which with --workflow")
    return found[0]


def history(connection: psycopg.Connection, key: str, workflow: str | None = None) -> CaseHistory:
    """Everything that happened to a case."""
    case = find(connection, key, workflow)
    entries = table.record_of(connection, case.case_id)
    digests = {digest for entry in entries for digest, _, _ in _rules(entry.body)}
    return CaseHistory(case, entries, releases.words_of(connection, sorted(digests)))


def _rules(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Table, decision and id of each rule that an entry names."""
    detail = body.get("detail")
    if not isinstance(detail, Mapping) or "table" not in detail:
        return
    for asked in (detail, *detail.get("asked", ())):
        decision = asked.get("name", body.get("element", ""))
        yield from ((asked["table"], decision, rule) for rule in asked.get("rules", ()))


def cancel(
    connection: psycopg.Connection, key: str, *, by: str, reason: str, at: datetime, workflow: str | None = None
) -> bool:
    """Cancel a case: what it completed is undone, then it ends. False if a station first ends the work under way."""
    if not reason.strip():
        raise Refused("a reason is needed to cancel a case")
    case = find(connection, key, workflow)
    with connection.transaction():
        if not table.lock_open(connection, case.case_id):
            raise Refused(f"case {key} is {case.state} ({case.outcome}): only an open case can be cancelled")
        dead_letters.abandon_of_case(connection, case.case_id, by=by, reason=reason, now=at)
        moved = table.cancel(connection, case.case_id, station=CANCELLATION, reason=reason, now=at)
        table.note(
            connection,
            case.case_id,
            actor=by,
            role="operator",
            act="cancelled",
            record=f"case:{case.case_id}",
            at=at,
            detail=encode({"reason": reason}),
        )
    return moved
