"""Cases: what is known of each, and its place in the record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from orchestration_pipelines.store.arrays import byteas, int4s, int8s, texts, utf8s
from orchestration_pipelines.store.tokens import Outrun


class CaseChange(NamedTuple):
    """What an advance changes on a case."""

    case_id: int
    expected: int  #: the audit number that the change builds on
    patch: bytes | None  #: JSON of the keys that change, or None
    audit_seq: int
    audit_head: bytes
    visits: int
    approval: str | None = None  #: an id sets it, "" takes it away, None leaves it
    state: str | None = None  #: closed or cancelled; None: open as before
    outcome: str | None = None


_CHANGE = """
UPDATE cases c SET
    variables = CASE WHEN m.patch IS NULL THEN c.variables ELSE c.variables || m.patch::jsonb END,
    audit_seq = m.audit_seq, audit_head = m.audit_head, visits = m.visits,
    approval = CASE WHEN m.approval IS NULL THEN c.approval ELSE nullif(m.approval, '') END,
    state = coalesce(m.state, c.state), outcome = m.outcome,
    closed_at = CASE WHEN m.state IS NULL THEN NULL ELSE %s END
FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::int[], %s::bytea[], %s::int[], %s::text[], %s::text[], %s::text[])
    AS m (case_id, expected, patch, audit_seq, audit_head, visits, approval, state, outcome)
WHERE c.id = m.case_id AND c.audit_seq = m.expected AND c.state = 'open'
"""


def change(connection: psycopg.Connection, changes: Sequence[CaseChange], now: datetime) -> None:
    """Apply changes to open cases, in id order; :class:`Outrun` if the record of one has grown meanwhile."""
    if not changes:
        return
    ordered = sorted(changes)  # the order in which everybody locks
    case_id, expected, patch, audit_seq, audit_head, visits, approval, state, outcome = zip(*ordered, strict=True)
    changed = connection.execute(
        _CHANGE,
        (
            now,
            int8s(case_id),
            int4s(expected),
            utf8s(patch),
            int4s(audit_seq),
            byteas(audit_head),
            int4s(visits),
            texts(approval),
            texts(state),
            texts(outcome),
        ),
        prepare=True,
    ).rowcount
    if changed != len(ordered):
        raise Outrun("a case was changed by somebody else")
