"""``facts``, ``similar`` and ``told`` of ``workflow.yaml``: how a person is shown what a case holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestration_pipelines.domain.facts import Fact, FactSheet, plain
from orchestration_pipelines.domain.intake import Intake
from orchestration_pipelines.engine.document import Reading

_SETTINGS = ("label", "unit", "values")
_COMPARED = ("number", "flag")
_LONGEST = 120


class FactsReading(Reading):
    """The fact sheet as ``workflow.yaml`` writes it: groups with the facts below them, each with its label."""

    def sheet(self, written: Mapping[Any, Any], intake: Intake) -> FactSheet:
        """The sheet; submitted columns that no group names stand at its end."""
        types = {column.name: column.type for column in intake.fields}
        facts = [
            self._fact(f"facts.{group}.{name}", name, group, entry, types)
            for group, below in self.mapping("facts", written.get("facts")).items()
            for name, entry in self.mapping(f"facts.{group}", below).items()
        ]
        named = [fact.name for fact in facts]
        for name in sorted({name for name in named if named.count(name) > 1}):
            self.problems.append(f"{self.name}: facts names {name!r} twice: a fact stands in one group")
        self._refuse_withheld(facts, intake)
        rest = [Fact(name, plain(name), type=kind) for name, kind in types.items() if name not in named]
        return FactSheet(
            facts=(*facts, *rest),
            similar=self._similar(self.texts("similar", written.get("similar")), types),
            told=self._told(self.texts("told", written.get("told")), facts),
        )

    def _fact(self, place: str, name: str, group: str, written: Any, types: Mapping[str, str]) -> Fact:
        kind = types.get(name, "")
        if not isinstance(written, dict):
            return Fact(name, self._short(place, written) or plain(name), group, type=kind)
        self.known(f"{place}.", written, _SETTINGS)
        return Fact(
            name,
            label=self._short(f"{place}.label", written.get("label")) or plain(name),
            group=group,
            unit=self._short(f"{place}.unit", written.get("unit")),
            values=self._values(f"{place}.values", written.get("values")),
            type=kind,
        )

    def _short(self, place: str, written: Any) -> str:
        text = self.text(place, written)
        if len(text) > _LONGEST:
            self.wrong(place, text, f"at most {_LONGEST} characters")
        return text

    def _values(self, place: str, written: Any) -> dict[str, str]:
        """What codes mean: a code may be a number, true or false, or text."""
        if written is None:
            return {}
        if not isinstance(written, dict) or not all(isinstance(meaning, str) for meaning in written.values()):
            self.wrong(place, written, "codes with what each means, {1: never late, 2: late once}")
            return {}
        return {
            str(code).lower() if isinstance(code, bool) else str(code): meaning for code, meaning in written.items()
        }

    def _refuse_withheld(self, facts: Iterable[Fact], intake: Intake) -> None:
        hidden = {name: kind for kind, names in intake.withheld.items() for name in names}
        for fact in facts:
            if fact.variable in hidden:
                told = f"facts shows {fact.variable!r}, which is withheld ({hidden[fact.variable]}): no person sees it"
                self.problems.append(f"{self.name}: {told}")

    def _similar(self, names: tuple[str, ...], types: Mapping[str, str]) -> tuple[str, ...]:
        for name in names:
            if types.get(name) not in _COMPARED:
                told = f"similar compares by {name!r}, which is no submitted number or flag of intake.fields"
                self.problems.append(f"{self.name}: {told}")
        return names

    def _told(self, names: tuple[str, ...], facts: list[Fact]) -> tuple[str, ...]:
        """What whoever submits is told of what is derived: named one by one, so that nothing is told by oversight."""
        derived = {fact.name for fact in facts if not fact.is_submitted}
        for name in names:
            if name not in derived:
                told = f"told names {name!r}, which is no derived fact of facts: there are {', '.join(sorted(derived))}"
                self.problems.append(f"{self.name}: {told}")
        return names
