"""What a business rule task does: the decision table answers, or it has no answer and people decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from orchestration_pipelines.domain.canonical import encode
from orchestration_pipelines.engine.calling import told
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.verdict import Done, Failed, NoAnswer, Verdict, variables_of
from orchestration_pipelines.model.dmn import Explanation
from orchestration_pipelines.model.feel import storable
from orchestration_pipelines.store.quality import fallen_cells
from orchestration_pipelines.store.tokens import Claimed


def decide(station: Station, connection: psycopg.Connection, chunk: Sequence[Claimed]) -> list[Verdict]:
    """Ask the decision table, keep how it answered, and approve where its owner says that the rule approves."""
    decides = station.approved_when is not None or station.declined_when is not None
    # the cells that decide nothing by themselves now, and why: looked up once for a chunk
    return _asked(station, chunk, fallen_cells(connection, station.workflow.name) if decides else {})


def _asked(station: Station, chunk: Sequence[Claimed], fallen: Mapping[str, str]) -> list[Verdict]:
    rows = [variables_of(token) for token in chunk]
    try:
        explained = station.table.model.explain_many(station.decision, rows)
        return [_decided(station, variables, answer, fallen) for variables, answer in zip(rows, explained, strict=True)]
    except Exception as error:  # noqa: BLE001 - one case's values that a rule cannot bear are that case's failure
        if len(chunk) == 1:
            return [Failed(*told(error), final=True)]
    return [verdict for token in chunk for verdict in _asked(station, [token], fallen)]


def _decided(station: Station, variables: Mapping[str, Any], answer: Explanation, fallen: Mapping[str, str]) -> Verdict:
    record, cell = _told(station, answer), ",".join(answer.rules)
    # what the next station of the same sweep sees is what a later one would read from the case
    value = storable(answer.value)
    why = ("; ".join(answer.diagnostics) or "it is null") if _is_unanswered(answer) else None
    chosen = _chosen(station, {**variables, station.id: value}) if why is None else None
    if chosen is not None and cell in fallen:
        why, chosen = f"{cell} is with people: {fallen[cell]}", None
        record["diagnostics"] = [*record["diagnostics"], why]
    if why is not None:
        if station.otherwise is None:
            return Done(way=NoAnswer(station.id, why), detail=encode(record))
        value = station.otherwise.of({**variables, "no_answer": why})
    if chosen is not None:
        record["chosen"] = chosen
    merged, approves = {**variables, station.id: value}, chosen == "approve"
    return Done(
        way=station.workflow.router.leave(station.id, merged),
        patch={station.id: value},
        detail=encode(record),
        approved_by=[f"rule:{answer.digest}:{cell}"] if approves else None,
        voids_approval=not approves and station.approved_when is not None,
        arms=(station.handler, station.snapshot(merged)) if station.handler else None,
    )


def _chosen(station: Station, merged: Mapping[str, Any]) -> str | None:
    """What the rule decides for good, as the drawing's owner says; None: people decide."""
    if station.approved_when is not None and station.approved_when.of(merged) is True:
        return "approve"
    if station.declined_when is not None and station.declined_when.of(merged) is True:
        return "decline"
    return None


def _told(station: Station, answer: Explanation) -> dict[str, Any]:
    """How a decision came about, for the record: its table by digest, inputs, rules; and the tables it stands on."""
    told: dict[str, Any] = {
        "table": answer.digest,
        "inputs": storable(answer.inputs),
        "rules": answer.rules,
        "diagnostics": answer.diagnostics,
    }
    if answer.name != station.id:
        told["name"] = answer.name
    if answer.requires:
        told["asked"] = [
            {"table": each.digest, "name": each.name, "inputs": storable(each.inputs), "rules": each.rules}
            for each in _beneath(answer)
        ]
    return told


def _beneath(answer: Explanation) -> Iterator[Explanation]:
    for each in answer.requires:
        yield each
        yield from _beneath(each)


def _is_unanswered(answer: Explanation) -> bool:
    """No rule, a violation of the hit policy, or an error in what a rule says: no machine goes on with that."""
    value = answer.value
    missing = value == [] or (isinstance(value, dict) and None in value.values())
    return value is None or (missing and bool(answer.diagnostics))
