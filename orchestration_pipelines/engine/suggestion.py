"""What the drawing suggests to whoever decides: an outcome, edits, and why (``orch:suggestion`` of a user task)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from orchestration_pipelines.domain.canonical import exact
from orchestration_pipelines.domain.review import Outcome
from orchestration_pipelines.engine.station import Setting
from orchestration_pipelines.model import feel
from orchestration_pipelines.model.process import Element

ATTRIBUTE = "suggestion"


@dataclass(frozen=True)
class Suggestion:
    """Something that a person may take over as it is. Nothing of it happens by itself."""

    outcome: str | None  #: one of :class:`Outcome`
    edits: Mapping[str, Any]  #: of what may be edited here, where it differs from what the case says
    because: str
    confidence: Decimal | None  #: from 0 to 1
    reasons: Sequence[Any]  #: what speaks for it or against it: texts, or contexts as a worker wrote them


def suggested(element: Element, facts: Mapping[str, Any]) -> Suggestion | None:
    """The suggestion at a user task for a case that says this; None where there is nothing to suggest."""
    written = element.extra.get(ATTRIBUTE)
    if not written:
        return None
    try:
        said = feel.storable(_setting(written).of(facts))
    except feel.FeelLimit as error:
        return Suggestion(None, {}, f"no suggestion: {error}", None, ())
    if not isinstance(said, Mapping):
        return None
    outcome, edits, reasons = said.get("outcome"), said.get("edits"), said.get("reasons")
    editable = {name.strip() for name in element.extra.get("editable", "").split(",")}
    found = Suggestion(
        outcome=outcome if outcome in set(Outcome) else None,
        edits={
            name: value
            for name, value in (edits if isinstance(edits, Mapping) else {}).items()
            if name in editable and value != facts.get(name)
        },
        because=str(said.get("because") or ""),
        confidence=_share(said.get("confidence")),
        reasons=reasons if isinstance(reasons, list) else (),
    )
    return found if found.outcome or found.edits else None


@lru_cache(maxsize=256)
def _setting(written: str) -> Setting:
    """What the drawing says, compiled once: pages ask it again and again."""
    return Setting(written)


def _share(value: Any) -> Decimal | None:
    """A confidence as a share of one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    share = Decimal(exact(value))
    return share if 0 <= share <= 1 else None
