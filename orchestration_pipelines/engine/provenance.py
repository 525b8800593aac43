"""Where each value of a case comes from, and what became of what was submitted.

A value's source is the latest that wrote its variable: the submission, a step that declares it as an output, or a
person's edit. Steps are not recorded with what they wrote, so that a step's output is told from its declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration_pipelines.domain.facts import FactSheet
from orchestration_pipelines.store.casefile import Decided, Head, Task, Worked


@dataclass(frozen=True)
class Source:
    """What a value stands on."""

    kind: str  #: submitted, derived, supplied (by the requester, when asked), edited, open or unknown
    words: str
    at: datetime | None = None


@dataclass(frozen=True)
class Change:
    """A value that is no longer what was submitted, or was not submitted at all."""

    name: str
    kind: str  #: derived, supplied or edited
    before: Any
    after: Any
    words: str
    at: datetime
    rationale: str = ""
    has_before: bool = True  #: whether it was kept what the value took the place of


#: while others are still to sign, whatever may have been edited has this one source, edited or not
OPEN = Source("open", "as it stands for this review")
_UNKNOWN = Source("unknown", "its source is not recorded")


@dataclass(frozen=True)
class Provenance:
    """Works out sources and changes from what is recorded of a case, as blindness allows it to be read."""

    head: Head
    sheet: FactSheet
    tasks: Sequence[Task]
    decided: Sequence[Decided]
    worked: Sequence[Worked]
    called: Callable[[str], str]  #: the name of a step
    submitted_from: str = ""  #: the file or channel, where the record has it

    def sources(self) -> Mapping[str, Source]:
        """The source of each variable."""
        found: dict[str, Source] = dict.fromkeys(self.head.variables, _UNKNOWN)
        when = self.head.submitted_at
        batch = f" in {self.submitted_from}" if self.submitted_from else ""
        submitted = Source("submitted", f"submitted by {self.head.requested_by}{batch}", when)
        found.update((fact.name, submitted) for fact in self.sheet.facts if fact.is_submitted)
        for at, name, source in sorted(self._writings(), key=lambda writing: writing[0]):
            if name in found:
                found[name] = Source(source.kind, source.words, at)
        found.update((name, OPEN) for name in self._hidden() if name in found)
        return found

    def changes(self) -> list[Change]:
        """What people changed, in order; then what steps derived that the fact sheet shows."""
        hidden, changed = self._hidden(), []
        for decision in self.decided:
            source = self._of_decision(decision)
            changed += [
                Change(
                    name,
                    source.kind,
                    decision.before.get(name),
                    after,
                    source.words,
                    decision.at,
                    decision.rationale,
                    has_before=name in decision.before,
                )
                for name, after in decision.edits.items()
                if name not in decision.before or decision.before[name] != after
            ]
        sources = self.sources()
        for fact in self.sheet.facts:
            source = sources.get(fact.variable, _UNKNOWN)
            value = fact.of(self.head.variables)
            if source.kind == "derived" and source.at is not None and value not in (None, "", [], {}):
                changed.append(Change(fact.name, "derived", None, value, source.words, source.at))
        return [change for change in changed if change.name not in hidden]

    def submitted(self) -> Mapping[str, Any]:
        """The columns that people changed, as they were before the first change."""
        first: dict[str, Any] = {}
        for decision in self.decided:
            for name in decision.edits:
                if name in decision.before:
                    first.setdefault(name, decision.before[name])
        hidden = self._hidden()
        return {name: value for name, value in first.items() if name not in hidden}

    def _writings(self) -> Iterator[tuple[datetime, str, Source]]:
        for visit in self.worked:
            if visit.outcome != "cancelled":
                step = f"{self.called(visit.element)}, visit {visit.visit}"
                for name in self.sheet.outputs.get(visit.element, ()):
                    yield visit.finished_at, name, self._of_step(name, step)
        for decision in self.decided:
            source = self._of_decision(decision)
            for name in decision.edits:
                yield decision.at, name, source

    def _of_step(self, name: str, step: str) -> Source:
        """A step may write over a column, and does not say whether it did."""
        if self.sheet.of(name).is_submitted:
            return Source("unknown", f"submitted by {self.head.requested_by}, or written over by {step}")
        return Source("derived", f"derived by {step}")

    def _of_decision(self, decision: Decided) -> Source:
        if not decision.by:
            return Source("edited", "changed in review")
        if decision.role == "requester":
            return Source("supplied", f"supplied by {decision.by}, who was asked (task {decision.task})")
        return Source("edited", f"edited by {decision.by} in task {decision.task}, {self.called(decision.element)}")

    @property
    def is_open(self) -> bool:
        """Whether signers may have changed something that is not told yet."""
        return bool(self._hidden())

    def _hidden(self) -> frozenset[str]:
        """What a signer of a wait that is not over may have changed: that one did is not shown, nor what."""
        return frozenset(
            name
            for task in self.tasks
            if task.ended_at is None and task.kind == "decision" and task.round > 1
            for name in task.editable
        )
