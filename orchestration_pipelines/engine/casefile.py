"""One case on one page, told in words: where it stands, its facts and their sources, what changed, what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration_pipelines.domain.facts import Fact, FactSheet, plain, spread
from orchestration_pipelines.domain.notation import written
from orchestration_pipelines.engine import likeness
from orchestration_pipelines.engine.chronicle import Chronicle, Entry
from orchestration_pipelines.engine.dossier import Dossier, asked
from orchestration_pipelines.engine.likeness import Likenesses
from orchestration_pipelines.engine.provenance import Change, Provenance, Source
from orchestration_pipelines.engine.suggestion import Suggestion, suggested
from orchestration_pipelines.engine.workflow import CANCELLATION
from orchestration_pipelines.model.process import Process
from orchestration_pipelines.store.casefile import Head, Promised, Standing, Task
from orchestration_pipelines.store.documents import Document

_ASIDE = {"dead": "among the dead letters at {}", "stuck": "stuck at {}: see its incident"}


@dataclass(frozen=True)
class Line:
    """A fact of the case, as it is shown."""

    fact: Fact
    value: str
    source: Source
    is_given: bool
    was: str | None = None  #: as submitted, where people changed it
    documents: tuple[Document, ...] = ()  #: that are said to show it


@dataclass(frozen=True)
class Shown:
    """A change, in words."""

    change: Change
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Rule:
    """Why the case was sent here: the rule of a table in words, as the table was in force then."""

    step: str
    words: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class Reason:
    """What speaks for a suggestion or against it, with the facts that it stands on."""

    words: str
    facts: tuple[tuple[str, str], ...] = ()  #: label and value


@dataclass(frozen=True)
class Advice:
    """What is suggested to whoever decides, in words."""

    suggestion: Suggestion
    confidence: str  #: as a share of 100; empty where nothing is said
    reasons: tuple[Reason, ...]
    edits: tuple[tuple[str, str, str], ...]  #: label, as it is, as suggested


@dataclass(frozen=True)
class Run:
    """A run that worked on the case."""

    id: str
    steps: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class CaseFile:
    """One case, told."""

    head: Head
    sheet: FactSheet
    task: Task | None
    is_blind: bool
    is_own: bool  #: it is shown to whoever submitted it
    where: str  #: it stands now
    outcome: str  #: how it ended; empty while it has not
    groups: Mapping[str, Sequence[Line]]
    others: Sequence[Line]  #: what the fact sheet does not name
    changes: Sequence[Shown]
    is_open: bool  #: what signers of this wait may have changed is not told yet
    advice: Advice | None
    rules: Sequence[Rule]
    signers: Sequence[Task]  #: the tasks of the same wait, where several sign
    clocks: Sequence[Promised]  #: of the case, and of the wait
    timeline: Sequence[Entry]
    runs: Sequence[Run]
    alike: Likenesses
    documents: Sequence[Document]
    positions: Sequence[str]  #: the elements where it stands
    path: Sequence[str]  #: the elements that it went through, in order


def tell(dossier: Dossier, process: Process) -> CaseFile:
    """A case in words, by the drawing that it runs on."""
    return _Telling(dossier, process).file()


class _Telling:
    def __init__(self, dossier: Dossier, process: Process) -> None:
        self.dossier, self.process = dossier, process
        sent = next((each.body.get("source") for each in dossier.happenings if each.act == "submitted"), None)
        self.provenance = Provenance(
            dossier.head, dossier.sheet, dossier.tasks, dossier.decided, dossier.worked, self.called, str(sent or "")
        )
        self.sources = self.provenance.sources()

    def called(self, element: str) -> str:
        """What the drawing calls an element."""
        if element == CANCELLATION:
            return "undoing what was done"
        drawn = self.process.elements.get(element)
        return (drawn.name if drawn is not None else "") or plain(element)

    def file(self) -> CaseFile:
        dossier = self.dossier
        head, task = dossier.head, dossier.task
        chronicle = Chronicle(self.called, dossier.sheet.label, dossier.sheet.written, self._rules_of, dossier.effects)
        groups = self._groups()
        shown = {line.fact.name for lines in groups.values() for line in lines}
        waits = [t.visit for t in dossier.tasks if t.ended_at is None]
        visit = task.visit if task is not None else max(waits, default=0)
        return CaseFile(
            head=head,
            sheet=dossier.sheet,
            task=task,
            is_blind=dossier.is_blind,
            is_own=dossier.is_own,
            where=self._where(),
            outcome="" if head.outcome is None else self.called(head.outcome),
            groups=groups,
            others=[] if dossier.is_blind or dossier.is_own else [*self._others(shown)],
            changes=[] if dossier.is_blind else self._changes(),
            is_open=self.provenance.is_open,
            advice=self._advice(),
            rules=[] if dossier.is_own else [*self._rules()],
            signers=[] if dossier.is_own else self._signers(visit),
            clocks=[each for each in dossier.promised if each.visit is None or each.visit == visit],
            timeline=chronicle.told(dossier.happenings),
            runs=[] if dossier.is_own else self._runs(),
            alike=likeness.told(dossier.alike, head, dossier.sheet, self.called, dossier.seen),
            documents=dossier.documents,
            positions=[each.element for each in dossier.standing],
            path=[] if dossier.is_own else [each.element for each in dossier.worked],
        )

    def _signers(self, visit: int) -> list[Task]:
        """The tasks of a wait in which several sign."""
        return [t for t in self.dossier.tasks if t.visit == visit and t.kind == "decision" and t.signatures > 1]

    def _where(self) -> str:
        head = self.dossier.head
        if self.dossier.is_blind:
            return "a quality review looks at it again: what became of it is shown when that is in"
        if head.state == "closed":
            return f"ended: {self.called(head.outcome or '')}"
        if head.state == "cancelled":
            return "cancelled" + (f": {head.cancel_reason}" if head.cancel_reason else "")
        return "; ".join(self._stands(each) for each in self.dossier.standing)

    def _stands(self, at: Standing) -> str:
        step = self.called(at.element)
        if at.status == "waiting":
            asked = next((t for t in self.dossier.tasks if t.element == at.element and t.ended_at is None), None)
            whom = "the requester" if asked is not None and asked.role == "requester" else "people"
            return f"waits for {whom} at {step}"
        if at.status == "ready":
            return f"is being worked on at {step}" if at.is_leased else f"waits for the next sweep at {step}"
        if at.status == "backoff":
            return f"{step} failed {at.attempt} times and is tried again"
        return f"is {_ASIDE[at.status].format(step)}"

    def _groups(self) -> dict[str, list[Line]]:
        head = self.dossier.head
        was = self.provenance.submitted()
        evidence: dict[str, list[Document]] = {}
        for document in self.dossier.documents:
            evidence.setdefault(document.about or "", []).append(document)
        groups: dict[str, list[Line]] = {}
        for group, facts in self.dossier.sheet.groups.items():
            for fact in facts:
                if fact.variable in head.variables and (fact.is_submitted or _is_given(fact.of(head.variables))):
                    before = was.get(fact.name)
                    changed = fact.name in was and before != fact.of(head.variables)
                    line = self._line(fact, fact.written(before) if changed else None, evidence.get(fact.name, ()))
                    groups.setdefault(group, []).append(line)
        return groups

    def _line(self, fact: Fact, was: str | None = None, evidence: Sequence[Document] = ()) -> Line:
        value = fact.of(self.dossier.head.variables)
        source = self.sources[fact.variable]
        shown = self.dossier.sheet.written(fact.name, value)
        return Line(fact, shown, source, _is_given(value), was, tuple(evidence))

    def _others(self, shown: set[str]) -> Iterator[Line]:
        sheet, head = self.dossier.sheet, self.dossier.head
        for name, value in head.variables.items():
            for part, _ in spread(name, value):
                if part not in shown and sheet.of(part).variable in self.sources:
                    yield self._line(Fact(part, plain(part)))

    def _changes(self) -> list[Shown]:
        sheet = self.dossier.sheet
        return [
            Shown(
                change,
                sheet.label(change.name),
                sheet.written(change.name, change.before) if change.has_before else "not kept",
                sheet.written(change.name, change.after),
            )
            for change in self.provenance.changes()
        ]

    def _advice(self) -> Advice | None:
        """What the drawing suggests where the case waits for people."""
        task = self.dossier.task or next((t for t in self.dossier.tasks if t.ended_at is None), None)
        drawn = self.process.elements.get(task.element) if task is not None and task.ended_at is None else None
        if self.dossier.is_blind or self.dossier.is_own or drawn is None:
            return None
        variables, sheet = self.dossier.head.variables, self.dossier.sheet
        found = suggested(drawn, variables)
        if found is None:
            return None
        return Advice(
            found,
            "" if found.confidence is None else written(found.confidence, "share"),
            tuple(self._reason(reason) for reason in found.reasons),
            tuple(
                (sheet.label(name), sheet.written(name, variables.get(name)), sheet.written(name, value))
                for name, value in found.edits.items()
            ),
        )

    def _reason(self, said: Any) -> Reason:
        if not isinstance(said, Mapping):
            return Reason(written(said))
        sheet, variables = self.dossier.sheet, self.dossier.head.variables
        names = [str(name) for name in said.get("sources") or ()]
        facts = tuple((sheet.label(name), sheet.written(name, sheet.of(name).of(variables))) for name in names)
        return Reason(written(said.get("meaning") or said), facts)

    def _rules(self) -> Iterator[Rule]:
        """The rules that decided last at each step, the latest first."""
        last = {visit.element: visit for visit in self.dossier.worked if "rules" in visit.detail}
        for visit in sorted(last.values(), key=lambda visit: -visit.visit):
            words = (*self._rules_of(visit.detail, visit.element), *map(str, visit.detail.get("diagnostics", ())))
            if words:
                yield Rule(self.called(visit.element), words, visit.finished_at)

    def _rules_of(self, detail: Mapping[str, Any], element: str) -> list[str]:
        """The rules of a decision in the words of its table."""
        return [
            self.dossier.words.get((said["table"], said.get("name", element), rule), f"rule {rule}")
            for said in asked(detail)
            for rule in said.get("rules", ())
        ]

    def _runs(self) -> list[Run]:
        steps: dict[str, list[str]] = {}
        since: dict[str, datetime] = {}
        for visit in self.dossier.worked:
            if visit.run is not None:
                steps.setdefault(visit.run, []).append(self.called(visit.element))
                since.setdefault(visit.run, visit.finished_at)
        return [Run(run, tuple(dict.fromkeys(names)), since[run]) for run, names in steps.items()]


def _is_given(value: Any) -> bool:
    """Whether there is something to show."""
    return value not in (None, "", [], {})
