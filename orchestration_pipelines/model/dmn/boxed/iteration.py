"""The boxed expressions of DMN 1.4: conditional, filter, for, some and every (clauses 7.3.10 to 7.3.14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration_pipelines.model.dmn.boxed.logic import Logic, Scope
from orchestration_pipelines.model.dmn.explanation import Run
from orchestration_pipelines.model.feel.iteration import domain
from orchestration_pipelines.model.feel.types import described

#: the steps of one turn, beside its logic
_TURN = 4


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
    """A filter: the items for which the match comes to true."""

    source: Logic
    match: Logic

    def value(self, scope: Scope, run: Run) -> Any:
        """A list, as FEEL's ``source[match]`` (clause 10.3.2.5); of null, null."""
        source = self.source.value(scope, run)
        if source is None:
            return None
        kept = []
        for item in source if isinstance(source, list) else [source]:
            run.evaluation.spend(_TURN)
            entries = item if isinstance(item, Mapping) else {}
            holds = self.match.value({**scope, **entries, "item": item}, run)
            if holds is True:
                kept.append(item)
            elif holds is not False and holds is not None:
                return run.evaluation.fault(f"a filter takes a condition, found {described(holds)}")
        return kept


@dataclass(frozen=True, slots=True)
class Iterated:
    """A ``for``: a value for each item."""

    variable: str
    source: Logic
    result: Logic
    partial: bool  #: whether the result reads what has been found so far, under that name

    def value(self, scope: Scope, run: Run) -> Any:
        """A list."""
        items = domain(self.source.value(scope, run), run.evaluation)
        if items is None:
            return None
        found: list[Any] = []
        for item in items:
            run.evaluation.spend(_TURN)
            inner = {**scope, self.variable: item}
            if self.partial:
                # a list of its own, since it may be kept, and lists do not change
                run.evaluation.spend(len(found) // 10)
                inner["partial"] = list(found)
            found.append(self.result.value(inner, run))
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
            run.evaluation.spend(_TURN)
            holds = self.satisfies.value({**scope, self.variable: item}, run)
            if holds is (not self.every):
                return not self.every
            if not isinstance(holds, bool):
                answer = None
        return answer
