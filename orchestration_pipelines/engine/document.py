"""A YAML document that a person wrote: read strictly; all that is wrong with it is told at once, by its place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import yaml


class BadDocument(ValueError):
    """The document cannot be meant so; ``problems`` lists every reason."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def read(content: bytes, name: str) -> Mapping[Any, Any]:
    """The document's mapping; :class:`BadDocument` if it is not YAML, says something twice or is no mapping."""
    try:
        written = yaml.load(content, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise BadDocument([f"{name} is not YAML: {error}"]) from None
    if not isinstance(written, dict):
        raise BadDocument([f"{name} is not a mapping of settings: write name: value below each other"])
    return written


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


class Reading:
    """One document's reading: what is wrong is gathered, so that all of it is told at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []

    def known(self, place: str, written: Mapping[Any, Any], known: tuple[str, ...]) -> None:
        """Nothing is said that nobody reads."""
        for name in written:
            if name not in known:
                told = f"unknown setting {place + str(name)!r}: there are {', '.join(known)}"
                self.problems.append(f"{self.name}: {told}")

    def mapping(self, place: str, written: Any) -> dict[str, Any]:
        """Names with a value each; empty where nothing is said."""
        if written is None:
            return {}
        if not isinstance(written, dict) or not all(isinstance(name, str) for name in written):
            self.wrong(place, written, "names with a value each, {name: value}")
            return {}
        return written

    def text(self, place: str, written: Any) -> str:
        """A text, without the blanks around it; empty where nothing is said."""
        if written is None:
            return ""
        if not isinstance(written, str):
            self.wrong(place, written, "text")
            return ""
        return written.strip()

    def texts(self, place: str, written: Any) -> tuple[str, ...]:
        """Several texts."""
        if written is None:
            return ()
        if not isinstance(written, list) or not all(isinstance(each, str) for each in written):
            self.wrong(place, written, "a list of texts, [a, b]")
            return ()
        return tuple(written)

    def count(self, place: str, written: Any, most: int = 1_000_000) -> int | None:
        """How many, 0 and more; None where nothing is said."""
        if written is None:
            return None
        if not isinstance(written, int) or isinstance(written, bool) or not 0 <= written <= most:
            self.wrong(place, written, f"a whole number from 0 to {most}")
            return None
        return written

    def number(self, place: str, written: Any) -> float:
        """A number, which must be said."""
        if isinstance(written, bool) or not isinstance(written, int | float):
            self.wrong(place, written, "a number")
            return 0.5
        return float(written)

    def flag(self, place: str, written: Any) -> bool:
        """True or false; false where nothing is said."""
        if written is not None and not isinstance(written, bool):
            self.wrong(place, written, "true or false")
        return written is True

    def wrong(self, place: str, written: Any, wanted: str) -> None:
        """Something is not what it must be."""
        self.problems.append(f"{self.name}: {place} is {str(written)[:60]!r}: write {wanted}")
