"""OCEL 2.0 in JSON (ocel-standard.org, 2023): events that touch objects, for object-centric process mining."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import IO, Any

_CASE, _RESOURCE = "case", "resource"


def write_ocel(
    file: IO[bytes],
    events: Iterable[tuple[str, str, datetime, str | None, str]],
    marks: Callable[[str], dict[str, bool]],
) -> int:
    """Write events (case, activity, at, resource, transition); returns how many. Cases and resources are objects."""
    cases: dict[str, None] = {}
    resources: dict[str, None] = {}
    types: dict[str, None] = {}
    file.write(b'{"events":[')
    written = 0
    for case, activity, at, resource, transition in events:
        cases[case] = types[activity] = None
        touched = [{"objectId": _id(_CASE, case), "qualifier": _CASE}]
        if resource is not None:
            resources[resource] = None
            touched.append({"objectId": _id(_RESOURCE, resource), "qualifier": "done by"})
        event = {
            "id": f"e{written}",
            "type": activity,
            "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "attributes": [{"name": "transition", "value": transition}],
            "relationships": touched,
        }
        file.write((b"," if written else b"") + b"\n" + _json(event))
        written += 1
    # whether a case was late is known at its end: an attribute's value has a time, and holds from the beginning here
    attributes = {
        case: [
            {"name": name, "time": "1970-01-01T00:00:00Z", "value": str(holds).lower()}
            for name, holds in marks(case).items()
        ]
        for case in cases
    }
    objects = [{"id": _id(_CASE, case), "type": _CASE, "attributes": attributes[case]} for case in cases]
    objects += [{"id": _id(_RESOURCE, name), "type": _RESOURCE, "attributes": []} for name in resources]
    told = {name: "boolean" for found in attributes.values() for name in (each["name"] for each in found)}
    tail = {
        "objectTypes": [
            {"name": _CASE, "attributes": [{"name": name, "type": kind} for name, kind in sorted(told.items())]},
            {"name": _RESOURCE, "attributes": []},
        ],
        "eventTypes": [{"name": name, "attributes": [{"name": "transition", "type": "string"}]} for name in types],
        "objects": objects,
    }
    file.write(b"],\n" + _json(tail)[1:] + b"\n")
    return written


def _id(kind: str, name: str) -> str:
    """An object's id; a case and a resource may have the same name."""
    return f"{kind}:{name}"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
