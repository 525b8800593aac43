"""``workflow.yaml``: who owns a workflow, what may be offered to it, who decides where. A slip is told by its place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestration_pipelines.domain.intake import TYPES, Field, Intake

FILE = "workflow.yaml"
_WITHHELD = ("outcome", "leaking", "protected")


class BadSettings(ValueError):
    """The settings cannot be meant so; ``problems`` lists every reason."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


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
    queues: Mapping[str, Queue]
    reviewers: Mapping[str, tuple[str, ...]]


def read_settings(place: Path) -> Settings:
    """The settings of the workflow folder ``place``; :class:`BadSettings` says everything that is wrong."""
    path = place / FILE
    if not path.is_file():
        raise BadSettings([f"{FILE} is missing: it names the owner, the intake and the queues"])
    try:
        written = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadSettings([f"{FILE} is not YAML: {error}"]) from None
    except OSError as error:
        raise BadSettings([f"{FILE} cannot be read: {error.strerror}"]) from None
    if not isinstance(written, dict):
        raise BadSettings([f"{FILE} is not a mapping of settings: write owner: WHO, intake: … below each other"])
    reading = _Reading()
    settings = reading.settings(written)
    if reading.problems:
        raise BadSettings(reading.problems)
    return settings


class _Loader(yaml.SafeLoader):
    """YAML, and nothing said twice: which of the two would be meant?"""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping; refused if a name is in it twice."""
        said: set[str] = set()
        for key, _ in node.value:
            if key.value in said and isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(None, None, f"{key.value!r} is said twice", key.start_mark)
            said.add(str(key.value))
        return super().construct_mapping(node, deep)


class _Reading:
    """One file's reading: what is wrong is gathered, so that all of it is told at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def settings(self, written: Mapping[Any, Any]) -> Settings:
        """The whole file."""
        self._known("", written, ("name", "owner", "intake", "queues", "reviewers", "description"))
        queues = self._mapping("queues", written.get("queues"))
        reviewers = self._mapping("reviewers", written.get("reviewers"))
        return Settings(
            name=self._text("name", written.get("name")),
            owner=self._text("owner", written.get("owner")),
            intake=self._intake(self._mapping("intake", written.get("intake"))),
            queues={name: self._queue(name, entry) for name, entry in queues.items()},
            reviewers={person: self._texts(f"reviewers.{person}", roles) for person, roles in reviewers.items()},
        )

    def _queue(self, name: str, written: Any) -> Queue:
        place = f"queues.{name}"
        entry = self._mapping(place, written)
        self._known(f"{place}.", entry, ("owner", "role"))
        return Queue(
            name, self._text(f"{place}.owner", entry.get("owner")), self._text(f"{place}.role", entry.get("role"))
        )

    def _intake(self, written: Mapping[str, Any]) -> Intake:
        self._known("intake.", written, ("key", "fields", "withheld", "ignored"))
        fields = []
        for column, declared in self._mapping("intake.fields", written.get("fields")).items():
            kind = str(declared).removesuffix("?")
            if kind not in TYPES:
                self.problems.append(
                    f"intake field {column!r} has the type {declared!r}: use one of {', '.join(TYPES)}"
                )
            fields.append(Field(column, kind, str(declared).endswith("?")))
        withheld = self._mapping("intake.withheld", written.get("withheld"))
        if kinds := sorted(set(withheld) - set(_WITHHELD)):
            self.problems.append(f"intake withholds {kinds[0]!r}: the kinds are outcome, leaking and protected")
        intake = Intake(
            key=self._text("intake.key", written.get("key")) or "case_key",
            fields=tuple(fields),
            withheld={kind: self._texts(f"intake.withheld.{kind}", names) for kind, names in withheld.items()},
            ignored=frozenset(self._texts("intake.ignored", written.get("ignored"))),
        )
        hidden = [name for names in intake.withheld.values() for name in names]
        columns = [intake.key, *(field.name for field in fields), *hidden, *intake.ignored]
        for name in sorted({name for name in columns if columns.count(name) > 1}):
            self.problems.append(
                f"intake has the column {name!r} twice: it is one of the key, a field, withheld, ignored"
            )
        return intake

    def _known(self, place: str, written: Mapping[Any, Any], known: tuple[str, ...]) -> None:
        for name in written:
            if name not in known:
                self.problems.append(f"{FILE}: unknown setting {place + str(name)!r}: there are {', '.join(known)}")

    def _mapping(self, place: str, written: Any) -> dict[str, Any]:
        if written is None:
            return {}
        if not isinstance(written, dict) or not all(isinstance(name, str) for name in written):
            self._wrong(place, written, "names with a value each, {name: value}")
            return {}
        return written

    def _text(self, place: str, written: Any) -> str:
        if written is None:
            return ""
        if not isinstance(written, str):
            self._wrong(place, written, "text")
            return ""
        return written.strip()

    def _texts(self, place: str, written: Any) -> tuple[str, ...]:
        if written is None:
            return ()
        if not isinstance(written, list) or not all(isinstance(each, str) for each in written):
            self._wrong(place, written, "a list of texts, [a, b]")
            return ()
        return tuple(written)

    def _wrong(self, place: str, written: Any, wanted: str) -> None:
        self.problems.append(f"{FILE}: {place} is {str(written)[:60]!r}: write {wanted}")
