"""Finding the models that a model imports: files beside it, never an address, never a path to elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from orchestration_pipelines.model.dmn.document import Document, document
from orchestration_pipelines.model.dmn.problems import DmnRefused
from orchestration_pipelines.model.xml import content_of

#: how many models may import each other in a row
MAX_IMPORTS = 20


class Beside(Protocol):
    """The files beside a model."""

    def names(self) -> Iterator[str]:
        """Their names."""

    def content(self, name: str) -> bytes | None:
        """What is in one, or None if there is none of this name."""


class Folder:
    """The ``.dmn`` files of a folder; a link that leads out of it is none of them."""

    def __init__(self, place: Path) -> None:
        self._place = place.resolve()

    def names(self) -> Iterator[str]:
        """In the order of the alphabet."""
        return (path.name for path in sorted(self._place.glob("*.dmn")))

    def content(self, name: str) -> bytes | None:
        """The bytes of a file."""
        path = (self._place / name).resolve()
        return content_of(path) if path.parent == self._place and path.is_file() else None


class Given:
    """Files that are given by name, and lie nowhere."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def names(self) -> Iterator[str]:
        """In the order of the alphabet."""
        return iter(sorted(self._files))

    def content(self, name: str) -> bytes | None:
        """The bytes of a file."""
        return self._files.get(name)


class Shelf:
    """The files beside a model, each read once."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._read: dict[str, Document | None] = {}

    def find(self, namespace: str, location: str) -> Document | None:
        """The model of a namespace: at its location if that is the name of a file beside, else wherever it is."""
        at = location.removeprefix("./")
        found = self._document(at) if at and "/" not in at and "\\" not in at else None
        if found is not None and found.namespace == namespace:
            return found
        return self._by_namespace.get(namespace)

    @cached_property
    def _by_namespace(self) -> dict[str, Document]:
        documents = filter(None, map(self._document, self._beside.names()))
        return {found.namespace: found for found in documents if found.namespace}

    def _document(self, name: str) -> Document | None:
        if name not in self._read:
            content = self._beside.content(name)
            try:
                self._read[name] = None if content is None else document(content, name)
            except DmnRefused:
                self._read[name] = None  # a neighbour that is no model; if it is needed, it is not found, and told
        return self._read[name]
