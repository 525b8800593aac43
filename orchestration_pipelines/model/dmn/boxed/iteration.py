"""The boxed expressions of DMN 1.4: conditional, filter, for, some and every (clauses 7.3.10 to 7.3.14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestration_pipelines.model.dmn.boxed.logic import Logic, Scope
from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.feel.iteration import domain


@dataclass(frozen=True, slots=True)
class Chosen:
    """A conditional: what does not come to true takes the other way."""

    condition: Logic
    then: Logic
    otherwise: Logic

    def value(self, scope: Scope, run: Run) -> Any:
        """The value of the way taken; the other is not evaluated."""
        way = self.then if self.condition.value(scope, run) is True else self.otherwise
        return way.value(scope, run)


@dataclass(frozen=True, slots=True)
class Filtered:
    """A filter: the items for which the match comes to true, or the one at the number that it comes to."""

    source: Logic
    match: Logic

    def value(self, scope: Scope, run: Run) -> Any:
        """A list, as FEEL's ``source[match]`` (clause 10.3.2.5)."""
        source = self.source.value(scope, run)
        if source is None:
            return run.evaluation.fault("null is filtered")
        kept = []
        for item in source if isinstance(source, list) else [source]:
            run.evaluation.spend()
            inner = {**scope, **item, "item": item} if isinstance(item, dict) else {**scope, "item": item}
            if self.match.value(inner, run) is True:
                kept.append(item)
        return kept


@dataclass(frozen=True, slots=True)
class Iterated:
    """A ``for``: a value for each item; those already found are seen as ``partial``."""

    variable: str
    source: Logic
    result: Logic

    def value(self, scope: Scope, run: Run) -> Any:
        """A list."""
        items = domain(self.source.value(scope, run), run.evaluation)
        if items is None:
            return None
        found: list[Any] = []
        inner = {**scope, "partial": found}
        for item in items:
            run.evaluation.spend()
            found.append(self.result.value({**inner, self.variable: item}, run))
        return found


@dataclass(frozen=True, slots=True)
class Quantified:
    """``some`` or ``every``: three-valued, so that a null leaves it open (clause 10.3.2.14)."""

    every: bool
    variable: str
    source: Logic
    satisfies: Logic

    def value(self, scope: Scope, run: Run) -> Any:
        """True, false or null."""
        items = domain(self.source.value(scope, run), run.evaluation)
        if items is None:
            return None
        answer: bool | None = self.every
        for item in items:
            run.evaluation.spend()
            holds = self.satisfies.value({**scope, self.variable: item}, run)
            if holds is (not self.every):
                return not self.every
            if not isinstance(holds, bool):
                answer = None
        return answer
