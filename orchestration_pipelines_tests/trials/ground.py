"""Where a trial takes place: a home and databases of its own, the mortgage workflow, the lender beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from orchestration_pipelines.engine.deployment import Deployment
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import urls
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.workflows import mortgage_underwriting
from orchestration_pipelines.workflows.mortgage_underwriting.applications import broker

WORKFLOW = Path(mortgage_underwriting.__file__).parent
_HERE = "orchestration_pipelines_tests.trials"
_ROOT = Path(__file__).parents[2]


class Ground:
    """One installation. With ``database`` it is one of several on a server, told so as a user would be told."""

    def __init__(self, home: Path, server: EmbeddedServer, database: str | None = None) -> None:
        self.server = server
        self.url = server.url(database or urls.DATABASE)
        self.home = Home(home, self.url if database else None).ensure()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATION_")}
        self.env["ORCHESTRATION_HOME"] = str(self.home.root)
        if database:
            self.env["ORCHESTRATION_DATABASE_URL"] = self.url
        deployment = Deployment(self.home, self.url)
        deployment.prepare()
        self.engine = deployment.engine(load_workflow(WORKFLOW))
        self.lender_url = deployment.tool_url("lender")
        self._waves = 0

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the engine's database answers, to its owner."""
        return _ask(self.url, statement, values)

    def lender(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the lender's database answers, to its owner."""
        return _ask(self.lender_url, statement, values)

    def start(self, module: str, *words: str, failpoint: str = "") -> subprocess.Popen[bytes]:
        """A process of the trial on this ground; what it says goes to a file in the logs folder."""
        with (self.home.logs / f"{module}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"{_HERE}.{module}", *words],
                cwd=_ROOT,
                env={**self.env, "ORCHESTRATION_FAILPOINT": failpoint},
                stdout=log,
                stderr=log,
            )

    def lend_at_most(self, dollars: float) -> None:
        """The lender's exposure limit."""
        self.lender("UPDATE lender.exposure_limit SET dollars = %s", round(dollars, 2))

    def arrive(self, applications: Iterable[Mapping[str, Any]], share: float) -> None:
        """Submit a wave; of what it asks for, the lender can lend this share more than it has lent so far."""
        wave = list(applications)
        asked = sum(float(columns["loanamt"]) for columns in wave) * 1_000
        [(exposure,)] = self.lender(
            "SELECT coalesce((SELECT dollars FROM lender.exposure ORDER BY no DESC LIMIT 1), 0)::float"
        )
        self.lend_at_most(exposure + share * asked)
        self._waves += 1
        rows = [Row(number, columns) for number, columns in enumerate(wave, 1)]
        submitted = self.engine.submit(rows, requested_by=broker, source=f"wave {self._waves}")
        assert submitted.accepted == len(wave), submitted

    def drop(self) -> None:
        """Drop the databases."""
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            for url in (self.url, self.lender_url, urls.sibling(self.url, "dagster")):
                name = sql.Identifier(urls.database_of(url))
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def still_open(self) -> int:
        """How many cases are not closed."""
        [(count,)] = self.sql("SELECT count(*) FROM cases WHERE state = 'open'")
        return int(count)


def _ask(url: str, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []
