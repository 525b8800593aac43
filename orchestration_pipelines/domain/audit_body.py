"""The body of an audit entry as canonical JSON, from a template: a sweep writes thousands of the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration_pipelines.domain.canonical import encode

#: what differs from case to case, in the order of the keys, and how it is written
_SLOTS = {"attempt": b"%d", "case": b"%d", "detail": b"%b", "record": b'"visit:%d"', "seq": b"%d"}


def template(constant: Mapping[str, Any], *, detailed: bool) -> bytes:
    """Canonical JSON (sorted keys) of ``constant``, with places for attempt, case, detail (if any), visit and seq."""
    slots = {name: slot for name, slot in _SLOTS.items() if detailed or name != "detail"}
    members = [
        encode(key) + b":" + (slots[key] if key in slots else encode(constant[key]).replace(b"%", b"%%"))
        for key in sorted({*constant, *slots})
    ]
    return b"{" + b",".join(members) + b"}"
