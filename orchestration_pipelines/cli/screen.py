"""The one screen of ``orchestrate up``: where everything is, how it is, and what to try."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestration_pipelines.cli.output import console
from orchestration_pipelines.cli.parts import Part, State
from orchestration_pipelines.engine.deployment import Deployment
from orchestration_pipelines.store import urls

_COLOURS = {State.UP: "green", State.STARTING: "yellow", State.SILENT: "red", State.DOWN: "red"}
_TRY = (
    ("orchestrate doctor", "what is up, what is not, and what to do"),
    ("orchestrate reviews list", "what waits for a person"),
    ("orchestrate cases list", "where every case stands"),
    ("orchestrate db url", "the database, for any SQL client: SELECT * FROM reviewer_table"),
)
_LAST = 8
_FIRST = (
    ("orchestrate users create NAME --admin", "the first account of the console, where nobody has one"),
    ("orchestrate users pilot", "or: accounts of the pilot's test people, with passwords"),
)


class Ports(NamedTuple):
    """Where the web pages are, on this machine alone."""

    dagster: int
    console: int | None  #: None: it is switched off


class Screen:
    """Redrawn in place on a terminal; elsewhere said once, and then every change on a line."""

    def __init__(self, deployment: Deployment, ports: Ports, *, embedded: bool) -> None:
        self._deployment, self._ports, self._embedded = deployment, ports, embedded
        self._console = console()
        self._live = Live(console=self._console, auto_refresh=False) if sys.stdout.isatty() else None
        self._news: deque[str] = deque(maxlen=_LAST)
        self._said = False
        if self._live is not None:
            self._live.start()

    def show(self, database: str, parts: Sequence[Part], news: Iterable[str], has_account: bool) -> None:
        """How it stands now, and what has just happened; ``has_account``: somebody can sign in to the console."""
        first = self._ports.console is not None and not has_account
        fresh = [f"{datetime.now().astimezone():%H:%M:%S}  {message}" for message in news]
        self._news.extend(fresh)
        if self._live is not None:
            self._live.update(self._drawn(database, parts, first), refresh=True)
            return
        for line in fresh:
            self._console.print(Text(line), soft_wrap=True)
        if not self._said and all(part.state is State.UP for part in parts):
            self._said = True
            self._console.print(self._drawn(database, parts, first))

    def close(self) -> None:
        """Leave the last state on the terminal."""
        if self._live is not None:
            self._live.stop()

    def _drawn(self, database: str, parts: Sequence[Part], first: bool) -> RenderableType:
        places = Table.grid(padding=(0, 2))
        if self._ports.console is not None:
            places.add_row(Text("reviewer console", style="bold"), Text(f"http://127.0.0.1:{self._ports.console}"))
        places.add_row(Text("Dagster's UI", style="bold"), Text(f"http://127.0.0.1:{self._ports.dagster}"))
        where = "embedded" if self._embedded else urls.masked(self._deployment.url)
        places.add_row(Text("PostgreSQL", style="bold"), Text(where))
        places.add_row(Text("home", style="bold"), Text(str(self._deployment.home.root)))
        states = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for column in ("part", "state", "log"):
            states.add_column(column, overflow="fold")
        states.add_row("postgresql", Text(database, style="green" if database == "up" else "red"), "")
        for part in parts:
            states.add_row(part.name, Text(part.state.value, style=_COLOURS[part.state]), str(part.log))
        hints = Table.grid(padding=(0, 2))
        for command, what in (*(_FIRST if first else ()), *_TRY):
            hints.add_row(Text(command, style="cyan"), what)
        news = Text("\n".join(self._news) if self._live is not None else "", style="dim")
        return Group(places, "", states, "", hints, "", Text("Ctrl-C stops everything.", style="bold"), news)
