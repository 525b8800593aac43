"""Quarantine: rows that made no case. A person mends a row and offers it again."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration_pipelines.domain.intake import case_key
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import CUT, Row, submit
from orchestration_pipelines.store import quarantine as table
from orchestration_pipelines.store.quarantine import QuarantinedRow, listed
from orchestration_pipelines.store.refusal import Refused

__all__ = ["QuarantinedRow", "Refused", "listed", "resubmit"]


def resubmit(engine: Engine, row_id: int, *, changes: Mapping[str, str], by: str) -> str:
    """Offer a quarantined row again with ``changes`` by column, in the name of ``by``; returns the case's key.

    :class:`Refused` says what is still wrong with it; the row then stays where it is.
    """
    workflow = engine.workflow
    with engine.connect() as connection, connection.transaction():
        found = listed(connection, row=row_id, ended=True)
        if not found:
            raise Refused(f"there is no quarantined row {row_id}: see orchestrate quarantine list")
        row = found[0]
        if row.workflow != workflow.name:
            raise Refused(f"row {row_id} was offered to {row.workflow}, not to {workflow.name}")
        if unknown := sorted(set(changes) - workflow.intake.columns):
            there_are = ", ".join(sorted(workflow.intake.columns))
            raise Refused(f"{workflow.name} has no column {unknown[0]!r}: there are {there_are}")
        if not table.take(connection, row_id):
            raise Refused(f"row {row_id} was offered again by {row.resubmitted_by}")
        if not row.columns:
            raise Refused(f"row {row_id} could not be read ({row.reason}): mend the file and submit it again")
        columns = {**row.columns, **changes}
        if cut := [name for name, value in columns.items() if value.endswith(CUT)]:
            raise Refused(f"{cut[0]} was too long to be kept: give it with --set {cut[0]}=…")
        submitted = submit(
            connection,
            workflow,
            engine.version,
            [Row(row.row_no, columns)],
            requested_by=by,
            source=f"quarantine:{row_id}",
            now=engine.clock(),
        )
        if submitted.problems:
            raise Refused(submitted.problems[0].reason)
        key = case_key(columns.get(workflow.intake.key))
        if submitted.duplicates:
            raise Refused(f"case {key} was submitted before with this very payload: the row is a duplicate")
        table.restore(connection, row_id, workflow=workflow.name, case_key=key, by=by, now=engine.clock())
    return key
