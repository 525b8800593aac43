"""The decision form: what is in its fields, what is wrong with them, and what would come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from fastapi import Request

from orchestration_pipelines.console.viewer import NotFound, Viewer, desk_of
from orchestration_pipelines.domain.canonical import encode, exact
from orchestration_pipelines.domain.facts import FactSheet
from orchestration_pipelines.engine import consideration, reviews
from orchestration_pipelines.engine.consideration import Consideration, Told
from orchestration_pipelines.engine.dossier import sheet_of
from orchestration_pipelines.engine.preview import Change, Preview, differences, preview

#: what a flag is written as; an empty text takes a value away
YES, NO = "yes", "no"


@dataclass(frozen=True)
class Sent:
    """What came with a form."""

    seen: str = ""  #: the digest of what was shown
    outcome: str = ""
    rationale: str = ""
    reasons: tuple[str, ...] = ()
    edits: Mapping[str, str] = field(default_factory=dict)  #: field to what is typed in it
    confirmed: str = ""  #: the mark of the edits whose difference was shown
    takes_suggestion: bool = False
    goes_on: bool = True  #: to the next case


@dataclass(frozen=True)
class Box:
    """One field that may be edited."""

    name: str
    label: str
    type: str  #: number, text, flag or date
    unit: str
    text: str  #: what is typed in it
    shown: str  #: what the case says, as a person reads it
    choices: Sequence[tuple[str, str]]  #: of a code or a flag: what is sent, and what it means
    problem: str


@dataclass(frozen=True)
class Row:
    """A difference, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Form:
    """A task's form, as it is shown."""

    considered: Consideration
    sheet: FactSheet
    sent: Sent
    preview: Preview | None = None
    problem: str = ""  #: why it was refused as a whole
    changed: Sequence[Change] | None = None  #: since it was shown; None: nothing has
    asks: bool = False  #: the difference is shown, and is to be looked at before the decision is sent

    @property
    def wrong(self) -> Mapping[str, str]:
        """What cannot be read of what is typed: field to why, as it stands beside the field's label."""
        problems = self.preview.edits.problems if self.preview else {}
        said = {name: problem.removeprefix(f"field {name!r} ") for name, problem in problems.items()}
        return {name: f"{words[:1].upper()}{words[1:]}" for name, words in said.items()}

    @property
    def boxes(self) -> list[Box]:
        """The fields that may be edited, with what is typed in them."""
        wrong, facts = self.wrong, self.considered.task.facts
        return [
            Box(
                name=each.name,
                label=self.sheet.label(each.name),
                type=each.type,
                unit=self.sheet.of(each.name).unit,
                text=self.sent.edits.get(each.name, as_text(facts.get(each.name))),
                shown=self.sheet.written(each.name, facts.get(each.name)),
                choices=self._choices(each.name, each.type, facts.get(each.name)),
                problem=wrong.get(each.name, ""),
            )
            for each in self.considered.fields
        ]

    def _choices(self, name: str, kind: str, held: Any) -> list[tuple[str, str]]:
        values = self.sheet.of(name).values
        if kind == "flag":
            return [("", "not given"), (YES, values.get("true", YES)), (NO, values.get("false", NO))]
        if not values:
            return []
        known = [("", "not given"), *((code, f"{code}: {meaning}") for code, meaning in values.items())]
        text = as_text(held)
        return known if any(code == text for code, _ in known) else [*known, (text, text)]

    @property
    def is_touched(self) -> bool:
        """Whether something is typed that the case does not say, or that is no value."""
        return bool(self.preview and (self.preview.edits.values or self.preview.edits.problems))

    @property
    def rows(self) -> list[Row]:
        """The difference that the edits make."""
        return self._rows(self.preview.changes if self.preview else ())

    @property
    def suggested(self) -> list[Row]:
        """The difference that the suggested edits would make."""
        suggestion = self.considered.suggestion
        facts = self.considered.task.facts
        return self._rows(differences(facts, {**facts, **suggestion.edits}) if suggestion else ())

    @property
    def suggested_outcome(self) -> str | None:
        """What may be decided as suggested, with one click."""
        suggestion = self.considered.suggestion
        offered = {option.outcome.value for option in self.considered.options}
        return suggestion.outcome if suggestion and suggestion.outcome in offered else None

    @property
    def moved(self) -> list[Row]:
        """What changed since it was shown."""
        return self._rows(self.changed or ())

    def _rows(self, changes: Sequence[Change]) -> list[Row]:
        return [
            Row(
                self.sheet.label(change.field),
                self.sheet.written(change.field, change.before),
                self.sheet.written(change.field, change.after),
            )
            for change in changes
        ]

    @property
    def mark(self) -> str:
        """Of the edits whose difference is shown; empty where there are none."""
        return mark_of(self.preview.edits.values) if self.preview and self.preview.edits.values else ""


def form_for(request: Request, viewer: Viewer, task: int, sent: Sent | None = None) -> Form | None:
    """The form of an open task, with what was sent or with what the case says; None where it is open no longer.

    Raises :class:`NotFound` where there is no task that the viewer sees.
    """
    desk = desk_of(request)
    with desk.connection() as connection:
        seen, _ = reviews.may(connection, viewer.person, "see", task)
        wait = reviews.wait_of(connection, task)
    if not seen or wait is None:
        raise NotFound
    if wait.ended:
        return None
    process = desk.drawing(wait.version_id)
    with desk.connection() as connection:
        found = consideration.consider(connection, process, task, wait, viewer.person)
        if found is None:
            return None
        form = Form(found, sheet_of(connection, found.task.workflow), sent or Sent(seen=found.task.digest))
        if sent is None or sent.seen != found.task.digest:
            return form
        form = _with_suggestion(form)
        return replace(form, preview=preview(connection, process, wait.version_id, found.task, form.sent.edits))


def _with_suggestion(form: Form) -> Form:
    """The form as the suggestion fills it in, where that is taken; its difference stood beside the button."""
    suggestion = form.considered.suggestion
    if not form.sent.takes_suggestion or suggestion is None:
        return form
    sent = replace(
        form.sent,
        outcome=suggestion.outcome or form.sent.outcome,
        edits={name: as_text(value) for name, value in suggestion.edits.items()},
        rationale=form.sent.rationale or suggestion.because or "as suggested",
        confirmed=mark_of(suggestion.edits),
    )
    return replace(form, sent=sent)


def refreshed(request: Request, viewer: Viewer, task: int, sent: Sent) -> Form | None:
    """The form once more, on what the case says now: what is typed is kept, what was left alone says what is new."""
    with desk_of(request).connection() as connection:
        shown = reviews.shown_before(connection, task, sent.seen)
    now = form_for(request, viewer, task)
    if now is None:
        return None
    facts = now.considered.task.facts
    before = facts if shown is None else shown
    kept = {name: text for name, text in sent.edits.items() if text != as_text(before.get(name))}
    again = form_for(request, viewer, task, replace(sent, seen=now.sent.seen, edits=kept, confirmed=""))
    return again and replace(again, changed=differences(before, facts))


def decided(request: Request, viewer: Viewer) -> Told | None:
    """What the viewer decided last, where the page is told its number (``?done=``)."""
    number = request.query_params.get("done", "")
    if not number.isdecimal() or not 0 < int(number) < 2**63:
        return None
    desk = desk_of(request)
    with desk.connection() as connection:
        made = consideration.made_by(connection, int(number), viewer.person)
    if made is None:
        return None
    process = desk.drawing(made.version_id)
    with desk.connection() as connection:
        return consideration.told(connection, process, made)


def as_text(value: Any) -> str:
    """A value as it stands in a field, and as it is read from there again."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def mark_of(edits: Mapping[str, Any]) -> str:
    """A short mark of edits: the same edits have the same."""
    return sha256(encode(exact(dict(edits)))).hexdigest()[:16]
