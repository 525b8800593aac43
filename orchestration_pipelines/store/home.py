"""Where everything that the product writes lies: one directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration_pipelines.store import account
from orchestration_pipelines.store.urls import check_readable


class HomeUnusable(RuntimeError):
    """The product's directory cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Home:
    """The product's directory, and the database it was told to use (None: the embedded one)."""

    root: Path
    database_url: str | None = None

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None, start: Path | None = None) -> Home:
        """As ``ORCHESTRATION_HOME`` (by default ``.orchestration`` here) and ``ORCHESTRATION_DATABASE_URL`` say."""
        env = os.environ if env is None else env
        if url := env.get("ORCHESTRATION_DATABASE_URL"):
            check_readable(url)
        root = Path(env.get("ORCHESTRATION_HOME") or (start or Path.cwd()) / ".orchestration")
        return cls(root.expanduser().resolve(), url or None)

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.root / "logs"

    @property
    def inbox(self) -> Path:
        """Where files lie that Dagster's ``receive`` may take; nothing else on the server is read."""
        return self.root / "inbox"

    @property
    def outbox(self) -> Path:
        """Where notices to applicants and owners are written."""
        return self.root / "outbox"

    @property
    def artefacts(self) -> Path:
        """Fitted models and other files named by their digest."""
        return self.root / "artefacts"

    @property
    def dagster(self) -> Path:
        """``DAGSTER_HOME``."""
        return self.root / "dagster"

    def ensure(self) -> Home:
        """Make the directories, for their owner only."""
        for path in (self.root, self.logs, self.inbox, self.outbox, self.artefacts, self.dagster):
            try:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise HomeUnusable(f"{path} cannot be made ({error.strerror}): set ORCHESTRATION_HOME") from error
            if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                raise HomeUnusable(
                    f"{path} cannot be written to: let {account.user()} own it, or set ORCHESTRATION_HOME"
                )
        return self
