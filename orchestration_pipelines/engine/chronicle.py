"""The timeline of a case in words: one entry for everything that happened, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestration_pipelines.domain.facts import plain
from orchestration_pipelines.store.casefile import Happening

#: how the outcome of a step is told, where it is no outcome of ours
_OUTCOMES = {
    "completed": "done",
    "approve": "approved",
    "reject": "rejected",
    "return": "returned for rework",
    "escalate": "escalated",
    "cancelled": "cancelled",
}
_MACHINES = ("engine", "system")
_SEALED = {
    "signed": "signed: what they chose is shown when all have signed",
    "sealed": "sealed: it is shown when the quality review of this case is in",
}
_TAKEN = {"claimed": "took the task", "released": "gave back the task", "declined": "declined the task"}
_GIVEN = ("assigned", "reassigned")
_CLOCKS = {"past due": "is past due", "stands still": "stands still", "runs again": "runs again"}


@dataclass(frozen=True)
class Entry:
    """One thing that happened."""

    at: datetime
    who: str  #: a person; empty where a machine did it
    kind: str  #: person, machine, clock, trouble, notice or sealed
    words: str
    more: tuple[str, ...] = ()  #: reasons, rules, rationale
    element: str = ""
    no: int = 0  #: its number in the case's record; 0 where it stands elsewhere


@dataclass(frozen=True)
class Chronicle:
    """Tells what happened, with the names of steps and facts as people know them."""

    called: Callable[[str], str]  #: the name of a step
    label: Callable[[str], str]  #: of a fact
    written: Callable[[str, Any], str]  #: a fact's value
    rules: Callable[[Mapping[str, Any], str], Sequence[str]]  #: the rules of a decision's detail, in words
    effects: Mapping[int, tuple[str, str]]

    def told(self, happenings: Sequence[Happening]) -> list[Entry]:
        """The timeline."""
        return [self._entry(happening) for happening in happenings]

    def _entry(self, happening: Happening) -> Entry:
        body = happening.body
        element = str(body.get("element") or "")
        if happening.is_sealed and happening.act in _SEALED:
            who = happening.actor if happening.act == "signed" else ""
            return Entry(happening.at, who, "sealed", _SEALED[happening.act], (), element, happening.seq)
        kind, words = self._said(happening, element)
        # that a step is over is nobody's act, whoever signed there
        who = "" if happening.actor in _MACHINES or ("to" in body and element) else happening.actor
        return Entry(happening.at, who, kind, words, tuple(self._more(happening, element)), element, happening.seq)

    def _said(self, happening: Happening, element: str) -> tuple[str, str]:
        act, body, step = happening.act, happening.body, self.called(element)
        if happening.source == "clock":
            at = f" while it waits at {self.called(str(body['waits_at']))}" if act == "stands still" else ""
            return "clock", f"the clock of {step if element else 'the case'} {_CLOCKS[act]}{at}"
        if happening.source == "incident":
            return "trouble", f"incident at {step}: {body.get('kind')}" if element else f"incident: {body.get('kind')}"
        if happening.source == "notice":
            return "notice", f"notice to {body.get('to')} ({act}), {body.get('status')}"
        if act == "submitted":
            return "person", "submitted the case" + (f" in {body['source']}" if body.get("source") else "")
        if act in _TAKEN:
            return "person", f"{_TAKEN[act]} at {step}"
        if act in _GIVEN:
            return "person", self._given(happening, step)
        if act == "signed" and happening.role == "requester":
            return "person", f"{'declined' if body.get('outcome') == 'reject' else 'answered'} at {step}"
        if act in ("signed", "reviewed"):
            what = "reviewed for quality" if act == "reviewed" else f"signed at {step}"
            return "person", f"{what}: {_OUTCOMES.get(str(body.get('outcome')), body.get('outcome'))}"
        if act == "asked":
            return "person", f"asked {body.get('of')} about {step}"
        if act == "advised":
            return "person", f"answered {body.get('asked_by')} about {step}"
        if act == "document added":
            return "person", f"added the document {body.get('name')}"
        if act in ("failed", "dead", "stuck"):
            told = {"failed": f"failed, attempt {body.get('attempt')}", "dead": "gave up", "stuck": "is stuck"}[act]
            return "trouble", f"{step} {told}"
        if "to" in body:
            return "machine", self._left(happening, step)
        return "machine" if happening.role == "machine" else "person", f"{act}{' at ' + step if element else ''}"

    def _left(self, happening: Happening, step: str) -> str:
        act, by = happening.act, "" if happening.actor in _MACHINES else f" by {happening.actor}"
        if act.startswith("error:"):
            told = f"said {act.removeprefix('error:')}"
        elif act.startswith("timer:"):
            told = f"out of time ({self.called(act.removeprefix('timer:'))})"
        else:
            told = f"{_OUTCOMES.get(act, act)}{by}"
        return f"{step}: {told}, then {self.called(str(happening.body['to']))}"

    def _given(self, happening: Happening, step: str) -> str:
        """To whom a task was given, and why: by a manager, or by the engine for a cause."""
        body = happening.body
        to = " and ".join(str(person) for person in body.get("given_to") or [] if person) or "its queue"
        if happening.actor in _MACHINES:
            return f"the task at {step} was given to {to} ({str(body.get('cause')).replace('_', ' ')})"
        return f"gave the task at {step} to {to}"

    def _more(self, happening: Happening, element: str) -> Iterator[str]:
        body = happening.body
        detail = body.get("detail")
        if isinstance(detail, Mapping):
            yield from self.rules(detail, element)
            if body_said := detail.get("chosen"):
                yield f"decided by the rule alone: {body_said}"
        effect = self._effect(happening)
        if effect:
            yield effect
        edits = body.get("edits")
        if isinstance(edits, Mapping):
            for name, value in edits.items():
                yield f"{self.label(name)} is now {self.written(name, value)}"
        if body.get("reasons"):
            yield "for: " + ", ".join(plain(code) for code in body["reasons"])
        for name in ("rationale", "reason", "error", "text"):
            if body.get(name):
                yield str(body[name])

    def _effect(self, happening: Happening) -> str:
        """What the step did outside, by the visit that the entry is of."""
        if "effect" not in happening.body or not happening.record.startswith("visit:"):
            return ""
        tool, status = self.effects.get(int(happening.record.removeprefix("visit:")), ("", ""))
        return f"outside, at the {tool}: {status}" if tool else ""
