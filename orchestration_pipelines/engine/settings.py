"""``workflow.yaml``: who owns a workflow, what may be offered to it, who decides where. A slip is told by its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration_pipelines.domain.facts import FactSheet
from orchestration_pipelines.domain.intake import TYPES, Field, Intake
from orchestration_pipelines.domain.people import Person
from orchestration_pipelines.engine.document import BadDocument, read
from orchestration_pipelines.engine.facts_reading import FactsReading
from orchestration_pipelines.engine.people_reading import StaffReading

FILE = "workflow.yaml"
_SETTINGS = ("name", "owner", "intake", "facts", "similar", "told", "queues", "reviewers", "description")
_WITHHELD = ("outcome", "leaking", "protected")


@dataclass(frozen=True)
class Queue:
    """Where review tasks wait: somebody owns it, and a role may decide in it."""

    name: str
    owner: str
    role: str


@dataclass(frozen=True)
class Settings:
    """What the owner of a workflow declares; an empty text where nothing is said."""

    name: str
    owner: str
    intake: Intake
    sheet: FactSheet
    queues: Mapping[str, Queue]
    reviewers: Mapping[str, Person]


def read_settings(place: Path) -> Settings:
    """The settings of the workflow folder ``place``; :class:`BadDocument` says everything that is wrong."""
    path = place / FILE
    if not path.is_file():
        raise BadDocument([f"{FILE} is missing: it names the owner, the intake and the queues"])
    try:
        written = read(path.read_bytes(), FILE)
    except OSError as error:
        raise BadDocument([f"{FILE} cannot be read: {error.strerror}"]) from None
    reading = _SettingsReading(FILE)
    settings = reading.settings(written)
    if reading.problems:
        raise BadDocument(reading.problems)
    return settings


class _SettingsReading(StaffReading, FactsReading):
    def settings(self, written: Mapping[Any, Any]) -> Settings:
        """The whole file."""
        self.known("", written, _SETTINGS)
        intake = self._intake(self.mapping("intake", written.get("intake")))
        queues = self.mapping("queues", written.get("queues"))
        return Settings(
            name=self.text("name", written.get("name")),
            owner=self.text("owner", written.get("owner")),
            intake=intake,
            sheet=self.sheet(written, intake),
            queues={name: self._queue(name, entry) for name, entry in queues.items()},
            reviewers=self.people("reviewers", written.get("reviewers")),
        )

    def _queue(self, name: str, written: Any) -> Queue:
        place = f"queues.{name}"
        entry = self.mapping(place, written)
        self.known(f"{place}.", entry, ("owner", "role"))
        return Queue(
            name, self.text(f"{place}.owner", entry.get("owner")), self.text(f"{place}.role", entry.get("role"))
        )

    def _intake(self, written: Mapping[str, Any]) -> Intake:
        self.known("intake.", written, ("key", "fields", "withheld", "ignored"))
        fields = []
        for column, declared in self.mapping("intake.fields", written.get("fields")).items():
            kind = str(declared).removesuffix("?")
            if kind not in TYPES:
                self.problems.append(
                    f"intake field {column!r} has the type {declared!r}: use one of {', '.join(TYPES)}"
                )
            fields.append(Field(column, kind, str(declared).endswith("?")))
        withheld = self.mapping("intake.withheld", written.get("withheld"))
        if kinds := sorted(set(withheld) - set(_WITHHELD)):
            self.problems.append(f"intake withholds {kinds[0]!r}: the kinds are outcome, leaking and protected")
        intake = Intake(
            key=self.text("intake.key", written.get("key")) or "case_key",
            fields=tuple(fields),
            withheld={kind: self.texts(f"intake.withheld.{kind}", names) for kind, names in withheld.items()},
            ignored=frozenset(self.texts("intake.ignored", written.get("ignored"))),
        )
        hidden = [name for names in intake.withheld.values() for name in names]
        columns = [intake.key, *(field.name for field in fields), *hidden, *intake.ignored]
        for name in sorted({name for name in columns if columns.count(name) > 1}):
            self.problems.append(
                f"intake has the column {name!r} twice: it is one of the key, a field, withheld, ignored"
            )
        return intake
