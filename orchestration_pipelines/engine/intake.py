"""Intake: rows become cases, in somebody's name. Good rows go on whatever the bad ones do."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg

from orchestration_pipelines.domain.audit import GENESIS, SALT_BYTES, chained, commitment
from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.domain.intake import MAX_FIELD_CHARS, BadRow, Intake, Offer
from orchestration_pipelines.engine import clocks
from orchestration_pipelines.engine.asking import Arrival, ask
from orchestration_pipelines.engine.collector import collector_at_rest
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.model.semantics import Arrive
from orchestration_pipelines.store import intake as rows_in
from orchestration_pipelines.store import records
from orchestration_pipelines.store.intake import FIRST_TOKEN

BATCH = 5_000
#: bad rows are listed to the person who offered them up to this many; all of them are in quarantine
LISTED = 1_000
#: ends a value that is kept in quarantine cut short
CUT = " [… cut]"


@dataclass(frozen=True)
class Problem:
    """A row that was not accepted, and why."""

    row: int
    key: str | None
    reason: str


@dataclass
class Submitted:
    """What became of the rows that were offered."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def offered(self) -> int:
        """How many rows there were."""
        return self.accepted + self.duplicates + self.conflicts + self.quarantined

    def add_problem(self, problem: Problem) -> None:
        """List a problem for the person who offered the row."""
        if len(self.problems) < LISTED:
            self.problems.append(problem)


@dataclass(frozen=True)
class Row:
    """A row as read: its number in the source, its columns; or why it could not be read."""

    no: int
    columns: Mapping[str, Any]
    unreadable: str | None = None


def submit(
    connection: psycopg.Connection,
    workflow: Workflow,
    version: int,
    rows: Iterable[Row],
    *,
    requested_by: str | Callable[[Mapping[str, Any]], str],
    source: str,
    now: datetime,
    progress: Callable[[Submitted], None] = lambda _: None,
) -> Submitted:
    """Offer rows to a workflow. Same key, same payload: a duplicate. Same key, another payload: a conflict.

    ``requested_by`` names the person in whose name the rows come, or finds it in the row.
    """
    submitted = Submitted()
    writing: Future[None] | None = None
    # One batch is typed while the one before it is written.
    with collector_at_rest(), ThreadPoolExecutor(max_workers=1) as writer:
        for rows_read in _batches(rows, BATCH):
            batch = _typed(workflow.intake, rows_read, requested_by)
            if writing is not None:
                writing.result()
                progress(submitted)
            writing = writer.submit(_write, connection, workflow, version, batch, source, now, submitted)
        if writing is not None:
            writing.result()
            progress(submitted)
    return submitted


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


@dataclass
class _Batch:
    """Rows that were typed: good ones by key, and what is wrong with the others."""

    offers: dict[str, tuple[Row, Offer, str]] = field(default_factory=dict)
    repeated: list[tuple[Row, Offer]] = field(default_factory=list)
    bad: list[rows_in.Quarantined] = field(default_factory=list)


def _typed(intake: Intake, rows: Sequence[Row], requested_by: str | Callable[[Mapping[str, Any]], str]) -> _Batch:
    batch = _Batch()
    for row in rows:
        if row.unreadable is not None:
            batch.bad.append(_quarantined(intake, row, row.unreadable))
            continue
        try:
            offer = intake.offer(row.columns)
            person = _requester(row, requested_by)
        except BadRow as error:
            batch.bad.append(_quarantined(intake, row, str(error)))
            continue
        if offer.key in batch.offers:
            batch.repeated.append((row, offer))
        else:
            batch.offers[offer.key] = (row, offer, person)
    return batch


def _requester(row: Row, requested_by: str | Callable[[Mapping[str, Any]], str]) -> str:
    person = requested_by if isinstance(requested_by, str) else requested_by(row.columns)
    if not person:
        raise BadRow("nobody is named in whose name it comes")
    return person


def _write(
    connection: psycopg.Connection,
    workflow: Workflow,
    version: int,
    batch: _Batch,
    source: str,
    now: datetime,
    submitted: Submitted,
) -> None:
    known: dict[str, bytes] = {}
    while True:
        try:
            with connection.transaction():
                known = rows_in.known_keys(connection, workflow.name, list(batch.offers))
                fresh = [(offer, person) for key, (_, offer, person) in batch.offers.items() if key not in known]
                _add(connection, workflow, version, fresh, source, now)
                rows_in.quarantine(connection, workflow.name, source, batch.bad, now)
            break
        except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
            continue  # somebody else submits some of these keys just now: look again
    submitted.accepted += len(fresh)
    submitted.quarantined += len(batch.bad)
    for problem in batch.bad:
        submitted.add_problem(Problem(problem.row_no, problem.case_key, problem.reason))
    for row, offer in batch.repeated:
        _repeated(submitted, row, offer, known.get(offer.key, batch.offers[offer.key][1].digest))
    for key, digest in known.items():
        row, offer, _ = batch.offers[key]
        _repeated(submitted, row, offer, digest)


def _repeated(submitted: Submitted, row: Row, offer: Offer, digest: bytes) -> None:
    if offer.digest == digest:
        submitted.duplicates += 1
        return
    submitted.conflicts += 1
    reason = (
        f"case {offer.key} was submitted before with another payload: nothing was changed. Cancel that case and "
        "submit under a new key, or send the first payload again"
    )
    submitted.add_problem(Problem(row.no, offer.key, reason))


def _quarantined(intake: Intake, row: Row, reason: str) -> rows_in.Quarantined:
    hidden = {name for names in intake.withheld.values() for name in names}
    shown = {
        _kept(name): _kept(value) for name, value in row.columns.items() if name not in hidden and value is not None
    }
    withheld = {
        kind: {name: _kept(row.columns[name]) for name in names if row.columns.get(name) is not None}
        for kind, names in intake.withheld.items()
    }
    key = row.columns.get(intake.key)
    shown_key = None if key is None else _kept(key)[:200]
    return rows_in.Quarantined(row.no, shown_key, _kept(reason), encode(shown), encode(withheld))


def _kept(value: Any) -> str:
    """A bad value as it is kept for a person to see: as text that PostgreSQL can hold, and not for ever long."""
    text = str(value).replace("\x00", "␀").encode("utf-8", "replace").decode()
    return text if len(text) <= MAX_FIELD_CHARS else text[:500] + CUT


def _add(
    connection: psycopg.Connection,
    workflow: Workflow,
    version: int,
    fresh: Sequence[tuple[Offer, str]],
    source: str,
    now: datetime,
) -> None:
    if not fresh:
        return
    at = now.isoformat()
    salts = memoryview(os.urandom(SALT_BYTES * len(fresh)))
    ids = rows_in.reserve_ids(connection, len(fresh))
    new: list[rows_in.NewCase] = []
    audit: list[bytes] = []
    split: dict[str, list[tuple[int, bytes]]] = {"outcome": [], "protected": []}
    asking = {element.id for element in workflow.process.stations() if element.kind is Kind.USER}
    arrivals: dict[str, list[Arrival]] = defaultdict(list)
    for index, (case_id, (offer, person)) in enumerate(zip(ids, fresh, strict=True)):
        way = workflow.router.start(offer.variables)
        if not isinstance(way, Arrive):
            raise TypeError(f"the process {workflow.name} has no station behind its start event")
        body = encode(
            {
                "act": "submitted",
                "actor": person,
                "role": "requester",
                "record": f"case:{case_id}",
                "case": case_id,
                "seq": 1,
                "at": at,
                "version": version,
                "payload": offer.digest.hex(),
                "source": source,
                "to": way.station,
            }
        )
        salt = bytes(salts[index * SALT_BYTES : (index + 1) * SALT_BYTES])
        committed = commitment(salt, body)
        audit.append(records.audit_row(case_id, 1, salt, body, committed, GENESIS))
        new.append(
            rows_in.NewCase(
                case_id,
                offer.key,
                person,
                offer.digest,
                encode(offer.variables),
                way.station,
                chained(GENESIS, committed),
                "waiting" if way.station in asking else "ready",
            )
        )
        if way.station in asking:
            arrivals[way.station].append(Arrival(case_id, FIRST_TOKEN, 1, offer.variables))
        if offer.withheld:
            hidden = {**offer.withheld.get("outcome", {}), **offer.withheld.get("leaking", {})}
            split["outcome"].append((case_id, encode(hidden)))
            split["protected"].append((case_id, encode(offer.withheld.get("protected", {}))))
    rows_in.add_cases(connection, workflow.name, version, new, now)
    records.add_audit(connection, audit)
    clocks.start_cases(connection, workflow.name, ids, now)
    for station, arrived in arrivals.items():
        ask(connection, Station(workflow, version, station), arrived, now)
    for table, hidden_rows in split.items():
        rows_in.withhold(connection, table, hidden_rows)
