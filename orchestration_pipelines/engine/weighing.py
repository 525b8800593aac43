"""How much human review an answer means, as the drawings that ask for it say (``orch:review``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from orchestration_pipelines.engine.station import Setting
from orchestration_pipelines.engine.tables import asked_by
from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.tightening import Care, Stop, Weight
from orchestration_pipelines.model.process import Element, Process


def cares(drawings: Sequence[Process]) -> dict[str, list[Care | None]]:
    """The weighing of each decision, by each step that asks for it; None where a step says nothing."""
    found: dict[str, list[Care | None]] = defaultdict(list)
    for element in (element for process in drawings for element in process.elements.values()):
        if (decision := asked_by(element)) is not None:
            found[decision].append(_care(element))
    return dict(found)


def _care(element: Element) -> Care | None:
    written = element.extra.get("review")
    if not written:
        return None
    expression = feel.compile(written.removeprefix("="))
    if expression.names - {element.id}:
        return None  # it weighs something else than the answer

    def weigh(answer: Any) -> Weight:
        evaluation = feel.Evaluation()
        value = expression.evaluate({element.id: answer}, evaluation)
        return None if evaluation.diagnostics else _weight(value)

    otherwise = element.extra.get("otherwise")
    if otherwise is None:
        return Care(weigh, Stop.STOP)  # an incident
    if otherwise.startswith("=") and feel.compile(otherwise[1:]).names - {"no_answer"}:
        return Care(weigh, None)  # it depends on the case
    return Care(weigh, weigh(Setting(otherwise).of({"no_answer": ""})))


def _weight(value: Any) -> Weight:
    components = value if isinstance(value, list) else [value]
    return tuple(components) if all(isinstance(each, bool | int | Decimal) for each in components) else None
