"""The outbox: notices as files, each written once under its key."""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestration_pipelines.store.home import Home


class Unsent(RuntimeError):
    """A notice that must not be written; the message says why."""


class Outbox:
    """A folder of notices. A file is named by the key it was sent under: sending again changes nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, key: str, text: str) -> str:
        """Write a notice and return its file's name; :class:`Unsent` if the key was voided or has another text."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, voided = self._folder / f"{key}.txt", self._folder / f"{key}.void"
        if voided.exists():
            raise Unsent(f"the notice {key} was voided")
        if path.exists():
            if path.read_text(encoding="utf-8") != text:
                raise Unsent(f"a notice with another text was sent under {key}")
            return path.name
        draft = self._folder / f".{key}.{os.getpid()}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)  # whole or not at all
        return path.name

    def void(self, key: str) -> None:
        """Take a notice back before anybody fetched it, and keep it from being sent later."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / f"{key}.void").touch(mode=0o600)
        (self._folder / f"{key}.txt").unlink(missing_ok=True)


def open_outbox() -> Outbox:
    """The outbox of this home."""
    return Outbox(Home.from_environment().outbox)


def scrap_outbox() -> Outbox:
    """One that is gone when the process ends: for a simulation."""
    folder = TemporaryDirectory(prefix="orchestrate-outbox-")
    atexit.register(folder.cleanup)
    return Outbox(Path(folder.name))
