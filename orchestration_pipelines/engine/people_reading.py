"""Files that describe people: YAML, or CSV with a person on each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestration_pipelines.domain import week
from orchestration_pipelines.domain.people import Person, Shift, Staff, Team
from orchestration_pipelines.engine.document import BadDocument, Reading, read

_SETTINGS = ("roles", "title", "team", "level", "skills", "regions", "zone", "capacity", "address", "shifts")


def read_staff(path: Path) -> Staff:
    """The people of a file; :class:`BadDocument` says everything in it that is not written right."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadDocument([f"{path.name} cannot be read: {error.strerror}"]) from None
    reading = StaffReading(path.name)
    staff = reading.table(content) if path.suffix.lower() == ".csv" else reading.staff(read(content, path.name))
    if reading.problems:
        raise BadDocument(reading.problems)
    return staff


class StaffReading(Reading):
    """People as ``workflow.yaml`` and the files of ``orchestrate people import`` write them."""

    def staff(self, written: Mapping[Any, Any]) -> Staff:
        """A whole YAML document: people, and their teams."""
        self.known("", written, ("teams", "people"))
        teams: dict[str, Team] = {}
        for name, entry in self.mapping("teams", written.get("teams")).items():
            told = self.mapping(f"teams.{name}", entry)
            self.known(f"teams.{name}.", told, ("title", "lead"))
            lead = self.text(f"teams.{name}.lead", told.get("lead")) or None
            teams[name] = Team(name, self.text(f"teams.{name}.title", told.get("title")), lead)
        return Staff(self.people("people", written.get("people")), teams)

    def people(self, place: str, written: Any) -> dict[str, Person]:
        """People by id: a list of roles (the short form), or all that is known of them."""
        return {
            name: self._person(f"{place}.{name}", name, entry) for name, entry in self.mapping(place, written).items()
        }

    def _person(self, place: str, name: str, written: Any) -> Person:
        if not isinstance(written, dict):
            return Person(name, roles=self.texts(place, written))
        entry = self.mapping(place, written)
        self.known(f"{place}.", entry, _SETTINGS)
        level = self.count(f"{place}.level", entry.get("level"))
        return Person(
            name,
            roles=self.texts(f"{place}.roles", entry.get("roles")),
            title=self.text(f"{place}.title", entry.get("title")),
            team=self.text(f"{place}.team", entry.get("team")) or None,
            level=1 if level is None else level,
            skills=self._skills(f"{place}.skills", entry.get("skills")),
            regions=self.texts(f"{place}.regions", entry.get("regions")),
            zone=self.text(f"{place}.zone", entry.get("zone")) or "UTC",
            capacity=self.count(f"{place}.capacity", entry.get("capacity")),
            address=self.text(f"{place}.address", entry.get("address")) or None,
            shifts=self._shifts(f"{place}.shifts", entry.get("shifts")),
        )

    def _skills(self, place: str, written: Any) -> dict[str, int]:
        if isinstance(written, list):
            return dict.fromkeys(self.texts(place, written), 1)
        levels = {name: self.count(f"{place}.{name}", level) for name, level in self.mapping(place, written).items()}
        return {name: 1 if level is None else level for name, level in levels.items()}

    def _shifts(self, place: str, written: Any) -> tuple[Shift, ...]:
        return tuple(
            shift
            for days, stretches in self.mapping(place, written).items()
            for text in self.texts(f"{place}.{days}", stretches)
            for shift in self._shift(f"{place}.{days}", days, text)
        )

    def _shift(self, place: str, days: str, text: str) -> list[Shift]:
        try:
            starts, ends = week.stretch(text)
            return [Shift(weekday, starts % 86_400, ends % 86_400) for weekday in week.weekdays(days)]
        except ValueError as error:
            self.problems.append(f"{self.name}: {place}: {error}")
            return []

    def table(self, content: bytes) -> Staff:
        """A CSV: the column person, and the settings; several values in a cell stand apart by semicolons."""
        try:
            rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadDocument([f"{self.name} is not CSV in UTF-8: {error}"]) from None
        if not rows or "person" not in rows[0]:
            raise BadDocument(
                [f"{self.name} needs a column person, and a row for each: {', '.join(_SETTINGS)} may follow"]
            )
        people: dict[str, Person] = {}
        for line, row in enumerate(rows, 2):
            name = (row.pop("person") or "").strip()
            if None in row or None in row.values():
                self.problems.append(f"{self.name}: line {line} has more or fewer cells than the head has names")
                continue
            if name in people:
                self.problems.append(f"{self.name}: line {line}: {name!r} is there twice")
            people[name] = self._person(f"line {line}", name, self._cells(f"line {line}", row))
        return Staff(people)

    def _cells(self, place: str, row: Mapping[str, str]) -> dict[str, Any]:
        said = {column: text.strip() for column, text in row.items() if text.strip()}
        entry: dict[str, Any] = dict(said)
        for column in ("roles", "regions"):
            if column in said:
                entry[column] = _several(said[column])
        for column in ("level", "capacity"):
            if column in said:
                entry[column] = _whole(said[column])
        if "skills" in said:
            pairs = (part.partition("=") for part in _several(said["skills"]))
            entry["skills"] = {skill.strip(): _whole(level) if level else 1 for skill, _, level in pairs}
        if "shifts" in said:
            entry["shifts"] = {}
            for part in _several(said["shifts"]):
                days, _, text = part.rpartition(" ")
                entry["shifts"].setdefault(days.strip(), []).append(text)
        return entry


def _several(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _whole(text: str) -> int | str:
    return int(text) if text.strip().isdecimal() else text
