"""``policy.yaml``: how people's work is queued, given out and promised, as a manager writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from orchestration_pipelines.domain import week
from orchestration_pipelines.domain.calendar import Hours
from orchestration_pipelines.domain.policy import (
    CASE,
    Act,
    CalendarPolicy,
    Policy,
    Promise,
    QueuePolicy,
    Rung,
    Strategy,
)
from orchestration_pipelines.domain.quality import Quality, Stratum
from orchestration_pipelines.domain.reasons import Reason
from orchestration_pipelines.engine.document import BadDocument, Reading, read

FILE = "policy.yaml"
_Word = TypeVar("_Word", bound=StrEnum)


def read_policy(content: bytes, name: str = FILE) -> Policy:
    """The policy that a document says; :class:`BadDocument` says everything in it that is not written right."""
    reading = _PolicyReading(name)
    policy = reading.policy(read(content, name))
    if reading.problems:
        raise BadDocument(reading.problems)
    return policy


class _PolicyReading(Reading):
    def policy(self, written: Mapping[Any, Any]) -> Policy:
        """The whole document."""
        self.known(
            "", written, ("calendars", "skills", "regions", "weights", "queues", "steps", "case", "quality", "reasons")
        )
        steps = {step: self.mapping(f"steps.{step}", entry) for step, entry in self._entries("steps", written)}
        promises: dict[str, Promise] = {}
        limits: dict[str, int] = {}
        for step, entry in steps.items():
            self.known(f"steps.{step}.", entry, ("wip_limit", "sla"))
            limit = self.count(f"steps.{step}.wip_limit", entry.get("wip_limit"))
            if limit is not None:
                limits[step] = limit
            if "sla" in entry:
                promises[step] = self._promise(f"steps.{step}.sla", entry["sla"])
        case = self.mapping("case", written.get("case"))
        self.known("case.", case, ("sla",))
        if "sla" in case:
            promises[CASE] = self._promise("case.sla", case["sla"])
        return Policy(
            calendars={name: self._calendar(name, entry) for name, entry in self._entries("calendars", written)},
            skills=self.texts("skills", written.get("skills")),
            regions=self.texts("regions", written.get("regions")),
            weights=self._weights(written.get("weights")),
            queues={name: self._queue(name, entry) for name, entry in self._entries("queues", written)},
            station_limits=limits,
            promises=promises,
            quality=self._quality(written["quality"]) if "quality" in written else None,
            reasons={code: self._reason(code, entry) for code, entry in self._entries("reasons", written)},
        )

    def _entries(self, place: str, written: Mapping[Any, Any]) -> list[tuple[str, Any]]:
        return list(self.mapping(place, written.get(place)).items())

    def _calendar(self, name: str, written: Any) -> CalendarPolicy:
        place = f"calendars.{name}"
        entry = self.mapping(place, written)
        self.known(f"{place}.", entry, ("zone", "hours", "holidays"))
        hours: list[Hours] = []
        for days, stretches in self.mapping(f"{place}.hours", entry.get("hours")).items():
            at = f"{place}.hours.{days}"
            for weekday in self._said(at, days, week.weekdays, ()):
                hours.extend(
                    Hours(weekday, *self._said(at, text, week.stretch, (0, 1))) for text in self.texts(at, stretches)
                )
        holidays = entry.get("holidays") or {}
        if not isinstance(holidays, dict) or not all(type(day) is date for day in holidays):
            self.wrong(f"{place}.holidays", holidays, "days with their names, {2026-12-25: Christmas}")
            holidays = {}
        return CalendarPolicy(
            zone=self.text(f"{place}.zone", entry.get("zone")),
            hours=tuple(hours),
            holidays={day: self.text(f"{place}.holidays.{day}", title) for day, title in holidays.items()},
        )

    def _weights(self, written: Any) -> dict[int, timedelta]:
        if written is None:
            return {}
        if not isinstance(written, dict) or not all(type(priority) is int for priority in written):
            self.wrong("weights", written, "priorities with how far ahead each is queued, {5: PT8H}")
            return {}
        return {priority: self._span(f"weights.{priority}", text) for priority, text in written.items()}

    def _queue(self, name: str, written: Any) -> QueuePolicy:
        place = f"queues.{name}"
        entry = self.mapping(place, written)
        names = ("title", "strategy", "wip_limit", "fallback", "escalates_to", "stuck_after", "excludes")
        self.known(f"{place}.", entry, names)
        stuck = entry.get("stuck_after")
        return QueuePolicy(
            title=self.text(f"{place}.title", entry.get("title")),
            strategy=self._word(f"{place}.strategy", entry.get("strategy", Strategy.PULL), Strategy.PULL),
            wip_limit=self.count(f"{place}.wip_limit", entry.get("wip_limit")),
            fallback=self.text(f"{place}.fallback", entry.get("fallback")) or None,
            escalates_to=self.text(f"{place}.escalates_to", entry.get("escalates_to")) or None,
            stuck_after=None if stuck is None else self._span(f"{place}.stuck_after", stuck),
            excludes=self.texts(f"{place}.excludes", entry.get("excludes")),
        )

    def _promise(self, place: str, written: Any) -> Promise:
        entry = self.mapping(place, written)
        self.known(f"{place}.", entry, ("calendar", "budget", "ladder", "pauses"))
        ladder = entry.get("ladder") or []
        if not isinstance(ladder, list):
            self.wrong(f"{place}.ladder", ladder, "a list of rungs, [{after: PT4H, act: remind}]")
            ladder = []
        return Promise(
            calendar=self.text(f"{place}.calendar", entry.get("calendar")),
            budget=self._span(f"{place}.budget", entry.get("budget"), week.business_span),
            ladder=tuple(self._rung(f"{place}.ladder, rung {no}", rung) for no, rung in enumerate(ladder, 1)),
            pauses=self.texts(f"{place}.pauses", entry.get("pauses")),
        )

    def _quality(self, written: Any) -> Quality:
        entry = self.mapping("quality", written)
        self.known("quality.", entry, ("seed", "confidence", "queue", "question", "default", "cells"))
        cells = self.mapping("quality.cells", entry.get("cells"))
        return Quality(
            seed=self.text("quality.seed", entry.get("seed")),
            queue=self.text("quality.queue", entry.get("queue")),
            question=self.text("quality.question", entry.get("question")),
            otherwise=self._stratum("quality.default", entry.get("default")),
            cells={cell: self._stratum(f"quality.cells.{cell}", each) for cell, each in cells.items()},
            confidence=self.number("quality.confidence", entry.get("confidence", 0.95)),
        )

    def _stratum(self, place: str, written: Any) -> Stratum:
        entry = self.mapping(place, written)
        self.known(f"{place}.", entry, ("rate", "limit"))
        return Stratum(*(self.number(f"{place}.{name}", entry.get(name)) for name in ("rate", "limit")))

    def _reason(self, code: str, written: Any) -> Reason:
        place = f"reasons.{code}"
        entry = self.mapping(place, written)
        self.known(f"{place}.", entry, ("words", "outcomes", "steps", "needs_text"))
        return Reason(
            words=self.text(f"{place}.words", entry.get("words")),
            outcomes=self.texts(f"{place}.outcomes", entry.get("outcomes")),
            steps=self.texts(f"{place}.steps", entry.get("steps")),
            needs_text=self.flag(f"{place}.needs_text", entry.get("needs_text")),
        )

    def _rung(self, place: str, written: Any) -> Rung:
        entry = self.mapping(place, written)
        self.known(f"{place}.", entry, ("after", "act"))
        after = self._span(f"{place}.after", entry.get("after"), week.business_span)
        return Rung(self._word(f"{place}.act", entry.get("act"), Act.REMIND), after)

    def _span(self, place: str, written: Any, read: Callable[[str], timedelta] = week.span) -> timedelta:
        if not isinstance(written, str):
            self.wrong(place, written, "a length of time, PT4H")
            return timedelta(seconds=1)
        span: timedelta = self._said(place, written, read, timedelta(seconds=1))
        return span

    def _word(self, place: str, written: Any, otherwise: _Word) -> _Word:
        try:
            return type(otherwise)(written)
        except ValueError:
            self.wrong(place, written, f"one of {', '.join(type(otherwise))}")
            return otherwise

    def _said(self, place: str, text: str, read: Callable[[str], Any], otherwise: Any) -> Any:
        try:
            return read(text)
        except ValueError as error:
            self.problems.append(f"{self.name}: {place}: {error}")
            return otherwise
