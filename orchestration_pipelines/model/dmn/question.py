"""One decision of a model, asked over many inputs: by looking up if that is enough, else by evaluating it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestration_pipelines.model.dmn.elements import Decision
from orchestration_pipelines.model.dmn.explanation import Explanation, Run
from orchestration_pipelines.model.dmn.frame import evaluated
from orchestration_pipelines.model.dmn.shortcut import Shortcut
from orchestration_pipelines.model.dmn.table import fresh

if TYPE_CHECKING:
    from orchestration_pipelines.model.dmn.model import Model


class Question:
    """A decision, ready to be asked."""

    def __init__(self, model: Model, decision: Decision) -> None:
        self._model, self._decision = model, decision
        self._shortcut = Shortcut.of(decision, model.elements)

    def value(self, inputs: Mapping[str, Any]) -> Any:
        """What it decides."""
        short = self._shortcut
        if short is None:
            return evaluated(self._model, inputs, Run(), self._decision.id)
        found = short.look(inputs)
        answer = None if found is None else short.answer(found[0])
        return self.explanation(inputs).value if answer is None else fresh(answer.value)

    def explanation(self, inputs: Mapping[str, Any]) -> Explanation:
        """What it decides, and how that came about."""
        short = self._shortcut
        found = None if short is None else short.look(inputs)
        if short is None or found is None:
            return self._evaluated(inputs)
        mask, values = found
        answer = short.answer(mask)
        if answer is None:
            answer = self._evaluated(inputs)
            short.learn(mask, answer)
        seen = dict(zip(short.texts, values, strict=True))
        return Explanation(fresh(answer.value), answer.digest, seen, answer.rules, answer.diagnostics, answer.name)

    def _evaluated(self, inputs: Mapping[str, Any]) -> Explanation:
        run = Run(asked=[])
        value = evaluated(self._model, inputs, run, self._decision.id)
        *requires, own = run.asked or []
        told = tuple(run.evaluation.diagnostics)
        return Explanation(value, own.digest, own.inputs, own.rules, told, own.name, tuple(requires))
